/** The EIP-712 messages, as contracts/interfaces/IInferenceRouter.sol documents them, ready for viem's `signTypedData`. */
import { type Address, type Hex, hashTypedData, type TypedDataDomain } from "viem";
import { REQUEST_TYPES } from "../keeper/chain/intents.ts";
import type { Intent } from "../keeper/services/types.ts";

export { REQUEST_TYPES };

export const CANCEL_TYPES = {
  Cancel: [
    { name: "request", type: "bytes32" },
    { name: "deadline", type: "uint64" },
  ],
} as const;

export const DELIVERY_TYPES = {
  Delivery: [
    { name: "request", type: "bytes32" },
    { name: "digest", type: "bytes32" },
    { name: "tokens", type: "uint32" },
  ],
} as const;

export const SESSION_TYPES = {
  Session: [
    { name: "user", type: "address" },
    { name: "validator", type: "address" },
    { name: "key", type: "address" },
    { name: "model", type: "string" },
    { name: "cap", type: "uint96" },
    { name: "expiry", type: "uint64" },
    { name: "nonce", type: "uint32" },
    { name: "deadline", type: "uint64" },
  ],
} as const;

export const RECEIPT_TYPES = {
  Receipt: [
    { name: "session", type: "bytes32" },
    { name: "count", type: "uint32" },
    { name: "total", type: "uint96" },
    { name: "root", type: "bytes32" },
  ],
} as const;

/** What a user authorizes when a session opens. Times in unix seconds, amounts in NSD wei. */
export interface Session {
  readonly user: Address;
  /** Operator key of the validator that shall answer, and that alone may settle. */
  readonly validator: Address;
  /** May sign receipts beside the user; the zero address for none. */
  readonly key: Address;
  /** The model's name; the contract sees its hash. */
  readonly model: string;
  readonly cap: bigint;
  readonly expiry: bigint;
  readonly nonce: number;
  readonly deadline: bigint;
}

/** What was used of a session since it opened. */
export interface Receipt {
  readonly count: number;
  readonly total: bigint;
  /** `recordsRoot` of the digests so far. */
  readonly root: Hex;
}

export const domainOf = (chainId: number, router: Address) =>
  ({ name: "NeuroSwarm", version: "1", chainId, verifyingContract: router }) as const satisfies TypedDataDomain;

export const intentTypedData = (chainId: number, router: Address, intent: Intent) => ({
  domain: domainOf(chainId, router),
  types: REQUEST_TYPES,
  primaryType: "Request" as const,
  message: { ...intent },
});

export const sessionTypedData = (chainId: number, router: Address, session: Session) => ({
  domain: domainOf(chainId, router),
  types: SESSION_TYPES,
  primaryType: "Session" as const,
  message: { ...session },
});

export const receiptTypedData = (chainId: number, router: Address, session: Hex, receipt: Receipt) => ({
  domain: domainOf(chainId, router),
  types: RECEIPT_TYPES,
  primaryType: "Receipt" as const,
  message: { session, ...receipt },
});

export const cancelTypedData = (chainId: number, router: Address, request: Hex, deadline: bigint) => ({
  domain: domainOf(chainId, router),
  types: CANCEL_TYPES,
  primaryType: "Cancel" as const,
  message: { request, deadline },
});

/** A session's id. */
export const sessionId = (chainId: number, router: Address, session: Session): Hex =>
  hashTypedData(sessionTypedData(chainId, router, session));
