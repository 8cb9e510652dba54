/** What to do next about a session on chain: from what the journal and the chain know, and nothing else. */
import type { SessionRow, SignedReceipt } from "../../database/sessions.ts";
import { isDue, isExact, receiptFor } from "./receipts.ts";

export interface SessionFacts {
  /** Unix seconds, as the chain counts them. */
  readonly now: number;
  /** What prompts under way may cost. */
  readonly reserved: bigint;
  /** Prompts that are not at their end. */
  readonly underWay: number;
  /** NSD wei from which on it is worth a transaction. */
  readonly settleFrom: bigint;
  /** The keeper has just started: what a crash left is settled first. */
  readonly starting: boolean;
}

export type SessionDecision =
  | { readonly action: "wait" | "close" }
  | { readonly action: "settle"; readonly receipt: SignedReceipt };

/** Nobody else may close a session before its end, and what is not settled by then is lost. */
export const SETTLE_BEFORE_END = 300;
/** A prompt needs time to be answered and settled. */
export const NO_PROMPT_BEFORE_END = 420;
/** What was answered waits no longer than a day for its settlement. */
const LONGEST_UNSETTLED_MS = 24 * 60 * 60 * 1000;

export function decideSession(session: SessionRow, facts: SessionFacts): SessionDecision {
  const { now, reserved, underWay, settleFrom, starting } = facts;
  if (session.transactionId !== null) return { action: "wait" };
  const unsettled = session.spent - session.settled;
  const ending = now >= session.endsAt - SETTLE_BEFORE_END;
  const closing = session.stage === "closing";
  const old = session.unsettledSince !== null && now * 1000 - session.unsettledSince > LONGEST_UNSETTLED_MS;
  const due = isDue(session, settleFrom);
  // Nothing is answered until the contract takes what it refused, so that does not wait to be due again.
  const refused = session.error !== null;
  if (unsettled > 0n && (closing || ending || old || starting || due || refused)) {
    const receipt = receiptFor(session, session.spent);
    const ahead = reserved > 0n ? receiptFor(session, session.spent + reserved) : undefined;
    // What is due has what pays ahead count for nothing. Else what is under way ends soon, and then the lower one is right: to
    // settle it now would void the one that pays ahead.
    const best = ending && ahead !== undefined ? ahead : receipt;
    const waits = ahead !== undefined && ahead !== receipt && !ending && !due;
    if (best !== undefined && !waits && (closing || ending || isExact(session, best)))
      return { action: "settle", receipt: best };
  }
  const over = now >= session.endsAt && session.prompts > 0;
  return underWay === 0 && unsettled <= 0n && (closing || over) ? { action: "close" } : { action: "wait" };
}
