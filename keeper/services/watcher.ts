import type { Address, Log } from "viem";
import { rewardAbi } from "../chain/contracts.ts";
import { type ChainEvent, readEvents } from "../chain/events.ts";
import * as caches from "../database/caches.ts";
import { dropPositionsFrom } from "../database/positions.ts";
import * as requests from "../database/requests.ts";
import type { Context } from "./context.ts";
import { recordPosition } from "./positions.ts";
import type { Supervisor } from "./supervisor.ts";

/** Turns what the follower reads into journal entries, caches and notifications. */
export class Watcher {
  readonly #context: Context;
  readonly #supervisor: Supervisor;

  constructor(context: Context, supervisor: Supervisor) {
    this.#context = context;
    this.#supervisor = supervisor;
  }

  async onLogs(logs: readonly Log<bigint, number, false>[]): Promise<void> {
    const events = readEvents(logs, this.#context.deployment);
    if (events.some(({ type }) => type === "settled")) await this.#context.probe("mined");
    await this.#supervisor.outcomes.apply(events);
    await this.#cache(events);
  }

  /** Blocks were dropped: what they ended is open again, what they carried is looked for again. */
  async onRewind(block: bigint): Promise<void> {
    const { database, operator, sender } = this.#context;
    this.#context.times.forget();
    await sender.recheckFrom(block);
    for (const row of await requests.touchedSince(database, operator, block)) {
      await this.#supervisor.outcomes.reopen(row, block);
    }
    await dropPositionsFrom(database, block);
    for (const user of await caches.dropCachesFrom(database, block)) await this.#standing(user, block, 0);
    await this.#supervisor.pokeAll();
  }

  async #cache(events: readonly ChainEvent[]): Promise<void> {
    const earners = new Map<Address, ChainEvent["place"]>();
    for (const event of events) {
      await recordPosition(this.#context.database, event);
      if (event.type === "minted") await this.#minted(event, events);
      if (event.type === "settled") this.#settled(event);
      if (event.type === "deposited") this.#deposited(event);
      if (event.type === "settled" || (event.type === "minted" && event.token === "LCAI"))
        earners.set(event.user, event.place);
    }
    for (const [user, place] of earners) await this.#standing(user, place.block, place.logIndex);
  }

  async #minted(event: Extract<ChainEvent, { type: "minted" }>, all: readonly ChainEvent[]): Promise<void> {
    const { database, hub } = this.#context;
    const { transaction, logIndex, block } = event.place;
    const chat = all.find(
      (other) => other.type === "settled" && other.place.transaction === transaction && other.user === event.user,
    );
    const requestId = chat?.type === "settled" ? chat.id : null;
    const at = (await this.#context.times.of(block)) * 1000;
    const { token, user, amount } = event;
    if (!(await caches.insertReward(database, { transaction, logIndex, block, token, user, amount, requestId, at })))
      return;
    hub.notify({
      type: "reward",
      address: user,
      at,
      data: { token, amount_wei: amount.toString(), request_id: requestId, transaction },
    });
  }

  #settled(event: Extract<ChainEvent, { type: "settled" }>): void {
    const data = {
      request_id: event.id,
      record: event.record.toString(),
      consumed_wei: event.consumed.toString(),
      transaction: event.place.transaction,
    };
    this.#context.hub.notify({ type: "interaction", address: event.user, at: Date.now(), data });
  }

  #deposited(event: Extract<ChainEvent, { type: "deposited" }>): void {
    const data = { amount_wei: event.amount.toString(), transaction: event.place.transaction };
    this.#context.hub.notify({ type: "deposit", address: event.user, at: Date.now(), data });
  }

  /** The chain keeps the totals; here they are ranked. */
  async #standing(user: Address, block: bigint, logIndex: number): Promise<void> {
    const { chain, deployment, database } = this.#context;
    const [, total] = await chain.client.readContract({
      address: deployment.addresses.reward,
      abi: rewardAbi,
      functionName: "statsOf",
      args: [user],
    });
    await caches.putStanding(database, user, total, block, logIndex);
  }
}
