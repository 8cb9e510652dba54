/** What a failure is called in a sentence to the one who paid, and how much of the payment it gives back. */
import type { FailureClass } from "../chain/events.ts";
import type { Try } from "../database/requests.ts";

type Why = FailureClass | "declined" | "cancelled";

const WHY: Readonly<Record<Why, string>> = {
  none: "The request was cancelled",
  cancelled: "You cancelled the request",
  offline: "The validator did not show up",
  timeout: "The validator did not answer in time",
  error: "The validator could not answer",
  invalid: "The answer was judged invalid",
  bad_prompt: "No validator that had it could use the prompt: missing, not matching its hash, no text, or too long",
  no_node: "No validator took it in time",
  declined: "The validator could not use the prompt",
};

export const whyOf = (why: Why): string => `${WHY[why]}.`;

/** Whole percent of the payment, as the router gives them. */
export const percentOf = (refund: bigint, payment: bigint): number =>
  payment === 0n ? 0 : Number((refund * 100n + payment / 2n) / payment);

/** How it ended, and what came back: repeats of a day lower that, so only the amounts tell. */
export function endingWords(why: Why, refund: bigint, payment: bigint): string {
  const percent = percentOf(refund, payment);
  const back =
    percent >= 100
      ? "the whole payment is"
      : percent === 0
        ? "nothing of the payment is"
        : `${percent} % of the payment are`;
  return `${WHY[why]}; ${back} back in your credits.`;
}

export const onlyDeclined = (tries: readonly Try[]): boolean =>
  tries.length > 0 && tries.every(({ failure }) => failure === "declined");

/**
 * What comes back where a request is cancelled now, in percent; the router decides. Who works on it has to be paid half,
 * and out of the queue comes what the last failure gives, of which a day's repeats may take 5 or 10. What was only declined
 * comes back by half, and whole where its prompt is published.
 */
export function cancelPercent(tries: readonly Try[], held: boolean, published: boolean): number {
  if (held || (onlyDeclined(tries) && !published)) return 50;
  const last = tries.findLast(({ failure }) => failure !== undefined && failure !== "declined");
  return last?.failure === "timeout" || last?.failure === "error" ? 95 : 100;
}
