/** A keeper, as the command line speaks to it. */
import type { Hex } from "viem";
import type { Answer } from "./format.ts";
import type { TypedData } from "./typed-data.ts";

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
      // What else is refused with the price says itself what to do.
      code === "insufficient_credits"
        ? `Deposit on the keeper's page at ${url}, or ask as another account.`
        : undefined,
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
