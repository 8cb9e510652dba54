import type { FailureClass, FinishReason, Hex, IntentMessage, Lane, PhaseName, ReceiptBody, Wei } from "../api/wire.ts";
import { ONE } from "../format/amount.ts";

/** What is asked, before and after it is signed. Everything here survives JSON, since threads are kept by the browser. */
export interface Terms {
  /** Direct where it is absent, as in threads that older pages kept. */
  readonly lane?: Lane;
  readonly model?: string;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly paymentWei: Wei;
  readonly priority: boolean;
}

/** What is asked for where nobody says otherwise. */
export const DEFAULT_TERMS = { maxTokens: 500, temperature: 0.7, paymentWei: (50n * ONE).toString() } as const;

export interface PhaseMark {
  readonly phase: PhaseName;
  readonly at: number;
}

/** A validator's turn at a request, and why it did not answer where it did not. */
export interface Attempt {
  readonly validator: number;
  readonly at: number;
  readonly failure?: FailureClass;
}

/** Taken back, while its validator may still post what it has. */
export interface Cancelling {
  readonly until: number;
  readonly refundableWei?: Wei;
}

/** How a request ended. */
export interface Outcome {
  readonly status: "completed" | "failed" | "cancelled";
  readonly receipt?: ReceiptBody;
  readonly finish?: FinishReason;
  readonly refundedWei?: Wei;
  readonly penaltyWei?: Wei;
  readonly cid?: string;
  readonly transaction?: Hex;
  readonly lcaiWei?: Wei;
  readonly rewardSkipped?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Why a turn stands still without an outcome, and what its reader can do. */
export interface Problem {
  readonly kind: "credits" | "wait" | "refused" | "unsafe" | "declined" | "unreachable" | "unsent";
  readonly title: string;
  readonly detail: string;
  readonly requiredWei?: Wei;
  readonly retryAt?: number;
}

/** Who answers and what it can cost, shown before a wallet is asked to sign. */
export interface Confirmation {
  readonly model: string;
  readonly paymentWei: Wei;
  /** Undefined where the network picks one. */
  readonly validator: Hex | undefined;
  readonly priority: boolean;
  readonly deadline: number;
}

export type Stage = "preparing" | "confirming" | "signing" | "running" | "ended" | "stopped";

/** What was signed for any validator: the keeper knows it by its digest until the chain has given it an id. */
export interface SignedIntent {
  readonly digest: Hex;
  readonly intent: IntentMessage;
}

export interface Turn {
  readonly key: string;
  readonly prompt: string;
  readonly at: number;
  readonly terms: Terms;
  readonly stage: Stage;
  readonly answer: string;
  readonly phases: readonly PhaseMark[];
  readonly attempts?: readonly Attempt[];
  readonly cancelling?: Cancelling;
  readonly tokens?: number;
  readonly cutShort?: boolean;
  readonly requestId?: Hex;
  readonly signed?: SignedIntent;
  readonly confirmation?: Confirmation;
  readonly outcome?: Outcome;
  readonly problem?: Problem;
}

export interface Thread {
  readonly id: string;
  readonly title: string;
  readonly at: number;
  readonly turns: readonly Turn[];
}

export function isOpen(turn: Turn): boolean {
  return turn.stage !== "ended" && turn.stage !== "stopped";
}

export function isAnswered({ phases }: Turn): boolean {
  return phases.some(({ phase }) => phase === "answered");
}

/** The question that is under way: one that is only being settled gives way to the next. */
export function currentOf(turns: readonly Turn[]): Turn | undefined {
  return turns.findLast((turn) => isOpen(turn) && !isAnswered(turn)) ?? turns.findLast(isOpen);
}

/** Only what the network assigns holds a payment that can be taken back, and only until it is answered. */
export function isCancellable(turn: Turn): boolean {
  if (turn.terms.lane !== "assigned" || !turn.requestId || turn.outcome || turn.problem || turn.cancelling)
    return false;
  return turn.phases.some(({ phase }) => phase === "queued" || phase === "assigned") && !isAnswered(turn);
}

/** Random enough for an id, on pages without a secure context too. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
