/** What receipts pay for, which one to settle, and which ones a keeper takes. Pure. */
import { formatEther, type Hex } from "viem";
import { MINIMUM } from "../../chain/fees.ts";
import { type Receipt, recordsRoot } from "../../chain/sessions.ts";
import type { SessionRow, SignedReceipt } from "../../database/sessions.ts";
import { ApiError } from "../errors.ts";

type Taken = Pick<SessionRow, "settled" | "settledPrompts">;
type Paid = Taken & Pick<SessionRow, "receipts">;
type Owing = Paid & Pick<SessionRow, "spent" | "prompts" | "transactionId">;

/** The least total that the contract takes for a count: 5 NSD for each prompt since what it took last, and that. */
const leastFor = ({ settled, settledPrompts }: Taken, count: number): bigint =>
  settled + BigInt(count - settledPrompts) * MINIMUM;

/** As `_checkReceipt` of the router has it; what is above the cap was never kept. */
const settleable = (session: Paid): SignedReceipt[] =>
  session.receipts.filter(({ count, total }) => count > session.settledPrompts && total >= leastFor(session, count));

/** Whether it charges what was told and nothing beside: what a receipt pays ahead would be charged again by those after it. */
export const isExact = (
  { spent, prompts }: Pick<SessionRow, "spent" | "prompts">,
  { count, total }: Receipt,
): boolean => count === prompts && total === spent;

/** So much is unsettled that it is worth a transaction. */
export const isDue = ({ spent, settled }: Pick<SessionRow, "spent" | "settled">, settleFrom: bigint): boolean =>
  spent > settled && spent - settled >= settleFrom;

/**
 * How far a session is paid: what the chain has taken, and what it would take. While a settlement is due or on its way, receipts
 * that count no further than it may be void in a moment, and count for nothing: so what is due is asked for exactly.
 */
export function paidBy(session: Owing, settleFrom: bigint): bigint {
  const { settled, prompts, transactionId } = session;
  const moving = transactionId !== null || isDue(session, settleFrom);
  return settleable(session)
    .filter(({ count }) => !moving || count > prompts)
    .map(({ total }) => total)
    .reduce(larger, settled);
}

function larger(one: bigint, other: bigint): bigint {
  if (one > other) return one;
  return other;
}

/** The receipt that charges the least of those that cover what is owed; undefined where nothing is left to settle. */
export function receiptFor(session: Paid, owed: bigint): SignedReceipt | undefined {
  if (owed <= session.settled) return undefined;
  return settleable(session)
    .filter(({ total }) => total >= owed)
    .reduce<SignedReceipt | undefined>(
      (best, one) => (best === undefined || one.total < best.total ? one : best),
      undefined,
    );
}

/**
 * What is worth keeping: the one that charges least for what is owed, the one that pays furthest ahead, and the one that
 * counts furthest, which is the exact one for an answer that waits for it.
 */
export function worthKeeping(receipts: readonly SignedReceipt[], spent: bigint): SignedReceipt[] {
  const covering = receipts.filter(({ total }) => total >= spent);
  const byTotal = [...(covering.length > 0 ? covering : receipts)].sort((a, b) =>
    a.total === b.total ? b.count - a.count : a.total < b.total ? -1 : 1,
  );
  const furthest = byTotal.reduce<SignedReceipt | undefined>(
    (best, one) => (best === undefined || one.count > best.count ? one : best),
    undefined,
  );
  return [...new Set([byTotal[0], furthest, byTotal.at(-1)])].filter((receipt) => receipt !== undefined);
}

/** An answer that is drawn and not paid yet. */
export interface Pending {
  readonly digest: Hex;
  readonly price: bigint;
}

type Counted = Taken & Pick<SessionRow, "cap" | "spent" | "prompts">;

/** The least that pays for everything so far, the pending answer among it, and that the contract takes. */
export function nextReceipt(session: Counted, digests: readonly Hex[], pending?: Pending): Receipt {
  const all = pending === undefined ? digests : [...digests, pending.digest];
  const count = all.length;
  const owed = session.spent + (pending?.price ?? 0n);
  const total = count > session.settledPrompts ? larger(owed, leastFor(session, count)) : owed;
  return { count, total, root: recordsRoot(all) };
}

const mismatch = (field: string, message: string, expected: string): ApiError =>
  new ApiError(409, "receipt_mismatch", message, { field: `receipt.${field}`, expected });

/** Throws unless it pays for what was answered, over exactly these records, within the cap, and can be settled. */
export function checkReceipt(session: Counted, receipt: Receipt, digests: readonly Hex[], pending?: Pending): void {
  const counts = pending === undefined ? [digests.length] : [digests.length, digests.length + 1];
  if (!counts.includes(receipt.count)) {
    throw mismatch(
      "count",
      `The receipt counts ${receipt.count} prompts, and the session has ${counts.at(-1)}. Sign one that counts those.`,
      counts.join(" or "),
    );
  }
  if (receipt.count <= session.settledPrompts) {
    throw mismatch(
      "count",
      `The chain has settled ${session.settledPrompts} prompts, and takes no receipt of ${receipt.count} any more.`,
      `more than ${session.settledPrompts}`,
    );
  }
  const includesPending = receipt.count > digests.length;
  const least = nextReceipt(session, digests, includesPending ? pending : undefined);
  if (receipt.root.toLowerCase() !== least.root)
    throw mismatch("root", "The receipt's root is of other records than the session's.", least.root);
  if (receipt.total < least.total) {
    throw new ApiError(
      409,
      "receipt_too_low",
      `The receipt pays ${formatEther(receipt.total)} NSD, and ${receipt.count} prompts cost ${formatEther(least.total)}. Sign one over that.`,
      { field: "receipt.total", required_wei: least.total.toString(), received_wei: receipt.total.toString() },
    );
  }
  if (receipt.total > session.cap) {
    throw new ApiError(
      400,
      "receipt_over_cap",
      `The receipt's total of ${formatEther(receipt.total)} NSD is above the session's cap of ${formatEther(session.cap)}; the contract would not take it.`,
      { field: "receipt.total", cap_wei: session.cap.toString(), received_wei: receipt.total.toString() },
    );
  }
}
