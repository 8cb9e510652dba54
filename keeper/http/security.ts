/** Headers, origins and rates. */
import cors from "@fastify/cors";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ApiError } from "../services/errors.ts";
import type { HttpSettings } from "./settings.ts";

/** The local chain's page talks to a node on this machine, at whatever port it got. */
const LOOPBACK = ["http://127.0.0.1:*", "http://localhost:*", "ws://127.0.0.1:*", "ws://localhost:*"];

/** Nothing that a chat made others store may run as a part of this site. */
export const INERT_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'";

export async function registerSecurity(app: FastifyInstance, settings: HttpSettings): Promise<void> {
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-trace-id", request.id);
  });
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        baseUri: ["'none'"],
        connectSrc: ["'self'", ...LOOPBACK, ...settings.connectSources],
        fontSrc: ["'self'", "data:"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        // Wallets announce themselves with icons in data URIs (EIP-6963).
        imgSrc: ["'self'", "data:"],
        objectSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
      },
    },
    xFrameOptions: { action: "deny" },
    // Wallets that open a window of their own answer through its opener.
    crossOriginOpenerPolicy: { policy: "same-origin-allow-popups" },
    crossOriginResourcePolicy: { policy: "cross-origin" },
    strictTransportSecurity: settings.publicUrl?.startsWith("https:") ? { maxAge: 31_536_000 } : false,
  });
  // Every origin may read, and may bring what its user signed: there is no cookie to abuse. What the keeper signs by
  // itself asks for more (origin.ts).
  await app.register(cors, {
    origin: "*",
    methods: ["GET", "HEAD", "POST", "DELETE"],
    allowedHeaders: ["content-type", "authorization", "accept", "last-event-id"],
    exposedHeaders: ["x-trace-id", "retry-after", "etag", "www-authenticate"],
    maxAge: 600,
    strictPreflight: false,
  });
  await app.register(rateLimit, {
    max: settings.requestsPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { ttl }) => tooMany(Math.ceil(ttl / 1000)),
  });
  // One count for all that spends, beside the one for everything.
  const spending = app.createRateLimit({ max: settings.spendingPerMinute, timeWindow: 60_000 });
  app.decorate("limitSpending", async (request: FastifyRequest) => {
    const rate = await spending(request);
    if (!rate.isAllowed && rate.isExceeded) throw tooMany(rate.ttlInSeconds);
  });
}

export function tooMany(seconds: number): ApiError {
  return new ApiError(
    429,
    "rate_limited",
    `Too many requests from this address. Wait ${seconds} s and go on.`,
    {},
    seconds,
  );
}

declare module "fastify" {
  interface FastifyInstance {
    /** Refuses who asks to spend too often. */
    limitSpending(request: FastifyRequest): Promise<void>;
  }
}
