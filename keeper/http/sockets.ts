/** What both WebSocket routes share: limits, liveness, and readers who do not read. */
import websocket from "@fastify/websocket";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { TSchema } from "typebox";
import type { WebSocket } from "ws";
import { ApiError } from "../services/errors.ts";
import { clientError, errorBody, toJson } from "./errors.ts";
import { parseJson } from "./json.ts";
import { tooMany } from "./security.ts";
import type { HttpSettings } from "./settings.ts";
import { validatorCompiler } from "./validation.ts";

const PING_MS = 30_000;
/** Messages that one socket may send within a window, and how long that is. */
const MESSAGES = 200;
const WINDOW_MS = 10_000;
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;
const FAREWELL_MS = 1_000;
/** Close codes of RFC 6455 and its registry. */
const TRY_AGAIN_LATER = 1013;

export async function registerSockets(app: FastifyInstance, settings: HttpSettings): Promise<void> {
  const open = new Map<string, number>();
  // Before the plugin adds its own, which says farewell without a reason.
  app.addHook("preClose", async () => {
    const sockets = [...app.websocketServer.clients];
    for (const socket of sockets) socket.close(GOING_AWAY, "The keeper stops. Come back in a moment.");
    // Who does not answer the farewell must not hold the door open.
    setTimeout(() => sockets.forEach((socket) => void socket.terminate()), FAREWELL_MS).unref();
  });
  await app.register(websocket, {
    options: { maxPayload: settings.socketPayloadLimit, perMessageDeflate: false },
    errorHandler(error, socket, request) {
      // Frames that are too large or broken: ws has answered them with the close code they deserve.
      request.log.debug({ err: error }, "socket failed");
      if (socket.readyState === socket.OPEN) socket.close(1011);
    },
  });
  const pings = setInterval(() => {
    for (const socket of app.websocketServer.clients as Set<WebSocket & { silent?: boolean }>) {
      if (socket.silent) socket.terminate();
      socket.silent = true;
      socket.ping();
    }
  }, PING_MS);
  app.websocketServer.on("connection", (socket: WebSocket & { silent?: boolean }) => {
    socket.on("pong", () => {
      socket.silent = false;
    });
  });
  app.decorate("checkSockets", async ({ ws, ip, socket }: FastifyRequest) => {
    // Who hung up meanwhile would never be counted out.
    if (!ws || socket.destroyed) return;
    const held = open.get(ip) ?? 0;
    if (held >= settings.socketsPerAddress) throw tooMany(60);
    // Before the handshake, which takes a while: many that are begun at once must not all see the same number.
    open.set(ip, held + 1);
    socket.once("close", () => {
      const left = (open.get(ip) ?? 1) - 1;
      if (left > 0) open.set(ip, left);
      else open.delete(ip);
    });
  });
  app.addHook("onClose", async () => clearInterval(pings));
}

/** Sends an object; lets go of a reader whose backlog has grown too long. */
export function push(socket: WebSocket, message: object, bufferLimit: number): void {
  if (socket.readyState !== socket.OPEN) return;
  socket.send(toJson(message));
  if (socket.bufferedAmount > bufferLimit) {
    socket.close(TRY_AGAIN_LATER, "Read faster, or come back and go on with from_seq.");
    // The closing handshake waits behind the backlog that is not read.
    setTimeout(() => socket.terminate(), 1_000).unref();
  }
}

/** Reads messages of one shape, and answers whatever cannot be understood without letting go of the client. */
export function onMessages<T>(
  socket: WebSocket,
  schema: TSchema,
  settings: HttpSettings,
  request: FastifyRequest,
  handle: (message: T) => Promise<void> | void,
): void {
  const validate = validatorCompiler({ schema, method: "GET", url: request.url, httpPart: "body" }) as (
    value: unknown,
  ) => { value?: unknown; error?: Error };
  const fail = (error: unknown): void => {
    const shown = clientError(error);
    if (shown === undefined) request.log.error({ err: error }, "socket message failed");
    const told =
      shown ?? new ApiError(500, "internal_error", "Something went wrong here. Try again.", { trace_id: request.id });
    push(socket, { type: "error", ...errorBody(told) }, settings.socketBufferLimit);
  };
  let count = 0;
  let windowEnd = 0;
  socket.on("message", (data: Buffer, isBinary: boolean) => {
    const now = Date.now();
    if (now > windowEnd) [count, windowEnd] = [0, now + WINDOW_MS];
    if (++count > MESSAGES) return socket.close(POLICY_VIOLATION, "Too many messages. Subscribe once and listen.");
    void (async () => {
      if (isBinary) throw new ApiError(400, "invalid_json", "Send JSON as a text message, not as a binary one.");
      const { value, error } = validate(parseJson(data));
      if (error) throw error;
      await handle(value as T);
    })().catch(fail);
  });
}

/** What a plain GET on a socket address is told. */
export function upgradeRequired(): ApiError {
  return new ApiError(426, "upgrade_required", "This is a WebSocket. Connect with ws:// or wss://.");
}

export function tooManySubscriptions(limit: number): ApiError {
  return new ApiError(
    429,
    "too_many_subscriptions",
    `A socket follows at most ${limit} at a time. Unsubscribe, or open another.`,
  );
}

declare module "fastify" {
  interface FastifyInstance {
    /** Counts a socket for its client's address, and refuses one more than that may hold. */
    checkSockets(request: FastifyRequest): Promise<void>;
  }
}
