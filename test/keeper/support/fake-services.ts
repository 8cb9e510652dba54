/**
 * The keeper's core in memory, for what the HTTP layer does with it: real signatures and nonces, scripted answers.
 * Whether the real core behaves like this is the concern of test/e2e/http.test.ts.
 */
import { type Address, type Hex, parseEther, recoverTypedDataAddress, zeroAddress } from "viem";
import { cancelTypedData, intentDigest, isSignedByUser, promptHash, typedData } from "../../../keeper/chain/intents.ts";
import { ApiError } from "../../../keeper/services/errors.ts";
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
  Services,
  Sessions,
} from "../../../keeper/services/types.ts";
import { account, CHAIN_ID, type Kept, OPERATOR, ROUTER, reads, type Script, store } from "./fake-reads.ts";
import { emit, opened, pause, record, settle } from "./fake-state.ts";

const DEVELOPMENT = new Map(Array.from({ length: 10 }, (_, index) => [account(index).address, account(index)]));

export interface Fake {
  readonly services: Services;
  readonly script: Script;
  readonly kept: Map<Hex, Kept>;
  readonly blocks: Map<string, Uint8Array>;
  notify(notification: Notification): void;
  listenerCount(): number;
}

export function fakeServices(): Fake {
  const script: Script = {
    tokens: ["Validators ", "agree ", "in ", "rounds."],
    tokenDelayMs: 1,
    settleDelayMs: 5,
    fail: undefined,
    credits: parseEther("100000"),
    health: "ok",
    breakReads: false,
    byHand: false,
  };
  const blocks = new Map<string, Uint8Array>();
  const requests = new FakeRequests(script, blocks);
  const { kept } = requests;
  return {
    services: { requests, sessions: noSessions, reads: reads(script, kept, blocks) },
    script,
    kept,
    blocks,
    notify: (notification) => requests.notify(notification),
    listenerCount: () => requests.listenerCount(),
  };
}

const unknownSession = async (): Promise<never> => {
  throw new ApiError(404, "session_not_found", "This keeper knows no session of this id.", { field: "session_id" });
};

/** Sessions are tested on a chain; here they are only asked for by their forms. */
const noSessions: Sessions = {
  prepare: unknownSession,
  signForDevelopment: async () => undefined,
  open: unknownSession,
  get: async () => undefined,
  list: async () => [],
  promptData: unknownSession,
  prompt: unknownSession,
  promptByKey: async () => {
    throw new ApiError(401, "invalid_api_key", "No such API key is known here.", { field: "authorization" });
  },
  bill: async () => undefined,
  waitFor: unknownSession,
  prepareKey: unknownSession,
  tellKey: unknownSession,
  prepareClose: unknownSession,
  close: unknownSession,
};

class FakeRequests implements Requests {
  readonly kept = new Map<Hex, Kept>();
  readonly #script: Script;
  readonly #blocks: Map<string, Uint8Array>;
  readonly #nonces = new Map<string, number>();
  readonly #used = new Set<string>();
  readonly #watchers = new Map<Address, Set<(notification: Notification) => void>>();

  constructor(script: Script, blocks: Map<string, Uint8Array>) {
    this.#script = script;
    this.#blocks = blocks;
  }

  async prepare(lane: Lane, ask: AskFields): Promise<IntentTypedData> {
    return typedData(CHAIN_ID, ROUTER, {
      user: ask.user,
      model: ask.model ?? "llama-2-7b-q4",
      promptHash: promptHash(ask.prompt, ask.salt),
      maxTokens: ask.maxTokens,
      temperature: Math.round(ask.temperature * 100),
      payment: ask.payment,
      priority: ask.priority,
      private: false,
      validator: lane === "direct" ? OPERATOR : zeroAddress,
      relayer: lane === "direct" ? zeroAddress : OPERATOR,
      relayFee: 0n,
      callback: zeroAddress,
      callbackGas: 0,
      nonce: this.#nonces.get(ask.user) ?? 0,
      deadline: BigInt(Math.floor(Date.now() / 1000) + 600),
    });
  }

  async signForDevelopment(data: IntentTypedData): Promise<Hex | undefined> {
    return DEVELOPMENT.get(data.message.user)?.signTypedData(data as never);
  }

  async accept(lane: Lane, intent: Intent, signature: Hex, ask: AskFields): Promise<RequestState> {
    await checkIntent(intent, signature, ask);
    const requestId = intentDigest(CHAIN_ID, ROUTER, intent);
    const known = this.kept.get(requestId);
    if (known) return { ...known.state };
    checkAllowance(intent, this.#used, this.#script);
    this.#used.add(`${intent.user}:${intent.nonce}`);
    this.#nonces.set(intent.user, Math.max(this.#nonces.get(intent.user) ?? 0, intent.nonce + 1));
    const entry: Kept = { state: opened(lane, requestId, intent, ask), events: [], listeners: new Set() };
    this.kept.set(requestId, entry);
    setImmediate(() => void this.#run(entry));
    return { ...entry.state };
  }

  async prepareCancel(requestId: Hex): Promise<CancelOffer | RequestState> {
    const { state } = this.#require(requestId);
    if (state.status === "cancelled") return { ...state };
    if (state.status === "completed") throw new ApiError(409, "already_ended", "It is over.", { status: state.status });
    const deadline = BigInt(Math.floor(Date.now() / 1000) + 600);
    const data = cancelTypedData(CHAIN_ID, ROUTER, state.requestId, deadline);
    return { user: state.user, data, refundPercent: 100 };
  }

  async signCancelForDevelopment({ user, data }: CancelOffer): Promise<Hex | undefined> {
    return DEVELOPMENT.get(user)?.signTypedData(data as never);
  }

  async cancel(requestId: Hex, deadline: bigint, signature: Hex): Promise<RequestState> {
    const { state } = this.#require(requestId);
    const data = cancelTypedData(CHAIN_ID, ROUTER, requestId, deadline);
    const signer = await recoverTypedDataAddress({ ...data, signature } as never);
    if (signer !== state.user) throw new ApiError(403, "not_yours", "The signature is somebody else's.");
    Object.assign(state, { status: "cancelled", returned: state.payment, penalty: 0n });
    return { ...state };
  }

  async status(requestId: Hex): Promise<RequestState | undefined> {
    const entry = this.kept.get(requestId);
    return entry && { ...entry.state };
  }

  async waitFor(
    requestId: Hex,
    until: "answered" | "settled",
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<RequestState> {
    const { state } = this.#require(requestId);
    const done = (): boolean =>
      ["completed", "failed"].includes(state.status) || (until === "answered" && state.finishReason !== undefined);
    const end = Date.now() + timeoutMs;
    while (!done() && Date.now() < end && !signal?.aborted) await pause(2);
    return { ...state };
  }

  async follow(requestId: Hex, fromSeq: number, listener: (event: RequestEvent) => void): Promise<() => void> {
    const { events, listeners } = this.#require(requestId);
    for (const event of events) if (event.seq >= fromSeq) listener(event);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  notifications(address: Address, listener: (notification: Notification) => void): () => void {
    const listeners = this.#watchers.get(address) ?? new Set();
    this.#watchers.set(address, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  notify(notification: Notification): void {
    for (const listener of this.#watchers.get(notification.address) ?? []) listener(notification);
  }

  listenerCount(): number {
    const sets = [...this.#watchers.values(), ...[...this.kept.values()].map(({ listeners }) => listeners)];
    return sets.reduce((sum, { size }) => sum + size, 0);
  }

  #require(requestId: Hex): Kept {
    const entry = this.kept.get(requestId);
    if (entry) return entry;
    throw new ApiError(404, "request_not_found", "This keeper knows no request of this id.");
  }

  async #run(entry: Kept): Promise<void> {
    const { state } = entry;
    const { tokens, fail } = this.#script;
    emit(entry, { type: "phase", phase: "accepted" });
    if (this.#script.byHand) return;
    state.status = "processing";
    emit(entry, { type: "phase", phase: "answering" });
    for (const token of tokens) {
      await pause(this.#script.tokenDelayMs);
      if (entry.state.status === "cancelled") return emit(entry, { type: "final" });
      state.response += token;
      emit(entry, { type: "token", token });
    }
    if (fail) {
      Object.assign(state, { status: "failed", error: fail, returned: state.burned, penalty: 0n });
      emit(entry, { type: "phase", phase: "failed" });
      return emit(entry, { type: "final" });
    }
    state.tokensUsed = tokens.length;
    state.finishReason = "stop";
    emit(entry, { type: "phase", phase: "answered" });
    state.cid = store(this.#blocks, record(state));
    emit(entry, { type: "phase", phase: "stored" });
    emit(entry, { type: "phase", phase: "settling" });
    await pause(this.#script.settleDelayMs);
    settle(state);
    emit(entry, { type: "phase", phase: "settled" });
    emit(entry, { type: "final" });
  }
}

async function checkIntent(intent: Intent, signature: Hex, ask: AskFields): Promise<void> {
  if (!(await isSignedByUser(CHAIN_ID, ROUTER, intent, signature))) {
    throw new ApiError(
      401,
      "invalid_signature",
      "The signature is not the user's. Sign the intent with the user's key.",
    );
  }
  if (intent.promptHash !== promptHash(ask.prompt, ask.salt)) {
    throw new ApiError(400, "prompt_mismatch", "Send the prompt that was signed.");
  }
  if (intent.deadline < BigInt(Math.floor(Date.now() / 1000))) {
    throw new ApiError(400, "expired", "Sign again.", { onchain_error: "RouterExpired" });
  }
}

function checkAllowance(intent: Intent, used: Set<string>, script: Script): void {
  if (used.has(`${intent.user}:${intent.nonce}`)) {
    throw new ApiError(409, "nonce_used", "Sign again.", { onchain_error: "RouterInvalidNonce" });
  }
  if (script.credits < intent.payment) {
    const details = { required_wei: intent.payment, credits_wei: script.credits };
    throw new ApiError(402, "insufficient_credits", "Deposit NSD first.", details);
  }
}
