import { join } from "node:path";
import type { Logger } from "pino";
import { EmbeddedBlockStore } from "./embedded-blocks.ts";
import { KuboBlockStore } from "./kubo-blocks.ts";

/** Keeps raw blocks under their CID. What `put` has returned for is there after a power failure. */
export interface BlockStore {
  /** Returns the CID, computed here, once the block is durable; rejects with a `StorageError` and stores nothing else. */
  put(bytes: Uint8Array): Promise<string>;
  /** The bytes, checked against the CID; undefined where nobody holds them. */
  get(cid: string, options?: GetOptions): Promise<Uint8Array | undefined>;
  has(cid: string): Promise<boolean>;
  /** Writes, and so tells a store that can be read from one that can take the next record. */
  check(): Promise<StoreHealth>;
  close(): Promise<void>;
}

export interface GetOptions {
  /** Looks at what this store holds, and asks nobody else. */
  readonly local?: boolean;
}

export interface StoreHealth {
  readonly state: "ok" | "down";
  readonly latencyMs: number;
  readonly detail?: string;
}

export interface BlockStoreOptions {
  readonly dataFolder: string;
  /** Kubo's RPC API, as URL or multiaddr; blocks are kept in the data folder when absent. */
  readonly ipfsApiUrl?: string;
  readonly logger: Logger;
}

export function openBlockStore(options: BlockStoreOptions): Promise<BlockStore> {
  return options.ipfsApiUrl === undefined
    ? EmbeddedBlockStore.open({ folder: join(options.dataFolder, "blocks"), logger: options.logger })
    : Promise.resolve(new KuboBlockStore({ url: options.ipfsApiUrl, logger: options.logger }));
}
