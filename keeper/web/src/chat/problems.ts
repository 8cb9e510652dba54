import { Refusal, Unreachable } from "../api/client.ts";
import { amount } from "../format/amount.ts";
import { dated } from "../format/time.ts";
import type { Problem } from "./model.ts";

/** What was to be signed is not what was asked: the page refuses before any wallet sees it. */
export class IntentMismatch extends Error {
  readonly field: string;

  constructor(field: string, expected: unknown, received: unknown) {
    super(`${field} is ${String(received)}, and ${String(expected)} was asked`);
    this.name = "IntentMismatch";
    this.field = field;
  }
}

/** A deadline that is over, or far off, by the clock of this device: nobody here knows which of the two clocks is wrong. */
export class ClocksApart extends Error {
  constructor(deadline: number, now: number) {
    const where = deadline <= now ? "is over already" : "is more than an hour away";
    super(
      `By this device's clock, which says ${dated(now)}, the deadline that the keeper set ${where}. Check the clock: if it is right, the keeper's is not.`,
    );
  }
}

/** The keeper has never heard of a request that was sent to it. */
export class UnknownRequest extends Error {
  constructor() {
    super("The keeper does not know this request.");
  }
}

/** The keeper named another request than the one that was signed. */
export class ForeignRequest extends Error {
  constructor() {
    super("The keeper named another request than the one you signed.");
  }
}

/** The wallet, or whoever holds it, said no. */
export class Declined extends Error {
  constructor() {
    super("declined");
    this.name = "Declined";
  }
}

export function creditsProblem(required: bigint, usable: bigint): Problem {
  return {
    kind: "credits",
    title: "Not enough credits",
    detail: `This can cost up to ${amount(required)} NSD, and ${amount(usable)} NSD of your credits can pay for it. Nothing was charged.`,
    requiredWei: required.toString(),
  };
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Declined) {
    return {
      kind: "declined",
      title: "Not signed",
      detail: "You declined the signature. Nothing was sent and nothing was charged.",
    };
  }
  if (error instanceof IntentMismatch) {
    return {
      kind: "unsafe",
      title: "Not signed",
      detail: `The keeper asked for a signature on something else than your question (${error.message}). Nothing was signed.`,
    };
  }
  if (error instanceof ClocksApart)
    return { kind: "unsafe", title: "Not signed", detail: `${error.message} Nothing was signed.` };
  if (error instanceof UnknownRequest) {
    return {
      kind: "unsent",
      title: "Not taken",
      detail: `${error.message} Nothing was charged.`,
    };
  }
  if (error instanceof ForeignRequest) {
    return {
      kind: "unsafe",
      title: "Not followed",
      detail: `${error.message} Yours may be under way: look for it in your history.`,
    };
  }
  if (error instanceof Unreachable) {
    return {
      kind: "unreachable",
      title: "The keeper did not answer",
      detail: "Nothing was charged. Send it again once the connection is back.",
    };
  }
  if (error instanceof Refusal) return refusalProblem(error);
  return {
    kind: "refused",
    title: "It could not be sent",
    detail: sentence(error instanceof Error ? shortOf(error) : String(error)),
  };
}

function refusalProblem(refusal: Refusal): Problem {
  const required = refusal.details.required_wei;
  if (refusal.code === "exposure_exceeded") return trustProblem(refusal);
  if (refusal.status === 402) {
    return {
      kind: "credits",
      title: "Not enough credits",
      detail: refusal.message,
      ...(required ? { requiredWei: required } : {}),
    };
  }
  const wait = refusal.retryAfterMs ?? (refusal.details.retry_after_seconds ?? 0) * 1000;
  if (refusal.status === 429 || (refusal.status === 503 && wait > 0)) {
    const title =
      refusal.status === 429
        ? "Too many at once"
        : refusal.code === "storage_down"
          ? "The keeper has no room for answers"
          : "The keeper is busy";
    return {
      kind: "wait",
      title,
      detail: `${refusal.message} Nothing was charged.`,
      retryAt: Date.now() + Math.max(1_000, wait),
    };
  }
  return { kind: "refused", title: "The keeper refused it", detail: `${refusal.message} Nothing was charged.` };
}

/** Its validator would answer before it is paid, and does so only up to a limit. */
function trustProblem({ details }: Refusal): Problem {
  const [limit, unpaid] = [BigInt(details.limit_wei ?? 0), BigInt(details.unpaid_wei ?? 0)];
  const trust = `so far it trusts you with ${amount(limit)} NSD`;
  const why =
    unpaid > 0n
      ? `${amount(unpaid)} NSD of earlier answers could not be charged, and ${trust}.`
      : `${trust[0]?.toUpperCase()}${trust.slice(1)}; that grows with what you pay.`;
  return {
    kind: "refused",
    title: "More than this validator answers before it is paid",
    detail: `${why} Ask for a shorter answer, or choose “any validator”, which is paid first. Nothing was charged.`,
  };
}

function shortOf(error: Error): string {
  return (error as { shortMessage?: string }).shortMessage ?? error.message;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
