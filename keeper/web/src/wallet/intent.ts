import { type Hex, hashTypedData, isAddressEqual, zeroAddress } from "viem";
import { promptHash, REQUEST_TYPES } from "../../../chain/intents.ts";
import type { IntentMessage, NetworkBody, TypedData } from "../api/wire.ts";
import type { Terms } from "../chat/model.ts";
import { IntentMismatch } from "../chat/problems.ts";

const LATEST_DEADLINE_S = 3600;

export interface Asked {
  readonly prompt: string;
  readonly terms: Terms;
  readonly user: Hex;
  readonly network: NetworkBody;
}

/**
 * The typed data of an intent, rebuilt here from its message: types and domain are the page's own, so that nothing
 * the keeper might have slipped into them can be signed.
 */
export function typedIntent(message: IntentMessage, network: NetworkBody) {
  const { payment, relayFee, deadline, ...rest } = message;
  return {
    domain: {
      name: "NeuroSwarm",
      version: "1",
      chainId: network.chain_id,
      verifyingContract: network.contracts.router,
    },
    types: REQUEST_TYPES,
    primaryType: "Request",
    message: { ...rest, payment: BigInt(payment), relayFee: BigInt(relayFee), deadline: BigInt(deadline) },
  } as const;
}

export function intentId(message: IntentMessage, network: NetworkBody): Hex {
  return hashTypedData(typedIntent(message, network));
}

/** Compares what the keeper wants signed with what was asked, field by field; throws on the first that differs. */
export function checkIntent({ typed_data, salt }: { typed_data: TypedData; salt: Hex }, asked: Asked): IntentMessage {
  const { domain, message } = typed_data;
  const { prompt, terms, user, network } = asked;
  const now = Math.floor(Date.now() / 1000);
  same("chainId", network.chain_id, Number(domain.chainId));
  sameAddress("verifyingContract", network.contracts.router, domain.verifyingContract);
  sameAddress("user", user, message.user);
  sameAddress("validator", network.operator, message.validator);
  same("model", terms.model ?? network.model, message.model);
  same("promptHash", promptHash(prompt, salt), message.promptHash);
  same("maxTokens", terms.maxTokens, Number(message.maxTokens));
  same("temperature", Math.round(terms.temperature * 100), Number(message.temperature));
  same("payment", BigInt(terms.paymentWei), BigInt(message.payment));
  same("priority", terms.priority, message.priority);
  same("private", false, message.private);
  same("relayFee", 0n, BigInt(message.relayFee));
  sameAddress("callback", zeroAddress, message.callback);
  same("callbackGas", 0, Number(message.callbackGas));
  const deadline = Number(message.deadline);
  // The clock of a local chain is moved at will, and nothing there is worth protecting from that.
  if (!network.local && (deadline <= now || deadline > now + LATEST_DEADLINE_S)) {
    throw new IntentMismatch("deadline", `within an hour of ${now}`, deadline);
  }
  return message;
}

function same<T>(field: string, expected: T, received: T): void {
  if (expected !== received) throw new IntentMismatch(field, expected, received);
}

function sameAddress(field: string, expected: Hex, received: Hex | undefined): void {
  if (!received || !isAddressEqual(expected, received)) throw new IntentMismatch(field, expected, received);
}
