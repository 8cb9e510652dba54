import { type ReactElement, useId, useState } from "react";
import { useBalances } from "../api/queries.ts";
import type { Asker } from "../chat/ask.ts";
import { amount, amountProblem, parseAmount, plain } from "../format/amount.ts";
import { announce } from "../ui/Announcer.tsx";
import { useMoving } from "./moving.ts";

interface DepositProps {
  readonly asker: Asker;
  readonly suggested: bigint;
  readonly action?: string;
  readonly onDone?: () => void;
}

/** NSD from the wallet into credits, in one transaction. */
export function DepositForm({ asker, suggested, action = "Deposit", onDone }: DepositProps): ReactElement {
  const id = useId();
  const { account } = asker;
  const { busy, problem, move } = useMoving(asker);
  const [text, setText] = useState<string>();
  const [sent, setSent] = useState<string>();
  const balances = useBalances(account.address).data;
  const inWallet = balances ? BigInt(balances.nsd.wallet_wei) : undefined;
  const shown = sent ?? text ?? plain(suggested);
  const wanted = parseAmount(shown);
  const wrongChain = account.kind === "injected" && account.chainId !== asker.network.chain_id;
  const holds = inWallet === undefined ? "" : `Your wallet holds ${amount(inWallet)} NSD.`;
  const unfit = busy ? undefined : amountProblem(wanted, inWallet, holds);

  const deposit = async (): Promise<void> => {
    if (!wanted || unfit || busy) return;
    // What is suggested follows the balances, which this moves.
    setSent(shown);
    await move(
      "wallet_wei",
      (wallet) => wallet.deposit(wanted, account),
      () => {
        announce(`Deposited ${amount(wanted)} NSD.`);
        onDone?.();
      },
    );
    setSent(undefined);
  };
  return (
    <form
      className="money"
      onSubmit={(event) => {
        event.preventDefault();
        void deposit();
      }}
    >
      <label htmlFor={id}>Deposit</label>
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
      <button type="submit" className="main" disabled={busy || wrongChain || unfit !== undefined}>
        {busy ? "Depositing" : action}
      </button>
      <p
        id={`${id}-hint`}
        className={problem || unfit ? "bad small" : "soft small"}
        role={problem ? "alert" : undefined}
      >
        {problem ?? unfit ?? hint(holds, wrongChain)}
      </p>
    </form>
  );
}

function hint(holds: string, wrongChain: boolean): string {
  if (wrongChain) return "Your wallet is on another chain.";
  return holds && `${holds} Credits can be withdrawn again.`;
}
