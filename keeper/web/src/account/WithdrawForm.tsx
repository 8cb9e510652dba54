import { type ReactElement, useId, useState } from "react";
import { useLocated } from "../api/queries.ts";
import type { BalancesBody } from "../api/wire.ts";
import type { Asker } from "../chat/ask.ts";
import { amount, amountProblem, parseAmount, plain } from "../format/amount.ts";
import { dated } from "../format/time.ts";
import { useNow } from "../ui/hooks.ts";
import { type Moving, useMoving } from "./moving.ts";

interface WithdrawProps {
  readonly asker: Asker;
  readonly balances: BalancesBody;
}

/** Credits back into the wallet: announced first, taken out after a while. */
export function WithdrawForm({ asker, balances }: WithdrawProps): ReactElement {
  const moving = useMoving(asker);
  const pending = BigInt(balances.nsd.withdrawing_wei);
  return (
    <>
      {pending > 0n ? (
        <Pending asker={asker} balances={balances} pending={pending} moving={moving} />
      ) : (
        <Announce asker={asker} credits={BigInt(balances.nsd.credits_wei)} moving={moving} />
      )}
      {moving.problem && (
        <p className="bad small" role="alert">
          {moving.problem}
        </p>
      )}
    </>
  );
}

interface StepProps {
  readonly asker: Asker;
  readonly moving: Moving;
}

function Announce({ asker, credits, moving }: StepProps & { readonly credits: bigint }): ReactElement {
  const id = useId();
  const { busy, move } = moving;
  const [text, setText] = useState<string>();
  const shown = text ?? plain(credits);
  const wanted = parseAmount(shown);
  const unfit = amountProblem(wanted, credits, `Your credits are ${amount(credits)} NSD.`);
  return (
    <form
      className="money"
      onSubmit={(event) => {
        event.preventDefault();
        if (wanted && !unfit && !busy)
          void move("withdrawing_wei", (wallet) => wallet.requestWithdrawal(wanted, asker.account));
      }}
    >
      <label htmlFor={id}>Withdraw</label>
      <span>
        <input
          id={id}
          className="amount"
          inputMode="decimal"
          autoComplete="off"
          value={shown}
          readOnly={busy}
          onChange={(event) => setText(event.target.value)}
          aria-describedby={`${id}-hint`}
        />
        <span className="unit-name">NSD</span>
      </span>
      <button type="submit" disabled={busy || unfit !== undefined}>
        {busy ? "Announcing" : "Withdraw"}
      </button>
      <p id={`${id}-hint`} className={unfit ? "bad small" : "soft small"}>
        {unfit ??
          "It waits a while, so that answers on their way are paid. For the last 15 minutes of that it pays for no question to this validator."}
      </p>
    </form>
  );
}

interface PendingProps extends StepProps, WithdrawProps {
  readonly pending: bigint;
}

function Pending({ asker, balances, pending, moving }: PendingProps): ReactElement {
  const { busy, move } = moving;
  const { account } = asker;
  const readyAt = balances.nsd.withdrawable_at ? Date.parse(balances.nsd.withdrawable_at) : 0;
  const located = useLocated(account.address).data;
  const now = useNow(1_000);
  // A chain's clock may be ahead of this machine's.
  const ready = Math.max(now, located ? Date.parse(located.at) : 0) >= readyAt;
  return (
    <div className="money">
      <p>{amount(pending)} NSD on their way to your wallet.</p>
      <p className="row">
        <button
          type="button"
          className="main"
          disabled={busy || !ready}
          onClick={() => void move("wallet_wei", (wallet) => wallet.withdraw(account))}
        >
          {ready ? "Take it out" : `Ready at ${dated(readyAt)}`}
        </button>
        <button
          type="button"
          disabled={busy}
          onClick={() => void move("withdrawing_wei", (wallet) => wallet.cancelWithdrawal(account))}
        >
          Keep it
        </button>
      </p>
    </div>
  );
}
