/** Server-sent events on a raw response. */
import type { FastifyReply } from "fastify";

export interface EventStream {
  send(event: string, data: string, id?: number): void;
  end(): void;
  /** Aborted when the stream is over, whoever ended it. */
  readonly closed: AbortSignal;
}

export interface StreamLimits {
  readonly heartbeatMs: number;
  readonly bufferLimit: number;
}

export function openEventStream(reply: FastifyReply, limits: StreamLimits): EventStream {
  reply.hijack();
  const { raw } = reply;
  const headers = {
    ...reply.getHeaders(),
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  };
  raw.writeHead(200, headers as Record<string, string>);
  raw.flushHeaders();
  const over = new AbortController();
  const heartbeat = setInterval(() => write(": \n\n"), limits.heartbeatMs);
  raw.once("close", () => over.abort());
  raw.on("error", () => over.abort());
  over.signal.addEventListener("abort", () => clearInterval(heartbeat), { once: true });

  function write(chunk: string): void {
    if (over.signal.aborted || raw.writableEnded) return;
    raw.write(chunk);
    // Who does not read is let go before the memory is: the request goes on, and can be followed again.
    if (raw.writableLength > limits.bufferLimit) raw.destroy();
  }

  return {
    closed: over.signal,
    send(event, data, id) {
      write(`${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`);
    },
    end() {
      if (!over.signal.aborted && !raw.writableEnded) raw.end();
      over.abort();
    },
  };
}
