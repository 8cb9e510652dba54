import { concat, type Hex, hashTypedData, isAddressEqual, keccak256, numberToHex, pad, zeroAddress } from "viem";
import { CANCEL_TYPES, promptHash, REQUEST_TYPES } from "../../../chain/intents.ts";
import { packPayer, packTerms } from "../../../chain/words.ts";
import type { CancelData, CancelMessage, IntentMessage, NetworkBody, TypedData } from "../api/wire.ts";
import type { Terms } from "../chat/model.ts";
import { ClocksApart, IntentMismatch } from "../chat/problems.ts";

const LATEST_DEADLINE_MS = 3_600_000;

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
    domain: domainOf(network),
    types: REQUEST_TYPES,
    primaryType: "Request",
    message: { ...rest, payment: BigInt(payment), relayFee: BigInt(relayFee), deadline: BigInt(deadline) },
  } as const;
}

export function intentId(message: IntentMessage, network: NetworkBody): Hex {
  return hashTypedData(typedIntent(message, network));
}

/** The typed data of a cancellation, rebuilt in the same way. */
export function typedCancel({ request, deadline }: CancelMessage, network: NetworkBody) {
  return {
    domain: domainOf(network),
    types: CANCEL_TYPES,
    primaryType: "Cancel",
    message: { request, deadline: BigInt(deadline) },
  } as const;
}

function domainOf(network: NetworkBody) {
  return {
    name: "NeuroSwarm",
    version: "1",
    chainId: network.chain_id,
    verifyingContract: network.contracts.router,
  } as const;
}

const CATALOGUE_PLACES = 256;

/**
 * Whether a request of the assigned lane is the one that an intent opened: its id is the hash of what was signed, but
 * for the model, which stands there by its place in the catalogue.
 */
export function isRequestOf(id: Hex, intent: IntentMessage, network: NetworkBody): boolean {
  const { user, payment, promptHash: prompt, callback, priority, private: isPrivate, ...rest } = intent;
  const word = (value: bigint | number): Hex => numberToHex(value, { size: 32 });
  const payer = word(packPayer(user, BigInt(payment)));
  const before = [word(network.chain_id), pad(network.contracts.router), payer] as const;
  for (let model = 0; model < CATALOGUE_PLACES; model++) {
    const terms = word(packTerms({ ...rest, model, priority, isPrivate, callbackFee: 0n }));
    if (keccak256(concat([...before, terms, prompt, pad(callback)])) === id) return true;
  }
  return false;
}

/** Compares what the keeper wants signed with what was asked, field by field; throws on the first that differs. */
export function checkIntent({ typed_data, salt }: { typed_data: TypedData; salt: Hex }, asked: Asked): IntentMessage {
  const { domain, message } = typed_data;
  const { prompt, terms, user, network } = asked;
  const direct = terms.lane !== "assigned";
  checkDomain(domain, network);
  sameAddress("user", user, message.user);
  sameAddress("validator", direct ? network.operator : zeroAddress, message.validator);
  // Anybody else could submit an assigned request, withhold its prompt and cost its user half.
  if (!direct) sameAddress("relayer", network.operator, message.relayer);
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
  checkDeadline(message.deadline, network);
  return message;
}

/** What cancels this request, and nothing else. */
export function checkCancel({ domain, message }: CancelData, requestId: Hex, network: NetworkBody): CancelMessage {
  checkDomain(domain, network);
  same("request", requestId, message.request);
  checkDeadline(message.deadline, network);
  return message;
}

function checkDomain(domain: TypedData["domain"], network: NetworkBody): void {
  same("chainId", network.chain_id, Number(domain.chainId));
  sameAddress("verifyingContract", network.contracts.router, domain.verifyingContract);
}

/** The clock of a local chain is moved at will, and nothing there is worth protecting from that. */
function checkDeadline(text: string, network: NetworkBody): void {
  const [deadline, now] = [Number(text) * 1000, Date.now()];
  if (!network.local && !(deadline > now && deadline <= now + LATEST_DEADLINE_MS)) throw new ClocksApart(deadline, now);
}

function same<T>(field: string, expected: T, received: T): void {
  if (expected !== received) throw new IntentMismatch(field, expected, received);
}

function sameAddress(field: string, expected: Hex, received: Hex | undefined): void {
  if (!received || !isAddressEqual(expected, received)) throw new IntentMismatch(field, expected, received);
}
