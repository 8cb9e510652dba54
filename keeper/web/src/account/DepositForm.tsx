import { type ReactElement, useId, useState } from "react";
import { movingNsd, useBalances } from "../api/queries.ts";
import type { Asker } from "../chat/ask.ts";
import { amount, parseAmount, plain } from "../format/amount.ts";
import { announce } from "../ui/Announcer.tsx";
import { walletProblem } from "../wallet/failure.ts";
import { loadWallet } from "../wallet/session.ts";

interface DepositProps {
  readonly asker: Asker;
  readonly suggested: bigint;
  readonly action?: string;
  readonly onDone?: () => void;
}

/** NSD from the wallet into credits, in one transaction. */
export function DepositForm({ asker, suggested, action = "Deposit", onDone }: DepositProps): ReactElement {
  const id = useId();
  const [text, setText] = useState(() => plain(suggested));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const balances = useBalances(asker.account.address).data;
  const inWallet = balances ? BigInt(balances.nsd.wallet_wei) : undefined;
  const wanted = parseAmount(text);
  const tooMuch = wanted !== undefined && inWallet !== undefined && wanted > inWallet;
  const { account } = asker;
  const wrongChain = account.kind === "injected" && account.chainId !== asker.network.chain_id;

  const deposit = async (): Promise<void> => {
    if (!wanted) return;
    setBusy(true);
    setProblem(undefined);
    try {
      const wallet = await loadWallet(asker.network);
      await movingNsd(account.address, () => wallet.deposit(wanted, account));
      announce(`Deposited ${amount(wanted)} NSD.`);
      onDone?.();
    } catch (error) {
      setProblem(walletProblem(error));
    }
    setBusy(false);
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
          value={text}
          onChange={(event) => setText(event.target.value)}
          aria-describedby={`${id}-hint`}
        />
        <span className="unit-name">NSD</span>
      </span>
      <button type="submit" className="main" disabled={busy || wrongChain || !wanted || tooMuch}>
        {busy ? "Depositing" : action}
      </button>
      <p
        id={`${id}-hint`}
        className={problem || tooMuch ? "bad small" : "soft small"}
        role={problem ? "alert" : undefined}
      >
        {problem ?? (tooMuch ? `Your wallet holds ${amount(inWallet)} NSD.` : hint(inWallet, wrongChain))}
      </p>
    </form>
  );
}

function hint(inWallet: bigint | undefined, wrongChain: boolean): string {
  if (wrongChain) return "Your wallet is on another chain.";
  return inWallet === undefined ? "" : `Your wallet holds ${amount(inWallet)} NSD. Credits can be withdrawn again.`;
}
