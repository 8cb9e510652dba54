import type { ReactElement } from "react";
import { DepositForm } from "../account/DepositForm.tsx";
import { useMoving } from "../account/moving.ts";
import { spendable, withheld } from "../account/spendable.ts";
import { useBalances } from "../api/queries.ts";
import { amount } from "../format/amount.ts";
import { remaining } from "../format/time.ts";
import { useNow } from "../ui/hooks.ts";
import { type Asker, askAgain } from "./ask.ts";
import type { Problem, Turn } from "./model.ts";

interface ProblemProps {
  readonly turn: Turn;
  readonly problem: Problem;
  readonly asker: Asker | undefined;
}

/** What stands between a question and its answer, with the way around it. */
export function ProblemCard({ turn, problem, asker }: ProblemProps): ReactElement {
  return (
    <section className="card problem" aria-label={problem.title}>
      <p className="headline">{problem.title}</p>
      <p>{problem.detail}</p>
      {asker && <WayOut turn={turn} problem={problem} asker={asker} />}
    </section>
  );
}

function WayOut({ turn, problem, asker }: ProblemProps & { readonly asker: Asker }): ReactElement {
  if (problem.kind === "credits") return <Shortfall turn={turn} problem={problem} asker={asker} />;
  if (problem.retryAt) return <Countdown turn={turn} until={problem.retryAt} asker={asker} />;
  return (
    <p className="row">
      <button type="button" onClick={() => askAgain(turn.key, asker)}>
        Send again
      </button>
    </p>
  );
}

function Countdown({
  turn,
  until,
  asker,
}: {
  readonly turn: Turn;
  readonly until: number;
  readonly asker: Asker;
}): ReactElement {
  const now = useNow(500, until > Date.now());
  const wait = until - now;
  return (
    <p className="row">
      <button type="button" disabled={wait > 0} onClick={() => askAgain(turn.key, asker)}>
        {wait > 0 ? `Send again in ${remaining(wait)}` : "Send again"}
      </button>
    </p>
  );
}

function Shortfall({ turn, problem, asker }: ProblemProps & { readonly asker: Asker }): ReactElement {
  const { address } = asker.account;
  const balances = useBalances(address).data;
  if (!balances) return <p className="soft small">Reading your credits</p>;
  const { lane, paymentWei } = turn.terms;
  const required = BigInt(problem.requiredWei ?? paymentWei);
  const usable = spendable(balances, lane);
  const send = (): void => askAgain(turn.key, asker);
  if (usable >= required) {
    return (
      <p className="row">
        <button type="button" className="main" onClick={send}>
          Send it
        </button>
        <span className="soft">{amount(usable)} NSD of your credits can pay for it now.</span>
      </p>
    );
  }
  const leaving = lane === "assigned" ? 0n : withheld(balances);
  return (
    <>
      {balances.nsd.owed_wei !== "0" && (
        <p className="soft small">
          {amount(BigInt(balances.nsd.owed_wei))} NSD wait for answers that are not settled yet.
        </p>
      )}
      {leaving > 0n && (
        <Leaving
          key={address}
          asker={asker}
          leaving={leaving}
          onKept={usable + leaving >= required ? send : undefined}
        />
      )}
      <DepositForm
        key={`deposit ${address}`}
        asker={asker}
        suggested={required - usable}
        action="Deposit and send"
        onDone={send}
      />
    </>
  );
}

interface LeavingProps {
  readonly asker: Asker;
  readonly leaving: bigint;
  /** Where what is kept is enough. */
  readonly onKept: (() => void) | undefined;
}

/** Credits that are there, and on their way out. */
function Leaving({ asker, leaving, onKept }: LeavingProps): ReactElement {
  const { busy, problem, move } = useMoving(asker);
  const keep = (): void => void move("withdrawing_wei", (wallet) => wallet.cancelWithdrawal(asker.account), onKept);
  return (
    <>
      <p className="row">
        <button type="button" disabled={busy} onClick={keep}>
          {busy ? "Keeping" : onKept ? "Keep it and send" : "Keep it"}
        </button>
        <span className="soft">{amount(leaving)} NSD of your credits are being withdrawn.</span>
      </p>
      {problem && (
        <p className="bad small" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}
