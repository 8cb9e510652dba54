import { type ReactElement, useId, useState } from "react";
import { movingNsd } from "../api/queries.ts";
import type { BalancesBody } from "../api/wire.ts";
import type { Asker } from "../chat/ask.ts";
import { amount, parseAmount, plain } from "../format/amount.ts";
import { atClock } from "../format/time.ts";
import { useNow } from "../ui/hooks.ts";
import { walletProblem } from "../wallet/failure.ts";
import { loadWallet } from "../wallet/session.ts";
import type { Wallet } from "../wallet/wagmi.ts";

interface WithdrawProps {
  readonly asker: Asker;
  readonly balances: BalancesBody;
}

/** Credits back into the wallet: announced first, taken out after a while in which they stay usable. */
export function WithdrawForm({ asker, balances }: WithdrawProps): ReactElement {
  const pending = BigInt(balances.nsd.withdrawing_wei);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const act = async (work: (wallet: Wallet) => Promise<unknown>): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      const wallet = await loadWallet(asker.network);
      await movingNsd(asker.account.address, () => work(wallet));
    } catch (error) {
      setProblem(walletProblem(error));
    }
    setBusy(false);
  };
  return (
    <>
      {pending > 0n ? (
        <Pending asker={asker} balances={balances} pending={pending} busy={busy} act={act} />
      ) : (
        <Announce asker={asker} credits={BigInt(balances.nsd.credits_wei)} busy={busy} act={act} />
      )}
      {problem && (
        <p className="bad small" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}

interface StepProps {
  readonly asker: Asker;
  readonly busy: boolean;
  readonly act: (work: (wallet: Wallet) => Promise<unknown>) => Promise<void>;
}

function Announce({ asker, credits, busy, act }: StepProps & { readonly credits: bigint }): ReactElement {
  const id = useId();
  const [text, setText] = useState(() => plain(credits));
  const wanted = parseAmount(text);
  return (
    <form
      className="money"
      onSubmit={(event) => {
        event.preventDefault();
        if (wanted) void act((wallet) => wallet.requestWithdrawal(wanted, asker.account));
      }}
    >
      <label htmlFor={id}>Withdraw</label>
      <span>
        <input
          id={id}
          className="amount"
          inputMode="decimal"
          autoComplete="off"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <span className="unit-name">NSD</span>
      </span>
      <button type="submit" disabled={busy || !wanted || wanted > credits}>
        {busy ? "Announcing" : "Withdraw"}
      </button>
      <p className="soft small">
        It waits a while, so that answers on their way are paid. Until then the credits stay usable.
      </p>
    </form>
  );
}

function Pending({
  asker,
  balances,
  pending,
  busy,
  act,
}: StepProps & WithdrawProps & { readonly pending: bigint }): ReactElement {
  const readyAt = balances.nsd.withdrawable_at ? Date.parse(balances.nsd.withdrawable_at) : 0;
  const now = useNow(1_000);
  return (
    <div className="money">
      <p>{amount(pending)} NSD on their way to your wallet.</p>
      <p className="row">
        <button
          type="button"
          className="main"
          disabled={busy || now < readyAt}
          onClick={() => void act((wallet) => wallet.withdraw(asker.account))}
        >
          {now < readyAt ? `Ready at ${atClock(readyAt)}` : "Take it out"}
        </button>
        <button
          type="button"
          disabled={busy}
          onClick={() => void act((wallet) => wallet.cancelWithdrawal(asker.account))}
        >
          Keep it
        </button>
      </p>
    </div>
  );
}
