/** A request in the journal, and how it reads in a table. */
import { type Address, getAddress, type Hash, type Hex } from "viem";
import type { FailureClass } from "../chain/events.ts";
import type { FinishReason } from "../inference/engine.ts";
import type { RequestLane, RequestStatus } from "../services/types.ts";
import type { Parameter } from "./database.ts";
import { hideNul, showNul } from "./nul.ts";

/**
 * accepted: durable, and nothing else. submitted: on chain, with an id (assigned lane). stored: answered, and the
 * record's bytes are kept. final: ended.
 */
export type Stage = "accepted" | "submitted" | "stored" | "final";

/** The words of an open request, as its submission emitted them. */
export interface TicketFields {
  readonly payer: bigint;
  readonly terms: bigint;
  readonly promptHash: Hex;
  readonly callback: Address;
}

/** A validator's turn at a request; nobody has two. */
export interface Try {
  readonly validator: number;
  /** Unix seconds. */
  readonly at: number;
  readonly block: string;
  /** Why it did not answer; `failedBlock` is where the chain says so. */
  readonly failure?: FailureClass | "declined";
  readonly failedBlock?: string;
}

export interface RequestRow {
  /** Digest of the intent; the request's id where no intent passed through this keeper. */
  readonly key: Hex;
  readonly requestId: Hex | null;
  readonly operator: Address;
  readonly lane: RequestLane;
  /** Whether it came in by this keeper's door, or from the chain alone. */
  readonly origin: "door" | "chain";
  readonly stage: Stage;
  readonly status: RequestStatus;
  readonly user: Address;
  readonly model: string;
  readonly prompt: string | null;
  readonly salt: Hex;
  readonly promptHash: Hex;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly payment: bigint;
  readonly priority: boolean;
  readonly isPrivate: boolean;
  readonly nonce: number;
  readonly deadline: bigint;
  readonly threadId: string | null;
  readonly signature: Hex | null;
  readonly ticket: TicketFields | null;
  readonly createdAt: number;
  readonly validatorId: number | null;
  /** Unix seconds. */
  readonly assignedAt: number | null;
  readonly tries: readonly Try[];
  /** Block of the last change of hands, or of its cancellation. */
  readonly movedBlock: bigint | null;
  /** Unix seconds until which its validator may post what it has, where its user cancelled. */
  readonly cancellingUntil: number | null;
  readonly response: string;
  readonly tokensUsed: number | null;
  readonly finishReason: FinishReason | null;
  readonly digest: Hex | null;
  readonly cid: string | null;
  /** The journal's transaction that carries it at present. */
  readonly transactionId: number | null;
  readonly submitTx: Hash | null;
  readonly submitBlock: bigint | null;
  readonly settleTx: Hash | null;
  readonly settleBlock: bigint | null;
  readonly settledAt: number | null;
  readonly record: bigint | null;
  readonly consumed: bigint | null;
  readonly validatorLeg: bigint | null;
  readonly treasuryLeg: bigint | null;
  readonly burnLeg: bigint | null;
  readonly returned: bigint | null;
  readonly penalty: bigint | null;
  readonly lcai: bigint | null;
  readonly rewardSkipped: string | null;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly attempts: number;
  /** Session lane: which session pays. */
  readonly sessionId: Hex | null;
  /** Its place among the session's records, from 1; null until it is paid. */
  readonly sessionNumber: number | null;
  /** Paid before it is answered, so that it may be told as it is drawn. */
  readonly prepaid: boolean;
  /** What the answer costs, once there is one. */
  readonly price: bigint | null;
  /** The record of an answer that is not paid yet: nobody may have its bytes. */
  readonly withheld: string | null;
}

export type RequestPatch = Partial<Omit<RequestRow, "key" | "operator" | "lane" | "origin">>;

type Kind = "text" | "address" | "number" | "bigint" | "boolean" | "ticket" | "json";

export const COLUMNS: Readonly<Record<keyof RequestRow, readonly [column: string, kind: Kind]>> = {
  key: ["key", "text"],
  requestId: ["request_id", "text"],
  operator: ["operator", "address"],
  lane: ["lane", "text"],
  origin: ["origin", "text"],
  stage: ["stage", "text"],
  status: ["status", "text"],
  user: ["user_address", "address"],
  model: ["model", "text"],
  prompt: ["prompt", "text"],
  salt: ["salt", "text"],
  promptHash: ["prompt_hash", "text"],
  maxTokens: ["max_tokens", "number"],
  temperature: ["temperature", "number"],
  payment: ["payment", "bigint"],
  priority: ["priority", "boolean"],
  isPrivate: ["is_private", "boolean"],
  nonce: ["nonce", "number"],
  deadline: ["deadline", "bigint"],
  threadId: ["thread_id", "text"],
  signature: ["signature", "text"],
  ticket: ["ticket", "ticket"],
  createdAt: ["created_at", "number"],
  validatorId: ["validator_id", "number"],
  assignedAt: ["assigned_at", "number"],
  tries: ["tries", "json"],
  movedBlock: ["moved_block", "bigint"],
  cancellingUntil: ["cancelling_until", "number"],
  response: ["response", "text"],
  tokensUsed: ["tokens_used", "number"],
  finishReason: ["finish_reason", "text"],
  digest: ["digest", "text"],
  cid: ["cid", "text"],
  transactionId: ["transaction_id", "number"],
  submitTx: ["submit_tx", "text"],
  submitBlock: ["submit_block", "bigint"],
  settleTx: ["settle_tx", "text"],
  settleBlock: ["settle_block", "bigint"],
  settledAt: ["settled_at", "number"],
  record: ["record", "bigint"],
  consumed: ["consumed", "bigint"],
  validatorLeg: ["validator_leg", "bigint"],
  treasuryLeg: ["treasury_leg", "bigint"],
  burnLeg: ["burn_leg", "bigint"],
  returned: ["returned", "bigint"],
  penalty: ["penalty", "bigint"],
  lcai: ["lcai", "bigint"],
  rewardSkipped: ["reward_skipped", "text"],
  errorCode: ["error_code", "text"],
  errorMessage: ["error_message", "text"],
  attempts: ["attempts", "number"],
  sessionId: ["session_id", "text"],
  sessionNumber: ["session_number", "number"],
  prepaid: ["prepaid", "boolean"],
  price: ["price", "bigint"],
  withheld: ["withheld", "text"],
};

export const FIELDS = Object.keys(COLUMNS) as (keyof RequestRow)[];

export function encode(field: keyof RequestRow, value: unknown): Parameter {
  if (value === null || value === undefined) return null;
  const [, kind] = COLUMNS[field];
  switch (kind) {
    case "address":
      return (value as string).toLowerCase();
    case "bigint":
      return (value as bigint).toString();
    case "ticket": {
      const ticket = value as TicketFields;
      return JSON.stringify({ ...ticket, payer: ticket.payer.toString(), terms: ticket.terms.toString() });
    }
    case "text":
      return hideNul(value as string);
    case "json":
      return JSON.stringify(value);
    default:
      return value as number | boolean;
  }
}

function decode(kind: Kind, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  switch (kind) {
    case "address":
      return getAddress(value as string);
    case "bigint":
      return BigInt(value as string | number | bigint);
    case "number":
      return Number(value);
    case "ticket": {
      const ticket = value as { payer: string; terms: string; promptHash: Hex; callback: Address };
      return { ...ticket, payer: BigInt(ticket.payer), terms: BigInt(ticket.terms) };
    }
    case "text":
      return showNul(value as string);
    default:
      return value;
  }
}

export function toRow(raw: Record<string, unknown>): RequestRow {
  return Object.fromEntries(
    FIELDS.map((field) => [field, decode(COLUMNS[field][1], raw[COLUMNS[field][0]])]),
  ) as unknown as RequestRow;
}
