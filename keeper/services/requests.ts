import { type Address, getAddress, type Hex, isHex, size, zeroAddress } from "viem";
import { intentDigest, NO_SALT, promptHash, typedData } from "../chain/intents.ts";
import type { RequestRow } from "../database/requests.ts";
import * as journal from "../database/requests.ts";
import * as admission from "./admission.ts";
import { Cancellations } from "./cancellations.ts";
import { type Context, chainNow } from "./context.ts";
import { DevelopmentSigner } from "./development.ts";
import { ApiError } from "./errors.ts";
import { newRow } from "./events-to-rows.ts";
import { KeyedMutex } from "./mutex.ts";
import type { Nonces } from "./nonces.ts";
import { checkSamePrompt, refused } from "./refusals.ts";
import { requireRoom } from "./room.ts";
import { requirePost } from "./rotation.ts";
import { stateOf } from "./state.ts";
import type { Supervisor } from "./supervisor.ts";
import type {
  AskFields,
  CancelOffer,
  Intent,
  IntentTypedData,
  Lane,
  Notification,
  RequestEvent,
  RequestState,
  Requests,
} from "./types.ts";
import { requireRow, untilRow } from "./waiting.ts";

/** How long a submission may take to be mined before the client is told to ask for it again. */
const SUBMISSION_PATIENCE_MS = 120_000;

export class RequestService implements Requests {
  readonly #context: Context;
  readonly #supervisor: Supervisor;
  readonly #nonces: Nonces;
  readonly #signer: DevelopmentSigner;
  readonly #cancellations: Cancellations;
  readonly #users = new KeyedMutex();

  constructor(context: Context, supervisor: Supervisor, nonces: Nonces) {
    this.#context = context;
    this.#supervisor = supervisor;
    this.#nonces = nonces;
    this.#signer = new DevelopmentSigner(context.chain);
    this.#cancellations = new Cancellations(context);
  }

  async prepare(lane: Lane, ask: AskFields): Promise<IntentTypedData> {
    this.#requireServing(lane);
    await requireRoom(this.#context);
    const { chain, deployment, operator } = this.#context;
    const model = ask.model ?? this.#context.model;
    const intent: Omit<Intent, "nonce"> = {
      user: getAddress(ask.user),
      model,
      promptHash: promptHash(ask.prompt, ask.salt ?? NO_SALT),
      maxTokens: ask.maxTokens,
      temperature: Math.round(ask.temperature * 100),
      payment: ask.payment,
      priority: ask.priority,
      private: false,
      validator: lane === "direct" ? operator : zeroAddress,
      relayer: lane === "direct" ? zeroAddress : operator,
      relayFee: 0n,
      callback: zeroAddress,
      callbackGas: 0,
      deadline: BigInt(chainNow(this.#context) + admission.DEADLINE_SECONDS),
    };
    admission.checkFields(this.#context, lane, { ...intent, nonce: 0 }, ask);
    await admission.checkTerms(this.#context, lane, { ...intent, nonce: 0 }, ask.prompt);
    const nonce = await this.#users.run(intent.user, () => this.#nonces.next(intent.user));
    return typedData(chain.id, deployment.addresses.router, { ...intent, nonce });
  }

  signForDevelopment(data: IntentTypedData): Promise<Hex | undefined> {
    return this.#signer.sign(data, data.message.user);
  }

  async accept(lane: Lane, intent: Intent, signature: Hex, ask: AskFields): Promise<RequestState> {
    this.#requireServing(lane);
    const context = this.#context;
    // Of a contract's account it is whatever that contract wants; the router asks none in the direct lane.
    if (!isHex(signature) || (lane === "direct" ? size(signature) < 65 : signature === "0x")) {
      throw new ApiError(400, "invalid_signature", "A signature is 65 bytes in hex.", { field: "signature" });
    }
    const digest = intentDigest(context.chain.id, context.deployment.addresses.router, intent);
    const known = await journal.getRequest(context.database, digest);
    if (known) checkSamePrompt(known, ask);
    admission.checkFields(context, lane, intent, ask);
    const accepted = await admission.checkSignature(context, lane, intent, signature);
    if (known && !wasRefused(known)) return this.#again(known);
    await requireRoom(context);
    await admission.checkTerms(context, lane, intent, ask.prompt);
    await admission.checkDeadline(context, lane, intent);
    const row = await this.#users.run(getAddress(intent.user), () => this.#admit(lane, digest, intent, accepted, ask));
    this.#nonces.release(intent.user, intent.nonce);
    await context.hub.phase(row.key, "accepted");
    await context.probe("accepted", row.key);
    if (lane === "direct") {
      this.#supervisor.poke(row.key);
      return stateOf(row);
    }
    return this.#submitted(row.key);
  }

  /** From here on it is durable. */
  async #admit(lane: Lane, digest: Hex, intent: Intent, signature: Hex, ask: AskFields): Promise<RequestRow> {
    const { database, operator, validator } = this.#context;
    const again = await journal.getRequest(database, digest);
    if (again && !wasRefused(again)) return again;
    await admission.checkAllowance(this.#context, lane, intent);
    const row = newRow({
      key: digest,
      requestId: lane === "direct" ? digest : null,
      operator,
      lane,
      user: getAddress(intent.user),
      model: intent.model,
      prompt: ask.prompt,
      salt: ask.salt ?? NO_SALT,
      promptHash: intent.promptHash,
      maxTokens: intent.maxTokens,
      temperature: intent.temperature,
      payment: intent.payment,
      priority: intent.priority,
      isPrivate: intent.private,
      nonce: intent.nonce,
      deadline: intent.deadline,
      threadId: ask.threadId ?? null,
      signature,
      createdAt: Date.now(),
      status: lane === "direct" ? "processing" : "queued",
      validatorId: lane === "direct" ? validator.id : null,
    });
    if (again) {
      await journal.deleteRequest(database, digest);
      await this.#context.hub.forget(digest);
    }
    await journal.insertRequest(database, row);
    return row;
  }

  /** The same message again: the same request, wherever it stands. */
  #again(row: RequestRow): Promise<RequestState> {
    if (row.lane === "direct" || row.requestId !== null || row.stage === "final") return this.#stateOf(row);
    return this.#submitted(row.key);
  }

  /** Resolves when the submission is mined, with the id that the contract gave it. */
  async #submitted(key: Hex): Promise<RequestState> {
    this.#supervisor.poke(key);
    const row = await untilRow(
      this.#context,
      key,
      (now) => now.requestId !== null || now.stage === "final",
      SUBMISSION_PATIENCE_MS,
    );
    if (row.requestId !== null) return this.#stateOf(row);
    if (row.stage === "final") {
      const name = row.errorCode?.startsWith("chain:") ? row.errorCode.slice("chain:".length) : undefined;
      if (name !== undefined) throw refused(name, row.errorMessage ?? name);
      throw new ApiError(409, row.errorCode ?? "not_submitted", row.errorMessage ?? "It could not be submitted.");
    }
    throw new ApiError(
      503,
      "submission_pending",
      "The submission is not mined yet. Send the same signed request again to learn its id.",
      { digest: key },
      10,
    );
  }

  async prepareCancel(requestId: Hex): Promise<CancelOffer | RequestState> {
    const row = await requireRow(this.#context, requestId);
    return (await this.#cancellations.offer(row)) ?? this.#stateOf(row);
  }

  signCancelForDevelopment({ user, data }: CancelOffer): Promise<Hex | undefined> {
    return this.#signer.sign(data, user);
  }

  async cancel(requestId: Hex, deadline: bigint, signature: Hex): Promise<RequestState> {
    return this.#stateOf(
      await this.#cancellations.relay(await requireRow(this.#context, requestId), deadline, signature),
    );
  }

  async status(requestId: Hex): Promise<RequestState | undefined> {
    const row = await journal.findRequest(this.#context.database, requestId);
    if (row) void this.#supervisor.outcomes.foreign.search(row);
    return row && this.#stateOf(row);
  }

  async waitFor(
    requestId: Hex,
    until: "answered" | "settled",
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<RequestState> {
    const row = await requireRow(this.#context, requestId);
    const reached = (now: RequestRow): boolean =>
      now.stage === "final" || (until === "answered" && now.stage === "stored");
    return this.#stateOf(await untilRow(this.#context, row.key, reached, timeoutMs, signal));
  }

  async follow(requestId: Hex, fromSeq: number, listener: (event: RequestEvent) => void): Promise<() => void> {
    const row = await requireRow(this.#context, requestId);
    const stop = await this.#context.hub.follow(row.key, fromSeq, listener);
    if (row.stage === "final" && row.lane !== "session") void this.#supervisor.outcomes.retell(row.key);
    return stop;
  }

  notifications(address: Address, listener: (notification: Notification) => void): () => void {
    return this.#context.hub.onNotification(address, listener);
  }

  async #stateOf(row: RequestRow): Promise<RequestState> {
    return stateOf(row, row.digest === null ? await this.#context.hub.textOf(row.key) : "");
  }

  #requireServing(lane: Lane): void {
    const { signal, validator, operator } = this.#context;
    if (signal.aborted)
      throw new ApiError(503, "stopping", "This keeper is shutting down. Try again in a moment.", {}, 10);
    requirePost(this.#context);
    if (lane === "direct" && validator.id === 0) {
      throw new ApiError(
        503,
        "not_serving",
        `The operator key ${operator} is of no registered validator, so it cannot answer directly.`,
      );
    }
  }
}

/** Turned away by the contract before it was ever sent: the same message may be tried again. */
const wasRefused = (row: RequestRow): boolean =>
  row.stage === "final" &&
  row.lane === "assigned" &&
  row.requestId === null &&
  (row.errorCode?.startsWith("chain:") ?? false);
