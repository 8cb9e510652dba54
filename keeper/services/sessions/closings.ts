/** How a session ends: who may end it, and what is still paid. */
import { type Hex, hashTypedData } from "viem";
import { closeSessionTypedData, isSignedByOneOf } from "../../chain/sessions.ts";
import { judgeSignature } from "../../chain/signatures.ts";
import * as requests from "../../database/requests.ts";
import type { SessionRow, SignedReceipt } from "../../database/sessions.ts";
import * as journal from "../../database/sessions.ts";
import type { Context } from "../context.ts";
import { ApiError } from "../errors.ts";
import type { Supervisor } from "../supervisor.ts";
import type { CloseOffer, CloseProof } from "../types.ts";
import type { SessionBook } from "./book.ts";
import { freshDeadline, requireFresh } from "./fresh.ts";
import { hashOfApiKey } from "./keys.ts";
import { requireSession } from "./session-state.ts";
import type { SessionSettler } from "./settler.ts";

const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 200;

export interface ClosingParts {
  readonly supervisor: Supervisor;
  readonly book: SessionBook;
  readonly settler: SessionSettler;
}

export class Closings {
  readonly #context: Context;
  readonly #parts: ClosingParts;

  constructor(context: Context, parts: ClosingParts) {
    this.#context = context;
    this.#parts = parts;
  }

  async prepare(id: Hex): Promise<CloseOffer> {
    const { chain, deployment } = this.#context;
    const { user } = await requireSession(this.#context, id);
    const deadline = freshDeadline(this.#context);
    return { user, deadline, data: closeSessionTypedData(chain.id, deployment.addresses.router, id, deadline) };
  }

  async close(id: Hex, proof: CloseProof, receipt?: SignedReceipt): Promise<SessionRow> {
    const { book, settler, supervisor } = this.#parts;
    const { database, signal } = this.#context;
    await book.run(id, async () => {
      const session = await requireSession(this.#context, id);
      await this.#checkCloser(session, proof);
      if (receipt !== undefined && session.stage !== "closed") await book.receive(session, receipt);
    });
    // The receipt may pay for an answer that waits for it.
    for (const row of await requests.openOfSession(database, id)) await supervisor.advance(row.key);
    await book.run(id, async () => {
      const { stage } = await requireSession(this.#context, id);
      if (stage === "open") await journal.updateSession(database, id, { stage: "closing" });
    });
    await settler.advance(id);
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end && !signal.aborted; ) {
      const { stage, error } = await requireSession(this.#context, id);
      if (stage === "closed" || error !== null) break;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    return requireSession(this.#context, id);
  }

  async #checkCloser(session: SessionRow, proof: CloseProof): Promise<void> {
    if ("apiKey" in proof) {
      if (session.tokenHash === hashOfApiKey(proof.apiKey)) return;
      throw new ApiError(403, "not_yours", "The API key is another session's.");
    }
    const { chain, deployment } = this.#context;
    const { deadline, signature } = proof;
    requireFresh(this.#context, deadline);
    const digest = hashTypedData(closeSessionTypedData(chain.id, deployment.addresses.router, session.id, deadline));
    if (await isSignedByOneOf([session.key], digest, signature)) return;
    const { kind } = await judgeSignature(chain.client, session.user, digest, signature);
    if (kind === "key" || kind === "contract") return;
    throw new ApiError(403, "not_yours", "The signature is neither the session's key's nor its user's.", {
      field: "signature",
    });
  }
}
