import { execFile } from "node:child_process";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

/**
 * A process as a file remembers it. Pids are given out again, so the time it was started goes with it: only both
 * together say that a process found later is the one that was meant.
 */
export interface ProcessRecord {
  readonly pid: number;
  readonly startedAt: string;
  /** Where it listens, where it does. */
  readonly port?: number;
  readonly url?: string;
  /** The process that looks after it, where there is one. */
  readonly parent?: { readonly pid: number; readonly startedAt: string };
}

const run = promisify(execFile);

/** When a process was started, in whatever form the system says it; undefined where there is no such process. */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  if (process.platform === "linux") {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
    if (stat === undefined) return undefined;
    // The name, in parentheses, may hold spaces. Behind it come the state (Z: dead, not yet reaped) and, 19 on, the start.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  }
  if (!exists(pid)) return undefined;
  if (process.platform === "win32") return "unknown";
  const { stdout } = await run("ps", ["-o", "lstart=", "-p", String(pid)]).catch(() => ({ stdout: "" }));
  return stdout.trim() || undefined;
}

/** The process that started another, or took it over. */
export async function parentOf(pid: number): Promise<number | undefined> {
  if (process.platform === "linux") {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
    return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  }
  const { stdout } = await run("ps", ["-o", "ppid=", "-p", String(pid)]).catch(() => ({ stdout: "" }));
  return stdout.trim() === "" ? undefined : Number(stdout.trim());
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

export async function isRunning(record: { readonly pid: number; readonly startedAt: string }): Promise<boolean> {
  return (await startTimeOf(record.pid)) === record.startedAt;
}

export async function recordOf(pid: number): Promise<{ pid: number; startedAt: string }> {
  const startedAt = await startTimeOf(pid);
  if (startedAt === undefined) throw new Error(`process ${pid} ended before it could be recorded`);
  return { pid, startedAt };
}

/** A record whose file is missing, half written or of another shape counts as none: nothing may hang on it. */
export async function readRecord(path: string): Promise<ProcessRecord | undefined> {
  try {
    const value = JSON.parse(await readFile(path, "utf8")) as ProcessRecord;
    return Number.isInteger(value.pid) && value.pid > 1 && typeof value.startedAt === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

export async function writeRecord(path: string, record: ProcessRecord): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const scratch = `${path}.${process.pid}.tmp`;
  await writeFile(scratch, `${JSON.stringify(record, null, 2)}\n`);
  await rename(scratch, path);
}

export async function removeRecord(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** Waits until the process is gone; false when it still runs after `timeoutMs`. */
export async function waitForEnd(
  record: { readonly pid: number; readonly startedAt: string },
  timeoutMs: number,
): Promise<boolean> {
  const until = Date.now() + timeoutMs;
  while (await isRunning(record)) {
    if (Date.now() >= until) return false;
    await sleep(50);
  }
  return true;
}

/** Asks a process to stop, and forces it when it does not within `graceMs`. */
export async function stopProcess(
  record: { readonly pid: number; readonly startedAt: string },
  graceMs = 3_000,
): Promise<void> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    if (!(await isRunning(record))) return;
    try {
      process.kill(record.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ESRCH") return;
      throw error;
    }
    if (await waitForEnd(record, graceMs)) return;
  }
}
