/** Sessions: opened once, paid prompt by prompt, settled now and then. */
import { randomBytes } from "node:crypto";
import { type Address, bytesToHex, type Hex, keccak256 } from "viem";
import { receiptTypedData, type Session, sessionPromptTypedData } from "../../chain/sessions.ts";
import * as requests from "../../database/requests.ts";
import type { SessionRow, SignedReceipt } from "../../database/sessions.ts";
import * as journal from "../../database/sessions.ts";
import type { Context } from "../context.ts";
import { DevelopmentSigner } from "../development.ts";
import { ApiError } from "../errors.ts";
import type { Nonces } from "../nonces.ts";
import { stateOf } from "../state.ts";
import type { Supervisor } from "../supervisor.ts";
import type {
  Bill,
  CloseOffer,
  CloseProof,
  KeyOffer,
  KeyProof,
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
import { Closings } from "./closings.ts";
import { KeyTelling } from "./key-telling.ts";
import { type HeldKeys, hashOfApiKey, keyLost } from "./keys.ts";
import { Openings } from "./openings.ts";
import { admitPrompt, checkProof, promptOf, requireOpen } from "./prompts.ts";
import { nextReceipt } from "./receipts.ts";
import { requireSession, sessionStateOf } from "./session-state.ts";
import type { SessionSettler } from "./settler.ts";

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
  readonly #closings: Closings;
  readonly #telling: KeyTelling;
  readonly #signer: DevelopmentSigner;

  constructor(context: Context, parts: SessionParts) {
    this.#context = context;
    this.#parts = parts;
    this.#openings = new Openings(context, parts.settler, parts.keys, parts.nonces);
    this.#closings = new Closings(context, parts);
    this.#telling = new KeyTelling(context, parts.keys);
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
    const state = await this.#stateOf(await requireSession(this.#context, id));
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
    const session = await requireSession(this.#context, id);
    return sessionPromptTypedData(chain.id, deployment.addresses.router, id, promptOf(session.prompts + 1, ask));
  }

  async prompt(id: Hex, ask: SessionAsk, proof: PromptProof): Promise<RequestState> {
    const { book, supervisor } = this.#parts;
    const key = book.promptDigest(id, promptOf(proof.number, ask));
    const row = await book.run(id, async () => {
      let session = await requireSession(this.#context, id);
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
    if (keys.holderOf(found) === undefined) throw keyLost();
    const key = keccak256(bytesToHex(randomBytes(32)));
    const row = await book.run(found.id, async () => {
      const session = await this.#lookAt(await requireSession(this.#context, found.id));
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
    const { settler } = this.#parts;
    const view = await settler.view(session.id);
    if (view.open) return { ...session, endsAt: Number(view.endsAt) };
    return { ...session, stage: (await settler.isClosed(session.id)) ? "closed" : "opening" };
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

  prepareKey(id: Hex): Promise<KeyOffer> {
    return this.#telling.prepare(id);
  }

  async tellKey(id: Hex, proof: KeyProof) {
    const { session, apiKey } = await this.#telling.tell(id, proof);
    return { state: await this.#stateOf(session), apiKey };
  }

  prepareClose(id: Hex): Promise<CloseOffer> {
    return this.#closings.prepare(id);
  }

  async close(id: Hex, proof: CloseProof, receipt?: SignedReceipt): Promise<SessionState> {
    return this.#stateOf(await this.#closings.close(id, proof, receipt));
  }

  async #requestState(key: Hex): Promise<RequestState> {
    const row = await requireRow(this.#context, key);
    return stateOf(row, row.digest === null ? await this.#context.hub.textOf(key) : "");
  }

  #stateOf(row: SessionRow): Promise<SessionState> {
    return sessionStateOf(this.#context.database, row);
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
