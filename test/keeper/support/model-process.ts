/** A keeper's inference worker, held still between two tokens and let go on. */
import { Writable } from "node:stream";
import { type Logger, pino } from "pino";

export interface ModelProcess {
  /** For the keeper whose worker it is: the log tells which process that is. */
  readonly log: Logger;
  hold(): void;
  release(): void;
}

export function modelProcess(): ModelProcess {
  let pid: number | undefined;
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      for (const line of String(chunk).trim().split("\n")) {
        const entry = JSON.parse(line) as { msg?: string; worker?: number };
        if (entry.msg === "model loaded") pid = entry.worker;
        if (process.env["TEST_LOG"]) process.stderr.write(`${line}\n`);
      }
      done();
    },
  });
  const signal = (name: NodeJS.Signals): void => {
    if (pid === undefined) throw new Error("the model is not loaded");
    process.kill(pid, name);
  };
  return {
    log: pino({ level: process.env["TEST_LOG"] ?? "info" }, stream),
    hold: () => signal("SIGSTOP"),
    release: () => signal("SIGCONT"),
  };
}
