/** `WS /ws`: what happens to an address, from now on. */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance } from "fastify";
import type { Address } from "viem";
import type { WebSocket } from "ws";
import { ErrorOut } from "../http/answers.ts";
import { address } from "../http/ask.ts";
import { NotificationsMessage, OptionalAddressQuery } from "../http/schemas.ts";
import type { HttpSettings } from "../http/settings.ts";
import { onMessages, push, tooManySubscriptions, upgradeRequired } from "../http/sockets.ts";
import type { Services } from "../services/types.ts";

interface Message {
  readonly action: "subscribe" | "unsubscribe";
  readonly address: string;
}

export function registerNotifications(app: FastifyInstance, { requests }: Services, settings: HttpSettings): void {
  app.withTypeProvider<TypeBoxTypeProvider>().route({
    method: "GET",
    url: "/ws",
    onRequest: app.checkSockets,
    schema: {
      summary: "Notifications of an address (WebSocket)",
      description: 'Connect by WebSocket; `{"action":"subscribe","address"}`, or name the address in the query.',
      tags: ["Follow"],
      querystring: OptionalAddressQuery,
      response: { 426: ErrorOut, "4xx": ErrorOut },
    },
    handler: async (_request, reply) => {
      reply.header("upgrade", "websocket");
      throw upgradeRequired();
    },
    wsHandler: (socket: WebSocket, request) => {
      const stops = new Map<Address, () => void>();
      const send = (message: object): void => push(socket, message, settings.socketBufferLimit);
      const subscribe = (user: Address): void => {
        if (!stops.has(user)) {
          if (stops.size >= settings.subscriptionsPerSocket)
            throw tooManySubscriptions(settings.subscriptionsPerSocket);
          stops.set(user, requests.notifications(user, send));
        }
        send({ type: "subscribed", address: user });
      };
      const unsubscribe = (user: Address): void => {
        stops.get(user)?.();
        stops.delete(user);
        send({ type: "unsubscribed", address: user });
      };
      socket.on("close", () => {
        for (const stop of stops.values()) stop();
        stops.clear();
      });
      onMessages<Message>(socket, NotificationsMessage, settings, request, ({ action, address: user }) =>
        action === "subscribe" ? subscribe(address(user)) : unsubscribe(address(user)),
      );
      const { address: named } = request.query as { address?: string };
      if (named !== undefined) subscribe(address(named));
    },
  });
}
