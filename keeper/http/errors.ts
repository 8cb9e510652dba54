/** Every answer that is not the one asked for: one shape, a stable code, and a sentence that says what to do. */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { LaggingError } from "../chain/follower.ts";
import { ApiError } from "../services/errors.ts";

export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly [detail: string]: unknown };
}

export function errorBody(error: ApiError): ErrorBody {
  const { code: _code, message: _message, ...details } = error.details;
  const retry = error.retryAfterSeconds === undefined ? {} : { retry_after_seconds: error.retryAfterSeconds };
  return { error: { code: error.code, message: error.message, ...details, ...retry } };
}

/** JSON has no bigint; an amount in wei is a string wherever it turns up. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? inner.toString() : inner));
}

export function sendError(reply: FastifyReply, error: ApiError): FastifyReply {
  if (error.retryAfterSeconds !== undefined)
    reply.header("retry-after", String(Math.max(1, Math.ceil(error.retryAfterSeconds))));
  if (error.statusCode === 401) reply.header("www-authenticate", 'Bearer realm="neuroswarm"');
  return reply
    .code(error.statusCode)
    .type("application/json; charset=utf-8")
    .send(toJson(errorBody(error)));
}

/** What Fastify itself objects to, in our words. */
const FRAMEWORK: Readonly<Record<string, readonly [number, string, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, "body_too_large", "The body is too large. Send a shorter text."],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, "unsupported_media_type", "Send the body with content-type application/json."],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    400,
    "bad_request",
    "Content-Length does not match the body. Send it as it is, or leave it out.",
  ],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, "invalid_json", "The body is empty. Send a JSON object."],
  FST_ERR_BAD_URL: [400, "bad_request", "The address is not a valid URL. Encode its special characters."],
  FST_ERR_MAX_PARAM_LENGTH: [414, "bad_request", "The address is too long."],
  FST_ERR_HANDLER_TIMEOUT: [503, "timed_out", "That took too long. Try again."],
};

/** What a client may know about an error; undefined where it is ours to know alone. */
export function clientError(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (error instanceof LaggingError) return lagging();
  const { code, statusCode } = (error ?? {}) as Partial<FastifyError>;
  const known = code === undefined ? undefined : FRAMEWORK[code];
  if (known) return new ApiError(...known);
  // Whose error it is is not known, and so neither is what its message gives away.
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new ApiError(statusCode, "bad_request", "The request cannot be understood. See /docs.");
  return undefined;
}

const lagging = (): ApiError =>
  new ApiError(
    503,
    "chain_lagging",
    "The endpoint by which this keeper sees the chain lags behind what it showed before. Try again in a moment.",
    {},
    5,
  );

/** What arrived is no HTTP, or did not arrive in time: there is no request to answer, only a socket. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const [status, code, message] = CONNECTION[error.code ?? ""] ?? [400, "bad_request", "That is no HTTP request."];
  const body = toJson(errorBody(new ApiError(status, code, message)));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

const CONNECTION: Readonly<Record<string, readonly [number, string, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, "timed_out", "The request took too long to arrive. Send it again, faster."],
  HPE_HEADER_OVERFLOW: [431, "bad_request", "The headers are too large. Send fewer."],
};

export function internalError(request: FastifyRequest): ApiError {
  return new ApiError(
    500,
    "internal_error",
    "Something went wrong here, not with your request. Try again, and quote trace_id if it stays.",
    {
      trace_id: request.id,
    },
  );
}

/** A route's pattern, for telling a wrong method from a wrong address. */
interface Known {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

export function registerErrors(app: FastifyInstance): void {
  const known = new Map<string, Known>();
  app.addHook("onRoute", ({ url, method }) => {
    if (url.includes("*")) return;
    const entry = known.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() };
    for (const name of [method].flat()) entry.methods.add(name);
    known.set(url, entry);
  });
  app.decorate("allowedMethods", (path: string): readonly string[] => {
    return [...known.values()].filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => [...methods]);
  });
  app.setErrorHandler((error, request, reply) => {
    const shown = clientError(error);
    if (shown === undefined || shown.statusCode >= 500) request.log.error({ err: error }, "request failed");
    return sendError(reply, shown ?? internalError(request));
  });
}

function patternOf(url: string): RegExp {
  const escaped = url.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/:[a-zA-Z_]+/g, "[^/]+");
  return new RegExp(`^${escaped}/?$`);
}

/** 405 where the address exists for another method, else 404. */
export function notFound(app: FastifyInstance, request: FastifyRequest): ApiError {
  const path = request.url.split("?", 1)[0] ?? "/";
  const methods = app.allowedMethods(path).filter((method) => method !== "OPTIONS");
  if (methods.length > 0 && !methods.includes(request.method)) {
    return new ApiError(405, "method_not_allowed", `${path} takes ${methods.join(" and ")}, not ${request.method}.`, {
      accepted: methods,
    });
  }
  return new ApiError(404, "not_found", `There is nothing at ${path.slice(0, 120)}. See /docs for what there is.`);
}

declare module "fastify" {
  interface FastifyInstance {
    /** Methods that some route takes at this path; none where there is no route. */
    allowedMethods(path: string): readonly string[];
  }
}
