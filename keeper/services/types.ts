/**
 * The seam between the keeper's core (chain, database, inference, storage) and what speaks to the outside (HTTP,
 * WebSocket, command line). Routes know these types alone; the core knows no route.
 */
import type { Address, Hash, Hex, TypedDataDomain } from "viem";
import type { FailureClass } from "../chain/events.ts";
import type { FinishReason } from "../inference/engine.ts";
import type { Reads } from "./read-types.ts";
import type { Sessions } from "./session-types.ts";

export type * from "./read-types.ts";
export type * from "./session-types.ts";

/** What a client asks for, before anything is signed. Amounts in wei. */
export interface AskFields {
  readonly user: Address;
  /** Name in the catalogue; the keeper's own model when absent. */
  readonly model?: string;
  readonly prompt: string;
  /** 32 bytes; zero when absent. The prompt hash is keccak256(salt, utf8(prompt)). */
  readonly salt?: Hex;
  readonly maxTokens: number;
  /** 0 to 2, in steps of 0.01. */
  readonly temperature: number;
  readonly payment: bigint;
  readonly priority: boolean;
  readonly threadId?: string;
}

/** The EIP-712 message `Request`, as contracts/interfaces/IInferenceRouter.sol documents it. */
export interface Intent {
  readonly user: Address;
  /** The model's name; the contract sees its hash, which is how EIP-712 encodes a string. */
  readonly model: string;
  readonly promptHash: Hex;
  readonly maxTokens: number;
  /** Hundredths. */
  readonly temperature: number;
  readonly payment: bigint;
  readonly priority: boolean;
  readonly private: boolean;
  /** Operator key of the validator that shall answer; zero for an assigned one. */
  readonly validator: Address;
  readonly relayer: Address;
  readonly relayFee: bigint;
  readonly callback: Address;
  readonly callbackGas: number;
  readonly nonce: number;
  readonly deadline: bigint;
}

export interface IntentTypedData {
  readonly domain: TypedDataDomain;
  readonly types: Record<string, readonly { readonly name: string; readonly type: string }[]>;
  readonly primaryType: "Request";
  readonly message: Intent;
}

/** How a request that a user signs for is paid. */
export type Lane = "direct" | "assigned";
/** How a request came about: by an intent, or as a prompt of a session. */
export type RequestLane = Lane | "session";
export type RequestStatus = "queued" | "processing" | "completed" | "failed" | "cancelled";

export interface AttemptState {
  readonly validatorId: number;
  readonly at: Date;
  /** Why it did not answer. */
  readonly failure?: FailureClass | "declined";
}

/** Everything the keeper knows of one request, in any lane, at any time. Amounts in wei. */
export interface RequestState {
  readonly requestId: Hex;
  readonly lane: RequestLane;
  readonly status: RequestStatus;
  readonly user: Address;
  readonly model: string;
  readonly prompt: string;
  readonly threadId?: string;
  readonly createdAt: Date;
  readonly payment: bigint;
  readonly burned: bigint;
  readonly validator?: Address;
  readonly validatorId?: number;
  /** Text so far, or whole once it is answered. */
  readonly response: string;
  readonly tokensUsed?: number;
  readonly finishReason?: FinishReason;
  readonly cid?: string;
  readonly submitTx?: Hash;
  readonly settleTx?: Hash;
  readonly settledAt?: Date;
  readonly record?: bigint;
  readonly consumed?: bigint;
  readonly validatorEarned?: bigint;
  readonly treasuryEarned?: bigint;
  readonly burnedForGood?: bigint;
  /** Unused payment, or the refund of a failure, back in credits. */
  readonly returned?: bigint;
  readonly penalty?: bigint;
  /** LCAI wei earned with this chat: minted in the direct lane, accrued in the assigned one. */
  readonly lcai?: bigint;
  readonly rewardSkipped?: string;
  readonly priority?: boolean;
  /** Validators that had it, in their order. */
  readonly attempts?: readonly AttemptState[];
  /** Its user cancelled, and its validator may post what it has until then. */
  readonly cancellingUntil?: Date;
  readonly error?: { readonly code: string; readonly message: string };
  /** Session lane. */
  readonly sessionId?: Hex;
  /** Its place among the session's records, from 1, once it is paid. */
  readonly sessionNumber?: number;
}

export type Phase =
  | "accepted"
  | "queued"
  | "assigned"
  | "attempt_failed"
  | "answering"
  | "answered"
  | "stored"
  | "paid"
  | "settling"
  | "cancelling"
  | "settled"
  | "failed"
  | "cancelled";

/** What happens to a request, in order; `seq` counts from 0, so that who comes late is replayed without a gap. */
export type RequestEvent =
  | {
      readonly seq: number;
      readonly type: "phase";
      readonly phase: Phase;
      readonly at: number;
      readonly detail?: Record<string, unknown>;
    }
  | { readonly seq: number; readonly type: "token"; readonly token: string }
  | { readonly seq: number; readonly type: "final"; readonly state: RequestState };

/** A notification for an address, as `WS /ws` sends it. */
export interface Notification {
  readonly type: "reward" | "interaction" | "request" | "deposit";
  readonly address: Address;
  readonly at: number;
  readonly data: Record<string, unknown>;
}

/** The EIP-712 message `Cancel` of the same domain. */
export interface CancelTypedData {
  readonly domain: TypedDataDomain;
  readonly types: Record<string, readonly { readonly name: string; readonly type: string }[]>;
  readonly primaryType: "Cancel";
  readonly message: { readonly request: Hex; readonly deadline: bigint };
}

export interface CancelOffer {
  readonly user: Address;
  readonly data: CancelTypedData;
  /** Percent of the payment that would come back, as far as can be said before. */
  readonly refundPercent: number;
}

export interface Requests {
  /** Completes the fields to an intent that the user can sign: nonce, deadline, who answers or relays. */
  prepare(lane: Lane, ask: AskFields): Promise<IntentTypedData>;
  /** Development accounts of a local chain only: signs on behalf of the account. Undefined for everybody else. */
  signForDevelopment(data: IntentTypedData): Promise<Hex | undefined>;
  /**
   * Checks and accepts a signed request. It is durable when this returns: a crash afterwards loses nothing.
   * Throws `ApiError` where the client is at fault. Direct: answering has begun. Assigned: the submission is mined.
   */
  accept(lane: Lane, intent: Intent, signature: Hex, ask: AskFields): Promise<RequestState>;
  status(requestId: Hex): Promise<RequestState | undefined>;
  /**
   * What its user signs to take a request back; its state where that was done already. Throws `ApiError` where there is
   * nothing to take back.
   */
  prepareCancel(requestId: Hex): Promise<CancelOffer | RequestState>;
  /** Development accounts of a local chain only. */
  signCancelForDevelopment(offer: CancelOffer): Promise<Hex | undefined>;
  /** Relays a signed cancellation. Resolves when it is mined: the request is cancelled, or cancelling. */
  cancel(requestId: Hex, deadline: bigint, signature: Hex): Promise<RequestState>;
  /** Resolves when the request reached a final state, or with where it stands after `timeoutMs`. */
  waitFor(
    requestId: Hex,
    until: "answered" | "settled",
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<RequestState>;
  /** Replays from `fromSeq`, then follows. Returns the unsubscriber. */
  follow(requestId: Hex, fromSeq: number, listener: (event: RequestEvent) => void): Promise<() => void>;
  /** Notifications for an address from now on. */
  notifications(address: Address, listener: (notification: Notification) => void): () => void;
}

export interface Services {
  readonly requests: Requests;
  readonly sessions: Sessions;
  readonly reads: Reads;
}
