import type { Hex, PhaseName, ReceiptBody, Wei } from "../api/wire.ts";

/** What is asked, before and after it is signed. Everything here survives JSON, since threads are kept by the browser. */
export interface Terms {
  readonly model?: string;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly paymentWei: Wei;
  readonly priority: boolean;
}

export interface PhaseMark {
  readonly phase: PhaseName;
  readonly at: number;
}

/** How a request ended. */
export interface Outcome {
  readonly status: "completed" | "failed" | "cancelled";
  readonly receipt?: ReceiptBody;
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
  readonly validator: Hex;
  readonly deadline: number;
}

export type Stage = "preparing" | "confirming" | "signing" | "running" | "ended" | "stopped";

export interface Turn {
  readonly key: string;
  readonly prompt: string;
  readonly at: number;
  readonly terms: Terms;
  readonly stage: Stage;
  readonly answer: string;
  readonly phases: readonly PhaseMark[];
  readonly tokens?: number;
  readonly cutShort?: boolean;
  readonly requestId?: Hex;
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

/** Random enough for an id, on pages without a secure context too. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
