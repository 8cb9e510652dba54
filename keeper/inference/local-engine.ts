import { availableParallelism } from "node:os";
import { basename } from "node:path";
import type { Logger } from "pino";
import type { Answer, Engine, EngineHealth, EngineInfo, Job } from "./engine.ts";
import { EngineClosedError, ModelLoadError } from "./errors.ts";
import { JobQueue } from "./job-queue.ts";
import { LengthChecks } from "./length-checks.ts";
import type { FromWorker, LoadedModel, WorkerSettings } from "./protocol.ts";
import { startWorker, type WorkerProcess } from "./worker-process.ts";

export interface LocalEngineOptions {
  readonly model: { readonly path: string; readonly sha256: string };
  readonly adapters?: readonly { readonly path: string; readonly sha256: string; readonly scale: number }[];
  /** How the catalogue calls the model; the file's own name when absent. */
  readonly name?: string;
  readonly gpu?: "auto" | false;
  /** At most the cores; one is left to everything else by default. */
  readonly threads?: number;
  /** Jobs that run together, 4 by default. Memory for all of them is taken at once. */
  readonly parallel?: number;
  readonly contextSize?: number;
  /** Lets models that think aloud do so; those tokens are billed like any other. */
  readonly reasoning?: boolean;
  /** A worker with work that shows no step for this long is killed and replaced. */
  readonly stallMs?: number;
  readonly onLoadProgress?: (fraction: number) => void;
  readonly logger: Logger;
}

const BATCH_SIZE = 512;
const STOP_TIMEOUT_MS = 5_000;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 30_000;

/** Loads the model in a worker; rejects with `ModelLoadError` when that fails. */
export async function openLocalEngine(options: LocalEngineOptions): Promise<Engine> {
  const engine = new LocalEngine(options);
  await engine.open();
  return engine;
}

function workerSettings(options: LocalEngineOptions): WorkerSettings {
  const cores = availableParallelism();
  return {
    modelPath: options.model.path,
    adapters: (options.adapters ?? []).map(({ path, scale }) => ({ path, scale })),
    gpu: options.gpu ?? "auto",
    threads: Math.max(1, Math.min(options.threads ?? cores - 1, cores)),
    sequences: options.parallel ?? 4,
    ...(options.contextSize === undefined ? {} : { contextSize: options.contextSize }),
    batchSize: BATCH_SIZE,
    reasoning: options.reasoning ?? false,
  };
}

class LocalEngine implements Engine {
  readonly #options: LocalEngineOptions;
  readonly #settings: WorkerSettings;
  readonly #logger: Logger;
  readonly #jobs: JobQueue;
  readonly #lengths = new LengthChecks();
  readonly #watchdog: NodeJS.Timeout;
  #worker: WorkerProcess | undefined;
  #ready = false;
  #info: EngineInfo | undefined;
  #opening: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #trouble: string | undefined;
  #restarts = 0;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  #lastSign = 0;
  #suspected = false;

  constructor(options: LocalEngineOptions) {
    this.#options = options;
    this.#settings = workerSettings(options);
    this.#logger = options.logger;
    this.#jobs = new JobQueue(this.#settings.sequences, options.logger);
    const stallMs = options.stallMs ?? 120_000;
    this.#watchdog = setInterval(() => this.#watch(stallMs), Math.max(1, stallMs / 4)).unref();
  }

  get info(): EngineInfo {
    if (this.#info === undefined) throw new Error("The engine is not open");
    return this.#info;
  }

  async open(): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#opening = { resolve, reject };
        this.#start();
      });
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  generate(job: Job): Promise<Answer> {
    if (this.#closing !== undefined) return Promise.reject(new EngineClosedError());
    const answer = this.#jobs.add(job, (id) => this.#worker?.send({ type: "abort", id }));
    this.#dispatch();
    return answer;
  }

  checkLength(prompt: Pick<Job, "messages" | "maxTokens">): Promise<void> {
    if (!this.#ready) return Promise.resolve();
    return this.#lengths.ask(prompt, (check) => this.#worker?.send({ type: "check-length", check }));
  }

  health(): EngineHealth {
    const { running, waiting } = this.#jobs;
    const state = !this.#ready ? "down" : this.#suspected ? "degraded" : "ok";
    const detail = !this.#ready
      ? (this.#trouble ?? "the model is loading")
      : this.#suspected
        ? "no progress for a while"
        : undefined;
    return {
      state,
      ...(detail === undefined ? {} : { detail }),
      running,
      waiting,
      restarts: this.#restarts,
      workerPid: this.#worker?.pid,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    clearInterval(this.#watchdog);
    clearTimeout(this.#retry);
    this.#ready = false;
    this.#trouble = "closed";
    this.#jobs.close();
    this.#lengths.drop();
    await this.#worker?.stop(STOP_TIMEOUT_MS);
  }

  #start(): void {
    this.#worker = startWorker(this.#settings, this.#logger, {
      onMessage: (message) => this.#receive(message),
      onExit: (reason) => this.#ended(reason),
    });
  }

  #receive(message: FromWorker): void {
    if (message.type === "length-checked") {
      // No sign of life: a worker whose steps hang may still count tokens.
      this.#lengths.receive(message);
      return;
    }
    this.#lastSign = performance.now();
    switch (message.type) {
      case "progress":
        this.#options.onLoadProgress?.(message.fraction);
        return;
      case "loaded":
        this.#loaded(message.model);
        return;
      case "load-failed":
        this.#trouble = message.message;
        this.#worker?.kill();
        return;
      case "log":
        this.#logger[message.level]({ worker: this.#worker?.pid }, message.message);
        return;
      default:
        this.#jobs.receive(message);
        this.#dispatch();
    }
  }

  #loaded(model: LoadedModel): void {
    const { name, ...rest } = model;
    this.#info = {
      ...rest,
      // JSON drops what is undefined on the way here.
      gpu: rest.gpu,
      parameters: rest.parameters,
      model: this.#options.name ?? name,
      sha256: this.#options.model.sha256,
      adapters: (this.#options.adapters ?? []).map(({ path, sha256, scale }) => ({
        name: basename(path),
        sha256,
        scale,
      })),
      parallel: this.#settings.sequences,
      threads: this.#settings.threads,
    };
    this.#ready = true;
    this.#trouble = undefined;
    this.#failures = 0;
    this.#opening?.resolve();
    this.#opening = undefined;
    this.#logger.info({ model: this.#info.model, worker: this.#worker?.pid, gpu: model.gpu ?? "none" }, "model loaded");
    this.#dispatch();
  }

  #dispatch(): void {
    if (!this.#ready) return;
    if (this.#jobs.running === 0) this.#lastSign = performance.now();
    for (const job of this.#jobs.take()) this.#worker?.send({ type: "job", job });
  }

  #ended(reason: string): void {
    const wasReady = this.#ready;
    this.#ready = false;
    this.#worker = undefined;
    this.#lengths.drop();
    if (this.#closing !== undefined) return;
    if (wasReady || this.#trouble === undefined) this.#trouble = `the worker ended: ${reason}`;
    if (this.#opening !== undefined) {
      this.#opening.reject(new ModelLoadError(`${this.#options.model.path} could not be loaded: ${this.#trouble}`));
      this.#opening = undefined;
      return;
    }
    this.#restarts++;
    this.#failures = wasReady ? 0 : this.#failures + 1;
    const delay = this.#failures === 0 ? 0 : Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    this.#logger.error({ reason, delay, trouble: this.#trouble }, "inference worker ended; starting another");
    if (wasReady) this.#jobs.requeue();
    this.#retry = setTimeout(() => this.#start(), delay);
  }

  /**
   * Kills on the second look only: when this process itself was held up, the signs of life are still in the pipe at the
   * first one.
   */
  #watch(stallMs: number): void {
    const stalled = this.#ready && this.#jobs.running > 0 && performance.now() - this.#lastSign > stallMs;
    if (stalled && this.#suspected) {
      this.#logger.error({ worker: this.#worker?.pid, stallMs }, "inference worker shows no progress; killing it");
      this.#worker?.kill();
    }
    this.#suspected = stalled;
  }
}
