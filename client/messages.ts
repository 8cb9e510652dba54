/** The EIP-712 messages, as contracts/interfaces/IInferenceRouter.sol documents them, ready for viem's `signTypedData`. */
import type { Address, Hex } from "viem";
import { CANCEL_TYPES, domainOf, REQUEST_TYPES } from "../keeper/chain/intents.ts";
import type { Intent } from "../keeper/services/types.ts";

export {
  CLOSE_TYPES,
  closeSessionTypedData,
  PROMPT_TYPES,
  RECEIPT_TYPES,
  type Receipt,
  receiptTypedData,
  recordsRoot,
  SESSION_TYPES,
  type Session,
  type SessionPrompt,
  sessionId,
  sessionPromptTypedData,
  sessionTypedData,
} from "../keeper/chain/sessions.ts";
export { CANCEL_TYPES, domainOf, REQUEST_TYPES };

export const DELIVERY_TYPES = {
  Delivery: [
    { name: "request", type: "bytes32" },
    { name: "digest", type: "bytes32" },
    { name: "tokens", type: "uint32" },
  ],
} as const;

export const intentTypedData = (chainId: number, router: Address, intent: Intent) => ({
  domain: domainOf(chainId, router),
  types: REQUEST_TYPES,
  primaryType: "Request" as const,
  message: { ...intent },
});

export const cancelTypedData = (chainId: number, router: Address, request: Hex, deadline: bigint) => ({
  domain: domainOf(chainId, router),
  types: CANCEL_TYPES,
  primaryType: "Cancel" as const,
  message: { request, deadline },
});
