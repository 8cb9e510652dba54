/** How the doors close: what is being answered is answered, streams are told, and nobody can hold them open. */
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";

const PATIENCE_MS = 2_000;
const STEP_MS = 20;
const PRUNE_AT = 1_000;

export function registerClosing(app: FastifyInstance): void {
  const answering = new Set<ServerResponse>();
  const closing = new AbortController();
  let pruneAt = PRUNE_AT;
  // By looking at them and not by listening: a response that is piped has listeners enough.
  const prune = (): void => {
    for (const response of answering) if (response.writableFinished || response.destroyed) answering.delete(response);
    pruneAt = Math.max(PRUNE_AT, 2 * answering.size);
  };
  app.decorate("closing", closing.signal);
  app.addHook("onRequest", async (request, reply) => {
    // A socket outlives its request, and has its own way to end.
    if (request.ws) return;
    answering.add(reply.raw);
    if (answering.size > pruneAt) prune();
  });
  app.addHook("preClose", async () => {
    closing.abort();
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(STEP_MS)) {
      prune();
      if (answering.size === 0) return;
    }
  });
}

declare module "fastify" {
  interface FastifyInstance {
    /** Aborted when the keeper stops serving. */
    readonly closing: AbortSignal;
  }
}
