/** The signed request: EIP-712 types, digest and prompt hash, as IInferenceRouter documents them. */
import {
  type Address,
  concat,
  type Hex,
  hashTypedData,
  isAddressEqual,
  keccak256,
  recoverTypedDataAddress,
  slice,
  stringToBytes,
  type TypedDataDomain,
  toHex,
  zeroHash,
} from "viem";
import type { CancelTypedData, Intent, IntentTypedData } from "../services/types.ts";

export const REQUEST_TYPES = {
  Request: [
    { name: "user", type: "address" },
    { name: "model", type: "string" },
    { name: "promptHash", type: "bytes32" },
    { name: "maxTokens", type: "uint32" },
    { name: "temperature", type: "uint16" },
    { name: "payment", type: "uint96" },
    { name: "priority", type: "bool" },
    { name: "private", type: "bool" },
    { name: "validator", type: "address" },
    { name: "relayer", type: "address" },
    { name: "relayFee", type: "uint96" },
    { name: "callback", type: "address" },
    { name: "callbackGas", type: "uint32" },
    { name: "nonce", type: "uint32" },
    { name: "deadline", type: "uint64" },
  ],
} as const;

export const CANCEL_TYPES = {
  Cancel: [
    { name: "request", type: "bytes32" },
    { name: "deadline", type: "uint64" },
  ],
} as const;

/** What every signature over the router's messages is bound to. */
export const domainOf = (chainId: number, router: Address) =>
  ({ name: "NeuroSwarm", version: "1", chainId, verifyingContract: router }) as const satisfies TypedDataDomain;

export function cancelTypedData(chainId: number, router: Address, request: Hex, deadline: bigint): CancelTypedData {
  return {
    domain: domainOf(chainId, router),
    types: CANCEL_TYPES,
    primaryType: "Cancel",
    message: { request, deadline },
  };
}

export function typedData(chainId: number, router: Address, intent: Intent): IntentTypedData {
  return {
    domain: domainOf(chainId, router),
    types: REQUEST_TYPES,
    primaryType: "Request",
    message: intent,
  };
}

/** The id of a direct request; for an assigned one, what its signature is over. */
export function intentDigest(chainId: number, router: Address, intent: Intent): Hex {
  const data = typedData(chainId, router, intent);
  return hashTypedData({ domain: data.domain, types: REQUEST_TYPES, primaryType: "Request", message: { ...intent } });
}

/** Half the order of the curve: of the two signatures that fit one message, the router takes the one with the lower s. */
export const HIGHEST_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/** Whether an externally owned account signed it; a malformed signature is simply not the user's. */
export async function isSignedByUser(
  chainId: number,
  router: Address,
  intent: Intent,
  signature: Hex,
): Promise<boolean> {
  try {
    if (BigInt(slice(signature, 32, 64)) > HIGHEST_S) return false;
    const { domain } = typedData(chainId, router, intent);
    const signer = await recoverTypedDataAddress({
      domain,
      types: REQUEST_TYPES,
      primaryType: "Request",
      message: { ...intent },
      signature,
    });
    return isAddressEqual(signer, intent.user);
  } catch {
    return false;
  }
}

export const NO_SALT: Hex = zeroHash;

export const promptHash = (prompt: string, salt: Hex = NO_SALT): Hex =>
  keccak256(concat([salt, toHex(stringToBytes(prompt))]));

/** A model's key in the contracts. */
export const modelId = (name: string): Hex => keccak256(stringToBytes(name));
