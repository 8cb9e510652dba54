import type { ReactElement } from "react";
import { atSecond } from "../format/time.ts";
import type { Turn } from "./model.ts";
import { holderOf, toldOf } from "./progress.ts";

/** Who has a request, who had it and why it moved on. It is one line from the first moment, and grows where it moves. */
export function Attempts({ turn }: { readonly turn: Turn }): ReactElement | null {
  const attempts = turn.attempts ?? [];
  const looking = !turn.outcome && holderOf(turn) === undefined;
  if (turn.terms.lane !== "assigned" || (attempts.length === 0 && !looking)) return null;
  return (
    <ol className="attempts" aria-label="Validators that had it">
      {attempts.map((attempt) => (
        <li key={attempt.validator}>
          <time dateTime={new Date(attempt.at).toISOString()}>{atSecond(attempt.at)}</time>
          <span>{toldOf(attempt, turn)}</span>
        </li>
      ))}
      {looking && (
        <li>
          <span>{attempts.length > 0 ? "Another validator" : "A validator"} is looked for.</span>
        </li>
      )}
    </ol>
  );
}
