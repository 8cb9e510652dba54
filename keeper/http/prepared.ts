/**
 * What the keeper asked to be signed lately, so that the same request sent again with nothing but the signature
 * beside it is complete. A convenience that forgets: whoever sends nonce, deadline and salt needs none of it.
 */
import { type Hex, keccak256, toBytes } from "viem";
import type { IntentTypedData, Lane } from "../services/types.ts";
import type { Draft } from "./ask.ts";

const LIMIT = 2_000;
const KEPT_MS = 600_000;

export interface Prepared {
  readonly data: IntentTypedData;
  readonly salt: Hex;
}

export class PreparedIntents {
  readonly #entries = new Map<string, Prepared & { readonly until: number }>();

  remember(lane: Lane, draft: Draft, prepared: Prepared): void {
    const key = keyOf(lane, draft);
    this.#entries.delete(key);
    this.#entries.set(key, { ...prepared, until: Date.now() + KEPT_MS });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > LIMIT && oldest !== undefined) this.#entries.delete(oldest);
  }

  recall(lane: Lane, draft: Draft): Prepared | undefined {
    const entry = this.#entries.get(keyOf(lane, draft));
    return entry !== undefined && entry.until > Date.now() ? entry : undefined;
  }

  forget(lane: Lane, draft: Draft): void {
    this.#entries.delete(keyOf(lane, draft));
  }
}

/** The fields as they were sent. The prompt goes in as its hash: what is not accepted is not kept. */
function keyOf(lane: Lane, draft: Draft): string {
  const { user, model, prompt, salt, maxTokens, temperature, payment, priority } = draft;
  return JSON.stringify([
    lane,
    user,
    model ?? null,
    keccak256(toBytes(prompt)),
    salt ?? null,
    maxTokens,
    temperature,
    payment?.toString() ?? null,
    priority,
  ]);
}
