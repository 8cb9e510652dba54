/** Which troubles end a request, which are waited out, and what a client hears of them. */
import { executionWindow, type Offer } from "../chain/words.ts";
import type { RequestRow } from "../database/requests.ts";
import { InferenceError } from "../inference/errors.ts";

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** What no further attempt would change, in words made for the one who asked. */
export class UselessAnswerError extends Error {
  readonly code: "prompt_missing" | "wrong_model";

  constructor(code: "prompt_missing" | "wrong_model", message: string) {
    super(message);
    this.code = code;
  }
}

/** An intent names the key that may deliver it, and that one operates nothing any more. */
export const ROTATED: Refusal = {
  code: "operator_rotated",
  message:
    "Its validator changed its key before the answer was delivered, which makes the signed request void. Nothing was charged: ask again.",
};

/** Its user cancelled before there was anything to post. */
export const CANCELLED: Refusal = { code: "cancelled", message: "You cancelled it before there was an answer." };

/** Of these the engine words every message itself; others may quote a path, or what a library said. */
const SPEAKABLE = ["prompt_too_long", "invalid_job"];
const UNUSABLE = ["prompt_missing", "prompt_too_long", "invalid_job"];

/** Whether the prompt is at fault, so that the validator is not to blame. */
export const isPromptUnusable = (code: string): boolean => UNUSABLE.includes(code);

/** Undefined where the same job may succeed later: a full disk, a dead endpoint, a restart. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof UselessAnswerError) return { code: error.code, message: error.message };
  if (!(error instanceof InferenceError) || error.retryable) return undefined;
  const { code } = error;
  if (SPEAKABLE.includes(code)) return { code, message: error.message };
  return { code, message: "The model could not answer this. Word it differently, or ask another validator." };
}

export const OUT_OF_TIME: Refusal = {
  code: "node_trouble",
  message: "This validator had trouble of its own and did not get over it in time. Ask again.",
};

/** A confession needs a few blocks before the window ends. */
const MARGIN_SECONDS = 20;
const DIRECT_MARGIN_SECONDS = 5;

/** Until when trouble is waited out, unix seconds. */
export function lastAttemptAt(row: RequestRow, offer: Offer): number {
  if (row.lane !== "assigned") return Number(row.deadline) - DIRECT_MARGIN_SECONDS;
  const window = executionWindow(offer, row.maxTokens);
  const from = row.assignedAt ?? Math.floor(row.createdAt / 1000);
  return from + window - Math.min(MARGIN_SECONDS, Math.floor(window / 3));
}
