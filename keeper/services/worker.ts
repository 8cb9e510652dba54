import type { Hex } from "viem";
import { chargeable, consumed, maxBillable } from "../chain/fees.ts";
import type { RequestRow } from "../database/requests.ts";
import * as requests from "../database/requests.ts";
import type { Answer, Message } from "../inference/engine.ts";
import type { EncodedRecord } from "../storage/record.ts";
import { type Context, chainNow } from "./context.ts";
import { PriorityQueue, points } from "./queue.ts";
import { recordOf } from "./record.ts";
import { CANCELLED, lastAttemptAt, OUT_OF_TIME, type Refusal, refusalOf, UselessAnswerError } from "./troubles.ts";

/** What was drawn, as it goes into the store. */
interface Drawn {
  readonly answer: Answer;
  readonly record: EncodedRecord;
}

/** One request in the hands of the model. */
interface Run {
  /** Ends it without an answer: it is somebody else's now. */
  readonly drop: AbortController;
  /** Ends it with what is drawn. */
  readonly cut: AbortController;
  readonly over: Promise<void>;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** Brings requests to the model by priority, stores the answers, and remembers whom it had to refuse. */
export class Worker {
  readonly #context: Context;
  readonly #done: (key: Hex) => void;
  readonly #queue = new PriorityQueue<Hex>();
  /** In the queue, or with the model: a second word to answer the same request means nothing. */
  readonly #busy = new Set<Hex>();
  readonly #running = new Map<Hex, Run>();
  readonly #refusals = new Map<Hex, Refusal>();
  readonly #abort = new AbortController();

  /** @param done Called when a request has its answer, or will have none. */
  constructor(context: Context, done: (key: Hex) => void) {
    this.#context = context;
    this.#done = done;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  get running(): number {
    return this.#running.size;
  }

  isBusy(key: Hex): boolean {
    return this.#busy.has(key);
  }

  refusalOf(key: Hex): Refusal | undefined {
    return this.#refusals.get(key);
  }

  forget(key: Hex): void {
    this.#refusals.delete(key);
  }

  /** Lets go of a request: it is answered elsewhere, or has ended. Its place with the model is free at once. */
  drop(key: Hex): void {
    this.#running.get(key)?.drop.abort();
    if (!this.#queue.remove(key)) return;
    this.#busy.delete(key);
    this.#done(key);
  }

  /** Its user cancelled: what is drawn by now is the answer, and where that is nothing, there is none. */
  cut(key: Hex): void {
    this.#running.get(key)?.cut.abort();
    if (!this.#queue.remove(key)) return;
    this.#busy.delete(key);
    this.#refusals.set(key, CANCELLED);
    this.#done(key);
  }

  async answer(row: RequestRow): Promise<void> {
    if (this.#busy.has(row.key) || this.#context.signal.aborted) return;
    this.#busy.add(row.key);
    this.#refusals.delete(row.key);
    try {
      const [offer, userReputation] = await Promise.all([
        this.#context.catalogue.offer(row.model),
        requests.reputationOf(this.#context.database, row.user),
      ]);
      const { priority } = row;
      const most = chargeable(offer, row.payment, priority, row.maxTokens);
      this.#queue.push(row.key, points({ chargeable: most, userReputation, priority, arrivedAt: row.createdAt }));
    } catch (cause) {
      this.#busy.delete(row.key);
      throw cause;
    }
    this.#next();
  }

  /** Gives those with the model a while to end; the rest is found again in the journal at the next start. */
  async drain(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#abort.abort(), graceMs);
    await Promise.allSettled([...this.#running.values()].map(({ over }) => over));
    clearTimeout(timer);
  }

  #next(): void {
    while (this.#running.size < this.#context.engine.info.parallel && !this.#context.signal.aborted) {
      const key = this.#queue.pop();
      if (key === undefined) return;
      const [drop, cut] = [new AbortController(), new AbortController()];
      const over = this.#run(key, AbortSignal.any([this.#abort.signal, drop.signal]), cut.signal)
        .catch((error: unknown) => this.#context.log.error({ err: error, key }, "an answer could not be kept"))
        .finally(() => {
          this.#running.delete(key);
          this.#busy.delete(key);
          this.#done(key);
          this.#next();
        });
      this.#running.set(key, { drop, cut, over });
    }
  }

  /** Trouble that may pass is waited out for as long as an answer is of use; what was drawn by then is kept. */
  async #run(key: Hex, signal: AbortSignal, cut: AbortSignal): Promise<void> {
    const { database, log } = this.#context;
    let row: RequestRow | undefined;
    let drawn: Drawn | undefined;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        row = await requests.getRequest(database, key);
        if (row === undefined || row.stage === "final") return;
        drawn ??= await this.#draw(row, signal, cut);
        if (signal.aborted) return;
        return await this.#store(row, drawn);
      } catch (error) {
        if (signal.aborted) return;
        if (cut.aborted && drawn === undefined) return void this.#refusals.set(key, CANCELLED);
        log.warn({ err: error, key, attempt }, "no answer");
        const refusal = refusalOf(error);
        if (refusal) return void this.#refusals.set(key, refusal);
      }
      const wait = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
      if (row && (await this.#isTooLate(row, wait))) return void this.#refusals.set(key, OUT_OF_TIME);
      // Until the keeper stops, and no longer: there is nothing left to lose that a restart would not find.
      await pause(wait, AbortSignal.any([signal, this.#context.signal, ...(drawn === undefined ? [cut] : [])]));
      if (this.#context.signal.aborted) return;
    }
  }

  async #isTooLate(row: RequestRow, wait: number): Promise<boolean> {
    try {
      const last = lastAttemptAt(row, await this.#context.catalogue.offer(row.model));
      return chainNow(this.#context) + wait / 1000 > last;
    } catch {
      // With the chain out of reach, nothing could be confessed either.
      return false;
    }
  }

  async #draw(row: RequestRow, signal: AbortSignal, cut: AbortSignal): Promise<Drawn> {
    const { engine, hub, catalogue, model, probe } = this.#context;
    if (row.prompt === null) throw new UselessAnswerError("prompt_missing", "The prompt's bytes are not here.");
    if (row.model !== model)
      throw new UselessAnswerError("wrong_model", `This keeper runs ${model}, not ${row.model}.`);
    const messages = messagesOf(row.prompt);
    const offer = await catalogue.offer(row.model);
    await hub.phase(row.key, "answering");
    // A second attempt draws the same text: what was told of it already is not told again.
    let told = (await hub.textOf(row.key)).length;
    let streamed: Promise<unknown> = Promise.resolve();
    const answer = await engine.generate({
      requestId: row.requestId ?? row.key,
      salt: row.salt,
      messages,
      maxTokens: maxBillable(offer, row.payment, row.priority, row.maxTokens),
      temperature: row.temperature,
      onToken: (text) => {
        if (!mayBeTold(row)) return;
        const fresh = text.slice(told);
        told = Math.max(0, told - text.length);
        if (fresh !== "") streamed = hub.token(row.key, fresh);
      },
      signal,
      cut,
    });
    await streamed;
    // What the model says is its answer, and be it nothing: whoever can make it say that could otherwise have its work for
    // nothing, or take its reputation.
    await hub.phase(row.key, "answered", { tokens: answer.tokensUsed });
    await probe("answered", row.key);
    return { answer, record: recordOf(this.#context, row, answer, messages) };
  }

  /** No digest is posted for bytes that are not kept: the block comes first, then the journal. */
  async #store(row: RequestRow, { answer, record }: Drawn): Promise<void> {
    const { blocks, catalogue, database, hub, probe } = this.#context;
    const told = mayBeTold(row);
    // Whoever knows its digest could fetch it from the store: what is not paid yet stays in the journal.
    if (told) await blocks.put(record.bytes);
    await probe("stored", row.key);
    const inSession = row.lane === "session" && {
      price: consumed(await catalogue.offer(row.model), BigInt(answer.tokensUsed), row.priority, row.payment),
      withheld: told ? null : Buffer.from(record.bytes).toString("utf8"),
    };
    await requests.updateOpen(database, row.key, {
      stage: "stored",
      response: answer.text,
      tokensUsed: answer.tokensUsed,
      finishReason: answer.finishReason,
      digest: record.digest,
      cid: record.cid,
      ...inSession,
    });
    await hub.phase(row.key, "stored", told ? { cid: record.cid } : {});
    hub.changed(row.key);
  }
}

/** What the model reads of a prompt. */
export const messagesOf = (prompt: string): Message[] => [{ role: "user", content: prompt }];

/** In a session, what nothing pays for yet is for nobody to read. */
const mayBeTold = (row: RequestRow): boolean => row.lane !== "session" || row.prepaid;

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(finish, milliseconds);
    function finish(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    }
    signal.addEventListener("abort", finish, { once: true });
  });
}
