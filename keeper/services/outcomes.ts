/** Writes what the chain says about requests into the journal. Safe to be told the same thing any number of times. */
import type { Hex, Log } from "viem";
import { type ChainEvent, readEvents } from "../chain/events.ts";
import type { RequestPatch, RequestRow } from "../database/requests.ts";
import * as requests from "../database/requests.ts";
import { findByHash } from "../database/transactions.ts";
import { cidOf } from "../storage/cid.ts";
import type { Context } from "./context.ts";
import { type Event, REOPENED, rewardOf, rewound, SKIPPED, UNANSWERED, withFailure } from "./events-to-rows.ts";
import { endingWords } from "./failure-words.ts";
import { ForeignAnswers } from "./foreign-answers.ts";
import { Hands } from "./hands.ts";
import { KeyedMutex } from "./mutex.ts";
import { stateOf } from "./state.ts";

/** How long the end of a request waits for the answer that another validator gave. */
const FOREIGN_PATIENCE_MS = 5_000;

type Ending = "settled" | "failed" | "cancelled";

const phaseOf = ({ status }: RequestRow): Ending =>
  status === "completed" ? "settled" : status === "cancelled" ? "cancelled" : "failed";

export class Outcomes {
  readonly #context: Context;
  readonly #poke: (key: Hex) => void;
  readonly #locks = new KeyedMutex();
  /** What an ending writes and what it tells go together: nobody else tells it in between. */
  readonly #endings = new KeyedMutex();
  readonly #hands: Hands;
  readonly foreign: ForeignAnswers;

  /** @param poke Called for each request that moved and is not at its end. */
  constructor(context: Context, poke: (key: Hex) => void) {
    this.#context = context;
    this.#poke = poke;
    this.#hands = new Hands(context, (key) => this.#moved(key));
    this.foreign = new ForeignAnswers(context);
  }

  /** Events in the order of the chain; those of one transaction are together. */
  async apply(events: readonly ChainEvent[]): Promise<void> {
    // The follower and a receipt may tell the same at the same moment.
    for (const event of events) if ("id" in event) await this.#locks.run(event.id, () => this.#applyOne(event, events));
  }

  async #applyOne(event: ChainEvent, all: readonly ChainEvent[]): Promise<void> {
    switch (event.type) {
      case "submitted":
        return this.#hands.submitted(event, all);
      case "assigned":
        return this.#hands.assigned(event, all);
      case "declined":
        return this.#hands.declined(event, all);
      case "attempt-failed":
        return this.#hands.attemptFailed(event, all);
      case "cancelling":
        return this.#hands.cancelling(event);
      case "cancelled":
        return this.#cancelled(event);
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

  async #settled(event: Event<"settled">, all: readonly ChainEvent[]): Promise<void> {
    const row = await requests.findRequest(this.#context.database, event.id);
    if (row === undefined || (row.stage === "final" && row.settleTx === event.place.transaction)) return;
    const elsewhere = row.digest !== event.digest;
    const patch: RequestPatch = {
      stage: "final",
      status: "completed",
      requestId: event.id,
      validatorId: event.validator,
      ...(elsewhere ? { ...UNANSWERED, digest: event.digest, cid: cidOf(event.digest) } : {}),
      tokensUsed: event.tokens,
      ...(await this.#endAt(event)),
      record: event.record,
      consumed: event.consumed,
      validatorLeg: event.validatorLeg,
      treasuryLeg: event.treasuryLeg,
      burnLeg: event.burnLeg,
      returned: row.lane === "direct" ? 0n : row.payment - event.consumed,
      errorCode: null,
      errorMessage: null,
      ...rewardOf(row, event, all),
    };
    if (!elsewhere) return this.#end(row.key, "settled", patch);
    // The chain goes on while its record is looked for.
    await requests.updateRequest(this.#context.database, row.key, patch);
    void this.#tellOnceSearched(row.key);
  }

  async #failed(event: Event<"failed">): Promise<void> {
    const row = await requests.findRequest(this.#context.database, event.id);
    if (row === undefined || (row.stage === "final" && row.settleTx === event.place.transaction)) return;
    await this.#end(row.key, "failed", {
      stage: "final",
      status: "failed",
      tries: withFailure(row.tries, event, event.class),
      ...(await this.#endAt(event)),
      returned: event.refund,
      penalty: event.forfeited,
      errorCode: event.class,
      errorMessage: endingWords(event.class, event.refund, row.payment),
    });
  }

  async #cancelled(event: Event<"cancelled">): Promise<void> {
    const row = await requests.findRequest(this.#context.database, event.id);
    if (row === undefined || (row.stage === "final" && row.settleTx === event.place.transaction)) return;
    await this.#end(row.key, "cancelled", {
      stage: "final",
      status: "cancelled",
      ...UNANSWERED,
      ...(await this.#endAt(event)),
      returned: event.refund,
      penalty: event.forfeited,
      errorCode: "cancelled",
      errorMessage: endingWords("cancelled", event.refund, row.payment),
    });
  }

  async #endAt({ place }: ChainEvent): Promise<RequestPatch> {
    return {
      settleTx: place.transaction,
      settleBlock: place.block,
      settledAt: (await this.#context.times.of(place.block)) * 1000,
      transactionId: null,
    };
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
    await this.#end(key, "failed", {
      stage: "final",
      status: "failed",
      transactionId: null,
      errorCode: code,
      errorMessage: message,
      settledAt: Date.now(),
    });
  }

  async #end(key: Hex, phase: Ending, patch: RequestPatch): Promise<void> {
    await this.#endings.run(key, async () => {
      const row = await requests.updateRequest(this.#context.database, key, patch);
      if (row !== undefined) await this.#tell(row, phase);
    });
  }

  /** Tells an end that was written down, and not told because the process ended in between. */
  retell(key: Hex): Promise<void> {
    return this.#tellOnceSearched(key, () => this.#context.hub.isOver(key));
  }

  async #tellOnceSearched(key: Hex, isTold = async (): Promise<boolean> => false): Promise<void> {
    const { database, log, signal } = this.#context;
    try {
      await this.#endings.run(key, async () => {
        if (await isTold()) return;
        const written = await requests.getRequest(database, key);
        if (written?.stage !== "final") return;
        await this.#searched(written);
        const row = await requests.getRequest(database, key);
        if (row?.stage === "final" && !signal.aborted) await this.#tell(row, phaseOf(row));
      });
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error, key }, "the end of a request is not told yet");
    }
  }

  #searched(row: RequestRow): Promise<unknown> {
    const patience = AbortSignal.any([AbortSignal.timeout(FOREIGN_PATIENCE_MS), this.#context.signal]);
    const over = new Promise((resolve) => patience.addEventListener("abort", resolve, { once: true }));
    return Promise.race([this.foreign.search(row), over]);
  }

  async #tell(row: RequestRow, phase: Ending): Promise<void> {
    const { hub } = this.#context;
    await hub.phase(row.key, phase);
    await hub.final(row.key, stateOf(row));
    hub.changed(row.key);
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
    const moved = row.movedBlock !== null && row.movedBlock >= block ? rewound(row, block) : {};
    const holder = moved.validatorId === undefined ? row.validatorId : moved.validatorId;
    await requests.updateRequest(database, row.key, {
      ...moved,
      ...(unsettled
        ? {
            ...REOPENED,
            transactionId: carrier?.id ?? null,
            stage: row.cid === null ? (row.requestId === null ? "accepted" : "submitted") : "stored",
          }
        : {}),
      ...(unsettled || row.stage !== "final" ? { status: holder === null ? "queued" : "processing" } : {}),
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
