import type { ReactElement } from "react";
import { sharing } from "../format/amount.ts";
import { Attempts } from "./Attempts.tsx";
import { type Asker, askAgain } from "./ask.ts";
import { cameBack, failureOf, moneyOf } from "./failures.ts";
import { type Leg, Legs } from "./Legs.tsx";
import type { Outcome, Turn } from "./model.ts";
import { Proofs } from "./Proofs.tsx";

interface FailureProps {
  readonly turn: Turn;
  readonly outcome: Outcome;
  readonly asker: Asker | undefined;
}

/** A request that ended without an answer: its class, where the payment went, and what to do. */
export function FailureCard({ turn, outcome, asker }: FailureProps): ReactElement {
  const refunded = BigInt(outcome.refundedWei ?? "0");
  const penalty = BigInt(outcome.penaltyWei ?? "0");
  const charged = refunded + penalty > 0n;
  const [burned, back] = sharing([penalty, refunded]);
  const legs: Leg[] = [
    { kind: "burn", name: "Burned", wei: penalty, shown: burned },
    { kind: "back", name: "Back to you", wei: refunded, shown: back },
  ];
  const { title, what, advice } = failureOf(outcome, turn.attempts);
  const cancelled = outcome.status === "cancelled";
  return (
    <section
      className={`card receipt ${cancelled ? "cancelled" : "failed"}`}
      aria-label={cancelled ? "Receipt of a cancelled request" : "Receipt of a failed request"}
    >
      <p className="headline">
        <b>{title}</b>
        <span className="soft">, {cameBack(outcome)}</span>
      </p>
      {charged && <Legs legs={legs} />}
      <p>
        {what} {moneyOf(outcome)}
      </p>
      <Attempts turn={turn} />
      {asker && (
        <p className="row">
          <button type="button" onClick={() => askAgain(turn.key, asker)}>
            Ask again
          </button>
          {advice && <span className="soft">{advice}</span>}
        </p>
      )}
      <Proofs turn={turn} ended />
    </section>
  );
}
