import type { Job } from "./engine.ts";
import { PromptTooLongError } from "./errors.ts";
import { type FromWorker, fromWireError, type LengthCheck } from "./protocol.ts";

type Checked = Extract<FromWorker, { type: "length-checked" }>;

/** A worker in the middle of a long step answers later than that; the job itself will tell. */
const PATIENCE_MS = 3_000;

/** Prompts whose length the worker is asked about before they become jobs. */
export class LengthChecks {
  readonly #open = new Map<number, { resolve: () => void; reject: (error: unknown) => void; timer: NodeJS.Timeout }>();
  #nextId = 1;

  ask({ messages, maxTokens }: Pick<Job, "messages" | "maxTokens">, send: (check: LengthCheck) => void): Promise<void> {
    const id = this.#nextId++;
    return new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => this.#take(id)?.resolve(), PATIENCE_MS);
      this.#open.set(id, { resolve, reject, timer });
      send({ id, messages, maxTokens });
    });
  }

  receive({ id, error }: Checked): void {
    const check = this.#take(id);
    const refusal = error && fromWireError(error);
    // Whatever else is wrong with it, the job itself will say.
    if (refusal instanceof PromptTooLongError) check?.reject(refusal);
    else check?.resolve();
  }

  /** The worker is gone, and nobody can tell. */
  drop(): void {
    for (const id of [...this.#open.keys()]) this.#take(id)?.resolve();
  }

  #take(id: number): { resolve: () => void; reject: (error: unknown) => void } | undefined {
    const check = this.#open.get(id);
    this.#open.delete(id);
    clearTimeout(check?.timer);
    return check;
  }
}
