import { type ChildProcess, fork } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import type { FromWorker, ToWorker, WorkerSettings } from "./protocol.ts";

export interface WorkerEvents {
  readonly onMessage: (message: FromWorker) => void;
  /** Once, after the last message. `reason` names the exit code or the signal. */
  readonly onExit: (reason: string) => void;
}

export interface WorkerProcess {
  readonly pid: number | undefined;
  send(message: ToWorker): void;
  /** SIGKILL: a worker that hangs in native code answers nothing else. */
  kill(): void;
  /** Asks it to end, kills it when it has not after `timeoutMs`, and returns when it is gone. */
  stop(timeoutMs: number): Promise<void>;
}

const ENTRY = fileURLToPath(new URL("./worker.ts", import.meta.url));

/** With more than one thread in libuv's pool, the pool's threads and the engine's take turns on the same cores. */
function workerEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  return { ...inherited, UV_THREADPOOL_SIZE: "1" };
}

export function startWorker(settings: WorkerSettings, logger: Logger, events: WorkerEvents): WorkerProcess {
  const child = fork(ENTRY, [], { env: workerEnvironment(), execArgv: [], stdio: ["ignore", "pipe", "pipe", "ipc"] });
  forwardOutput(child, logger);
  const ended = new Promise<void>((resolve) => {
    let over = false;
    const end = (reason: string): void => {
      if (over) return;
      over = true;
      events.onExit(reason);
      resolve();
    };
    child.once("close", (code, signal) => end(signal === null ? `exit code ${code}` : signal));
    child.on("error", (error) => {
      if (child.pid === undefined) end(error.message);
      else logger.warn({ err: error }, "inference worker: message not delivered");
    });
  });
  child.on("message", (message) => events.onMessage(message as FromWorker));
  const send = (message: ToWorker): void => {
    if (child.connected) child.send(message);
  };
  send({ type: "load", settings });
  return {
    pid: child.pid,
    send,
    kill: () => child.kill("SIGKILL"),
    stop: async (timeoutMs) => {
      send({ type: "close" });
      const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Native code writes its last words to the standard streams, past every logger. */
function forwardOutput(child: ChildProcess, logger: Logger): void {
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => logger.debug({ worker: child.pid }, line));
  }
}
