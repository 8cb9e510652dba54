import type { ReactElement } from "react";
import { amount, sharing } from "../format/amount.ts";
import { type Asker, askAgain } from "./ask.ts";
import { type Leg, Legs } from "./Legs.tsx";
import type { Outcome, Turn } from "./model.ts";
import { Proofs } from "./Proofs.tsx";

interface FailureProps {
  readonly turn: Turn;
  readonly outcome: Outcome;
  readonly asker: Asker | undefined;
}

/** A request that ended without an answer: its class, what came back, and what to do. */
export function FailureCard({ turn, outcome, asker }: FailureProps): ReactElement {
  const refunded = BigInt(outcome.refundedWei ?? "0");
  const penalty = BigInt(outcome.penaltyWei ?? "0");
  const [back, burned] = sharing([refunded, penalty]);
  const legs: Leg[] = [
    { kind: "burn", name: "Burned", wei: penalty, shown: burned },
    { kind: "back", name: "Back to you", wei: refunded, shown: back },
  ];
  const charged = refunded + penalty > 0n;
  return (
    <section className="card receipt failed" aria-label="Receipt of a failed request">
      <p className="headline">
        <b>{titleOf(outcome)}</b>
        <span className="soft">
          {charged ? `, ${amount(refunded)} of ${amount(refunded + penalty)} NSD came back` : ", nothing was charged"}
        </span>
      </p>
      {charged && <Legs legs={legs} />}
      <p className="advice">{adviceOf(outcome)}</p>
      {asker && (
        <p className="row">
          <button type="button" onClick={() => askAgain(turn.key, asker)}>
            Ask again
          </button>
        </p>
      )}
      <Proofs turn={turn} ended />
    </section>
  );
}

const CLASSES: readonly (readonly [RegExp, string, string])[] = [
  [/offline/i, "Validator offline", "It was not seen at all, so everything came back. Ask again: another one answers."],
  [
    /timeout|time_out|window/i,
    "Timeout",
    "The validator did not answer in time and lost reputation. Ask again, or ask for a shorter answer.",
  ],
  [/invalid/i, "Invalid answer", "The answer did not stand its audit. Ask again."],
  [/bad_?prompt/i, "Prompt not readable", "Several validators could not read the question. Send it again."],
  [/no_?node|queue/i, "Nobody was free", "No validator took it in five minutes. Try again later."],
  [/cancel/i, "Cancelled", "You cancelled it before it was answered."],
];

function titleOf({ status, error }: Outcome): string {
  if (status === "cancelled") return "Cancelled";
  return CLASSES.find(([pattern]) => pattern.test(error?.code ?? ""))?.[1] ?? "Failed";
}

function adviceOf({ status, error }: Outcome): string {
  const known = CLASSES.find(([pattern]) => pattern.test(status === "cancelled" ? status : (error?.code ?? "")));
  return error?.message || (known?.[2] ?? "The validator could not answer. Ask again.");
}
