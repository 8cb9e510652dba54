/** Writes what the chain says about requests into the journal. Safe to be told the same thing any number of times. */
import type { Hex, Log } from "viem";
import { type ChainEvent, eventsOf, readEvents } from "../chain/events.ts";
import { unpackTerms } from "../chain/words.ts";
import type { RequestRow } from "../database/requests.ts";
import * as requests from "../database/requests.ts";
import { findByHash } from "../database/transactions.ts";
import type { Context } from "./context.ts";
import { adoptedRow, type Event, FAILURES, REOPENED, rewardOf, SKIPPED } from "./events-to-rows.ts";
import { KeyedMutex } from "./mutex.ts";
import { stateOf } from "./state.ts";

export class Outcomes {
  readonly #context: Context;
  readonly #poke: (key: Hex) => void;
  readonly #locks = new KeyedMutex();

  /** @param poke Called for each request that moved and is not at its end. */
  constructor(context: Context, poke: (key: Hex) => void) {
    this.#context = context;
    this.#poke = poke;
  }

  /** Events in the order of the chain; those of one transaction are together. */
  async apply(events: readonly ChainEvent[]): Promise<void> {
    // The follower and a receipt may tell the same at the same moment.
    for (const event of events) if ("id" in event) await this.#locks.run(event.id, () => this.#applyOne(event, events));
  }

  async #applyOne(event: ChainEvent, all: readonly ChainEvent[]): Promise<void> {
    switch (event.type) {
      case "submitted":
        return this.#submitted(event, all);
      case "assigned":
        return this.#assigned(event);
      case "declined":
        return this.#declined(event);
      case "settled":
        return this.#settled(event, all);
      case "failed":
        return this.#failed(event);
      case "skipped":
        return this.#skipped(event);
    }
  }

  applyLogs(logs: readonly Log<bigint, number, false>[]): Promise<void> {
    return this.apply(readEvents(logs, this.#context.deployment));
  }

  async #submitted(event: Event<"submitted">, all: readonly ChainEvent[]): Promise<void> {
    const { database, hub, validator } = this.#context;
    const row = (await requests.findRequest(database, event.id)) ?? (await this.#rowBehind(event));
    if (row === undefined) {
      if (event.validator !== 0 && event.validator === validator.id) await this.#adopt(event, all);
      return;
    }
    if (row.stage === "final") return;
    const known = row.stage !== "accepted" && row.requestId === event.id;
    if (known && row.submitBlock === event.place.block) return;
    const at = await this.#context.times.of(event.place.block);
    const assigned = event.validator !== 0;
    await requests.updateRequest(database, row.key, {
      requestId: event.id,
      ticket: event.ticket,
      stage: row.stage === "accepted" ? "submitted" : row.stage,
      status: assigned ? "processing" : "queued",
      submitTx: event.place.transaction,
      submitBlock: event.place.block,
      ...(assigned ? { validatorId: event.validator, assignedAt: at } : {}),
      transactionId: row.stage === "accepted" ? null : row.transactionId,
      attempts: 0,
    });
    if (assigned) await hub.phase(row.key, "assigned", { validator_id: event.validator });
    this.#moved(row.key);
  }

  /** The journal's row that a submission came from: what was signed names user, nonce and prompt. */
  async #rowBehind(event: Event<"submitted">): Promise<RequestRow | undefined> {
    const { nonce } = unpackTerms(event.ticket.terms);
    const rows = await requests.findByNonce(this.#context.database, event.user, nonce);
    return rows.find(
      (row) => row.lane === "assigned" && row.stage === "accepted" && row.promptHash === event.ticket.promptHash,
    );
  }

  /** Takes over a request that never passed through this keeper, and is assigned to its validator. */
  async #adopt(event: Event<"submitted">, all: readonly ChainEvent[]): Promise<void> {
    const { database, catalogue, hub, operator } = this.#context;
    const published = all.find((other): other is Event<"prompt"> => other.type === "prompt" && other.id === event.id);
    const model = (await catalogue.byIndex(unpackTerms(event.ticket.terms).model))?.name ?? "";
    const row = adoptedRow(event, published, model, operator, await this.#context.times.of(event.place.block));
    if (await requests.insertRequest(database, row))
      await hub.phase(row.key, "assigned", { validator_id: event.validator });
    this.#moved(row.key);
  }

  async #assigned(event: Event<"assigned">): Promise<void> {
    const { database, hub, validator } = this.#context;
    const row = await requests.findRequest(database, event.id);
    if (row === undefined) {
      if (event.validator === validator.id) await this.#adoptLater(event);
      return;
    }
    if (row.stage === "final") return;
    const assignedAt = await this.#context.times.of(event.place.block);
    if (row.validatorId === event.validator && row.assignedAt === assignedAt) return;
    await requests.updateRequest(database, row.key, {
      validatorId: event.validator,
      assignedAt,
      status: "processing",
      attempts: 0,
    });
    await hub.phase(row.key, "assigned", { validator_id: event.validator });
    this.#moved(row.key);
  }

  /** Whoever gets it next is told in the same transaction, behind this; nobody, where it is queued. */
  async #declined(event: Event<"declined">): Promise<void> {
    const row = await requests.findRequest(this.#context.database, event.id);
    if (row === undefined || row.validatorId !== event.validator) return;
    const patch = { validatorId: null, assignedAt: null, status: "queued", attempts: 0 } as const;
    if (await requests.updateOpen(this.#context.database, row.key, patch)) this.#moved(row.key);
  }

  /** It was queued when it was submitted, so its ticket and prompt lie in an earlier block. */
  async #adoptLater(event: Event<"assigned">): Promise<void> {
    const events = await eventsOf(this.#context.chain, this.#context.deployment, event.id, [
      "RequestSubmitted",
      "PromptPublished",
    ]);
    const submitted = events.find((other): other is Event<"submitted"> => other.type === "submitted");
    if (submitted) await this.#adopt({ ...submitted, validator: event.validator }, events);
  }

  async #settled(event: Event<"settled">, all: readonly ChainEvent[]): Promise<void> {
    const row = await requests.findRequest(this.#context.database, event.id);
    if (row === undefined || (row.stage === "final" && row.settleTx === event.place.transaction)) return;
    await requests.updateRequest(this.#context.database, row.key, {
      stage: "final",
      status: "completed",
      requestId: event.id,
      validatorId: event.validator,
      tokensUsed: event.tokens,
      ...(row.digest === null ? { digest: event.digest } : {}),
      settleTx: event.place.transaction,
      settleBlock: event.place.block,
      settledAt: (await this.#context.times.of(event.place.block)) * 1000,
      record: event.record,
      consumed: event.consumed,
      validatorLeg: event.validatorLeg,
      treasuryLeg: event.treasuryLeg,
      burnLeg: event.burnLeg,
      returned: row.lane === "direct" ? 0n : row.payment - event.consumed,
      transactionId: null,
      errorCode: null,
      errorMessage: null,
      ...rewardOf(row, event, all),
    });
    await this.#ended(row.key, "settled");
  }

  async #failed(event: Event<"failed">): Promise<void> {
    const row = await requests.findRequest(this.#context.database, event.id);
    if (row === undefined || (row.stage === "final" && row.settleTx === event.place.transaction)) return;
    await requests.updateRequest(this.#context.database, row.key, {
      stage: "final",
      status: event.class === "none" ? "cancelled" : "failed",
      settleTx: event.place.transaction,
      settleBlock: event.place.block,
      settledAt: (await this.#context.times.of(event.place.block)) * 1000,
      returned: event.refund,
      penalty: event.forfeited,
      transactionId: null,
      errorCode: row.errorCode ?? event.class,
      errorMessage: row.errorMessage ?? FAILURES[event.class],
    });
    await this.#ended(row.key, "failed");
  }

  async #skipped(event: Event<"skipped">): Promise<void> {
    const row = await requests.findRequest(this.#context.database, event.id);
    if (row === undefined || row.lane !== "direct" || row.stage === "final") return;
    // A used nonce may mean that an earlier delivery went through after all: the chain's logs will tell.
    if (event.reason === "bad_nonce") {
      await requests.updateRequest(this.#context.database, row.key, { transactionId: null });
      return this.#poke(row.key);
    }
    await this.giveUp(
      row.key,
      event.reason,
      SKIPPED[event.reason] ?? "The contract passed the delivery over; nothing was charged.",
    );
  }

  /** Ends a request that the chain charges nothing for. */
  async giveUp(key: Hex, code: string, message: string): Promise<void> {
    await requests.updateRequest(this.#context.database, key, {
      stage: "final",
      status: "failed",
      transactionId: null,
      errorCode: code,
      errorMessage: message,
      settledAt: Date.now(),
    });
    await this.#ended(key, "failed");
  }

  async #ended(key: Hex, phase: "settled" | "failed"): Promise<void> {
    const { database, hub } = this.#context;
    const row = await requests.getRequest(database, key);
    if (row === undefined) return;
    await hub.phase(key, phase);
    await hub.final(key, stateOf(row));
    hub.changed(key);
    hub.notify({
      type: "request",
      address: row.user,
      at: Date.now(),
      data: { request_id: row.requestId ?? row.key, status: row.status, transaction: row.settleTx },
    });
  }

  /** Its end, or its beginning, lies in a block from `block` on that the chain dropped. */
  async reopen(row: RequestRow, block: bigint): Promise<void> {
    const { database, hub } = this.#context;
    const unsettled = row.settleBlock !== null && row.settleBlock >= block;
    // The same transaction may still be mined: while it may, no other is sent in its place.
    const carrier = unsettled && row.settleTx !== null ? await findByHash(database, row.settleTx) : undefined;
    await requests.updateRequest(database, row.key, {
      ...(unsettled
        ? {
            ...REOPENED,
            transactionId: carrier?.id ?? null,
            stage: row.cid === null ? (row.requestId === null ? "accepted" : "submitted") : "stored",
            status: "processing",
          }
        : {}),
    });
    if (unsettled)
      await hub.phase(row.key, "settling", { reason: "the chain dropped the block that it was settled in" });
    this.#moved(row.key);
  }

  #moved(key: Hex): void {
    this.#context.hub.changed(key);
    this.#poke(key);
  }
}
