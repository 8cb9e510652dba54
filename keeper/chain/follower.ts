import type { Logger } from "pino";
import type { Address, Log } from "viem";
import { type Cursor, readCursor, writeCursor } from "../database/cursors.ts";
import type { Database } from "../database/database.ts";
import { Mutex } from "../services/mutex.ts";
import type { ChainConnection } from "./clients.ts";

const BLOCKS_AT_ONCE = 2_000n;
const HASHES_KEPT = 128;

/** An endpoint that shows an older chain than was read already, perhaps from another one: nothing follows from what it lacks. */
export class LaggingError extends Error {
  constructor(head: bigint, read: bigint) {
    super(`the endpoint is at block ${head}, and ${read} was read before: waiting until it has caught up`);
    this.name = "LaggingError";
  }
}

export interface FollowerOptions {
  readonly chain: ChainConnection;
  readonly database: Database;
  readonly name: string;
  readonly addresses: readonly Address[];
  readonly fromBlock: bigint;
  readonly log: Logger;
  /** Logs of consecutive blocks, in order. May be called again for the same ones: after a crash, after a rewind. */
  readonly onLogs: (logs: readonly Log<bigint, number, false>[]) => Promise<void>;
  /** Blocks from `block` on were dropped by the chain. */
  readonly onRewind: (block: bigint) => Promise<void>;
}

/** Reads the contracts' logs block range by block range, and notices when the chain changes its mind. */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #mutex = new Mutex();
  #cursor: Cursor | undefined;
  #head = 0n;
  #range = BLOCKS_AT_ONCE;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Blocks between what was read and the newest one, as of the last look. */
  get lag(): number {
    return Math.max(0, Number(this.#head - (this.#cursor?.block ?? 0n)));
  }

  /** The newest block that was read. */
  get block(): bigint {
    return this.#cursor?.block ?? 0n;
  }

  /** Whether a block was read, and so would be missed: a hash in between hangs on the recorded ones after it. */
  knows(block: bigint, hash: string): boolean {
    if (this.#cursor === undefined || block > this.#cursor.block) return false;
    const recorded = this.#cursor.hashes.find(([number]) => number === block.toString());
    return recorded === undefined || recorded[1] === hash;
  }

  /** Reads up to the newest block. */
  poll(): Promise<void> {
    return this.#mutex.run(async () => {
      this.#cursor ??= await this.#load();
      while (await this.#step()) {
        // Range after range, until the newest block is read.
      }
    });
  }

  async #load(): Promise<Cursor> {
    const { database, name, fromBlock } = this.#options;
    return (await readCursor(database, name)) ?? { block: fromBlock - 1n, hashes: [] };
  }

  async #step(): Promise<boolean> {
    const { client } = this.#options.chain;
    this.#head = await client.getBlockNumber();
    const cursor = await this.#withoutDroppedBlocks(this.#cursor ?? (await this.#load()));
    this.#cursor = cursor;
    if (this.#head <= cursor.block) return false;
    const fromBlock = cursor.block + 1n;
    const toBlock = this.#head - cursor.block > this.#range ? cursor.block + this.#range : this.#head;
    const before = await client.getBlock({ blockNumber: toBlock });
    // In one batch with their last block: behind a load balancer another node, which lacks it, may answer with no logs.
    const [logs, beside] = await Promise.all([
      this.#logs(fromBlock, toBlock),
      client.getBlock({ blockNumber: toBlock }),
    ]);
    const after = await client.getBlock({ blockNumber: toBlock });
    // The chain changed while it was read: the next look starts over from the cursor.
    if (before.hash !== beside.hash || before.hash !== after.hash) return true;
    if (logs.length > 0) await this.#options.onLogs(logs);
    await this.#save({
      block: toBlock,
      hashes: [...cursor.hashes, [toBlock.toString(), after.hash] as const].slice(-HASHES_KEPT),
    });
    return toBlock < this.#head;
  }

  /** Endpoints bound what they answer with, each in its own way: what fails is tried again with half the blocks. */
  async #logs(fromBlock: bigint, toBlock: bigint): Promise<Log<bigint, number, false>[]> {
    const address = [...this.#options.addresses];
    try {
      const logs = await this.#options.chain.client.getLogs({ address, fromBlock, toBlock });
      if (this.#range < BLOCKS_AT_ONCE) this.#range *= 2n;
      return logs;
    } catch (cause) {
      const asked = toBlock - fromBlock + 1n;
      this.#range = asked > 1n ? asked / 2n : 1n;
      throw cause;
    }
  }

  /** The cursor, taken back to the newest block that this chain still has. */
  async #withoutDroppedBlocks(cursor: Cursor): Promise<Cursor> {
    if (this.#head < cursor.block && (await this.#isBehind(cursor))) throw new LaggingError(this.#head, cursor.block);
    const hashes = [...cursor.hashes];
    while (hashes.length > 0) {
      const [number, hash] = hashes.at(-1) ?? ["0", "0x"];
      if ((await this.#hashOf(BigInt(number))) === hash) break;
      hashes.pop();
    }
    if (hashes.length === cursor.hashes.length) return cursor;
    const block = hashes.length > 0 ? BigInt(hashes.at(-1)?.[0] ?? 0) : this.#options.fromBlock - 1n;
    this.#options.log.warn(
      { from: cursor.block.toString(), to: block.toString() },
      "the chain dropped blocks: reading them again",
    );
    await this.#options.onRewind(block + 1n);
    const rewound = { block, hashes };
    await this.#save(rewound);
    return rewound;
  }

  /** Whether an endpoint that ends earlier shows the same chain. A development chain may really be set back. */
  async #isBehind({ hashes }: Cursor): Promise<boolean> {
    if (this.#options.chain.local) return false;
    const [number, hash] = hashes.findLast(([block]) => BigInt(block) <= this.#head) ?? [];
    return number === undefined || (await this.#hashOf(BigInt(number))) === hash;
  }

  async #hashOf(block: bigint): Promise<string | null> {
    if (block > this.#head) return null;
    return (await this.#options.chain.client.getBlock({ blockNumber: block })).hash;
  }

  async #save(cursor: Cursor): Promise<void> {
    this.#cursor = cursor;
    await writeCursor(this.#options.database, this.#options.name, cursor);
  }
}
