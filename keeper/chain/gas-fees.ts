/** What the keeper offers the chain for a transaction, and when it offers more. */
import { parseGwei } from "viem";
import type { TransactionRow } from "../database/transactions.ts";

export interface GasFees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/** Where the operator sets none: far above what any chain asks for in earnest. */
export const MAX_FEE = parseGwei("500");
/** A stuck transaction may cost this many times what a fresh one would, and no more. */
const MARKET_MULTIPLE = 4n;
const BLOCKS_UNTIL_STUCK = 3n;
const STUCK_AFTER_MS = 45_000;

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** The market's fees, within the operator's own limit. */
export function limitedFees(market: GasFees, limit: bigint): GasFees {
  const maxFeePerGas = least(market.maxFeePerGas, limit);
  return { maxFeePerGas, maxPriorityFeePerGas: least(market.maxPriorityFeePerGas, maxFeePerGas) };
}

/** Fees that endpoints accept as a replacement; undefined where those would be more than the market or the limit warrants. */
export function raisedFees(previous: GasFees, market: GasFees, limit: bigint): GasFees | undefined {
  const fresh = limitedFees(market, limit);
  const raised = (before: bigint, now: bigint): bigint => most(before + before / 4n + 1n, now);
  const maxFeePerGas = raised(previous.maxFeePerGas, fresh.maxFeePerGas);
  const maxPriorityFeePerGas = raised(previous.maxPriorityFeePerGas, fresh.maxPriorityFeePerGas);
  // Where the market asks for no tip at all, four times that would forbid any replacement.
  const tip = market.maxPriorityFeePerGas === 0n ? market.maxFeePerGas : market.maxPriorityFeePerGas;
  if (maxFeePerGas > least(MARKET_MULTIPLE * market.maxFeePerGas, limit)) return undefined;
  if (maxPriorityFeePerGas > least(MARKET_MULTIPLE * tip, maxFeePerGas)) return undefined;
  return { maxFeePerGas, maxPriorityFeePerGas };
}

/** Tells what blocks pass over from what waits because there are no blocks: no fee speeds up a halted chain. */
export class StuckWatch {
  readonly #since = new Map<number, bigint>();

  isStuck(row: Pick<TransactionRow, "id" | "sentAt">, block: bigint, now: number): boolean {
    const since = this.#since.get(row.id);
    if (since === undefined || block < since) {
      this.#since.set(row.id, block);
      return false;
    }
    return block - since >= BLOCKS_UNTIL_STUCK && now - (row.sentAt ?? 0) > STUCK_AFTER_MS;
  }

  /** Its time begins anew. */
  sentAgain(id: number, block: bigint): void {
    this.#since.set(id, block);
  }

  forget(id: number): void {
    this.#since.delete(id);
  }
}
