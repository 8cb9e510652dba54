import type { ErrorBody } from "./wire.ts";

/** What the keeper refused, with its reason. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: NonNullable<ErrorBody["error"]>;
  readonly retryAfterMs: number | undefined;

  constructor(status: number, body: ErrorBody, retryAfterMs: number | undefined) {
    super(body.error?.message ?? `The keeper answered with status ${status}.`);
    this.name = "Refusal";
    this.status = status;
    this.code = body.error?.code ?? "unknown";
    this.details = body.error ?? {};
    this.retryAfterMs = retryAfterMs;
  }
}

/** The keeper could not be reached, or broke off. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super("The keeper did not answer.", { cause });
    this.name = "Unreachable";
  }
}

export async function read<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await request(path, signal ? { signal } : {})).json()) as T;
}

export function post(path: string, body: unknown, signal: AbortSignal, accept: string): Promise<Response> {
  return send("POST", path, body, signal, accept);
}

export async function remove<T>(path: string, body: unknown, signal: AbortSignal): Promise<T> {
  return (await (await send("DELETE", path, body, signal, "application/json")).json()) as T;
}

function send(method: string, path: string, body: unknown, signal: AbortSignal, accept: string): Promise<Response> {
  return request(path, {
    method,
    headers: { "content-type": "application/json", accept },
    body: JSON.stringify(body),
    signal,
  });
}

async function request(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Unreachable(error);
  }
  if (response.ok) return response;
  throw new Refusal(response.status, await bodyOf(response), retryAfter(response));
}

async function bodyOf(response: Response): Promise<ErrorBody> {
  try {
    return (await response.json()) as ErrorBody;
  } catch {
    return {};
  }
}

function retryAfter(response: Response): number | undefined {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : undefined;
}
