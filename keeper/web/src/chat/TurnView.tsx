import { memo, type ReactElement, useRef, useState } from "react";
import { Answer } from "./Answer.tsx";
import type { Asker } from "./ask.ts";
import { CancelCard } from "./CancelCard.tsx";
import { ConfirmCard } from "./ConfirmCard.tsx";
import { FailureCard } from "./FailureCard.tsx";
import { isCancellable, type Turn } from "./model.ts";
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
  const [cancelling, setCancelling] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const unsent = turn.problem !== undefined && turn.phases.length === 0;
  const cancellable = asker !== undefined && isCancellable(turn);
  const close = (): void => {
    setCancelling(false);
    // Where the request is over its opener is gone, and the keyboard's place would be lost with it.
    requestAnimationFrame(() => (opener.current ?? document.getElementById("prompt"))?.focus({ preventScroll: true }));
  };
  return (
    <article className="turn" data-stage={turn.stage}>
      <h2 className="me">{turn.prompt}</h2>
      {!unsent && (
        <div className="progress">
          <Phases turn={turn} />
          {cancellable && (
            <button
              type="button"
              className="plain"
              ref={opener}
              aria-expanded={cancelling}
              onClick={() => setCancelling(!cancelling)}
            >
              Cancel
            </button>
          )}
        </div>
      )}
      {!unsent && <Answer turn={turn} />}
      {cancelling && cancellable && turn.requestId ? (
        <CancelCard turn={turn} requestId={turn.requestId} asker={asker} onClose={close} />
      ) : (
        <TurnCard turn={turn} asker={asker} />
      )}
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
