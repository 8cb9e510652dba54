import { memo, type ReactElement } from "react";
import { Answer } from "./Answer.tsx";
import type { Asker } from "./ask.ts";
import { ConfirmCard } from "./ConfirmCard.tsx";
import { FailureCard } from "./FailureCard.tsx";
import type { Turn } from "./model.ts";
import { Phases } from "./Phases.tsx";
import { ProblemCard } from "./ProblemCard.tsx";
import { Receipt } from "./Receipt.tsx";
import { StoppedCard } from "./StoppedCard.tsx";

interface TurnProps {
  readonly turn: Turn;
  readonly asker: Asker | undefined;
}

/** A question, what happened to it, its answer, and in one and the same place the receipt or what stands in its way. */
export const TurnView = memo(function TurnView({ turn, asker }: TurnProps): ReactElement {
  const unsent = turn.problem !== undefined && turn.phases.length === 0;
  return (
    <article className="turn" data-stage={turn.stage}>
      <h2 className="me">{turn.prompt}</h2>
      {!unsent && <Phases turn={turn} />}
      {!unsent && <Answer turn={turn} />}
      <TurnCard turn={turn} asker={asker} />
    </article>
  );
}, sameTurn);

function TurnCard({ turn, asker }: TurnProps): ReactElement {
  if (turn.outcome && turn.outcome.status !== "completed")
    return <FailureCard turn={turn} outcome={turn.outcome} asker={asker} />;
  if (turn.outcome) return <Receipt turn={turn} />;
  if (turn.problem) return <ProblemCard turn={turn} problem={turn.problem} asker={asker} />;
  if (turn.confirmation) return <ConfirmCard turnKey={turn.key} confirmation={turn.confirmation} />;
  if (turn.stage === "stopped") return <StoppedCard turn={turn} asker={asker} />;
  return <Receipt turn={turn} />;
}

function sameTurn(before: TurnProps, after: TurnProps): boolean {
  return (
    before.turn === after.turn &&
    before.asker?.account === after.asker?.account &&
    before.asker?.network.chain_id === after.asker?.network.chain_id
  );
}
