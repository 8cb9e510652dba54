import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DataFolderLockedError } from "./database.ts";

const LOCK_FILE = "keeper.lock";

/**
 * Claims a data folder for this process and returns what releases it. A lock names its process and when that started,
 * so one left behind by `kill -9` is told from one that is held, even where the number was given out again.
 */
export function lockFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, LOCK_FILE);
  const mine = `${process.pid} ${startOf(process.pid) ?? ""}\n`;
  for (let attempt = 0; ; attempt++) {
    try {
      const handle = openSync(file, "wx");
      writeSync(handle, mine);
      fsyncSync(handle);
      closeSync(handle);
      return () => {
        if (readLock(file) === mine) rmSync(file, { force: true });
      };
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
      const holder = holderOf(readLock(file), mine);
      if (holder !== undefined || attempt === 3) throw new DataFolderLockedError(folder, holder ?? 0);
      rmSync(file, { force: true });
    }
  }
}

function readLock(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** The living process behind a lock, or undefined where the lock is stale. */
function holderOf(lock: string, mine: string): number | undefined {
  const [pidText = "", start = ""] = lock.trim().split(" ");
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  if (lock === mine) return pid;
  // A container restarts with the same process number: then the lock is our own predecessor's.
  if (pid === process.pid) return undefined;
  try {
    process.kill(pid, 0);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ESRCH") return undefined;
  }
  const actual = startOf(pid);
  return start !== "" && actual !== undefined && actual !== start ? undefined : pid;
}

/** When a process started, as the kernel counts it; undefined where it does not tell. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
