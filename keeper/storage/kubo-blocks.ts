import { randomBytes } from "node:crypto";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { CID, create, type KuboRPCClient } from "kubo-rpc-client";
import type { Logger } from "pino";
import type { BlockStore, GetOptions, StoreHealth } from "./blocks.ts";
import { cidOf, digestOf, digestOfBytes, normalizedCid } from "./cid.ts";
import { BlockTooLargeError, CorruptBlockError, StorageError, StorageUnavailableError } from "./errors.ts";
import { timed } from "./health.ts";
import { MAX_BLOCK_BYTES } from "./record.ts";

export interface KuboOptions {
  readonly url: string;
  /** For one call; for `get` also how long the network is searched. */
  readonly timeoutMs?: number;
  readonly logger: Logger;
}

/** Kubo's switch for a single call; the client passes on what it does not know. */
const OFFLINE: object = { offline: true };
const RAW_BLOCK = { format: "raw", mhtype: "sha2-256" } as const;

/**
 * Blocks in a Kubo node, pinned. There is no second place to fall back to: a block that this node did not confirm under
 * the CID computed here counts as not stored, and no digest is posted for it.
 */
export class KuboBlockStore implements BlockStore {
  readonly #client: KuboRPCClient;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #timeoutMs: number;
  readonly #logger: Logger;

  constructor(options: KuboOptions) {
    const secure = /^https:|\/https(\/|$)/.test(options.url);
    this.#agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
    this.#client = create({ url: options.url, agent: this.#agent });
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#logger = options.logger;
  }

  async put(bytes: Uint8Array): Promise<string> {
    if (bytes.length > MAX_BLOCK_BYTES) throw new BlockTooLargeError(bytes.length, MAX_BLOCK_BYTES);
    const cid = cidOf(digestOfBytes(bytes));
    const stored = await this.#call("store the block", (signal) =>
      this.#client.block.put(bytes, { ...RAW_BLOCK, pin: true, signal }),
    );
    if (stored.toString() !== cid)
      throw new StorageUnavailableError(`Kubo stored the block as ${stored}, expected ${cid}`);
    return cid;
  }

  async get(cid: string, { local = false }: GetOptions = {}): Promise<Uint8Array | undefined> {
    const name = normalizedCid(cid);
    const parsed = CID.parse(name);
    const held = await this.has(name);
    if (local && !held) return undefined;
    // Offline here too: a block that is collected in between must not be searched for.
    const bytes = held
      ? await this.#call("read the block", (signal) => this.#client.block.get(parsed, { signal, ...OFFLINE }))
      : await this.#fromNetwork(parsed);
    if (bytes === undefined) return undefined;
    if (digestOfBytes(bytes) !== digestOf(name)) {
      this.#logger.error({ cid: name }, "Kubo returned a corrupt block");
      throw new CorruptBlockError(name);
    }
    return bytes;
  }

  async has(cid: string): Promise<boolean> {
    const parsed = CID.parse(normalizedCid(cid));
    try {
      await this.#call("look the block up", (signal) => this.#client.block.stat(parsed, { signal, ...OFFLINE }));
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /** Random contents: Kubo writes nothing for a block that it has. */
  check(): Promise<StoreHealth> {
    return timed(async () => {
      const probe = await this.#call("store a probe", (signal) =>
        this.#client.block.put(randomBytes(32), { ...RAW_BLOCK, signal }),
      );
      await this.#call("remove the probe", async (signal) => {
        for await (const removed of this.#client.block.rm(probe, { signal }))
          if (removed.error !== undefined) throw removed.error;
      });
    });
  }

  async close(): Promise<void> {
    this.#agent.destroy();
  }

  /** A block that no peer offers in time may still exist somewhere: for the caller it is absent all the same. */
  async #fromNetwork(cid: CID): Promise<Uint8Array | undefined> {
    try {
      return await this.#call("fetch the block", (signal) => this.#client.block.get(cid, { signal }));
    } catch (error) {
      if (isNotFound(error) || isTimeout(error)) return undefined;
      throw error;
    }
  }

  async #call<T>(doing: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    try {
      return await work(signal);
    } catch (error) {
      if (error instanceof StorageError) throw error;
      const reason = signal.aborted
        ? `no answer within ${this.#timeoutMs} ms`
        : error instanceof Error
          ? error.message
          : String(error);
      throw new StorageUnavailableError(`Kubo could not ${doing}: ${reason}`, {
        cause: signal.aborted ? signal.reason : error,
      });
    }
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof StorageUnavailableError && /ipld: could not find|block was not found/i.test(error.message);
}

function isTimeout(error: unknown): boolean {
  return (
    error instanceof StorageUnavailableError &&
    error.cause instanceof DOMException &&
    error.cause.name === "TimeoutError"
  );
}
