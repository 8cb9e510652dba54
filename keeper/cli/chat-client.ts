/** The client's half of a chat: it signs nothing but what it asked for. */
import { concat, type Hex, keccak256, type LocalAccount, stringToBytes, toHex, zeroAddress } from "viem";
import { CANCEL_TYPES, REQUEST_TYPES } from "../chain/intents.ts";
import type { Answer } from "./format.ts";

/** A keeper's refusal, or its absence, with the code that the process ends with. */
export class ChatError extends Error {
  readonly code: string;
  readonly exitCode: number;
  readonly advice: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    exitCode: number,
    advice?: string,
    details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = "ChatError";
    this.code = code;
    this.exitCode = exitCode;
    this.advice = advice;
    this.details = details;
  }
}

export const EXIT = { failed: 1, usage: 2, unreachable: 3, credits: 4 } as const;

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

export interface CancelQuestion {
  readonly typed_data: TypedData;
  /** Of the payment, as far as the keeper knows. */
  readonly refund_percent: number;
}

export interface Cancelled {
  readonly request_id: Hex;
  readonly status: "cancelled" | "cancelling";
  readonly message: string;
  readonly refund_percent: number;
}

export class KeeperClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url.replace(/\/+$/, "");
  }

  async get<T>(path: string): Promise<T> {
    const response = await this.#fetch(path, {});
    if (!response.ok) throw await refusal(response, this.#url);
    return this.#json<T>(response);
  }

  /** What the keeper wants signed for this body. */
  async prepare(body: object): Promise<{ typed_data: TypedData; salt: Hex }> {
    const response = await this.#post({ ...body, prepare: true }, "application/json");
    if (response.status !== 401) throw await refusal(response, this.#url);
    const { error } = await this.#json<{ error: { typed_data?: TypedData; salt?: Hex } }>(response);
    if (!error.typed_data?.message || !error.typed_data.domain || !error.salt) throw notKeeper(this.#url);
    return { typed_data: error.typed_data, salt: error.salt };
  }

  /** What the keeper wants signed to take a request back, or that it is taken back already. */
  async prepareCancel(id: Hex): Promise<CancelQuestion | Cancelled> {
    const response = await this.#delete(id, { prepare: true });
    if (response.ok) return this.#json<Cancelled>(response);
    if (response.status !== 401) throw await refusal(response, this.#url);
    const { error } = await this.#json<{ error: Partial<CancelQuestion> }>(response);
    const { typed_data, refund_percent = 0 } = error;
    if (!typed_data?.message || !typed_data.domain) throw notKeeper(this.#url);
    return { typed_data, refund_percent };
  }

  async cancel(id: Hex, body: object): Promise<Cancelled> {
    const response = await this.#delete(id, body);
    if (!response.ok) throw await refusal(response, this.#url);
    return this.#json<Cancelled>(response);
  }

  #delete(id: Hex, body: object): Promise<Response> {
    const headers = { "content-type": "application/json" };
    return this.#fetch(`/api/llm/${id}`, { method: "DELETE", headers, body: JSON.stringify(body) });
  }

  /** Asks, and hands on what happens until the answer is final. */
  async chat(body: object, onEvent: (event: string, data: Record<string, unknown>) => void): Promise<Answer> {
    const response = await this.#post(body, "text/event-stream");
    if (!response.ok || response.body === null) throw await refusal(response, this.#url);
    let requestId: unknown;
    try {
      for await (const { event, data } of eventsOf(response.body)) {
        requestId ??= data["request_id"];
        if (event === "final") return data as unknown as Answer;
        onEvent(event, data);
      }
    } catch (cause) {
      throw broken(requestId, cause);
    }
    throw broken(requestId);
  }

  #post(body: object, accept: string): Promise<Response> {
    return this.#fetch("/api/chat", {
      method: "POST",
      headers: { "content-type": "application/json", accept },
      body: JSON.stringify(body),
    });
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(`${this.#url}${path}`, init);
    } catch {
      throw new ChatError(
        "keeper_unreachable",
        `No keeper answers at ${this.#url}.`,
        EXIT.unreachable,
        "Start one with `npm start`, or name another with --url.",
      );
    }
  }

  async #json<T>(response: Response): Promise<T> {
    try {
      return (await response.json()) as T;
    } catch {
      throw notKeeper(this.#url);
    }
  }
}

function notKeeper(url: string): ChatError {
  return new ChatError(
    "not_a_keeper",
    `What answers at ${url} is no keeper.`,
    EXIT.unreachable,
    "Name the keeper's address with --url.",
  );
}

function broken(requestId: unknown, cause?: unknown): ChatError {
  const id =
    typeof requestId === "string" ? ` The request goes on: /api/llm/status/${requestId} tells how it ends.` : "";
  const error = new ChatError(
    "stream_broken",
    `The keeper broke off before the answer was final.${id}`,
    EXIT.failed,
    undefined,
    { request_id: requestId },
  );
  if (cause !== undefined) error.cause = cause;
  return error;
}

async function refusal(response: Response, url: string): Promise<ChatError> {
  const body = (await response.json().catch(() => undefined)) as
    | { error?: { code?: string; message?: string } }
    | undefined;
  if (body?.error?.message === undefined) return notKeeper(url);
  const { code = "refused", message, ...details } = body.error;
  if (response.status === 402)
    return new ChatError(
      code,
      message,
      EXIT.credits,
      `Deposit on the keeper's page at ${url}, or ask as another account.`,
      details,
    );
  return new ChatError(code, message, response.status === 400 ? EXIT.usage : EXIT.failed, undefined, details);
}

async function* eventsOf(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<{ event: string; data: Record<string, unknown> }> {
  let pending = "";
  for await (const text of body.pipeThrough(new TextDecoderStream() as never) as unknown as AsyncIterable<string>) {
    const blocks = (pending + text).split("\n\n");
    pending = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (event !== undefined && data !== undefined) yield { event, data: JSON.parse(data) as Record<string, unknown> };
    }
  }
}
