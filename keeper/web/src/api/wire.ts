/** What the keeper answers, as keeper/routes/README.md says it. Amounts are read from their `_wei` strings alone. */
export type * from "./wire-account.ts";

export type Hex = `0x${string}`;
export type Wei = string;

export interface ErrorBody {
  readonly error?: {
    readonly code?: string;
    readonly message?: string;
    readonly field?: string;
    readonly required_wei?: Wei;
    readonly limit_wei?: Wei;
    readonly unpaid_wei?: Wei;
    readonly retry_after_seconds?: number;
    readonly onchain_error?: string;
    readonly typed_data?: TypedData | CancelData;
    readonly salt?: Hex;
    readonly refund_percent?: number;
  };
}

interface Framed<Name extends string, Message> {
  readonly domain: {
    readonly name?: string;
    readonly version?: string;
    readonly chainId?: number | string;
    readonly verifyingContract?: Hex;
  };
  readonly primaryType: Name;
  readonly message: Message;
}

export type TypedData = Framed<"Request", IntentMessage>;
export type CancelData = Framed<"Cancel", CancelMessage>;

/** The EIP-712 message `Cancel`. */
export interface CancelMessage {
  readonly request: Hex;
  readonly deadline: string;
}

/** The EIP-712 message `Request`; numbers of 64 bits and more are decimal strings. */
export interface IntentMessage {
  readonly user: Hex;
  readonly model: string;
  readonly promptHash: Hex;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly payment: Wei;
  readonly priority: boolean;
  readonly private: boolean;
  readonly validator: Hex;
  readonly relayer: Hex;
  readonly relayFee: Wei;
  readonly callback: Hex;
  readonly callbackGas: number;
  readonly nonce: number;
  readonly deadline: string;
}

export interface ReceiptBody {
  readonly payment_wei: Wei;
  readonly consumed_wei: Wei;
  readonly validator_wei: Wei;
  readonly treasury_wei: Wei;
  readonly burned_wei: Wei;
  readonly returned_wei: Wei;
}

/** `cancelled`: its user took it back, and its validator posted what it had. */
export type FinishReason = "stop" | "length" | "cancelled";

/** In the direct lane this keeper's validator answers; in the assigned one, whichever the network picks. */
export type Lane = "direct" | "assigned";

export type FailureClass = "offline" | "timeout" | "error" | "invalid" | "bad_prompt" | "no_node" | "declined" | "none";

export interface AttemptBody {
  readonly node: string;
  readonly assigned_at: string;
  readonly failure?: FailureClass;
}

interface Settlement {
  readonly request_id: Hex;
  readonly model: string;
  readonly tokens_used?: number | null;
  readonly finish_reason?: FinishReason;
  readonly receipt?: ReceiptBody;
  readonly cid?: string;
  readonly blockchain_tx?: Hex;
  readonly lcai_earned_wei?: Wei;
  readonly reward_skipped?: string;
}

/** `final` of a streamed chat. */
export interface ChatBody extends Settlement {
  readonly response: string;
  readonly status: "success" | "pending" | "failed";
  readonly error?: { readonly code: string; readonly message: string };
}

/** A request as `/api/llm/status`, `/api/history` and `/llm/stream` tell it. */
export interface RequestBody extends Settlement {
  readonly status: "queued" | "processing" | "completed" | "failed" | "cancelled";
  readonly result: string | null;
  readonly prompt?: string;
  readonly user_address: Hex;
  readonly created_at: string;
  /** The most that it can cost. */
  readonly nsd_payment_wei: Wei;
  readonly nsd_refunded_wei?: Wei;
  readonly nsd_penalty_wei?: Wei;
  readonly error?: string;
  readonly error_code?: string;
  readonly thread_id?: string;
  readonly lane?: Lane;
  readonly priority?: boolean;
  readonly attempts?: readonly AttemptBody[];
  readonly cancelling?: { readonly until: string; readonly nsd_refundable_wei: Wei };
}

/** What `DELETE /api/llm/:request_id` answers. */
export interface CancelBody {
  readonly request_id: Hex;
  readonly status: "cancelled" | "cancelling";
  readonly message: string;
  readonly nsd_refunded_wei?: Wei;
  readonly nsd_penalty_wei?: Wei;
  readonly nsd_refundable_wei?: Wei;
  readonly until?: string;
  readonly blockchain_tx?: Hex;
}

export type PhaseName =
  | "accepted"
  | "queued"
  | "assigned"
  | "attempt_failed"
  | "answering"
  | "answered"
  | "stored"
  | "settling"
  | "cancelling"
  | "settled"
  | "failed"
  | "cancelled";

export interface PhaseBody {
  readonly request_id: Hex;
  readonly seq: number;
  readonly phase: PhaseName;
  readonly at: number;
  readonly detail?: {
    readonly validator_id?: number;
    readonly class?: FailureClass;
    readonly until?: string;
  };
}

export interface NetworkBody {
  readonly chain_id: number;
  readonly local: boolean;
  readonly rpc_url: string;
  readonly explorer_url?: string | null;
  readonly contracts: Readonly<Record<"router" | "credits" | "nsd" | "lcai", Hex>>;
  readonly operator: Hex;
  readonly validator_id: number;
  readonly model: string;
  readonly block: number | string;
  readonly records: number | string;
  readonly supply: {
    readonly total_wei: Wei;
    readonly retired_wei: Wei;
    readonly burned_wei: Wei;
    readonly minted_wei: Wei;
  };
  readonly epoch: { readonly number: number; readonly burned_wei: Wei; readonly minted_wei: Wei };
  readonly queue: { readonly waiting: number; readonly running: number };
}

export interface QuoteBody {
  readonly model: string;
  readonly cost_wei: Wei;
  readonly minimum_wei: Wei;
  /** From this payment on, the assigned lane asks for more than one signature. */
  readonly commit_from_wei: Wei;
  readonly tokens?: number;
}

export interface ModelBody {
  readonly name: string;
  readonly max_tokens: number;
  readonly active: boolean;
  readonly local: boolean;
  readonly servers: number;
}
