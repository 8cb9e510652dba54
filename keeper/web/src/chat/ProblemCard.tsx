import type { ReactElement } from "react";
import { DepositForm } from "../account/DepositForm.tsx";
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
  const balances = useBalances(asker.account.address).data;
  const required = BigInt(problem.requiredWei ?? turn.terms.paymentWei);
  const credits = balances ? BigInt(balances.nsd.credits_wei) : 0n;
  const missing = required > credits ? required - credits : 0n;
  if (balances && missing === 0n) {
    return (
      <p className="row">
        <button type="button" className="main" onClick={() => askAgain(turn.key, asker)}>
          Send it
        </button>
        <span className="soft">Your credits are {amount(credits)} NSD now.</span>
      </p>
    );
  }
  return (
    <DepositForm asker={asker} suggested={missing} action="Deposit and send" onDone={() => askAgain(turn.key, asker)} />
  );
}
