/** `POST /api/chat`: asked, answered and settled in one exchange, whole or as a stream of events. */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import Type from "typebox";
import type { Hex } from "viem";
import { ChatOut, ErrorOut, SignatureRequiredOut } from "../http/answers.ts";
import { toJson } from "../http/errors.ts";
import { failureOf } from "../http/failures.ts";
import { baseUrl } from "../http/origin.ts";
import { isAnswered, type Links, presentChat } from "../http/present.ts";
import { ChatIn, NoQuery } from "../http/schemas.ts";
import type { HttpSettings } from "../http/settings.ts";
import type { Spending } from "../http/spending.ts";
import { type EventStream, openEventStream } from "../http/sse.ts";
import { ApiError } from "../services/errors.ts";
import type { RequestEvent, RequestState, Services } from "../services/types.ts";

const Answered = {
  description: "The answer; `pending` while its settlement is on its way",
  content: { "application/json": { schema: ChatOut }, "text/event-stream": { schema: Type.String() } },
};

export function registerChat(
  app: FastifyInstance,
  services: Services,
  spending: Spending,
  settings: HttpSettings,
): void {
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    "/api/chat",
    {
      onRequest: app.limitSpending,
      handlerTimeout: settings.handlerTimeoutMs + settings.answerTimeoutMs + settings.settlementTimeoutMs,
      schema: {
        summary: "Ask, and be answered",
        description: "With `Accept: text/event-stream` the answer comes as events: phase, token, final, end.",
        tags: ["Ask"],
        security: [{ intent: [] }, {}],
        querystring: NoQuery,
        body: ChatIn,
        response: {
          200: Answered,
          202: ChatOut,
          401: SignatureRequiredOut,
          402: ErrorOut,
          "4xx": ErrorOut,
          "5xx": ErrorOut,
        },
      },
    },
    async (request, reply) => {
      const { message, ...rest } = request.body;
      const state = await spending.accept(request, { ...rest, prompt: message }, { lane: "direct", required: [] });
      const links = { base: baseUrl(request, settings.publicUrl), explorer: settings.explorerUrl };
      if (wantsEvents(request)) return stream(reply, services, state, links, settings);
      return answer(reply, services, state.requestId, links, settings);
    },
  );
}

function wantsEvents(request: FastifyRequest): boolean {
  return (request.headers.accept ?? "").includes("text/event-stream");
}

/** The client may go: what was accepted is answered and settled without it. */
async function answer(reply: FastifyReply, services: Services, requestId: Hex, links: Links, settings: HttpSettings) {
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

async function stream(
  reply: FastifyReply,
  services: Services,
  accepted: RequestState,
  links: Links,
  settings: HttpSettings,
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
