import { randomUUID } from "node:crypto";
import { access, mkdir, open, readdir, readFile, rename, rm, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Logger } from "pino";
import type { BlockStore, StoreHealth } from "./blocks.ts";
import { cidOf, digestOf, digestOfBytes, normalizedCid } from "./cid.ts";
import {
  BlockTooLargeError,
  CorruptBlockError,
  StorageError,
  StorageFullError,
  StorageUnavailableError,
} from "./errors.ts";
import { timed } from "./health.ts";
import { MAX_BLOCK_BYTES } from "./record.ts";

export interface EmbeddedOptions {
  readonly folder: string;
  /** With less room than this the store reports itself down, before a record fails halfway. 64 MiB by default. */
  readonly minimumFreeBytes?: number;
  readonly logger: Logger;
}

/**
 * One file per block, spread over folders by the CID's last letters but one, which are evenly distributed. A block is
 * written beside its place, flushed, moved there, and the folder flushed: after a power failure it is whole or absent.
 */
export class EmbeddedBlockStore implements BlockStore {
  readonly #folder: string;
  readonly #minimumFreeBytes: number;
  readonly #logger: Logger;

  private constructor(options: EmbeddedOptions) {
    this.#folder = resolve(options.folder);
    this.#minimumFreeBytes = options.minimumFreeBytes ?? 64 << 20;
    this.#logger = options.logger;
  }

  static async open(options: EmbeddedOptions): Promise<EmbeddedBlockStore> {
    const store = new EmbeddedBlockStore(options);
    await store.#clearTemporary();
    return store;
  }

  /** What a crash left half written was never named to anybody. Another keeper's file may be younger than this start. */
  async #clearTemporary(): Promise<void> {
    await guarded("opened", async () => {
      const folder = join(this.#folder, "tmp");
      await mkdir(folder, { recursive: true });
      await syncFolder(this.#folder);
      await syncFolder(dirname(this.#folder));
      for (const name of await readdir(folder)) {
        const [pid] = name.split(".");
        if (Number(pid) !== process.pid && !isRunning(Number(pid))) await rm(join(folder, name), { force: true });
      }
    });
  }

  async put(bytes: Uint8Array): Promise<string> {
    if (bytes.length > MAX_BLOCK_BYTES) throw new BlockTooLargeError(bytes.length, MAX_BLOCK_BYTES);
    const digest = digestOfBytes(bytes);
    const cid = cidOf(digest);
    await guarded("written", async () => {
      const path = this.#path(cid);
      const present = await readFile(path).catch(() => undefined);
      if (present !== undefined && digestOfBytes(present) === digest) return;
      if (present !== undefined) this.#logger.error({ cid }, "replacing a corrupt block");
      await this.#write(path, bytes);
    });
    return cid;
  }

  async get(cid: string): Promise<Uint8Array | undefined> {
    const digest = digestOf(cid);
    const name = cidOf(digest);
    const bytes = await guarded("read", () => readFile(this.#path(name)).catch(absent));
    if (bytes === undefined) return undefined;
    if (digestOfBytes(bytes) !== digest) {
      this.#logger.error({ cid: name }, "a stored block is corrupt");
      throw new CorruptBlockError(name);
    }
    return bytes;
  }

  async has(cid: string): Promise<boolean> {
    const path = this.#path(normalizedCid(cid));
    return guarded("looked up", async () => (await access(path).then(() => true, absent)) ?? false);
  }

  check(): Promise<StoreHealth> {
    return timed(() =>
      guarded("written", async () => {
        const { bavail, bsize } = await statfs(this.#folder);
        const free = bavail * bsize;
        if (free < this.#minimumFreeBytes)
          throw new StorageFullError(
            `${this.#folder} has ${free} bytes free, expected at least ${this.#minimumFreeBytes}`,
          );
        const path = this.#temporary();
        await writeDurably(path, Buffer.alloc(4096, 1));
        await rm(path);
      }),
    );
  }

  async close(): Promise<void> {}

  #path(cid: string): string {
    return join(this.#folder, cid.slice(-3, -1), cid);
  }

  #temporary(): string {
    return join(this.#folder, "tmp", `${process.pid}.${randomUUID()}`);
  }

  async #write(path: string, bytes: Uint8Array): Promise<void> {
    const temporary = this.#temporary();
    try {
      await writeDurably(temporary, bytes);
      const created = await mkdir(dirname(path), { recursive: true });
      await rename(temporary, path);
      await syncFolder(dirname(path));
      if (created !== undefined) await syncFolder(this.#folder);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A new name is only durable when its folder is; Windows cannot open folders and writes names through by itself. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
  throw error;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function guarded<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asStorageError(error, doing);
  }
}

export function asStorageError(error: unknown, doing: string): StorageError {
  if (error instanceof StorageError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT")
    return new StorageFullError("The disk is full; free space in the data folder.", { cause: error });
  return new StorageUnavailableError(`A block could not be ${doing}: ${message}`, { cause: error });
}
