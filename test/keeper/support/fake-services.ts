/**
 * The keeper's core in memory, for what the HTTP layer does with it: real signatures and nonces, scripted answers.
 * Whether the real core behaves like this is the concern of test/e2e/http.test.ts.
 */
import { type Address, type Hex, parseEther, toHex, zeroAddress } from "viem";
import { intentDigest, isSignedByUser, promptHash, typedData } from "../../../keeper/chain/intents.ts";
import { ApiError } from "../../../keeper/services/errors.ts";
import type {
  AskFields,
  Intent,
  Lane,
  Notification,
  Phase,
  RequestEvent,
  RequestState,
  Services,
} from "../../../keeper/services/types.ts";
import {
  account,
  CHAIN_ID,
  type Kept,
  type Mutable,
  OPERATOR,
  ROUTER,
  reads,
  type Script,
  store,
} from "./fake-reads.ts";

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
  };
  const kept = new Map<Hex, Kept>();
  const blocks = new Map<string, Uint8Array>();
  const nonces = new Map<string, number>();
  const used = new Set<string>();
  const watchers = new Map<Address, Set<(notification: Notification) => void>>();

  const emit = (
    entry: Kept,
    event: { type: "phase"; phase: Phase } | { type: "token"; token: string } | { type: "final" },
  ): void => {
    const seq = entry.events.length;
    const full: RequestEvent =
      event.type === "phase"
        ? { ...event, seq, at: Date.now() }
        : event.type === "token"
          ? { ...event, seq }
          : { type: "final", seq, state: { ...entry.state } };
    entry.events.push(full);
    for (const listener of entry.listeners) listener(full);
  };

  const run = async (entry: Kept): Promise<void> => {
    const { state } = entry;
    emit(entry, { type: "phase", phase: "accepted" });
    state.status = "processing";
    emit(entry, { type: "phase", phase: "answering" });
    for (const token of script.tokens) {
      await pause(script.tokenDelayMs);
      state.response += token;
      emit(entry, { type: "token", token });
    }
    if (script.fail) {
      Object.assign(state, { status: "failed", error: script.fail, returned: state.burned, penalty: 0n });
      emit(entry, { type: "phase", phase: "failed" });
      return emit(entry, { type: "final" });
    }
    state.tokensUsed = script.tokens.length;
    state.finishReason = "stop";
    emit(entry, { type: "phase", phase: "answered" });
    state.cid = store(blocks, record(state));
    emit(entry, { type: "phase", phase: "stored" });
    emit(entry, { type: "phase", phase: "settling" });
    await pause(script.settleDelayMs);
    settle(state);
    emit(entry, { type: "phase", phase: "settled" });
    emit(entry, { type: "final" });
  };

  const services: Services = {
    requests: {
      async prepare(lane, ask) {
        const intent: Intent = {
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
          nonce: nonces.get(ask.user) ?? 0,
          deadline: BigInt(Math.floor(Date.now() / 1000) + 600),
        };
        return typedData(CHAIN_ID, ROUTER, intent);
      },
      async signForDevelopment(data) {
        return DEVELOPMENT.get(data.message.user)?.signTypedData(data as never);
      },
      async accept(lane, intent, signature, ask) {
        await check(intent, signature, ask, used, script);
        used.add(`${intent.user}:${intent.nonce}`);
        nonces.set(intent.user, Math.max(nonces.get(intent.user) ?? 0, intent.nonce + 1));
        const requestId = intentDigest(CHAIN_ID, ROUTER, intent);
        const entry: Kept = { state: opened(lane, requestId, intent, ask), events: [], listeners: new Set() };
        kept.set(requestId, entry);
        setImmediate(() => void run(entry));
        return { ...entry.state };
      },
      async status(requestId) {
        const entry = kept.get(requestId);
        return entry && { ...entry.state };
      },
      async waitFor(requestId, until, timeoutMs, signal) {
        const entry = kept.get(requestId);
        if (!entry) throw new ApiError(404, "request_not_found", "unknown");
        const done = (): boolean =>
          ["completed", "failed"].includes(entry.state.status) ||
          (until === "answered" && entry.state.finishReason !== undefined);
        const end = Date.now() + timeoutMs;
        while (!done() && Date.now() < end && !signal?.aborted) await pause(2);
        return { ...entry.state };
      },
      async follow(requestId, fromSeq, listener) {
        const entry = kept.get(requestId);
        if (!entry) throw new ApiError(404, "request_not_found", "unknown");
        for (const event of entry.events) if (event.seq >= fromSeq) listener(event);
        entry.listeners.add(listener);
        return () => entry.listeners.delete(listener);
      },
      notifications(address, listener) {
        const set = watchers.get(address) ?? new Set();
        watchers.set(address, set.add(listener));
        return () => set.delete(listener);
      },
    },
    reads: reads(script, kept, blocks),
  };
  return {
    services,
    script,
    kept,
    blocks,
    notify: (notification) => {
      for (const listener of watchers.get(notification.address) ?? []) listener(notification);
    },
    listenerCount: () =>
      [...watchers.values(), ...[...kept.values()].map(({ listeners }) => listeners)].reduce(
        (sum, set) => sum + set.size,
        0,
      ),
  };
}

async function check(intent: Intent, signature: Hex, ask: AskFields, used: Set<string>, script: Script): Promise<void> {
  if (!(await isSignedByUser(CHAIN_ID, ROUTER, intent, signature))) {
    throw new ApiError(
      401,
      "invalid_signature",
      "The signature is not the user's. Sign the intent with the user's key.",
      { onchain_error: "RouterInvalidSignature" },
    );
  }
  if (intent.deadline < BigInt(Math.floor(Date.now() / 1000)))
    throw new ApiError(400, "intent_expired", "Sign again.", { onchain_error: "RouterExpired" });
  if (intent.promptHash !== promptHash(ask.prompt, ask.salt))
    throw new ApiError(400, "prompt_mismatch", "Send the prompt that was signed.");
  if (used.has(`${intent.user}:${intent.nonce}`))
    throw new ApiError(409, "nonce_used", "Sign again.", { onchain_error: "RouterInvalidNonce" });
  if (script.credits < intent.payment) {
    throw new ApiError(402, "insufficient_credits", "Deposit NSD first.", {
      required_wei: intent.payment,
      credits_wei: script.credits,
    });
  }
}

function opened(lane: Lane, requestId: Hex, intent: Intent, ask: AskFields): Mutable<RequestState> {
  return {
    requestId,
    lane,
    status: "queued",
    user: intent.user,
    model: intent.model,
    prompt: ask.prompt,
    createdAt: new Date(),
    payment: intent.payment,
    burned: intent.payment,
    validator: OPERATOR,
    validatorId: 1,
    response: "",
    ...(ask.threadId === undefined ? {} : { threadId: ask.threadId }),
  };
}

function settle(state: Mutable<RequestState>): void {
  const consumed = parseEther("5.4");
  Object.assign(state, {
    status: "completed",
    consumed,
    burnedForGood: parseEther("0.54"),
    validatorEarned: parseEther("3.78"),
    treasuryEarned: parseEther("1.08"),
    returned: state.payment - consumed,
    lcai: parseEther("1"),
    settleTx: toHex(7n, { size: 32 }),
    settledAt: new Date(),
    record: 1n,
  });
}

function record(state: RequestState): Uint8Array {
  return new TextEncoder().encode(
    JSON.stringify({ answer: state.response, request_id: state.requestId, schema: "neuroswarm.record/1" }),
  );
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
