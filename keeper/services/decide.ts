/** What to do next about a request: from what the journal, the chain and this process know, and nothing else. */
import type { RequestRow } from "../database/requests.ts";
import { CANCELLED, isPromptUnusable, ROTATED } from "./troubles.ts";

/** `RequestStatus` of contracts/interfaces/IInferenceRouter.sol, in its order. */
export const CHAIN_STATUSES = ["none", "queued", "assigned", "completed", "failed", "cancelled"] as const;
export type ChainStatus = (typeof CHAIN_STATUSES)[number];

export interface Facts {
  /** Unix seconds, as the chain counts them. */
  readonly now: number;
  /** The validator that this keeper operates, 0 for none. */
  readonly ourValidator: number;
  /** Another key operates the validator now. */
  readonly rotated?: boolean;
  /** What became of the transaction that carries the request at present. */
  readonly transaction?: "open" | "mined" | "lost";
  /** While it has no place on chain: whether its nonce is used there. */
  readonly nonceUsed?: boolean;
  /** Once it has one: how the chain sees it. */
  readonly onChain?: {
    readonly status: ChainStatus;
    readonly validator: number;
    /** Unix seconds from which its window runs: submitted, assigned (a backoff ahead), or cancelled. */
    readonly at: number;
    /** Its user took it back, and its validator may still post what it has. */
    readonly cancelling: boolean;
    /** While it is queued: whether our validator could get it, and has not had it. */
    readonly eligible: boolean;
    readonly queueWindow: number;
    readonly ackWindow: number;
    readonly executionWindow: number;
    /** When the validator was last seen, unix seconds. */
    readonly seenAt: number;
  };
  /** Whether it waits for the model, or has it now. */
  readonly answering: boolean;
  /** Whether the record's bytes are in the store. */
  readonly recordKept: boolean;
  /** The model's refusal, where trying again is of no use. */
  readonly refusal?: { readonly code: string; readonly message: string };
}

export type Decision =
  /** Something else will call again; at the latest, where given, at `until` (unix seconds). */
  | { readonly action: "wait"; readonly until?: number }
  | { readonly action: "read-receipt" | "unlink" | "look-up" | "resubmit" }
  | {
      readonly action:
        | "submit"
        | "answer"
        | "deliver"
        | "settle"
        | "confess"
        | "decline"
        | "expire"
        | "assign"
        | "acknowledge"
        | "cut"
        | "abandon"
        | "charge";
    }
  | { readonly action: "give-up"; readonly code: string; readonly message: string };

/** Nobody may claim a failure in the second it becomes one, nor within a few blocks; a claim too early only costs gas. */
const EXPIRE_MARGIN = 5;
/** A delivery needs a block before the deadline. */
const DELIVERY_MARGIN = 5;
/** How often somebody to assign is looked for blindly; where our own validator is free it is known that there is one. */
const ASSIGN_RETRIES = 8;
/** Seconds that the keeper which took a request has to assign it, before others do; and how far those keep apart. */
const STRANGERS_PATIENCE = 5;
const STRANGERS_SPREAD = 10n;
/** Seconds that a cancelled request leaves its validator. `CANCEL_WINDOW` of the router. */
export const CANCEL_WINDOW = 30;

export function decide(row: RequestRow, facts: Facts): Decision {
  if (row.stage === "final") return { action: "wait" };
  if (facts.transaction === "open") return { action: "wait" };
  if (facts.transaction === "mined") return { action: "read-receipt" };
  if (facts.transaction === "lost") return { action: "unlink" };
  if (row.lane === "session") return inSession(row, facts);
  if (row.lane === "direct") return direct(row, facts);
  return row.requestId === null ? unsubmitted(row, facts) : submitted(row, facts);
}

/** What is drawn waits to be paid for as long as its session lasts. */
function inSession(row: RequestRow, facts: Facts): Decision {
  if (facts.refusal) return { action: "give-up", ...facts.refusal };
  // What is queued or drawn goes on beyond its deadline, so there is no time at which to look.
  if (facts.answering) return { action: "wait" };
  if (row.digest !== null && facts.recordKept) return { action: "charge" };
  if (facts.now <= Number(row.deadline)) return { action: "answer" };
  return { action: "give-up", code: "expired", message: "It could not be answered in time; nothing was charged." };
}

function direct(row: RequestRow, facts: Facts): Decision {
  if (facts.nonceUsed) return { action: "look-up" };
  if (facts.now > Number(row.deadline) - DELIVERY_MARGIN) {
    return {
      action: "give-up",
      code: "expired",
      message: "It could not be delivered before its deadline; nothing was charged.",
    };
  }
  if (facts.rotated) return { action: "give-up", ...ROTATED };
  if (facts.refusal) return { action: "give-up", ...facts.refusal };
  if (facts.answering) return { action: "wait", until: Number(row.deadline) };
  return row.digest !== null && facts.recordKept ? { action: "deliver" } : { action: "answer" };
}

function unsubmitted(row: RequestRow, facts: Facts): Decision {
  if (facts.nonceUsed) return { action: "look-up" };
  if (facts.now > Number(row.deadline)) {
    return {
      action: "give-up",
      code: "expired",
      message: "It could not be submitted before its deadline; nothing was charged.",
    };
  }
  return { action: "submit" };
}

function submitted(row: RequestRow, facts: Facts): Decision {
  const chain = facts.onChain;
  if (chain === undefined) return { action: "wait" };
  switch (chain.status) {
    case "completed":
    case "failed":
    case "cancelled":
      return { action: "look-up" };
    case "none":
      // A reorganisation took the submission away. What came in by this door can be submitted again.
      return row.origin === "door" ? { action: "resubmit" } : { action: "wait" };
    case "queued":
      return queued(row, facts, chain);
    case "assigned":
      return chain.validator === facts.ourValidator ? ours(row, facts, chain) : theirs(row, facts, chain);
  }
}

function queued(row: RequestRow, facts: Facts, chain: NonNullable<Facts["onChain"]>): Decision {
  if (facts.answering) return { action: "abandon" };
  const end = chain.at + chain.queueWindow + EXPIRE_MARGIN;
  if (row.origin !== "door") return queuedStranger(row, facts, chain);
  if (facts.now >= end) return { action: "expire" };
  return chain.eligible || row.attempts < ASSIGN_RETRIES ? { action: "assign" } : { action: "wait", until: end };
}

/** Work that nobody has: ours if we are quick, and not all keepers at once. */
function queuedStranger(row: RequestRow, facts: Facts, chain: NonNullable<Facts["onChain"]>): Decision {
  if (!chain.eligible || facts.now >= chain.at + chain.queueWindow) return { action: "wait" };
  const turn = Number((BigInt(row.key) ^ BigInt(row.operator)) % STRANGERS_SPREAD);
  const from = chain.at + STRANGERS_PATIENCE + turn;
  return facts.now >= from ? { action: "assign" } : { action: "wait", until: from };
}

function ours(row: RequestRow, facts: Facts, chain: NonNullable<Facts["onChain"]>): Decision {
  if (chain.cancelling) return oursCancelling(row, facts, chain);
  const end = chain.at + chain.executionWindow;
  if (facts.now > end) return row.origin === "door" ? expireAt(facts, end) : { action: "wait" };
  // A refusal that a cancellation brought about is none where the chain took that back.
  if (facts.refusal && facts.refusal.code !== CANCELLED.code)
    return { action: isPromptUnusable(facts.refusal.code) ? "decline" : "confess" };
  const acknowledgeAt = chain.at + Math.floor((chain.ackWindow * 2) / 3);
  if (facts.answering) {
    if (chain.seenAt > chain.at) return { action: "wait", until: end + 1 };
    return facts.now >= acknowledgeAt ? { action: "acknowledge" } : { action: "wait", until: acknowledgeAt };
  }
  return row.digest !== null && facts.recordKept ? { action: "settle" } : { action: "answer" };
}

/** What is drawn is posted and paid; where that is nothing, the user gets the half back at once. */
function oursCancelling(row: RequestRow, facts: Facts, chain: NonNullable<Facts["onChain"]>): Decision {
  const end = chain.at + CANCEL_WINDOW;
  // Whoever sent it: nobody is blamed, and it holds one of our places.
  if (facts.now > end) return expireAt(facts, end);
  if (row.digest !== null && facts.recordKept) return { action: "settle" };
  return { action: facts.answering ? "cut" : "confess" };
}

function theirs(row: RequestRow, facts: Facts, chain: NonNullable<Facts["onChain"]>): Decision {
  if (facts.answering) return { action: "abandon" };
  if (row.origin !== "door") return { action: "wait" };
  if (chain.cancelling) return expireAt(facts, chain.at + CANCEL_WINDOW);
  const unseen = chain.seenAt <= chain.at;
  return expireAt(facts, chain.at + (unseen ? chain.ackWindow : chain.executionWindow));
}

function expireAt(facts: Facts, end: number): Decision {
  const from = end + EXPIRE_MARGIN;
  return facts.now >= from ? { action: "expire" } : { action: "wait", until: from };
}
