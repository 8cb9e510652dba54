/** What the keeper answers, as keeper/routes/README.md says it. Amounts are read from their `_wei` strings alone. */
export type Hex = `0x${string}`;
export type Wei = string;

export interface ErrorBody {
  readonly error?: {
    readonly code?: string;
    readonly message?: string;
    readonly field?: string;
    readonly required_wei?: Wei;
    readonly retry_after_seconds?: number;
    readonly onchain_error?: string;
    readonly typed_data?: TypedData;
    readonly salt?: Hex;
  };
}

export interface TypedData {
  readonly domain: {
    readonly name?: string;
    readonly version?: string;
    readonly chainId?: number | string;
    readonly verifyingContract?: Hex;
  };
  readonly primaryType: string;
  readonly message: IntentMessage;
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

interface Settlement {
  readonly request_id: Hex;
  readonly model: string;
  readonly tokens_used?: number | null;
  readonly finish_reason?: "stop" | "length";
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
  readonly nsd_burned_wei: Wei;
  readonly nsd_refunded_wei?: Wei;
  readonly nsd_penalty_wei?: Wei;
  readonly error?: string;
  readonly error_code?: string;
  readonly thread_id?: string;
}

export type PhaseName =
  | "accepted"
  | "assigned"
  | "answering"
  | "answered"
  | "stored"
  | "settling"
  | "settled"
  | "failed";

export interface PhaseBody {
  readonly request_id: Hex;
  readonly seq: number;
  readonly phase: PhaseName;
  readonly at: number;
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
  readonly tokens?: number;
}

export interface ModelBody {
  readonly name: string;
  readonly max_tokens: number;
  readonly active: boolean;
  readonly local: boolean;
}

export interface BalancesBody {
  readonly nsd: {
    readonly wallet_wei: Wei;
    readonly credits_wei: Wei;
    readonly locked_wei: Wei;
    readonly withdrawing_wei: Wei;
    readonly withdrawable_at?: string | null;
  };
  readonly lcai: { readonly wallet_wei: Wei; readonly accrued_wei: Wei };
  readonly native: { readonly wallet_wei: Wei };
}

export interface RewardBody {
  readonly token: "LCAI" | "CHOIR";
  readonly amount_wei: Wei;
  readonly request_id?: Hex;
  readonly transaction: Hex;
  readonly at: string;
}

export interface NotificationBody {
  readonly type: "reward" | "interaction" | "request" | "deposit";
  readonly address: Hex;
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}
