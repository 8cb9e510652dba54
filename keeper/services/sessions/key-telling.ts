/**
 * Tells an API key once more, where the answer that told it was lost. The signature that opened the session proves nothing by then:
 * it lies on chain for everybody. So the user's wallet signs another message, which only a keeper ever sees.
 */
import { type Hex, hashTypedData } from "viem";
import { judgeSignature } from "../../chain/signatures.ts";
import type { SessionRow } from "../../database/sessions.ts";
import type { Context } from "../context.ts";
import { ApiError } from "../errors.ts";
import type { KeyOffer, KeyProof } from "../types.ts";
import { freshDeadline, requireFresh } from "./fresh.ts";
import { apiKeyTypedData, type HeldKeys, hashOfApiKey, keyLost } from "./keys.ts";
import { requireSession } from "./session-state.ts";

export class KeyTelling {
  readonly #context: Context;
  readonly #keys: HeldKeys;

  constructor(context: Context, keys: HeldKeys) {
    this.#context = context;
    this.#keys = keys;
  }

  async prepare(id: Hex): Promise<KeyOffer> {
    const { chain, deployment } = this.#context;
    const { user } = requireHeld(await requireSession(this.#context, id));
    const deadline = freshDeadline(this.#context);
    return { user, deadline, data: apiKeyTypedData(chain.id, deployment.addresses.router, id, deadline) };
  }

  async tell(id: Hex, { deadline, signature }: KeyProof): Promise<{ session: SessionRow; apiKey: string }> {
    const { chain, deployment } = this.#context;
    const session = requireHeld(await requireSession(this.#context, id));
    requireFresh(this.#context, deadline);
    const digest = hashTypedData(apiKeyTypedData(chain.id, deployment.addresses.router, id, deadline));
    const { kind } = await judgeSignature(chain.client, session.user, digest, signature);
    if (kind !== "key" && kind !== "contract")
      throw new ApiError(403, "not_yours", "The signature is not that of the session's user.", { field: "signature" });
    const apiKey = this.#keys.apiKeyOf(id);
    if (hashOfApiKey(apiKey) !== session.tokenHash) throw keyLost();
    return { session, apiKey };
  }
}

function requireHeld(session: SessionRow): SessionRow {
  if (session.tokenHash === null)
    throw new ApiError(409, "no_api_key", "The session's key is its client's own: there is no API key for it.");
  if (session.stage === "closing" || session.stage === "closed")
    throw new ApiError(409, "session_closed", "The session is closed, or closing, and its API key with it.", {
      session_id: session.id,
    });
  return session;
}
