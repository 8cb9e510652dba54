/** Sessions, as the outside sees them: opened once, then paid prompt by prompt with receipts that the chain sees the last of. */
import type { Address, Hash, Hex, TypedDataDomain } from "viem";
import type { Receipt, Session } from "../chain/sessions.ts";
import type { SessionStage, SignedReceipt } from "../database/sessions.ts";
import type { RequestState } from "./types.ts";

export type { Receipt, Session, SessionStage, SignedReceipt };

/** Any EIP-712 message that a client is asked to sign. */
export interface WalletMessage {
  readonly domain: TypedDataDomain;
  readonly types: Record<string, readonly { readonly name: string; readonly type: string }[]>;
  readonly primaryType: string;
  readonly message: object;
}

export interface SessionTerms {
  readonly user: Address;
  /** Signs the receipts; absent: a key that the keeper holds, for an API key. */
  readonly key?: Address;
  /** The keeper's own when absent. */
  readonly model?: string;
  readonly cap: bigint;
  /** Seconds from now. */
  readonly seconds: number;
}

export interface SessionOffer {
  readonly session: Session;
  readonly data: WalletMessage;
  /** For who rather sends it in person: the router, and the call. */
  readonly to: Address;
  readonly calldata: Hex;
}

/** Amounts in wei. */
export interface SessionState {
  readonly id: Hex;
  readonly session: Session;
  readonly stage: SessionStage;
  /** Whether it is an API key, whose session key the keeper holds. */
  readonly held: boolean;
  readonly createdAt: Date;
  /** From when anybody may close it. */
  readonly endsAt: Date;
  /** What receipts have paid for, and how many prompts that were. */
  readonly spent: bigint;
  readonly prompts: number;
  /** What prompts under way may cost. */
  readonly reserved: bigint;
  readonly settled: bigint;
  readonly settledPrompts: number;
  /** What the next receipt has to say at least; the session's records so far are its root. */
  readonly next: Receipt;
  readonly settleTx?: Hash;
  readonly closeTx?: Hash;
  /** The contract's error, where it does not take the settlement. */
  readonly error?: string;
}

export interface SessionAsk {
  readonly prompt: string;
  readonly salt: Hex;
  readonly maxTokens: number;
  /** 0 to 2, in steps of 0.01. */
  readonly temperature: number;
  readonly priority: boolean;
  readonly threadId?: string;
  readonly model?: string;
  readonly user?: Address;
  /** The most that it may cost; what `maxTokens` cost when absent. */
  readonly payment?: bigint;
}

/** How the holder of a session's key asks: the prompt's number, and a signature over `Prompt`. */
export interface PromptProof {
  readonly number: number;
  readonly signature: Hex;
  readonly receipt?: SignedReceipt;
}

/** What an answer costs that is drawn and not told yet, and the receipt that pays for it. */
export interface Bill {
  readonly price: bigint;
  readonly digest: Hex;
  readonly tokensUsed: number;
  readonly receipt: Receipt;
  readonly data: WalletMessage;
}

export interface CloseOffer {
  readonly user: Address;
  readonly deadline: bigint;
  readonly data: WalletMessage;
}

/** What the wallet of the session's user signs to be told its API key once more. */
export type KeyOffer = CloseOffer;

export interface KeyProof {
  readonly deadline: bigint;
  readonly signature: Hex;
}

export type CloseProof = KeyProof | { readonly apiKey: string };

export interface Sessions {
  /** What the user signs to open a session here. Throws `ApiError` where it could not be opened. */
  prepare(terms: SessionTerms): Promise<SessionOffer>;
  /** Development accounts of a local chain only; undefined for everybody else. */
  signForDevelopment(data: WalletMessage, user: Address): Promise<Hex | undefined>;
  /**
   * Relays the opening, and resolves when it is mined; without a signature, takes up what its user has opened in person.
   * The API key, where it is one, is told this once, and later by `tellKey` alone.
   */
  open(
    session: Session,
    signature: Hex | undefined,
  ): Promise<{ readonly state: SessionState; readonly apiKey?: string }>;
  get(id: Hex): Promise<SessionState | undefined>;
  list(user: Address, limit: number): Promise<readonly SessionState[]>;
  /** What the holder of the session's key signs to ask; `number` is the next one. */
  promptData(id: Hex, ask: SessionAsk): Promise<WalletMessage>;
  /** Accepts a prompt, or the receipt that pays for its answer. Durable when it returns. */
  prompt(id: Hex, ask: SessionAsk, proof: PromptProof): Promise<RequestState>;
  promptByKey(apiKey: string, ask: SessionAsk): Promise<RequestState>;
  /** Undefined where the answer is paid, or there is none yet. */
  bill(requestId: Hex): Promise<Bill | undefined>;
  /** Resolves when the prompt has its end, or its answer waits to be paid, or with where it stands after `timeoutMs`. */
  waitFor(requestId: Hex, timeoutMs: number, signal?: AbortSignal): Promise<RequestState>;
  prepareKey(id: Hex): Promise<KeyOffer>;
  /** Tells the API key once more, to the wallet of the session's user. */
  tellKey(id: Hex, proof: KeyProof): Promise<{ readonly state: SessionState; readonly apiKey: string }>;
  prepareClose(id: Hex): Promise<CloseOffer>;
  /** Takes no more prompts, settles, and closes. Resolves when it is closed, or with where it stands after a while. */
  close(id: Hex, proof: CloseProof, receipt?: SignedReceipt): Promise<SessionState>;
}
