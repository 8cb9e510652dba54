/** PGlite in a folder, so that what it has answered for is there after a power failure, and not only after a crash. */
import { type Dirent, existsSync, fsyncSync } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";

/** PGlite starts without flushes; and where they are asked for, its `fdatasync` is one that does nothing. */
const START = [...PGlite.defaultStartParams.filter((parameter) => parameter !== "-F"), "-c", "wal_sync_method=fsync"];

interface Stream {
  readonly nfd: number;
  readonly node: { readonly mode: number };
}

interface Module {
  readonly FS: { isDir(mode: number): boolean };
  readonly NODEFS: { readonly stream_ops: { fsync?: (stream: Stream) => number } };
}

/** The library's way to the disk leaves flushes out: they are told to have worked. */
export class FlushingFiles extends NodeFS {
  #failure: Error | undefined;

  /**
   * After a flush that failed nobody knows what is on the disk, and nothing that was asked since counts as answered. PostgreSQL
   * would end itself for that, which leaves PGlite hanging, so it does not hear of it.
   */
  require(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  override async init(...given: Parameters<NodeFS["init"]>): ReturnType<NodeFS["init"]> {
    const { emscriptenOpts } = await super.init(...given);
    const addFlush = (module: unknown): void => {
      const { FS, NODEFS } = module as Module;
      NODEFS.stream_ops.fsync = ({ nfd, node }) => {
        try {
          fsyncSync(nfd);
        } catch (cause) {
          // Not every system can flush a folder.
          if (!FS.isDir(node.mode))
            this.#failure ??= new Error(`the database in ${this.rootDir} could not be flushed: start the keeper anew`, {
              cause,
            });
        }
        return 0;
      };
    };
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), addFlush] } };
  }
}

export async function openFolder(folder: string): Promise<{ lite: PGlite; files: FlushingFiles }> {
  const fresh = !existsSync(join(folder, "PG_VERSION"));
  const files = new FlushingFiles(folder);
  const lite = await PGlite.create({ fs: files, startParams: START });
  // What makes a new database flushes nothing.
  if (fresh) await flushAll(folder);
  return { lite, files };
}

/** As many at once as the system takes together: one after the other, a thousand files take seconds. */
const AT_ONCE = 64;

async function flushAll(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const pathOf = (entry: Dirent): string => join(entry.parentPath, entry.name);
  const files = entries.filter((entry) => entry.isFile()).map(pathOf);
  const folders = entries.filter((entry) => entry.isDirectory()).map(pathOf);
  for (let from = 0; from < files.length; from += AT_ONCE)
    await Promise.all(files.slice(from, from + AT_ONCE).map((path) => flush(path, "r+")));
  for (const path of [...folders, folder, dirname(folder)]) await flush(path, "r").catch(() => undefined);
}

async function flush(path: string, mode: "r" | "r+"): Promise<void> {
  const handle = await open(path, mode);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
