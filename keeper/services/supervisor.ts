import { encodeFunctionData, type Hex } from "viem";
import { routerAbi } from "../chain/contracts.ts";
import { OnChainError } from "../chain/errors.ts";
import { eventsOf, WHOLE_LIFE } from "../chain/events.ts";
import { modelId } from "../chain/intents.ts";
import type { RequestRow } from "../database/requests.ts";
import * as requests from "../database/requests.ts";
import { getTransaction } from "../database/transactions.ts";
import { Batcher } from "./batcher.ts";
import { type Context, chainNow } from "./context.ts";
import { type Decision, decide } from "./decide.ts";
import { type Ending, endings } from "./endings.ts";
import { gatherFacts } from "./facts.ts";
import { KeyedMutex } from "./mutex.ts";
import { Outcomes } from "./outcomes.ts";
import { bornAfter, intentOf, publicPrompt, submissionOf } from "./submissions.ts";
import { Worker } from "./worker.ts";

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
/** What the model has begun may end, when the keeper stops. */
const GRACE_MS = 5_000;
/** Timers cannot look further ahead than this; who wakes too early looks again. */
const LONGEST_SLEEP_MS = 10 * 60_000;

/** Carries every open request one step further whenever something about it may have changed. */
export class Supervisor {
  readonly #context: Context;
  readonly #locks = new KeyedMutex();
  readonly #timers = new Map<Hex, NodeJS.Timeout>();
  readonly #failures = new Map<Hex, number>();
  readonly #steps = new Set<Promise<void>>();
  readonly #charge: (key: Hex) => Promise<boolean>;
  readonly worker: Worker;
  readonly batcher: Batcher;
  readonly outcomes: Outcomes;

  /** @param charge Lets the answer to a prompt of a session go, where it is paid. */
  constructor(context: Context, charge: (key: Hex) => Promise<boolean>) {
    this.#context = context;
    this.#charge = charge;
    this.outcomes = new Outcomes(context, (key) => this.poke(key));
    this.worker = new Worker(context, (key) => this.poke(key));
    this.batcher = new Batcher(context, (key, error) => this.#retryLater(key, error));
  }

  /** Looks at one request soon. */
  poke(key: Hex): void {
    if (this.#context.signal.aborted) return;
    const step = this.advance(key).catch((error: unknown) => this.#retryLater(key, error));
    this.#steps.add(step);
    void step.finally(() => this.#steps.delete(step));
  }

  /** Looks at every request that is not at its end: after a start, a reorganisation, and now and then. */
  async pokeAll(): Promise<void> {
    for (const row of await requests.unfinishedRequests(this.#context.database, this.#context.operator))
      this.poke(row.key);
  }

  /** Takes a request as far as it goes without waiting. */
  advance(key: Hex): Promise<void> {
    return this.#locks.run(key, async () => {
      clearTimeout(this.#timers.get(key));
      this.#timers.delete(key);
      for (let steps = 0; steps < 8; steps++) {
        const row = await requests.getRequest(this.#context.database, key);
        if (row === undefined || row.stage === "final") return this.#forget(key);
        const inside = { answering: this.worker.isBusy(key), refusal: this.worker.refusalOf(key) };
        const decision = decide(row, await gatherFacts(this.#context, row, inside));
        if (!(await this.#execute(row, decision))) break;
      }
      this.#failures.delete(key);
    });
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await this.worker.drain(GRACE_MS);
    const { database, operator } = this.#context;
    const answered = (await requests.unfinishedRequests(database, operator)).filter((row) => row.stage === "stored");
    await Promise.allSettled(answered.map((row) => this.advance(row.key)));
    await this.batcher.flush();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await Promise.allSettled([...this.#steps]);
  }

  #forget(key: Hex): void {
    this.#failures.delete(key);
    this.worker.forget(key);
    this.worker.drop(key);
  }

  /** Does what was decided. True when it is worth looking again at once. */
  async #execute(row: RequestRow, decision: Decision): Promise<boolean> {
    switch (decision.action) {
      case "wait":
        if (decision.until !== undefined) this.#sleep(row.key, (decision.until - chainNow(this.#context)) * 1000 + 500);
        return false;
      case "answer":
        await this.worker.answer(row);
        return false;
      case "cut":
        this.worker.cut(row.key);
        return false;
      case "abandon":
        this.worker.drop(row.key);
        return false;
      case "deliver":
        if (!this.batcher.has(row.key)) this.batcher.add(row.key);
        return false;
      case "charge":
        return this.#charge(row.key);
      case "read-receipt":
        return this.#readReceipt(row);
      case "look-up":
        return this.#lookUp(row);
      case "unlink":
        await requests.updateOpen(this.#context.database, row.key, { transactionId: null });
        return true;
      case "resubmit":
        await requests.updateOpen(this.#context.database, row.key, {
          requestId: null,
          ticket: null,
          stage: "accepted",
        });
        return true;
      case "give-up":
        await this.outcomes.giveUp(row.key, decision.code, decision.message);
        return false;
      case "submit":
        await this.#submit(row);
        return false;
      case "acknowledge":
        await this.#acknowledge(row);
        return false;
      default:
        await this.#end(row, endings[decision.action]);
        return false;
    }
  }

  /** The transaction is in a block: what it says about this request is written down, and the request let go of. */
  async #readReceipt(row: RequestRow): Promise<boolean> {
    const { database, sender } = this.#context;
    const transaction = row.transactionId === null ? undefined : await getTransaction(database, row.transactionId);
    const receipt = transaction?.minedHash ? await sender.receipt(transaction.minedHash) : undefined;
    if (receipt === undefined) throw new Error("the receipt is gone again");
    await this.outcomes.applyLogs(receipt.logs);
    const after = await requests.getRequest(database, row.key);
    if (after === undefined || after.stage === "final" || after.transactionId !== row.transactionId) return true;
    await requests.updateOpen(database, row.key, { transactionId: null, attempts: row.attempts + 1 });
    if (receipt.status === "reverted") throw new Error(`transaction ${receipt.transactionHash} was reverted`);
    return true;
  }

  /** The chain knows how it went on, and this keeper does not yet. */
  async #lookUp(row: RequestRow): Promise<boolean> {
    const { chain, deployment, database } = this.#context;
    const id = row.requestId ?? row.key;
    await this.#context.catchUp();
    const caughtUp = await requests.getRequest(database, row.key);
    if (caughtUp?.stage !== row.stage || caughtUp.requestId !== row.requestId) return true;
    let events = await eventsOf(chain, deployment, id, WHOLE_LIFE, bornAfter(row));
    if (events.length === 0 && row.lane === "assigned") events = await submissionOf(this.#context, row);
    const settled = events.find((event) => event.type === "settled");
    // Its rewards are told in the same transaction.
    const receipt = settled && (await this.#context.sender.receipt(settled.place.transaction));
    if (receipt) await this.outcomes.applyLogs(receipt.logs);
    else await this.outcomes.apply(events);
    const after = await requests.getRequest(database, row.key);
    if (after?.stage === "final" || after?.requestId !== row.requestId) return true;
    if (events.length > 0) throw new Error(`the chain's logs do not tell how ${id} ended`);
    await this.outcomes.giveUp(
      row.key,
      "nonce_used",
      "Its nonce was used for something else; nothing was charged. Ask again.",
    );
    return false;
  }

  async #submit(row: RequestRow): Promise<void> {
    const { deployment, sender, database } = this.#context;
    if (row.signature === null) throw new Error(`${row.key} has no signature`);
    const intent = { ...intentOf(row), model: modelId(row.model), isPrivate: row.isPrivate };
    const prompt = publicPrompt(this.#context, row, await this.#context.catalogue.offer(row.model));
    const args = [intent, row.signature, prompt] as const;
    const data = encodeFunctionData({ abi: routerAbi, functionName: "submitFor", args });
    try {
      await sender.send({ purpose: `submit:${row.key}`, to: deployment.addresses.router, data }, async (sql, id) => {
        await requests.updateOpen(sql, row.key, { transactionId: id });
      });
      this.#context.wake();
    } catch (error) {
      if (!(error instanceof OnChainError)) throw error;
      await requests.updateOpen(database, row.key, { returned: 0n });
      await this.outcomes.giveUp(row.key, `chain:${error.errorName}`, error.message);
    }
  }

  /** A heartbeat within the acknowledgement window: the answer takes its time. */
  async #acknowledge(row: RequestRow): Promise<void> {
    const { deployment, sender, wake } = this.#context;
    const data = encodeFunctionData({ abi: routerAbi, functionName: "heartbeat" });
    await sender.send({ purpose: `acknowledge:${row.key}`, to: deployment.addresses.router, data });
    wake();
    this.#sleep(row.key, FIRST_RETRY_MS * 2);
  }

  async #end(row: RequestRow, ending: Ending): Promise<void> {
    const { deployment, sender, database, hub, wake } = this.#context;
    if (row.ticket === null) throw new Error(`${row.key} has no ticket`);
    const data = await ending.call(this.#context, row, row.ticket);
    try {
      await sender.send(
        { purpose: `${ending.name}:${row.key}`, to: deployment.addresses.router, data },
        async (sql, id) => {
          await requests.updateOpen(sql, row.key, { transactionId: id });
        },
      );
    } catch (error) {
      if (!(error instanceof OnChainError)) throw error;
      await requests.updateOpen(database, row.key, { attempts: row.attempts + 1 });
      throw error;
    }
    if (ending.name === "settle") await hub.phase(row.key, "settling");
    wake();
  }

  #retryLater(key: Hex, error: unknown): void {
    if (this.#context.signal.aborted) return;
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const wait = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LONGEST_RETRY_MS);
    this.#context.log.warn({ err: error, key, wait }, "a request does not move; it will be tried again");
    this.#sleep(key, wait);
  }

  #sleep(key: Hex, milliseconds: number): void {
    clearTimeout(this.#timers.get(key));
    const timer = setTimeout(() => this.poke(key), Math.min(Math.max(milliseconds, 50), LONGEST_SLEEP_MS));
    this.#timers.set(key, timer);
  }
}
