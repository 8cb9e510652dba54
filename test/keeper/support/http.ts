/** A keeper's outside over the core in memory, in process or on a port. */
import type { FastifyInstance } from "fastify";
import { WebSocket as Socket, type WebSocket } from "ws";
import { buildApp } from "../../../keeper/app.ts";
import type { HttpSettings } from "../../../keeper/http/settings.ts";
import { type Fake, fakeServices } from "./fake-services.ts";

export interface Outside extends Fake {
  readonly app: FastifyInstance;
}

export async function outside(settings: Partial<HttpSettings> = {}, webRoot?: string): Promise<Outside> {
  const fake = fakeServices();
  const app = await buildApp({
    services: fake.services,
    settings: { answerTimeoutMs: 2_000, settlementTimeoutMs: 1_000, ...settings },
    ...(webRoot === undefined ? {} : { webRoot }),
  });
  return { ...fake, app };
}

/** Listens on a free port, and says where. */
export async function listening(app: FastifyInstance): Promise<{ url: string; port: number }> {
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  return { url, port: Number(new URL(url).port) };
}

export interface Client {
  readonly socket: WebSocket;
  /** The next message, waiting for it where it has not come. */
  next(): Promise<Record<string, unknown>>;
  send(message: unknown): void;
  readonly closed: Promise<number>;
}

export async function connect(url: string, headers: Record<string, string> = {}): Promise<Client> {
  const socket = new Socket(url.replace(/^http/, "ws"), { headers });
  const messages: Record<string, unknown>[] = [];
  const waiting: ((message: Record<string, unknown>) => void)[] = [];
  socket.on("message", (data) => {
    const message = JSON.parse(String(data)) as Record<string, unknown>;
    const waiter = waiting.shift();
    if (waiter) waiter(message);
    else messages.push(message);
  });
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  return {
    socket,
    closed,
    send: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    next: () => {
      const ready = messages.shift();
      if (ready) return Promise.resolve(ready);
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error("no message within 5 s")), 5_000);
        waiting.push((message) => {
          clearTimeout(late);
          resolve(message);
        });
      });
    },
  };
}

export interface ServerEvent {
  readonly id?: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

export function eventsOf(text: string): ServerEvent[] {
  return text
    .split("\n\n")
    .filter((block) => block.includes("event:"))
    .map((block) => {
      const fields = Object.fromEntries(
        block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
      return {
        ...(fields["id"] === undefined ? {} : { id: fields["id"] }),
        event: String(fields["event"]),
        data: JSON.parse(String(fields["data"])) as Record<string, unknown>,
      };
    });
}
