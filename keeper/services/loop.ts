import { encodeFunctionData } from "viem";
import { routerAbi } from "../chain/contracts.ts";
import type { Follower } from "../chain/follower.ts";
import { carriedBy } from "../database/requests.ts";
import type { Context } from "./context.ts";
import { isBeatDue } from "./life.ts";
import { readPost, rotatedWords } from "./rotation.ts";
import type { SessionSettler } from "./sessions/settler.ts";
import type { Supervisor } from "./supervisor.ts";

const SWEEP_EVERY_MS = 30_000;
const SEEN_EVERY_MS = 60_000;
/** How soon a keeper notices that another key took its place. */
const POST_EVERY_MS = 3_000;
const LONGEST_PAUSE_MS = 30_000;
const LEAP_SECONDS = 20;

/** The keeper's pulse: looks at the chain again and again, and at once when it is woken. */
export class ChainLoop {
  readonly #context: Context;
  readonly #supervisor: Supervisor;
  readonly #follower: Follower;
  readonly #settler: SessionSettler;
  #wake: () => void = () => {};
  #awake = false;
  #stopped = false;
  #running: Promise<void> | undefined;
  #sweptAt = Date.now();
  #seenAt = 0;
  #postAt = 0;
  #failures = 0;
  /** Since the last look at everything; a turn that fails in between leaves it to the next. */
  #leapt = false;

  constructor(context: Context, supervisor: Supervisor, follower: Follower, settler: SessionSettler) {
    this.#context = context;
    this.#supervisor = supervisor;
    this.#follower = follower;
    this.#settler = settler;
    context.sender.onResolved(({ id }) => void this.#resolved(id));
  }

  start(): void {
    this.#running ??= this.#run();
  }

  wake(): void {
    this.#awake = true;
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#running;
  }

  /** One look: the newest block, the logs up to it, and then the transactions under way. */
  async turn(): Promise<void> {
    const { chain, head, sender } = this.#context;
    const block = await chain.client.getBlock();
    const leap = Number(block.timestamp) - head.timestamp - (Date.now() - head.seenAt) / 1000;
    const seen = { block: block.number, timestamp: Number(block.timestamp), seenAt: Date.now() };
    this.#leapt ||= leap > LEAP_SECONDS;
    if (block.number >= head.block) Object.assign(head, seen);
    await this.#follower.poll();
    Object.assign(head, seen);
    await sender.check((number, hash) => this.#follower.knows(number, hash));
    // Timers run by this machine's clock: where the chain's leapt ahead of it, deadlines are over earlier.
    if (this.#leapt && this.#running !== undefined) {
      this.#seenAt = 0;
      await this.#lookAtAll();
    }
    this.#leapt = false;
  }

  async #lookAtAll(): Promise<void> {
    await this.#supervisor.pokeAll();
    await this.#settler.sweep();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#awake = false;
      try {
        await this.turn();
        await this.#seldom();
        this.#failures = 0;
      } catch (error) {
        this.#failures++;
        this.#context.log.warn({ err: error, failures: this.#failures }, "no look at the chain");
      }
      await this.#pause();
    }
  }

  async #seldom(): Promise<void> {
    const now = Date.now();
    if (now - this.#sweptAt > SWEEP_EVERY_MS) {
      this.#sweptAt = now;
      await this.#lookAtAll();
    }
    if (now - this.#postAt > POST_EVERY_MS) {
      this.#postAt = now;
      await this.#lookAtPost();
    }
    if (now - this.#seenAt > SEEN_EVERY_MS) {
      this.#seenAt = now;
      await this.#showLife();
    }
  }

  /** The owner may have appointed another key: what this one does from then on counts for nothing. */
  async #lookAtPost(): Promise<void> {
    const { chain, deployment, log, operator, validator } = this.#context;
    const post = await readPost(chain, deployment, operator);
    const before = validator.rotated;
    validator.id = post.id;
    if (post.rotated === undefined) delete validator.rotated;
    else validator.rotated = post.rotated;
    if (post.rotated === undefined || before !== undefined) return;
    log.error({ validator: post.rotated.validatorId }, `no more work: ${rotatedWords(post.rotated)}`);
    await this.#lookAtAll();
  }

  /** An idle node says that it lives; a busy one is seen by its work. */
  async #showLife(): Promise<void> {
    const { chain, deployment, head, sender, validator } = this.#context;
    const { client } = chain;
    const address = deployment.addresses.router;
    if (validator.id === 0) return;
    const seat = await client.readContract({
      address,
      abi: routerAbi,
      functionName: "validatorOf",
      args: [BigInt(validator.id)],
    });
    if (!isBeatDue(head.timestamp, Number(seat.lastSeenAt), this.#supervisor.worker.running > 0)) return;
    await sender.send({
      purpose: "heartbeat",
      to: address,
      data: encodeFunctionData({ abi: routerAbi, functionName: "heartbeat" }),
    });
    this.wake();
  }

  async #resolved(transactionId: number): Promise<void> {
    try {
      for (const row of await carriedBy(this.#context.database, transactionId)) this.#supervisor.poke(row.key);
    } catch (error) {
      this.#context.log.warn({ err: error, transactionId }, "what a transaction carried will be looked at later");
    }
  }

  #pause(): Promise<void> {
    const wait = Math.min(
      this.#context.settings.pollMs * 2 ** Math.min(this.#failures, 6),
      Math.max(LONGEST_PAUSE_MS, this.#context.settings.pollMs),
    );
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#awake && this.#failures === 0 ? 0 : wait);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#stopped) this.#wake();
    });
  }
}
