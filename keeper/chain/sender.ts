import type { Logger } from "pino";
import { type Address, type Hash, type Hex, keccak256, type LocalAccount, type TransactionReceipt } from "viem";
import type { Database, Sql } from "../database/database.ts";
import * as journal from "../database/transactions.ts";
import { Mutex } from "../services/mutex.ts";
import type { ChainConnection } from "./clients.ts";
import { isOutOfGas, onChainError } from "./errors.ts";
import { type GasFees, limitedFees, MAX_FEE, raisedFees, StuckWatch } from "./gas-fees.ts";
import { findReceipt, isPending, receiptOf } from "./receipts.ts";

/** EIP-7825: no transaction may ask for more. */
export const TRANSACTION_GAS_CAP = 16_777_216n;
/** An endpoint that lags may know a nonce and not yet the receipt: one look is not enough to call a transaction lost. */
const LOOKS_BEFORE_LOST = 3;

export class GasTooHighError extends Error {
  readonly gas: bigint;

  /** @param gas What it would need, as far as an endpoint could tell. */
  constructor(gas: bigint, limit: bigint = TRANSACTION_GAS_CAP) {
    super(`the transaction would need ${gas} gas or more, and one may have ${limit}`);
    this.name = "GasTooHighError";
    this.gas = gas;
  }
}

function lower(one: bigint, other: bigint): bigint {
  if (one < other) return one;
  return other;
}

export interface Outgoing {
  /** What it is for. While one of the same purpose is under way, no second one is signed. */
  readonly purpose: string;
  readonly to: Address;
  readonly data: Hex;
}

export interface SenderOptions {
  readonly chain: ChainConnection;
  readonly account: LocalAccount;
  readonly database: Database;
  readonly log: Logger;
  /** Called at the points between which a crash must do no harm. */
  readonly probe: (point: "written" | "sent") => void | Promise<void>;
  /** Wei for a unit of gas, above which nothing is ever offered. */
  readonly maxFee?: bigint;
  readonly now?: () => number;
}

/** The one allocator of nonces for a key. Signs, writes down, sends, and watches until each transaction is resolved. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #mutex = new Mutex();
  readonly #looks = new Map<number, number>();
  readonly #stuck = new StuckWatch();
  readonly #listeners = new Set<(row: journal.TransactionRow) => void>();
  readonly #now: () => number;
  readonly #maxFee: bigint;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#maxFee = options.maxFee ?? MAX_FEE;
  }

  get address(): Address {
    return this.#options.account.address;
  }

  /** Called for every transaction that was mined or lost; what it carried can be judged then. */
  onResolved(listener: (row: journal.TransactionRow) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Simulates, signs, writes down, sends. `link` runs in the database transaction that writes it down, so that what it
   * carries and the transaction are journaled together or not at all. Throws an `OnChainError` where the simulation
   * reverts. Returns the journal's id.
   */
  send(outgoing: Outgoing, link: (sql: Sql, id: number) => Promise<void> = async () => {}): Promise<number> {
    return this.#mutex.run(() => this.#send(outgoing, link));
  }

  async #send(outgoing: Outgoing, link: (sql: Sql, id: number) => Promise<void>): Promise<number> {
    const { database } = this.#options;
    const same = await journal.openForPurpose(database, this.address, outgoing.purpose);
    if (same !== undefined) {
      await database.transaction((sql) => link(sql, same.id));
      return same.id;
    }
    const gas = await this.#simulate(outgoing);
    const nonce = await this.#nextNonce();
    const market = await this.#options.chain.client.estimateFeesPerGas();
    const attempt = await this.#sign({ ...outgoing, nonce, gas }, limitedFees(market, this.#maxFee));
    const row = { ...outgoing, nonce, gas, attempts: [attempt], createdAt: this.#now() };
    const id = await database.transaction(async (sql) => {
      const inserted = await journal.insertTransaction(sql, this.address, row);
      await link(sql, inserted);
      return inserted;
    });
    await this.#options.probe("written");
    await this.#broadcast(id, attempt, outgoing.purpose);
    return id;
  }

  async #simulate({ to, data }: Outgoing): Promise<bigint> {
    const { client } = this.#options.chain;
    // Chains may have smaller blocks than a transaction may fill.
    const limit = lower((await client.getBlock()).gasLimit, TRANSACTION_GAS_CAP);
    let estimate: bigint;
    try {
      estimate = await client.estimateGas({ account: this.address, to, data });
    } catch (cause) {
      throw isOutOfGas(cause) ? new GasTooHighError(limit, limit) : (onChainError(cause) ?? cause);
    }
    if (estimate > limit) throw new GasTooHighError(estimate, limit);
    // State moves between the estimate and the block: a fifth more, and room for a cold slot or two.
    return lower(estimate + estimate / 5n + 20_000n, limit);
  }

  async #nextNonce(): Promise<number> {
    const { chain, database } = this.#options;
    const [pending, open] = await Promise.all([
      chain.client.getTransactionCount({ address: this.address, blockTag: "pending" }),
      journal.openTransactions(database, this.address),
    ]);
    return open.reduce((next, row) => Math.max(next, row.nonce + 1), pending);
  }

  async #sign(
    transaction: { to: Address; data: Hex; nonce: number; gas: bigint },
    fees: GasFees,
  ): Promise<journal.SignedAttempt> {
    const { maxFeePerGas, maxPriorityFeePerGas } = fees;
    const { to, data, nonce, gas } = transaction;
    const chainId = this.#options.chain.id;
    const raw = await this.#options.account.signTransaction({
      type: "eip1559",
      chainId,
      to,
      data,
      nonce,
      gas,
      maxFeePerGas,
      maxPriorityFeePerGas,
    });
    return { hash: keccak256(raw), raw, maxFeePerGas, maxPriorityFeePerGas };
  }

  /** What the endpoint refuses stays written down: `check` tries again, or finds out what became of it. */
  async #broadcast(id: number, attempt: journal.SignedAttempt, purpose: string): Promise<void> {
    const { chain, database, log, probe } = this.#options;
    try {
      await chain.client.sendRawTransaction({ serializedTransaction: attempt.raw });
    } catch (error) {
      if (!/already known|already imported|known transaction/i.test(String(error))) {
        log.warn({ err: error, purpose, hash: attempt.hash }, "transaction was not taken; it will be tried again");
        return;
      }
    }
    await journal.markSent(database, id, this.#now());
    await probe("sent");
  }

  /**
   * Looks after every unresolved transaction: receipts, rebroadcasts, higher fees. At start, and with every block.
   * A receipt counts once its block is known to whoever would notice that the chain dropped it.
   */
  check(isKnown: (block: bigint, hash: Hash) => boolean): Promise<void> {
    return this.#mutex.run(async () => {
      const open = await journal.openTransactions(this.#options.database, this.address);
      if (open.length === 0) return;
      const { client } = this.#options.chain;
      const [mined, block] = await Promise.all([
        client.getTransactionCount({ address: this.address, blockTag: "latest" }),
        client.getBlockNumber({ cacheTime: 0 }),
      ]);
      for (const row of open) await this.#checkOne(row, { mined, block }, isKnown);
    });
  }

  async #checkOne(
    row: journal.TransactionRow,
    { mined, block }: { mined: number; block: bigint },
    isKnown: (block: bigint, hash: Hash) => boolean,
  ): Promise<void> {
    const { database, log } = this.#options;
    const receipt = await receiptOf(this.#options.chain, row);
    if (receipt) {
      if (!isKnown(receipt.blockNumber, receipt.blockHash)) return;
      this.#looks.delete(row.id);
      this.#stuck.forget(row.id);
      await journal.markMined(database, row.id, {
        hash: receipt.transactionHash,
        block: receipt.blockNumber,
        status: receipt.status,
      });
      return this.#notify(row.id);
    }
    if (mined > row.nonce) {
      const looks = (this.#looks.get(row.id) ?? 0) + 1;
      this.#looks.set(row.id, looks);
      if (looks < LOOKS_BEFORE_LOST) return;
      this.#looks.delete(row.id);
      this.#stuck.forget(row.id);
      log.warn({ purpose: row.purpose, nonce: row.nonce }, "transaction is lost: another one used its nonce");
      await journal.markLost(database, row.id);
      return this.#notify(row.id);
    }
    const last = row.attempts.at(-1);
    if (last === undefined) return;
    if (row.state === "written") return this.#broadcast(row.id, last, row.purpose);
    const stuck = this.#stuck.isStuck(row, block, this.#now());
    if (stuck && row.nonce === mined && (await this.#replace(row, last, block))) return;
    if (!(await isPending(this.#options.chain, last.hash))) await this.#broadcast(row.id, last, row.purpose);
  }

  /** The same transaction again with a higher fee, within limits. False where they leave no room for one. */
  async #replace(row: journal.TransactionRow, last: journal.SignedAttempt, block: bigint): Promise<boolean> {
    const fees = raisedFees(last, await this.#options.chain.client.estimateFeesPerGas(), this.#maxFee);
    if (fees === undefined) return false;
    const attempt = await this.#sign(row, fees);
    await journal.addAttempt(this.#options.database, row.id, [...row.attempts, attempt], this.#now());
    this.#stuck.sentAgain(row.id, block);
    this.#options.log.info(
      { purpose: row.purpose, nonce: row.nonce, hash: attempt.hash },
      "transaction is stuck: sent with a higher fee",
    );
    await this.#broadcast(row.id, attempt, row.purpose);
    return true;
  }

  /** A transaction's receipt, where it is in a block. */
  receipt(hash: Hash): Promise<TransactionReceipt | undefined> {
    return findReceipt(this.#options.chain, hash);
  }

  /** After a reorganisation: what was mined from `block` on is looked for again. */
  recheckFrom(block: bigint): Promise<void> {
    return this.#mutex.run(async () => {
      for (const row of await journal.minedSince(this.#options.database, this.address, block)) {
        await journal.markUnmined(this.#options.database, row.id);
      }
    });
  }

  async #notify(id: number): Promise<void> {
    const row = await journal.getTransaction(this.#options.database, id);
    if (row) for (const listener of this.#listeners) listener(row);
  }
}
