import type { Logger } from "pino";
import type { Answer, FinishReason, Job } from "./engine.ts";
import { EngineClosedError, GenerationFailedError, InvalidJobError } from "./errors.ts";
import { type Drawn, type FromWorker, fromWireError, type WorkerJob } from "./protocol.ts";
import { Noise } from "./sampling.ts";

interface Entry {
  readonly id: number;
  readonly job: Job;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  readonly release: () => void;
  readonly outputIds: number[];
  /** How many of them `text` shows whole: the last ones may end in the middle of a character. */
  shown: number;
  promptIds: readonly number[];
  text: string;
  startedAt: number;
  milliseconds: number;
  deaths: number;
}

type JobMessage = Extract<FromWorker, { type: "started" | "step" | "done" | "failed" }>;

/** A job that was at work when this many workers died is taken for the cause. */
const MOST_DEATHS = 3;

/**
 * The jobs of an engine, and what each has brought forth so far: a worker that dies takes nothing with it, since the
 * next one goes on after the last token that arrived here. Who was at work when a worker died runs alone afterwards, so
 * that a job which kills workers does not take others along a second time.
 */
export class JobQueue {
  readonly #parallel: number;
  readonly #logger: Logger;
  readonly #waiting: Entry[] = [];
  readonly #running = new Map<number, Entry>();
  #nextId = 1;

  constructor(parallel: number, logger: Logger) {
    this.#parallel = parallel;
    this.#logger = logger;
  }

  get running(): number {
    return this.#running.size;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** `onAbort` is called with the id of a job that is at work. */
  add(job: Job, onAbort: (id: number) => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      check(job);
      job.signal?.throwIfAborted();
      job.cut?.throwIfAborted();
      const id = this.#nextId++;
      const abort = (): void => {
        if (this.#running.has(id)) onAbort(id);
        this.#remove(id)?.reject(job.signal?.reason);
      };
      const cut = (): void => {
        if (this.#running.has(id)) onAbort(id);
        const entry = this.#remove(id);
        if (entry !== undefined) this.#cut(entry);
      };
      job.signal?.addEventListener("abort", abort, { once: true });
      job.cut?.addEventListener("abort", cut, { once: true });
      const release = (): void => {
        job.signal?.removeEventListener("abort", abort);
        job.cut?.removeEventListener("abort", cut);
      };
      this.#waiting.push({
        id,
        job,
        resolve,
        reject,
        release,
        outputIds: [],
        shown: 0,
        promptIds: [],
        text: "",
        startedAt: 0,
        milliseconds: 0,
        deaths: 0,
      });
    });
  }

  /** Moves jobs that may start now to the running ones. */
  take(): WorkerJob[] {
    const taken: WorkerJob[] = [];
    while (this.#running.size < this.#parallel) {
      const next = this.#waiting[0];
      if (next === undefined || (this.#running.size > 0 && (next.deaths > 0 || this.#hasSurvivor()))) break;
      this.#waiting.shift();
      this.#running.set(next.id, next);
      next.startedAt = performance.now();
      const { requestId, salt, messages, maxTokens, temperature } = next.job;
      taken.push({
        id: next.id,
        requestId,
        ...(salt === undefined ? {} : { salt }),
        messages,
        maxTokens,
        temperature,
        drawn: next.outputIds,
      });
    }
    return taken;
  }

  #hasSurvivor(): boolean {
    return [...this.#running.values()].some(({ deaths }) => deaths > 0);
  }

  receive(message: JobMessage): void {
    if (message.type === "step") {
      for (const drawn of message.drawn) this.#drawn(drawn);
      return;
    }
    const entry = this.#running.get(message.id);
    if (entry === undefined) return;
    if (message.type === "started") {
      entry.promptIds = message.promptIds;
      return;
    }
    this.#remove(message.id);
    if (message.type === "done") this.#complete(entry, message.rest, message.finishReason);
    else entry.reject(fromWireError(message.error));
  }

  #drawn({ id, token, text }: Drawn): void {
    const entry = this.#running.get(id);
    if (entry === undefined) return;
    entry.outputIds.push(token);
    this.#emit(entry, text);
  }

  #emit(entry: Entry, text: string): void {
    if (text === "") return;
    entry.shown = entry.outputIds.length;
    entry.text += text;
    try {
      entry.job.onToken?.(text);
    } catch (error) {
      this.#logger.error({ err: error, requestId: entry.job.requestId }, "a listener of tokens threw");
    }
  }

  /** What was drawn so far is the answer. */
  #cut(entry: Entry): void {
    entry.outputIds.length = entry.shown;
    if (entry.shown === 0) entry.reject(entry.job.cut?.reason);
    else this.#complete(entry, "", "cancelled");
  }

  #complete(entry: Entry, rest: string, finishReason: FinishReason): void {
    this.#emit(entry, rest);
    const { text, promptIds, outputIds } = entry;
    const tokensUsed = Math.max(1, finishReason === "stop" ? outputIds.length - 1 : outputIds.length);
    const milliseconds = entry.milliseconds + performance.now() - entry.startedAt;
    entry.resolve({ text, promptIds, outputIds, finishReason, tokensUsed, milliseconds });
  }

  /** After a worker's death: what ran goes back to the front, what has seen too many deaths is given up. */
  requeue(): void {
    const entries = [...this.#running.values()];
    this.#running.clear();
    const again: Entry[] = [];
    for (const entry of entries) {
      entry.deaths++;
      entry.milliseconds += performance.now() - entry.startedAt;
      if (entry.deaths < MOST_DEATHS) again.push(entry);
      else {
        entry.release();
        entry.reject(new GenerationFailedError(`The worker died ${entry.deaths} times with this job at work`));
      }
    }
    this.#waiting.unshift(...again);
  }

  close(): void {
    for (const { id } of [...this.#running.values(), ...this.#waiting])
      this.#remove(id)?.reject(new EngineClosedError());
  }

  #remove(id: number): Entry | undefined {
    const index = this.#waiting.findIndex((entry) => entry.id === id);
    const entry = index >= 0 ? this.#waiting.splice(index, 1)[0] : this.#running.get(id);
    this.#running.delete(id);
    entry?.release();
    return entry;
  }
}

function check(job: Job): void {
  new Noise(job.requestId, job.salt);
  if (!Number.isSafeInteger(job.maxTokens) || job.maxTokens < 1)
    throw new InvalidJobError(`maxTokens must be a whole number from 1 on, got ${job.maxTokens}`);
  if (!Number.isSafeInteger(job.temperature) || job.temperature < 0 || job.temperature > 200)
    throw new InvalidJobError(`temperature must be 0 to 200 hundredths, got ${job.temperature}`);
}
