/** What a keeper asks to be signed: nothing is but what was asked for. */
import { concat, type Hex, keccak256, type LocalAccount, stringToBytes, toHex, zeroAddress } from "viem";
import { CANCEL_TYPES, REQUEST_TYPES } from "../chain/intents.ts";
import { ChatError, EXIT } from "./chat-client.ts";

export interface Question {
  readonly message: string;
  readonly maxTokens: number;
  /** Hundredths. */
  readonly temperature: number;
  /** Wei. */
  readonly payment: bigint;
  readonly model: string;
  readonly priority: boolean;
}

export interface Network {
  readonly chain_id: number;
  readonly local: boolean;
  readonly contracts: { readonly router: Hex };
  readonly operator: Hex;
  readonly model: string;
}

export interface TypedData {
  readonly domain: {
    readonly name?: string;
    readonly version?: string;
    readonly chainId?: number;
    readonly verifyingContract?: Hex;
  };
  readonly message: Readonly<Record<string, unknown>>;
}

const LATEST_DEADLINE_SECONDS = 3_600;

function same(field: string, actual: unknown, expected: unknown): void {
  if (String(actual).toLowerCase() === String(expected).toLowerCase()) return;
  throw new ChatError(
    "typed_data_mismatch",
    `The keeper asks to sign ${field} ${String(actual)}, which is not the ${String(expected)} that was asked for. Nothing was signed.`,
    EXIT.failed,
  );
}

/** The router's domain, and a time that is soon over. */
function checkFrame({ domain, message }: TypedData, network: Network): void {
  same("domain", `${domain.name}/${domain.version}/${domain.chainId}`, `NeuroSwarm/1/${network.chain_id}`);
  same("contract", domain.verifyingContract, network.contracts.router);
  const now = Math.floor(Date.now() / 1000);
  const deadline = Number(message["deadline"]);
  // The chain's clock counts for the keeper, and a local chain's may run ahead.
  if (!network.local && !(deadline <= now + LATEST_DEADLINE_SECONDS))
    same("deadline", deadline, `next ${LATEST_DEADLINE_SECONDS} seconds`);
}

/** That it takes back this request and does nothing else. */
export function checkCancelData(data: TypedData, network: Network, requestId: Hex): void {
  checkFrame(data, network);
  same("request", data.message["request"], requestId);
}

/** Every field of what is to be signed, against what was asked. */
export function checkTypedData(data: TypedData, question: Question, network: Network, user: Hex, salt: Hex): void {
  const { message } = data;
  checkFrame(data, network);
  const expected: Readonly<Record<string, unknown>> = {
    user,
    model: question.model,
    promptHash: keccak256(concat([salt, toHex(stringToBytes(question.message))])),
    maxTokens: question.maxTokens,
    temperature: question.temperature,
    payment: question.payment,
    priority: question.priority,
    private: false,
    validator: network.operator,
    relayer: zeroAddress,
    relayFee: 0,
    callback: zeroAddress,
    callbackGas: 0,
  };
  for (const [field, value] of Object.entries(expected)) same(field, message[field], value);
}

export function signTypedData(account: LocalAccount, data: TypedData): Promise<Hex> {
  const { message } = data;
  return account.signTypedData({
    domain: data.domain,
    types: REQUEST_TYPES,
    primaryType: "Request",
    message: {
      ...message,
      payment: wide(message, "payment"),
      relayFee: wide(message, "relayFee"),
      deadline: wide(message, "deadline"),
    } as never,
  });
}

export function signCancel(account: LocalAccount, { domain, message }: TypedData): Promise<Hex> {
  const request = message["request"] as Hex;
  const signed = { request, deadline: wide(message, "deadline") };
  return account.signTypedData({ domain, types: CANCEL_TYPES, primaryType: "Cancel", message: signed });
}

const wide = (message: Readonly<Record<string, unknown>>, field: string): bigint => BigInt(String(message[field]));
