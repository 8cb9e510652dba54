/** How a session comes to be: what its user signs, and how it gets on chain. */
import { type Address, encodeFunctionData, formatEther, getAddress, type Hex, zeroAddress } from "viem";
import { routerAbi } from "../../chain/contracts.ts";
import { OnChainError } from "../../chain/errors.ts";
import { MINIMUM } from "../../chain/fees.ts";
import { type Session, sessionId, sessionOnChain, sessionTypedData } from "../../chain/sessions.ts";
import { judgeSignature } from "../../chain/signatures.ts";
import { owedOf } from "../../database/requests.ts";
import * as journal from "../../database/sessions.ts";
import { requireModel } from "../admission.ts";
import { type Context, chainNow } from "../context.ts";
import { ApiError } from "../errors.ts";
import { freeCredits } from "../funds.ts";
import { KeyedMutex } from "../mutex.ts";
import type { Nonces } from "../nonces.ts";
import { insufficient, refused, walletNotDeployed } from "../refusals.ts";
import { requirePost } from "../rotation.ts";
import type { SessionOffer, SessionTerms } from "../types.ts";
import { type HeldKeys, hashOfApiKey } from "./keys.ts";
import type { SessionSettler } from "./settler.ts";

/** Seconds in which an authorization can be opened. */
const OPEN_WITHIN = 600;
export const SHORTEST_SECONDS = 1_200;
export const LONGEST_SECONDS = 90 * 86_400;
/** Each costs a keeper a place in every sweep, and gas at its end. */
const MOST_OPEN = 20;
/** The keeper pays for an opening and a closing, and the cap comes back whole: without a bound, signatures alone would spend its gas. */
const MOST_A_DAY = 10;
const DAY_MS = 86_400_000;
const PATIENCE_MS = 120_000;

export interface Opened {
  readonly id: Hex;
  readonly apiKey?: string;
}

export class Openings {
  readonly #context: Context;
  readonly #settler: SessionSettler;
  readonly #keys: HeldKeys;
  readonly #nonces: Nonces;
  readonly #users = new KeyedMutex();

  constructor(context: Context, settler: SessionSettler, keys: HeldKeys, nonces: Nonces) {
    this.#context = context;
    this.#settler = settler;
    this.#keys = keys;
    this.#nonces = nonces;
  }

  async prepare(terms: SessionTerms): Promise<SessionOffer> {
    const { chain, deployment, model: own, operator } = this.#context;
    const { router } = deployment.addresses;
    const user = getAddress(terms.user);
    const now = chainNow(this.#context);
    const draft = {
      user,
      validator: operator,
      model: terms.model ?? own,
      cap: terms.cap,
      expiry: BigInt(now + terms.seconds),
      deadline: BigInt(now + OPEN_WITHIN),
    };
    await this.#check({ ...draft, key: terms.key ?? zeroAddress, nonce: 0 }, now);
    await this.#checkCredits(user, terms.cap);
    const nonce = await this.#users.run(user, () => this.#nonces.next(user));
    const key = terms.key ?? this.#keys.accountFor({ ...draft, nonce }).address;
    const session: Session = { ...draft, key: getAddress(key), nonce };
    const args = [sessionOnChain(session), "0x"] as const;
    return {
      session,
      data: sessionTypedData(chain.id, router, session),
      to: router,
      calldata: encodeFunctionData({ abi: routerAbi, functionName: "openSession", args }),
    };
  }

  async open(session: Session, signature: Hex | undefined): Promise<Opened> {
    const { chain, database, deployment } = this.#context;
    const id = sessionId(chain.id, deployment.addresses.router, session);
    return this.#users.run(session.user, async () => {
      const known = await journal.getSession(database, id);
      if (known !== undefined) {
        await this.#opened(id);
        return { id };
      }
      this.#checkOwn(session);
      const accepted = signature === undefined ? undefined : await this.#accepted(session, id, signature);
      const apiKey = this.#keys.holderOf(session) === undefined ? undefined : this.#keys.apiKeyOf(id);
      const tokenHash = apiKey === undefined ? null : hashOfApiKey(apiKey);
      const [view, sent] = await Promise.all([this.#settler.view(id), this.#settler.wasSent(id)]);
      if (view.open) await this.#adopt(id, session, tokenHash);
      else if (accepted === undefined) throw unknownOnChain(id);
      else await this.#relay(session, accepted, tokenHash);
      await this.#opened(id);
      // A signature that may be on chain already tells nothing of who brings it: KeyTelling asks for another.
      return { id, ...(apiKey === undefined || view.open || sent ? {} : { apiKey }) };
    });
  }

  /** The signature as the contract takes it. */
  async #accepted(session: Session, id: Hex, signature: Hex): Promise<Hex> {
    const verdict = await judgeSignature(this.#context.chain.client, session.user, id, signature);
    if (verdict.kind === "undeployed") throw walletNotDeployed(session.user, verdict.deployment);
    if (verdict.kind === "none") throw notTheUsers(session);
    return verdict.signature;
  }

  async #adopt(id: Hex, session: Session, tokenHash: string | null): Promise<void> {
    await journal.insertSession(this.#context.database, id, session, {
      stage: "open",
      tokenHash,
      createdAt: Date.now(),
    });
    await this.#settler.advance(id);
  }

  async #relay(session: Session, signature: Hex, tokenHash: string | null): Promise<void> {
    const { database, operator, settings } = this.#context;
    const now = chainNow(this.#context);
    await this.#check(session, now);
    if (session.deadline < BigInt(now))
      throw new ApiError(400, "expired", "The session's deadline is over. Ask and sign again.", {
        field: "session.deadline",
      });
    if (session.cap < settings.sessionLeastCap) {
      throw wrong(
        "cap",
        `This keeper pays the gas that opens a session from a cap of ${formatEther(settings.sessionLeastCap)} NSD on. Lock that much, or open it yourself (InferenceRouter.openSession) and send it here without the signature.`,
        { minimum_wei: settings.sessionLeastCap.toString() },
      );
    }
    const yesterday = Date.now() - DAY_MS;
    const { open, recent, oldest } = await journal.countsOfUser(database, operator, session.user, yesterday);
    if (open >= MOST_OPEN)
      throw new ApiError(429, "too_many_open", `You have ${open} sessions open here. Close one first.`, {}, 60);
    if (recent >= MOST_A_DAY)
      throw new ApiError(
        429,
        "too_many_today",
        `This keeper pays the gas of ${MOST_A_DAY} sessions of a user in 24 hours. Use one that is open, wait, or open it yourself (InferenceRouter.openSession) and send it here without the signature.`,
        {},
        Math.ceil((oldest - yesterday) / 1000),
      );
    await this.#checkCredits(session.user, session.cap);
    try {
      await this.#settler.open(session, signature, tokenHash);
    } catch (error) {
      if (!(error instanceof OnChainError)) throw error;
      if (error.errorName === "RouterInvalidSignature") throw notTheUsers(session);
      if (error.errorName === "RouterInvalidNonce")
        throw new ApiError(409, "nonce_used", "The session's nonce was used already. Ask and sign again.", {
          field: "session.nonce",
          onchain_error: error.errorName,
        });
      throw refused(error.errorName, error.message, error.args);
    }
    this.#nonces.release(session.user, session.nonce);
  }

  /** Resolves when its opening is mined. */
  async #opened(id: Hex): Promise<void> {
    const { database, hub, signal } = this.#context;
    const patience = AbortSignal.any([AbortSignal.timeout(PATIENCE_MS), signal]);
    let wake = (): void => {};
    const stop = hub.onChange(id, () => wake());
    patience.addEventListener("abort", () => wake(), { once: true });
    try {
      while (!patience.aborted) {
        const changed = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const row = await journal.getSession(database, id);
        if (row === undefined)
          throw new ApiError(409, "not_opened", "The session could not be opened on chain. Ask and sign again.");
        if (row.stage !== "opening") return;
        await changed;
      }
    } finally {
      stop();
    }
    throw new ApiError(
      503,
      "submission_pending",
      "The session's opening is not mined yet. Ask for it by its id in a moment, and for its API key at /api-key.",
      { session_id: id },
      10,
    );
  }

  async #check(session: Session, now: number): Promise<void> {
    this.#checkOwn(session);
    await requireModel(this.#context, "direct", session.model);
    if (session.cap < MINIMUM)
      throw wrong("cap", `A session locks at least ${formatEther(MINIMUM)} NSD.`, { minimum_wei: MINIMUM.toString() });
    const seconds = Number(session.expiry) - now;
    // What was prepared a moment ago is a little shorter by now.
    if (seconds < SHORTEST_SECONDS - OPEN_WITHIN || seconds > LONGEST_SECONDS)
      throw wrong("expiry", `A session ends between ${SHORTEST_SECONDS} seconds and 90 days from now.`);
  }

  #checkOwn(session: Session): void {
    const { operator, validator } = this.#context;
    requirePost(this.#context);
    if (validator.id === 0)
      throw new ApiError(
        503,
        "not_serving",
        `The operator key ${operator} is of no registered validator, so it cannot serve sessions.`,
      );
    if (session.validator.toLowerCase() !== operator.toLowerCase())
      throw wrong("validator", `The session is for ${session.validator}; this keeper's key is ${operator}.`, {
        expected: operator,
      });
  }

  async #checkCredits(user: Address, cap: bigint): Promise<void> {
    const free = await freeCredits(this.#context, user, await owedOf(this.#context.database, user));
    if (free < cap) throw insufficient(cap, free, "credits");
  }
}

const wrong = (field: string, message: string, details: Record<string, unknown> = {}): ApiError =>
  new ApiError(400, "invalid_session", message, { field: `session.${field}`, ...details });

const notTheUsers = (session: Session): ApiError =>
  new ApiError(
    401,
    "invalid_signature",
    `The signature is not ${session.user}'s over this session. Sign the typed data as it was given.`,
    { field: "signature" },
  );

const unknownOnChain = (id: Hex): ApiError =>
  new ApiError(
    404,
    "session_not_found",
    `No session ${id} is open on chain. Send the user's signature to have it opened, or open it first.`,
    { session_id: id },
  );
