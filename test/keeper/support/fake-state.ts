/** How a request of the core in memory moves. */
import { type Hex, parseEther, toHex } from "viem";
import type { AskFields, Intent, Lane, Phase, RequestEvent, RequestState } from "../../../keeper/services/types.ts";
import { type Kept, type Mutable, OPERATOR } from "./fake-reads.ts";

export function emit(
  entry: Kept,
  event:
    | { type: "phase"; phase: Phase; detail?: Record<string, unknown> }
    | { type: "token"; token: string }
    | { type: "final" },
): void {
  const seq = entry.events.length;
  const place = (): RequestEvent => {
    if (event.type === "phase") return { ...event, seq, at: Date.now() };
    if (event.type === "token") return { ...event, seq };
    return { type: "final", seq, state: { ...entry.state } };
  };
  const placed = place();
  entry.events.push(placed);
  for (const listener of entry.listeners) listener(placed);
}

export function opened(lane: Lane, requestId: Hex, intent: Intent, ask: AskFields): Mutable<RequestState> {
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
    priority: intent.priority,
    response: "",
    ...(ask.threadId === undefined ? {} : { threadId: ask.threadId }),
  };
}

export function settle(state: Mutable<RequestState>): void {
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

export function record(state: RequestState): Uint8Array {
  return new TextEncoder().encode(
    JSON.stringify({ answer: state.response, request_id: state.requestId, schema: "neuroswarm.record/1" }),
  );
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
