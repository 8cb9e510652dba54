import { read } from "../api/client.ts";
import type { Hex, RequestBody } from "../api/wire.ts";
import { changeTurn } from "./conversation.ts";
import { pause } from "./stream.ts";

/** A keeper that is asked looks for the record, and looks again a minute later. */
const ASK_AT_MS = [0, 10_000, 50_000] as const;

/** The words of another validator's answer, which the keeper may get to have after the end was told. */
export async function fetchAnswer(key: string, requestId: Hex, signal: AbortSignal): Promise<void> {
  for (const wait of ASK_AT_MS) {
    await pause(wait, signal);
    if (signal.aborted) return;
    const { result } = await read<RequestBody>(`/api/llm/status/${requestId}`, signal).catch(() => ({ result: null }));
    if (result) return changeTurn(key, (turn) => ({ ...turn, answer: turn.answer || result }));
  }
}
