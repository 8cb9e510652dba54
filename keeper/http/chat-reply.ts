/** An answer as it is told: whole, or as a stream of events. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Hex } from "viem";
import { ApiError } from "../services/errors.ts";
import type { RequestEvent, RequestState, Services } from "../services/types.ts";
import { toJson } from "./errors.ts";
import { failureOf } from "./failures.ts";
import { isAnswered, type Links, presentChat } from "./present.ts";
import type { HttpSettings } from "./settings.ts";
import { type EventStream, openEventStream } from "./sse.ts";

export interface ChatReply {
  readonly reply: FastifyReply;
  readonly services: Services;
  readonly links: Links;
  readonly settings: HttpSettings;
}

export function wantsEvents(request: FastifyRequest): boolean {
  return (request.headers.accept ?? "").includes("text/event-stream");
}

/** The client may go: what was accepted is answered and settled without it. */
export async function wholeAnswer({ reply, services, links, settings }: ChatReply, requestId: Hex) {
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  const signal = AbortSignal.any([gone.signal, reply.server.closing]);
  let state = await services.requests.waitFor(requestId, "answered", settings.answerTimeoutMs, signal);
  if (isAnswered(state))
    state = await services.requests.waitFor(requestId, "settled", settings.settlementTimeoutMs, signal);
  const body = presentChat(state, links);
  if (body.status === "failed") {
    const { code, message } = failureOf(state);
    throw new ApiError(500, code, message, { request_id: requestId });
  }
  return reply.code(isAnswered(state) ? 200 : 202).send(body as never);
}

export interface StreamOptions {
  /** Runs beside the stream, from its beginning. */
  readonly begun?: (events: EventStream) => Promise<void>;
}

export async function streamAnswer(
  { reply, services, links, settings }: ChatReply,
  accepted: RequestState,
  { begun }: StreamOptions = {},
): Promise<FastifyReply> {
  const events = openEventStream(reply, { heartbeatMs: settings.heartbeatMs, bufferLimit: settings.socketBufferLimit });
  const { requestId } = accepted;
  let over = false;
  const finish = (state: RequestState, seq?: number): void => {
    if (over) return;
    over = true;
    events.send("final", toJson(presentChat(state, links)), seq);
    events.send("end", "{}");
    events.end();
  };
  const giveUp = (): void => {
    void services.requests.status(requestId).then(
      (state) => finish(state ?? accepted),
      () => finish(accepted),
    );
  };
  const patience = setTimeout(giveUp, settings.streamTimeoutMs);
  reply.server.closing.addEventListener("abort", giveUp, { once: true });
  const stopped = new Promise<void>((resolve) =>
    events.closed.addEventListener("abort", () => resolve(), { once: true }),
  );
  try {
    const stop = await services.requests.follow(requestId, 0, (event) => {
      if (event.type === "final") finish(event.state, event.seq);
      else forward(events, requestId, event);
    });
    void begun?.(events).catch((error: unknown) => {
      reply.request.log.error({ err: error, requestId }, "stream failed");
      giveUp();
    });
    if (!events.closed.aborted) await stopped;
    stop();
  } catch (error) {
    reply.request.log.error({ err: error, requestId }, "stream failed");
    finish(accepted);
  } finally {
    clearTimeout(patience);
    reply.server.closing.removeEventListener("abort", giveUp);
  }
  return reply;
}

function forward(events: EventStream, requestId: Hex, event: Exclude<RequestEvent, { type: "final" }>): void {
  const { type, seq } = event;
  if (type === "token") events.send("token", toJson({ seq, token: event.token }), seq);
  else
    events.send(
      "phase",
      toJson({ request_id: requestId, seq, phase: event.phase, at: event.at, detail: event.detail }),
      seq,
    );
}
