import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "./console.ts";
import { stopOrphan } from "./local-chain/local.ts";
import { isRunning, readRecord, recordOf, removeRecord, writeRecord } from "./processes.ts";

/** What a start keeps in its data folder, beside what the keeper keeps there. */
export interface DataFolder {
  readonly path: string;
  readonly chain: string;
  readonly record: string;
  readonly database: string;
}

/** Downloads and keys are nobody's state: beginning anew leaves them where they are. */
const KEPT = /^(models|gpu|previous|start\.json|session\.key|keystore.*|.*\.log)$/;

export function dataFolder(path: string): DataFolder {
  return { path, chain: join(path, "chain"), record: join(path, "start.json"), database: join(path, "database") };
}

/** Makes this start the only one in its folder, and returns what gives it back. What a killed one left is passed over. */
export async function claim(
  folder: DataFolder,
): Promise<{ announce: (url: string) => Promise<void>; release: () => Promise<void> }> {
  try {
    mkdirSync(folder.path, { recursive: true });
  } catch (error) {
    throw new CliError(
      `The data folder ${folder.path} cannot be made (${(error as NodeJS.ErrnoException).code}).`,
      "Name another with --data.",
    );
  }
  const other = await readRecord(folder.record);
  if (other !== undefined && other.pid !== process.pid && (await isRunning(other))) {
    const where = other.url === undefined ? "is starting" : `runs at ${other.url}`;
    throw new CliError(
      `NeuroSwarm ${where} with this data folder already (process ${other.pid}).`,
      "Use that one, or stop it first; or give this one a folder of its own with --data.",
    );
  }
  const own = await recordOf(process.pid);
  await writeRecord(folder.record, own);
  return {
    announce: (url) => writeRecord(folder.record, { ...own, url }),
    release: () => removeRecord(folder.record),
  };
}

/** Sets everything aside that an earlier start left, in place of what was set aside before; false where there is nothing. */
export async function setAside(folder: DataFolder): Promise<string | undefined> {
  await stopOrphan(folder.chain);
  const names = existsSync(folder.path) ? readdirSync(folder.path).filter((name) => !KEPT.test(name)) : [];
  if (names.length === 0) return undefined;
  const previous = join(folder.path, "previous");
  rmSync(previous, { recursive: true, force: true });
  mkdirSync(previous, { recursive: true });
  for (const name of names) renameSync(join(folder.path, name), join(previous, name));
  return previous;
}

/** Whether the keeper ever wrote a database here. */
export function hasDatabase(folder: DataFolder): boolean {
  return existsSync(folder.database) && readdirSync(folder.database).length > 0;
}
