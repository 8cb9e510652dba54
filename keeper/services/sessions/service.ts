/** Sessions: opened once, paid prompt by prompt, settled now and then. */
import { randomBytes } from "node:crypto";
import { type Address, bytesToHex, type Hex, hashTypedData, keccak256 } from "viem";
import {
  closeSessionTypedData,
  isSignedByOneOf,
  receiptTypedData,
  type Session,
  sessionPromptTypedData,
} from "../../chain/sessions.ts";
import * as requests from "../../database/requests.ts";
import type { SessionRow, SignedReceipt } from "../../database/sessions.ts";
import * as journal from "../../database/sessions.ts";
import { type Context, chainNow } from "../context.ts";
import { DevelopmentSigner } from "../development.ts";
import { ApiError } from "../errors.ts";
import type { Nonces } from "../nonces.ts";
import { stateOf } from "../state.ts";
import type { Supervisor } from "../supervisor.ts";
import type {
  Bill,
  CloseOffer,
  CloseProof,
  PromptProof,
  RequestState,
  SessionAsk,
  SessionOffer,
  SessionState,
  Sessions,
  SessionTerms,
  WalletMessage,
} from "../types.ts";
import { requireRow, untilRow } from "../waiting.ts";
import { isUnpaid, type SessionBook } from "./book.ts";
import { type HeldKeys, hashOfApiKey } from "./keys.ts";
import { Openings } from "./openings.ts";
import { admitPrompt, checkProof, promptOf, requireOpen, reservedBy } from "./prompts.ts";
import { nextReceipt } from "./receipts.ts";
import type { SessionSettler } from "./settler.ts";

const CLOSE_WITHIN = 600;
const CLOSE_PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 200;

export interface SessionParts {
  readonly supervisor: Supervisor;
  readonly book: SessionBook;
  readonly settler: SessionSettler;
  readonly keys: HeldKeys;
  readonly nonces: Nonces;
}

export class SessionService implements Sessions {
  readonly #context: Context;
  readonly #parts: SessionParts;
  readonly #openings: Openings;
  readonly #signer: DevelopmentSigner;

  constructor(context: Context, parts: SessionParts) {
    this.#context = context;
    this.#parts = parts;
    this.#openings = new Openings(context, parts.settler, parts.keys, parts.nonces);
    this.#signer = new DevelopmentSigner(context.chain);
  }

  prepare(terms: SessionTerms): Promise<SessionOffer> {
    return this.#openings.prepare(terms);
  }

  signForDevelopment(data: WalletMessage, user: Address): Promise<Hex | undefined> {
    return this.#signer.sign(data, user);
  }

  async open(session: Session, signature: Hex | undefined) {
    const { id, apiKey } = await this.#openings.open(session, signature);
    const state = await this.#stateOf(await this.#require(id));
    return { state, ...(apiKey === undefined ? {} : { apiKey }) };
  }

  async get(id: Hex): Promise<SessionState | undefined> {
    const row = await journal.getSession(this.#context.database, id);
    return row && this.#stateOf(row);
  }

  async list(user: Address, limit: number): Promise<readonly SessionState[]> {
    const { database, operator } = this.#context;
    const rows = await journal.sessionsOfUser(database, operator, user, limit);
    return Promise.all(rows.map((row) => this.#stateOf(row)));
  }

  async promptData(id: Hex, ask: SessionAsk): Promise<WalletMessage> {
    const { chain, deployment } = this.#context;
    const session = await this.#require(id);
    return sessionPromptTypedData(chain.id, deployment.addresses.router, id, promptOf(session.prompts + 1, ask));
  }

  async prompt(id: Hex, ask: SessionAsk, proof: PromptProof): Promise<RequestState> {
    const { book, supervisor } = this.#parts;
    const key = book.promptDigest(id, promptOf(proof.number, ask));
    const row = await book.run(id, async () => {
      let session = await this.#require(id);
      await checkProof(session, key, proof);
      if (session.stage === "closed") requireOpen(this.#context, session);
      if (proof.receipt !== undefined) session = await book.receive(session, proof.receipt);
      const known = await requests.getRequest(this.#context.database, key);
      if (known !== undefined) return known;
      return this.#admit(await this.#lookAt(session), ask, { key, number: proof.number, held: false });
    });
    // Told again to who comes back for it: a crash may have come between the payment and the answer.
    await book.announce(row.key);
    if (proof.receipt === undefined) supervisor.poke(row.key);
    else await this.#charged(row.key);
    return this.#requestState(row.key);
  }

  /** The receipt is written down; what it pays for is told before anything else is said. */
  async #charged(key: Hex): Promise<void> {
    try {
      await this.#parts.supervisor.advance(key);
    } catch (error) {
      this.#context.log.warn({ err: error, key }, "a paid answer is not told yet");
      this.#parts.supervisor.poke(key);
      throw new ApiError(
        503,
        "node_trouble",
        "The receipt is kept, and the answer cannot be stored at the moment. Send the same again in a moment.",
        { request_id: key },
        5,
      );
    }
  }

  async promptByKey(apiKey: string, ask: SessionAsk): Promise<RequestState> {
    const { book, supervisor, keys } = this.#parts;
    const found = await journal.findByToken(this.#context.database, hashOfApiKey(apiKey));
    if (found === undefined) throw unknownKey();
    if (found.operator !== this.#context.operator) throw revokedKey(found.id);
    if (keys.holderOf(found) === undefined)
      throw new ApiError(503, "key_lost", "This keeper has lost the key behind this API key. Make another one.");
    const key = keccak256(bytesToHex(randomBytes(32)));
    const row = await book.run(found.id, async () => {
      const session = await this.#lookAt(await this.#require(found.id));
      if (session.stage === "closing" || session.stage === "closed") throw revokedKey(session.id);
      return this.#admit(session, ask, { key, held: true });
    });
    supervisor.poke(row.key);
    return this.#requestState(row.key);
  }

  async #admit(session: SessionRow, ask: SessionAsk, proof: { key: Hex; number?: number; held: boolean }) {
    const row = await admitPrompt(this.#context, session, ask, proof);
    await this.#context.hub.phase(row.key, "accepted");
    await this.#context.probe("accepted", row.key);
    return row;
  }

  /** What the chain says of it now: its user may have ended it. */
  async #lookAt(session: SessionRow): Promise<SessionRow> {
    if (session.stage !== "open") return session;
    const view = await this.#parts.settler.view(session.id);
    return view.open ? { ...session, endsAt: Number(view.endsAt) } : { ...session, stage: "closed" };
  }

  async bill(requestId: Hex): Promise<Bill | undefined> {
    const { chain, database, deployment } = this.#context;
    const row = await requireRow(this.#context, requestId);
    const session = row.sessionId === null ? undefined : await journal.getSession(database, row.sessionId);
    if (session === undefined || !isUnpaid(row) || row.digest === null || row.price === null) return undefined;
    const pending = { digest: row.digest, price: row.price };
    const receipt = nextReceipt(session, await requests.digestsOfSession(database, session.id), pending);
    const data = receiptTypedData(chain.id, deployment.addresses.router, session.id, receipt);
    return { ...pending, tokensUsed: row.tokensUsed ?? 0, receipt, data };
  }

  async waitFor(requestId: Hex, timeoutMs: number, signal?: AbortSignal): Promise<RequestState> {
    const row = await requireRow(this.#context, requestId);
    await untilRow(this.#context, row.key, (now) => now.stage === "final" || isUnpaid(now), timeoutMs, signal);
    return this.#requestState(row.key);
  }

  async prepareClose(id: Hex): Promise<CloseOffer> {
    const { chain, deployment } = this.#context;
    const { user } = await this.#require(id);
    const deadline = BigInt(chainNow(this.#context) + CLOSE_WITHIN);
    return { user, deadline, data: closeSessionTypedData(chain.id, deployment.addresses.router, id, deadline) };
  }

  async close(id: Hex, proof: CloseProof, receipt?: SignedReceipt): Promise<SessionState> {
    const { book, settler, supervisor } = this.#parts;
    const { database } = this.#context;
    await book.run(id, async () => {
      const session = await this.#require(id);
      await this.#checkCloser(session, proof);
      if (session.stage === "closed") return;
      if (receipt !== undefined) await book.receive(session, receipt);
    });
    // The receipt may pay for an answer that waits for it.
    for (const row of await requests.openOfSession(database, id)) await supervisor.advance(row.key);
    await book.run(id, async () => {
      const { stage } = await this.#require(id);
      if (stage === "open") await journal.updateSession(database, id, { stage: "closing" });
    });
    await settler.advance(id);
    const end = Date.now() + CLOSE_PATIENCE_MS;
    while (Date.now() < end && !this.#context.signal.aborted) {
      const { stage, error } = await this.#require(id);
      if (stage === "closed" || error !== null) break;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    return this.#stateOf(await this.#require(id));
  }

  async #checkCloser(session: SessionRow, proof: CloseProof): Promise<void> {
    if ("apiKey" in proof) {
      if (session.tokenHash === hashOfApiKey(proof.apiKey)) return;
      throw new ApiError(403, "not_yours", "The API key is another session's.");
    }
    const { chain, deployment } = this.#context;
    const { deadline, signature } = proof;
    const now = BigInt(chainNow(this.#context));
    if (deadline < now || deadline > now + BigInt(2 * CLOSE_WITHIN))
      throw new ApiError(400, "expired", `The deadline lies at most ${2 * CLOSE_WITHIN} seconds ahead. Sign again.`, {
        field: "deadline",
      });
    const digest = hashTypedData(closeSessionTypedData(chain.id, deployment.addresses.router, session.id, deadline));
    if (await isSignedByOneOf([session.key, session.user], digest, signature)) return;
    throw new ApiError(403, "not_yours", "The signature is neither the session's key's nor its user's.", {
      field: "signature",
    });
  }

  async #require(id: Hex): Promise<SessionRow> {
    const row = await journal.getSession(this.#context.database, id);
    if (row?.operator === this.#context.operator) return row;
    if (row) {
      throw new ApiError(
        409,
        "session_closed",
        `The session is for ${row.operator}, and this keeper's key is ${this.#context.operator} now. End it on chain (InferenceRouter.endSession, then closeSession), and open another one.`,
        { session_id: id, validator: row.operator },
      );
    }
    throw new ApiError(404, "session_not_found", "This keeper knows no session of this id.", { field: "session_id" });
  }

  async #requestState(key: Hex): Promise<RequestState> {
    const row = await requireRow(this.#context, key);
    return stateOf(row, row.digest === null ? await this.#context.hub.textOf(key) : "");
  }

  async #stateOf(row: SessionRow): Promise<SessionState> {
    const { database } = this.#context;
    const [open, digests] = await Promise.all([
      requests.openOfSession(database, row.id),
      requests.digestsOfSession(database, row.id),
    ]);
    const { user, validator, key, model, cap, expiry, nonce, deadline } = row;
    return {
      id: row.id,
      session: { user, validator, key, model, cap, expiry, nonce, deadline },
      stage: row.stage,
      held: row.tokenHash !== null,
      createdAt: new Date(row.createdAt),
      endsAt: new Date(row.endsAt * 1000),
      spent: row.spent,
      prompts: row.prompts,
      reserved: reservedBy(open),
      settled: row.settled,
      settledPrompts: row.settledPrompts,
      next: nextReceipt(row, digests),
      ...(row.settleTx === null ? {} : { settleTx: row.settleTx }),
      ...(row.closeTx === null ? {} : { closeTx: row.closeTx }),
      ...(row.error === null ? {} : { error: row.error }),
    };
  }
}

const unknownKey = (): ApiError =>
  new ApiError(401, "invalid_api_key", "No such API key is known here. Check it, or make another one.", {
    field: "authorization",
  });

const revokedKey = (session: Hex): ApiError =>
  new ApiError(401, "api_key_revoked", "This API key was revoked, or its session has ended. Make another one.", {
    field: "authorization",
    session_id: session,
  });
