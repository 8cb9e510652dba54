/**
 * Why a request failed, as clients are told. The journal keeps what the failure said of itself, which is for whoever
 * runs the keeper: it may name files, addresses and keys. Clients get its code, and a sentence that the keeper wrote.
 */
import type { RequestLane, RequestState } from "../services/types.ts";

/** Codes that the core gives, with a sentence of its own, and that no library's error carries in this lane. */
const WRITTEN: Readonly<Record<RequestLane, ReadonlySet<string>>> = {
  session: new Set([
    "expired",
    "operator_rotated",
    "unpaid",
    "prompt_missing",
    "prompt_too_long",
    "invalid_job",
    "wrong_model",
    "node_trouble",
  ]),
  direct: new Set([
    "expired",
    "operator_rotated",
    "nonce_used",
    "no_credits",
    "bad_signature",
    "underpaid",
    "unknown_model",
    "prompt_missing",
    "prompt_too_long",
    "invalid_job",
    "wrong_model",
    "node_trouble",
  ]),
  assigned: new Set([
    "expired",
    "nonce_used",
    "none",
    "cancelled",
    "offline",
    "timeout",
    "error",
    "invalid",
    "bad_prompt",
    "no_node",
  ]),
};

const NOT_READY = "The model is not ready. Ask again later, or ask another keeper.";
const NOT_STORED = "The answer could not be stored, so it does not count. Ask again later.";
const SENTENCES = new Map([
  ["generation_failed", "The model found no answer to this. Ask in other words."],
  ["engine_closed", NOT_READY],
  ["model_load_failed", NOT_READY],
  ["model_file", NOT_READY],
  ["block_too_large", "The answer is too long to be stored. Ask for fewer tokens."],
  ["storage_full", NOT_STORED],
  ["storage_unavailable", NOT_STORED],
]);

/** The names of the operating system's, the database's and other libraries' errors look different. */
const OWN_CODE = /^[a-z][a-z_]{0,63}$/;
const REFUSED_ON_CHAIN = /^chain:([A-Za-z][A-Za-z0-9]{0,63})$/;

export interface Failure {
  readonly code: string;
  readonly message: string;
}

export function failureOf({ lane, error }: Pick<RequestState, "lane" | "error">): Failure {
  const fallback =
    lane !== "assigned"
      ? "The request could not be answered. Nothing was charged; ask again."
      : "The request could not be answered. What came back of its payment is in nsd_refunded; ask again.";
  if (error === undefined) return { code: "request_failed", message: fallback };
  const { code, message } = error;
  if (WRITTEN[lane].has(code)) return { code, message };
  const refusal = REFUSED_ON_CHAIN.exec(code);
  if (refusal) return { code, message: `The contract refuses the request: ${refusal[1]}.` };
  return { code: OWN_CODE.test(code) ? code : "request_failed", message: SENTENCES.get(code) ?? fallback };
}
