/** Whose turn a request is: from its submission over every attempt, as the chain tells it. */
import type { Hex } from "viem";
import { type ChainEvent, eventsOf, type FailureClass } from "../chain/events.ts";
import { unpackTerms } from "../chain/words.ts";
import type { RequestPatch, RequestRow, Try } from "../database/requests.ts";
import * as requests from "../database/requests.ts";
import type { Context } from "./context.ts";
import { adoptedRow, type Event, handedTo, UNANSWERED, withFailure } from "./events-to-rows.ts";
import { whyOf } from "./failure-words.ts";

export class Hands {
  readonly #context: Context;
  readonly #moved: (key: Hex) => void;

  /** @param moved Called for each request that changed. */
  constructor(context: Context, moved: (key: Hex) => void) {
    this.#context = context;
    this.#moved = moved;
  }

  async submitted(event: Event<"submitted">, all: readonly ChainEvent[]): Promise<void> {
    const { database } = this.#context;
    const row = (await requests.findRequest(database, event.id)) ?? (await this.#rowBehind(event));
    if (row === undefined) return this.#adopt(event, all);
    if (row.stage === "final") return;
    const known = row.stage !== "accepted" && row.requestId === event.id;
    if (known && row.submitBlock === event.place.block) return;
    const assigned = event.validator !== 0;
    await requests.updateRequest(database, row.key, {
      requestId: event.id,
      ticket: event.ticket,
      stage: row.stage === "accepted" ? "submitted" : row.stage,
      submitTx: event.place.transaction,
      submitBlock: event.place.block,
      transactionId: row.stage === "accepted" ? null : row.transactionId,
      status: "queued",
      validatorId: null,
      assignedAt: null,
      attempts: 0,
      ...(assigned ? handedTo([], event, await this.#context.times.of(event.place.block)) : {}),
    });
    await this.#tell(row.key, event.validator);
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

  /**
   * Takes over a request that never passed through this keeper: one that is its validator's, or one that nobody has,
   * where it could answer it.
   */
  async #adopt(event: Event<"submitted">, all: readonly ChainEvent[]): Promise<void> {
    const { database, catalogue, model, operator, validator } = this.#context;
    if (validator.id === 0 || (event.validator !== 0 && event.validator !== validator.id)) return;
    const published = all.find((other): other is Event<"prompt"> => other.type === "prompt" && other.id === event.id);
    const name = (await catalogue.byIndex(unpackTerms(event.ticket.terms).model))?.name ?? "";
    const row = adoptedRow(event, published, name, operator, await this.#context.times.of(event.place.block));
    if (event.validator === 0 && (name !== model || row.prompt === null)) return;
    if (await requests.insertRequest(database, row)) await this.#tell(row.key, event.validator);
    this.#moved(row.key);
  }

  /** It is of an earlier block, and so are its ticket and its prompt. */
  async #adoptLater(id: Hex, validator: number): Promise<void> {
    const { chain, deployment, validator: own } = this.#context;
    if (own.id === 0 || (validator !== 0 && validator !== own.id)) return;
    const events = await eventsOf(chain, deployment, id, ["RequestSubmitted", "PromptPublished"]);
    const submitted = events.find((other): other is Event<"submitted"> => other.type === "submitted");
    if (submitted) await this.#adopt({ ...submitted, validator }, events);
  }

  /** The failure of the one before is told behind this, in the same transaction, and comes first here. */
  async assigned(event: Event<"assigned">, all: readonly ChainEvent[]): Promise<void> {
    const failed = all.find(
      (other): other is Event<"attempt-failed"> =>
        other.type === "attempt-failed" && other.id === event.id && other.place.transaction === event.place.transaction,
    );
    if (failed) await this.attemptFailed(failed, all);
    const row = await requests.findRequest(this.#context.database, event.id);
    if (row === undefined) return this.#adoptLater(event.id, event.validator);
    if (row.stage === "final" || hadTurn(row.tries, event)) return;
    const at = await this.#context.times.of(event.place.block);
    await this.#update(row, { ...handedTo(row.tries, event, at), ...this.#without(row, event.validator) });
    await this.#tell(row.key, event.validator);
    this.#moved(row.key);
  }

  declined(event: Event<"declined">, all: readonly ChainEvent[]): Promise<void> {
    return this.#failedWith(event, all, "declined");
  }

  attemptFailed(event: Event<"attempt-failed">, all: readonly ChainEvent[]): Promise<void> {
    return this.#failedWith(event, all, event.class);
  }

  /** Whoever gets it next is told beside this; nobody, where it is queued. */
  async #failedWith(
    event: Event<"declined"> | Event<"attempt-failed">,
    all: readonly ChainEvent[],
    failure: FailureClass | "declined",
  ): Promise<void> {
    const { id, validator, place } = event;
    const next = all.some(
      (other) => other.type === "assigned" && other.id === id && other.place.transaction === place.transaction,
    );
    const row = await requests.findRequest(this.#context.database, id);
    if (row === undefined) {
      if (!next) await this.#adoptLater(id, 0);
      return;
    }
    if (row.stage === "final" || row.tries.some((one) => one.validator === validator && one.failure !== undefined))
      return;
    const held = row.validatorId === validator;
    await this.#update(row, {
      tries: withFailure(row.tries, event, failure),
      movedBlock: place.block,
      ...(held ? { validatorId: null, assignedAt: null, status: "queued", attempts: 0 } : {}),
      ...this.#without(row, 0),
    });
    const detail = { validator_id: validator, class: failure, message: whyOf(failure) };
    await this.#context.hub.phase(row.key, "attempt_failed", detail);
    this.#notify(row, "attempt_failed", detail);
    if (!next) await this.#tell(row.key, 0);
    this.#moved(row.key);
  }

  async cancelling(event: Event<"cancelling">): Promise<void> {
    const { database, hub } = this.#context;
    const row = await requests.findRequest(database, event.id);
    if (row === undefined || row.stage === "final" || row.cancellingUntil === event.until) return;
    await this.#update(row, { cancellingUntil: event.until, movedBlock: event.place.block });
    const detail = { validator_id: event.validator, until: new Date(event.until * 1000).toISOString() };
    await hub.phase(row.key, "cancelling", detail);
    this.#notify(row, "cancelling", detail);
    this.#moved(row.key);
  }

  /** What was drawn here counts for nothing once another one has it. */
  #without(row: RequestRow, holder: number): RequestPatch {
    if (holder === this.#context.validator.id) return {};
    return { ...UNANSWERED, ...(row.stage === "stored" ? { stage: "submitted" } : {}) };
  }

  async #update(row: RequestRow, patch: RequestPatch): Promise<void> {
    await requests.updateOpen(this.#context.database, row.key, patch);
  }

  async #tell(key: Hex, validator: number): Promise<void> {
    if (validator === 0) await this.#context.hub.phase(key, "queued");
    else await this.#context.hub.phase(key, "assigned", { validator_id: validator });
  }

  #notify(row: RequestRow, phase: string, detail: Record<string, unknown>): void {
    const data = { request_id: row.requestId ?? row.key, status: row.status, phase, ...detail };
    this.#context.hub.notify({ type: "request", address: row.user, at: Date.now(), data });
  }
}

const hadTurn = (tries: readonly Try[], { validator, place }: Event<"assigned">): boolean =>
  tries.some((attempt) => attempt.validator === validator && attempt.block === place.block.toString());
