/** The messages of a session: what opens it, what pays in it, and what a keeper and its client say to each other beside the chain. */
import {
  type Address,
  concat,
  type Hex,
  hashTypedData,
  isAddressEqual,
  keccak256,
  recoverAddress,
  size,
  slice,
  zeroAddress,
  zeroHash,
} from "viem";
import { domainOf, HIGHEST_S, modelId } from "./intents.ts";

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

/** Never on chain: it tells a keeper that a prompt comes from who holds the session's key. */
export const PROMPT_TYPES = {
  Prompt: [
    { name: "session", type: "bytes32" },
    { name: "number", type: "uint32" },
    { name: "promptHash", type: "bytes32" },
    { name: "maxTokens", type: "uint32" },
    { name: "temperature", type: "uint16" },
    { name: "priority", type: "bool" },
  ],
} as const;

/** Never on chain: it tells a keeper to settle and close. */
export const CLOSE_TYPES = {
  CloseSession: [
    { name: "session", type: "bytes32" },
    { name: "deadline", type: "uint64" },
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

/** A prompt of a session. `number` counts from 1; `temperature` is in hundredths. */
export interface SessionPrompt {
  readonly number: number;
  readonly promptHash: Hex;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly priority: boolean;
}

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
  message: { session, count: receipt.count, total: receipt.total, root: receipt.root },
});

export const sessionPromptTypedData = (chainId: number, router: Address, session: Hex, prompt: SessionPrompt) => ({
  domain: domainOf(chainId, router),
  types: PROMPT_TYPES,
  primaryType: "Prompt" as const,
  message: { session, ...prompt },
});

export const closeSessionTypedData = (chainId: number, router: Address, session: Hex, deadline: bigint) => ({
  domain: domainOf(chainId, router),
  types: CLOSE_TYPES,
  primaryType: "CloseSession" as const,
  message: { session, deadline },
});

/** A session's id. */
export const sessionId = (chainId: number, router: Address, session: Session): Hex =>
  hashTypedData(sessionTypedData(chainId, router, session));

/** As the contract takes it: the model by its hash. */
export const sessionOnChain = (session: Session) => ({ ...session, model: modelId(session.model) });

/**
 * The Merkle root over the digests of a session's records, in their order: two neighbours hash with keccak256, one without
 * a neighbour moves up as it is, and the root of one digest is that digest. A receipt's count tells how deep a leaf lies.
 */
export function recordsRoot(digests: readonly Hex[]): Hex {
  let level = digests;
  while (level.length > 1) {
    const pairs: Hex[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const [left, right] = [level[i] ?? zeroHash, level[i + 1]];
      pairs.push(right === undefined ? left : keccak256(concat([left, right])));
    }
    level = pairs;
  }
  return level[0] ?? zeroHash;
}

/** Whether one of these accounts signed the digest, in the one form that the router takes: low s, v of 27 or 28. */
export async function isSignedByOneOf(parties: readonly Address[], hash: Hex, signature: Hex): Promise<boolean> {
  try {
    if (size(signature) !== 65 || !["0x1b", "0x1c"].includes(slice(signature, 64))) return false;
    if (BigInt(slice(signature, 32, 64)) > HIGHEST_S) return false;
    const signer = await recoverAddress({ hash, signature });
    return parties.some((party) => party !== zeroAddress && isAddressEqual(signer, party));
  } catch {
    return false;
  }
}
