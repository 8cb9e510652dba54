/** What the command line writes: the one place that does. Nothing but text where the output is not a terminal. */

/** A failure that its message explains in full: printed without a stack, with what to do about it. */
export class CliError extends Error {
  readonly advice: string | undefined;
  readonly exitCode: number;

  constructor(message: string, advice?: string, exitCode = 1) {
    super(message);
    this.name = "CliError";
    this.advice = advice;
    this.exitCode = exitCode;
  }
}

const colour = process.stdout.isTTY === true && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
const live = process.stdout.isTTY === true && process.env["TERM"] !== "dumb";

const paint = (open: number, close: number) => (text: string) =>
  colour ? `\u001b[${open}m${text}\u001b[${close}m` : text;

export const bold = paint(1, 22);
export const dim = paint(2, 22);
export const green = paint(32, 39);
export const red = paint(31, 39);
export const yellow = paint(33, 39);

export function say(text = ""): void {
  process.stdout.write(`${live ? "\r\u001b[K" : ""}${text}\n`);
}

export function warn(text: string): void {
  write(`${yellow("!")} ${text}`);
}

/** Says what went wrong. Where it came from is said on request, and where it is a fault of the program. */
export function complain(error: unknown, verbose = false): void {
  const message = error instanceof Error ? error.message : String(error);
  write(`${red("Error:")} ${message}`);
  if (error instanceof CliError && error.advice !== undefined) write(error.advice);
  if (!(error instanceof Error) || !(verbose || FAULTS.has(error.name))) return;
  const places = (error.stack ?? "").split("\n").filter((line) => line.startsWith("    at "));
  if (places.length > 0) write(dim(places.join("\n")));
  if (error.cause !== undefined) write(dim(`caused by: ${String(error.cause)}`));
}

const FAULTS = new Set(["TypeError", "ReferenceError", "RangeError", "SyntaxError", "AssertionError"]);

function write(text: string): void {
  process.stderr.write(`${live ? "\r\u001b[K" : ""}${text}\n`);
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

export interface Step {
  /** Replaces what the running step says it is doing. */
  update(detail: string): void;
}

/** Numbered steps, each with what came of it and how long it took. */
export class Steps {
  readonly #total: number;
  #number = 0;

  constructor(total: number) {
    this.#total = total;
  }

  /** Runs `work` as the next step; what it resolves to is said beside the title. */
  async run<T>(title: string, work: (step: Step) => Promise<{ said: string; value: T }>): Promise<T> {
    this.#number += 1;
    const label = `${dim(`[${this.#number}/${this.#total}]`)} ${title}`;
    const started = Date.now();
    let detail = "";
    const show = (): void => {
      if (live)
        process.stdout.write(`\r\u001b[K${label}${detail && ` ${detail}`} ${dim(seconds(Date.now() - started))}`);
    };
    // Where nobody can see a line change, silence for longer than this would look like a hang.
    const timer = setInterval(
      () => (live ? show() : say(`${label}${detail && ` ${detail}`} ... ${seconds(Date.now() - started)}`)),
      live ? 250 : 15_000,
    );
    show();
    try {
      const { said, value } = await work({
        update: (next) => {
          detail = next;
          show();
        },
      });
      say(`${label} ${said} ${dim(seconds(Date.now() - started))}`);
      return value;
    } catch (error) {
      const stopped = error instanceof Error && (error.name === "AbortError" || error.name === "StoppedError");
      say(`${label} ${stopped ? yellow("stopped") : red("failed")} ${dim(seconds(Date.now() - started))}`);
      throw error;
    } finally {
      clearInterval(timer);
    }
  }
}
