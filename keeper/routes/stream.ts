/** `WS /llm/stream`: the tokens of a request, from the start for who comes late, and how it ended. */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Hex } from "viem";
import type { WebSocket } from "ws";
import { ErrorOut } from "../http/answers.ts";
import { baseUrl } from "../http/origin.ts";
import { type Links, presentRequest } from "../http/present.ts";
import { NoQuery, StreamMessage } from "../http/schemas.ts";
import type { HttpSettings } from "../http/settings.ts";
import { onMessages, push, tooManySubscriptions, upgradeRequired } from "../http/sockets.ts";
import type { RequestEvent, Requests, Services } from "../services/types.ts";
import { requestNotFound } from "./generate.ts";

interface Message {
  readonly action: "subscribe" | "unsubscribe";
  readonly request_id: string;
  readonly from_seq?: number;
}

export function registerStream(app: FastifyInstance, { requests }: Services, settings: HttpSettings): void {
  app.withTypeProvider<TypeBoxTypeProvider>().route({
    method: "GET",
    url: "/llm/stream",
    onRequest: app.checkSockets,
    schema: {
      summary: "Tokens of a request (WebSocket)",
      description:
        'Connect by WebSocket; `{"action":"subscribe","request_id","from_seq"?}`, then phases, tokens and a final message.',
      tags: ["Follow"],
      querystring: NoQuery,
      response: { 426: ErrorOut, "4xx": ErrorOut },
    },
    handler: async (_request, reply) => {
      reply.header("upgrade", "websocket");
      throw upgradeRequired();
    },
    wsHandler: (socket: WebSocket, request) => serve(socket, request as FastifyRequest, requests, settings),
  });
}

function serve(socket: WebSocket, request: FastifyRequest, requests: Requests, settings: HttpSettings): void {
  const links = { base: baseUrl(request, settings.publicUrl), explorer: settings.explorerUrl };
  const followed = new Map<Hex, Subscription>();
  const send = (message: object): void => push(socket, message, settings.socketBufferLimit);
  socket.on("close", () => {
    for (const subscription of followed.values()) subscription.cancel();
    followed.clear();
  });
  onMessages<Message>(socket, StreamMessage, settings, request, async ({ action, request_id, from_seq = 0 }) => {
    const requestId = request_id.toLowerCase() as Hex;
    followed.get(requestId)?.cancel();
    followed.delete(requestId);
    if (action === "unsubscribe") return send({ type: "unsubscribed", request_id: requestId });
    if (followed.size >= settings.subscriptionsPerSocket) throw tooManySubscriptions(settings.subscriptionsPerSocket);
    const subscription = new Subscription();
    followed.set(requestId, subscription);
    try {
      if ((await requests.status(requestId)) === undefined) throw requestNotFound();
      if (subscription.cancelled) return;
      send({ type: "subscribed", request_id: requestId });
      const stop = await requests.follow(requestId, from_seq, (event) => {
        if (subscription.cancelled) return;
        send(messageOf(requestId, event, links));
        if (event.type !== "final") return;
        subscription.cancel();
        if (followed.get(requestId) === subscription) followed.delete(requestId);
      });
      subscription.stopWith(stop);
    } catch (error) {
      if (followed.get(requestId) === subscription) followed.delete(requestId);
      throw error;
    }
  });
}

/** Following begins asynchronously, and its end may be asked for before it has. */
class Subscription {
  cancelled = false;
  #stop: (() => void) | undefined;

  cancel(): void {
    this.cancelled = true;
    this.#stop?.();
  }

  stopWith(stop: () => void): void {
    this.#stop = stop;
    if (this.cancelled) stop();
  }
}

function messageOf(requestId: Hex, event: RequestEvent, links: Links): object {
  const { type, seq } = event;
  if (type === "token") return { type, request_id: requestId, seq, token: event.token };
  if (type === "phase")
    return { type, request_id: requestId, seq, phase: event.phase, at: event.at, detail: event.detail };
  return { type, seq, ...presentRequest(event.state, links) };
}
