import type { LlamaContext, LlamaContextSequence, LlamaModel, Token } from "node-llama-cpp";
import { PromptTooLongError } from "./errors.ts";
import type { PromptTemplate } from "./prompt.ts";
import { type Drawn, type FromWorker, type LengthCheck, type WorkerJob, wireError } from "./protocol.ts";
import { choose, Noise, TOP_K } from "./sampling.ts";
import { TextStream } from "./text-stream.ts";

type Tokens = AsyncGenerator<{ readonly probabilities: Map<Token, number> }, void, undefined | Token>;

interface Place {
  readonly job: WorkerJob;
  readonly sequence: LlamaContextSequence;
  readonly noise: Noise;
  readonly stream: TextStream;
  readonly limit: number;
  /** What of prompt and earlier output the model has not read yet. */
  unread: Token[];
  tokens: Tokens | undefined;
  last: Token | undefined;
  drawn: number;
}

export interface LockStepParts {
  readonly model: LlamaModel;
  readonly context: LlamaContext;
  readonly template: PromptTemplate;
  readonly send: (message: FromWorker) => void;
}

/** An answer gets at least this many tokens, or all it asked for: a prompt that leaves less is refused. */
const LEAST_ROOM = 32;

/** The raw top 40: everything that would bend the probabilities before the choice is switched off. */
const RAW_TOP = { temperature: 1, topK: TOP_K, topP: 1, minP: 0, seed: 0, yieldEogToken: true } as const;

/**
 * Runs jobs side by side, one token each per step, so that every step is one batch for the model: sequences that run
 * on their own miss each other's batches. Jobs join and leave between two steps. A prompt is read in portions of one
 * batch, so that a long one delays the others by no more than that.
 */
export class LockStep {
  readonly #parts: LockStepParts;
  readonly #free: LlamaContextSequence[];
  readonly #waiting: WorkerJob[] = [];
  readonly #places = new Map<number, Place>();
  readonly #aborted = new Set<number>();
  #busy = false;

  constructor(parts: LockStepParts) {
    this.#parts = parts;
    this.#free = Array.from({ length: parts.context.totalSequences }, () => parts.context.getSequence());
  }

  add(job: WorkerJob): void {
    this.#waiting.push(job);
    if (!this.#busy) void this.#run();
  }

  abort(id: number): void {
    const index = this.#waiting.findIndex((job) => job.id === id);
    if (index >= 0) this.#waiting.splice(index, 1);
    else this.#aborted.add(id);
  }

  checkLength(check: LengthCheck): void {
    let error: unknown;
    try {
      this.#promptOf(check);
    } catch (refusal) {
      error = refusal;
    }
    this.#parts.send({
      type: "length-checked",
      id: check.id,
      ...(error === undefined ? {} : { error: wireError(error) }),
    });
  }

  async #run(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0 || this.#places.size > 0) {
      await this.#admit();
      await this.#step();
    }
    this.#busy = false;
  }

  async #admit(): Promise<void> {
    while (this.#waiting.length > 0 && this.#free.length > 0) {
      const job = this.#waiting.shift() as WorkerJob;
      const sequence = this.#free.pop() as LlamaContextSequence;
      try {
        await sequence.clearHistory();
        const place = this.#prepare(job, sequence);
        this.#places.set(job.id, place);
        await this.#finishWhenEnded(place);
      } catch (error) {
        this.#places.delete(job.id);
        this.#free.push(sequence);
        this.#parts.send({ type: "failed", id: job.id, error: wireError(error) });
      }
    }
  }

  #prepare(job: WorkerJob, sequence: LlamaContextSequence): Place {
    const { model, template, send } = this.#parts;
    const { promptIds, room } = this.#promptOf(job);
    const stream = new TextStream((tokens, preceding) =>
      model.detokenize(tokens as Token[], false, preceding as Token[]),
    );
    const drawn = job.drawn as Token[];
    for (const token of drawn) if (!template.ends(token)) stream.push(token);
    send({ type: "started", id: job.id, promptIds });
    return {
      job,
      sequence,
      noise: new Noise(job.requestId, job.salt),
      stream,
      limit: Math.min(job.maxTokens, room),
      unread: [...promptIds, ...drawn],
      tokens: undefined,
      last: drawn.at(-1),
      drawn: drawn.length,
    };
  }

  #promptOf({ messages, maxTokens }: Pick<WorkerJob, "messages" | "maxTokens">): { promptIds: Token[]; room: number } {
    const { context, template } = this.#parts;
    const promptIds = template.tokens(messages);
    const room = context.contextSize - promptIds.length;
    const least = Math.min(maxTokens, LEAST_ROOM);
    if (room < least) throw new PromptTooLongError(promptIds.length, context.contextSize - least);
    return { promptIds, room };
  }

  async #step(): Promise<void> {
    for (const id of this.#aborted) await this.#leave(id);
    this.#aborted.clear();
    const places = [...this.#places.values()];
    let portion = this.#parts.context.batchSize;
    const turns = places.map((place) => {
      if (place.tokens !== undefined) return place.tokens.next(place.last);
      const read = place.unread.splice(0, portion);
      portion -= read.length;
      return this.#read(place, read);
    });
    const results = await Promise.allSettled(turns);
    const drawn: Drawn[] = [];
    const ended: Place[] = [];
    for (const [index, place] of places.entries()) {
      const result = results[index] as PromiseSettledResult<
        IteratorResult<{ probabilities: Map<Token, number> }, void> | undefined
      >;
      try {
        if (result.status === "rejected") throw result.reason;
        if (result.value === undefined) continue;
        if (result.value.done) throw new Error("The model stopped before the answer's end");
        drawn.push(this.#draw(place, result.value.value.probabilities));
        ended.push(place);
      } catch (error) {
        await this.#leave(place.job.id);
        this.#parts.send({ type: "failed", id: place.job.id, error: wireError(error) });
      }
    }
    if (places.length > 0) this.#parts.send({ type: "step", drawn });
    for (const place of ended) await this.#finishWhenEnded(place);
  }

  /** Reads a portion of the prompt; with its last portion the first token is drawn. */
  #read(
    place: Place,
    portion: Token[],
  ): Promise<IteratorResult<{ probabilities: Map<Token, number> }, void> | undefined> {
    if (portion.length === 0) return Promise.resolve(undefined);
    if (place.unread.length > 0)
      return place.sequence.evaluateWithoutGeneratingNewTokens(portion).then(() => undefined);
    place.tokens = place.sequence.evaluateWithMetadata(portion, { probabilities: true }, RAW_TOP);
    return place.tokens.next();
  }

  #draw(place: Place, probabilities: ReadonlyMap<Token, number>): Drawn {
    const token = choose(probabilities, place.job.temperature / 100, place.noise.at(place.drawn)) as Token;
    place.last = token;
    place.drawn++;
    return { id: place.job.id, token, text: this.#parts.template.ends(token) ? "" : place.stream.push(token) };
  }

  async #finishWhenEnded(place: Place): Promise<void> {
    const stopped = place.last !== undefined && this.#parts.template.ends(place.last);
    if (!stopped && place.drawn < place.limit) return;
    await this.#leave(place.job.id);
    this.#parts.send({
      type: "done",
      id: place.job.id,
      rest: place.stream.end(),
      finishReason: stopped ? "stop" : "length",
    });
  }

  async #leave(id: number): Promise<void> {
    const place = this.#places.get(id);
    if (place === undefined) return;
    this.#places.delete(id);
    await place.tokens?.return();
    this.#free.push(place.sequence);
  }
}
