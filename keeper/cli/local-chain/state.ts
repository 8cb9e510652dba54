import { link, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/**
 * The files that a local chain lives in. A state is written beside the last one and renamed into its place, and the
 * one before stays, so that at every moment there is a whole one, whatever is killed when.
 */
export interface StateFiles {
  readonly folder: string;
  readonly current: string;
  readonly previous: string;
  readonly record: string;
}

export function stateFiles(folder: string): StateFiles {
  return {
    folder,
    current: join(folder, "state.json"),
    previous: join(folder, "state.previous.json"),
    record: join(folder, "process.json"),
  };
}

export interface FoundState {
  readonly path: string;
  readonly block: number;
  /** Unix seconds of its newest block. */
  readonly time: number;
}

/** What `anvil_dumpState` puts in: enough of it to tell a whole file from a torn one. */
interface Dump {
  readonly block?: { readonly number?: string | number; readonly timestamp?: string | number };
  readonly accounts?: Record<string, unknown>;
  readonly blocks?: readonly unknown[];
}

async function inspect(path: string): Promise<FoundState | "missing" | "broken"> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "missing" : "broken";
  }
  try {
    const dump = JSON.parse(text) as Dump;
    if (!dump.block || !dump.accounts || !Array.isArray(dump.blocks)) return "broken";
    return { path, block: Number(dump.block.number), time: Number(dump.block.timestamp) };
  } catch {
    return "broken";
  }
}

/** The newest whole state, and whether one that was newer had to be passed over; undefined where none was ever saved. */
export async function findState(
  files: StateFiles,
): Promise<{ state: FoundState; passedOver: boolean } | { state: undefined; broken: boolean }> {
  const current = await inspect(files.current);
  if (typeof current === "object") return { state: current, passedOver: false };
  const previous = await inspect(files.previous);
  if (typeof previous === "object") return { state: previous, passedOver: true };
  return { state: undefined, broken: current === "broken" || previous === "broken" };
}

/**
 * Takes the first blocks that are not this chain's out of a saved state. Whenever anvil loads a state it adds the first
 * block that it had made for itself, saves it with the others, and after the next load may take either for its own: a
 * chain that began with another block. The oldest is the one that all others build on.
 */
export async function keepOneGenesis(path: string): Promise<void> {
  const dump = JSON.parse(await readFile(path, "utf8")) as {
    blocks: { header: { number: string; timestamp: string } }[];
  };
  const first = dump.blocks.filter(({ header }) => Number(header.number) === 0);
  if (first.length < 2) return;
  const oldest = first.reduce((a, b) => (Number(b.header.timestamp) < Number(a.header.timestamp) ? b : a));
  dump.blocks = dump.blocks.filter((block) => block === oldest || !first.includes(block));
  await replaceFile(path, JSON.stringify(dump));
}

/** Saves what `anvil_dumpState` answered: JSON, zipped, in hex. */
export async function saveState(files: StateFiles, dump: string): Promise<void> {
  const json = gunzipSync(Buffer.from(dump.slice(2), "hex"));
  await mkdir(files.folder, { recursive: true });
  await replaceFile(files.current, json, () => keepPrevious(files));
}

async function replaceFile(path: string, content: Buffer | string, before?: () => Promise<void>): Promise<void> {
  const scratch = `${path}.${process.pid}.tmp`;
  const handle = await open(scratch, "w");
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await before?.();
  await rename(scratch, path);
}

async function keepPrevious(files: StateFiles): Promise<void> {
  const spare = `${files.previous}.${process.pid}.tmp`;
  try {
    await rm(spare, { force: true });
    await link(files.current, spare);
    await rename(spare, files.previous);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
