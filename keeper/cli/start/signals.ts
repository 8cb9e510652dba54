import { setTimeout as sleep } from "node:timers/promises";
import { say } from "../console.ts";
import { parentOf } from "../processes.ts";

/** The reason that an aborted start or run ends with. */
export class StoppedError extends Error {
  readonly signal: string;

  constructor(signal: string) {
    super(`stopped by ${signal}`);
    this.name = "StoppedError";
    this.signal = signal;
  }
}

/**
 * The first signal asks for an ordered stop, the second ends at once: the local chain's host notices and saves even then.
 */
export function stopOnSignals(): AbortController {
  const controller = new AbortController();
  let count = 0;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      count += 1;
      if (count > 1) process.exit(130);
      say(name === "SIGINT" ? "\nStopping (Ctrl-C again forces it) ..." : `\nStopping (${name}) ...`);
      controller.abort(new StoppedError(name));
    });
  }
  void endWithLauncher(controller);
  // A terminal that closed takes no more words: failing to write them must not keep anything from being stopped.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  return controller;
}

const LOOK_EVERY_MS = 1_000;

/**
 * npm runs this through a shell. Where npm is killed in a way that it cannot pass on, this would go on unseen, without
 * a terminal to stop it from; so it stops when the shell, or npm behind it, is gone.
 */
async function endWithLauncher(controller: AbortController): Promise<void> {
  if (process.env["npm_lifecycle_event"] === undefined || process.platform === "win32") return;
  const shell = process.ppid;
  const npm = await parentOf(shell);
  for (;;) {
    await sleep(LOOK_EVERY_MS, undefined, { ref: false });
    if (controller.signal.aborted) return;
    if (process.ppid === shell && (await parentOf(shell)) === npm) continue;
    controller.abort(new StoppedError("the end of npm"));
    return;
  }
}
