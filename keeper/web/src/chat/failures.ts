import { amount, sharingBare } from "../format/amount.ts";
import type { Outcome, Turn } from "./model.ts";

/** What a failure is called, what happened, and what its reader can do. */
interface FailureClass {
  readonly title: string;
  readonly what: string;
  readonly advice: string;
}

const CLASSES: Readonly<Record<string, FailureClass>> = {
  offline: {
    title: "Validator offline",
    what: "Its validator did not show up, and lost reputation for that.",
    advice: "Another validator is picked then.",
  },
  timeout: {
    title: "Timeout",
    what: "Its validator was there and did not answer in time. It lost reputation for that.",
    advice: "A shorter answer is quicker.",
  },
  error: {
    title: "Validator error",
    what: "Its validator said that it could not answer, and lost some reputation for that.",
    advice: "Other words may help.",
  },
  invalid: {
    title: "Invalid answer",
    what: "The answer did not stand its audit. Its validator lost reputation and stake.",
    advice: "",
  },
  bad_prompt: {
    title: "Question not usable",
    what: "Whoever had it declined it: its text was missing, was not what you signed, or was too long.",
    advice: "A shorter question may help.",
  },
  declined: {
    title: "Question declined",
    what: "The validators that had it could not use its text.",
    advice: "A shorter question may help.",
  },
  no_node: {
    title: "Nobody was free",
    what: "No validator took it: none was free within five minutes, or those that had it declined it.",
    advice: "Or choose this validator in Settings.",
  },
};

/** The class of a request that ended without an answer. */
export function failureOf({ status, error, penaltyWei }: Outcome, attempts: Turn["attempts"] = []): FailureClass {
  if (status === "cancelled") return { title: "Cancelled", what: cancelledWhile(penaltyWei, attempts), advice: "" };
  const known = error && Object.hasOwn(CLASSES, error.code) ? CLASSES[error.code] : undefined;
  return known ?? { title: "Failed", what: error?.message ?? "The validator could not answer.", advice: "" };
}

function cancelledWhile(penaltyWei: Outcome["penaltyWei"], attempts: NonNullable<Turn["attempts"]>): string {
  if (BigInt(penaltyWei ?? "0") === 0n) return "You cancelled it while nobody worked on it.";
  return attempts.at(-1)?.failure
    ? "You cancelled it while it waited for another validator: what comes back is what the last failure left."
    : "You cancelled it, and its validator posted no answer in the time that it had left.";
}

/** What came back, in a few words. */
export function cameBack({ refundedWei, penaltyWei }: Outcome): string {
  const back = BigInt(refundedWei ?? "0");
  const paid = back + BigInt(penaltyWei ?? "0");
  return paid === 0n ? "nothing was charged" : `${amount(back)} of ${amount(paid)} NSD came back`;
}

/** Where the payment went. */
export function moneyOf(outcome: Outcome): string {
  const back = BigInt(outcome.refundedWei ?? "0");
  const kept = BigInt(outcome.penaltyWei ?? "0");
  const paid = back + kept;
  if (paid === 0n) return "";
  if (kept === 0n) return "The whole payment is in your credits again.";
  const [, burned] = sharingBare([back, kept]);
  return `What came back is in your credits. The other ${burned} NSD stay burned: nobody earns from a failure.${repeatOf(outcome, percentOf(back, paid))}`;
}

const percentOf = (part: bigint, whole: bigint): number => Number((part * 100n + whole / 2n) / whole);

/** Timeouts and errors of one user within a day give back less each time. */
function repeatOf({ status, error }: Outcome, percent: number): string {
  if (status !== "failed" || (error?.code !== "timeout" && error?.code !== "error") || percent >= 95) return "";
  const which = percent >= 90 ? "The second" : "Every later";
  return ` ${which} timeout or error within 24 hours gives back ${percent}\u00a0% instead of 95\u00a0%.`;
}
