/** The web page's files, and for everything that is a place inside the page, the page. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { notFound, sendError } from "./errors.ts";

const OURS = /^\/(api|ipfs|ws|llm|docs|openapi\.json|assets)(\/|$)/;
const NOT_BUILT =
  "NeuroSwarm's keeper is running, but its page has not been built. Run `npm run build:web` and start again; the API is described at /docs.\n";

export async function registerPage(app: FastifyInstance, webRoot: string | undefined): Promise<void> {
  const built = webRoot !== undefined && existsSync(join(webRoot, "index.html"));
  if (built) {
    await app.register(fastifyStatic, {
      root: webRoot,
      schemaHide: true,
      cacheControl: false,
      preCompressed: true,
      setHeaders(reply, path) {
        // Vite puts a hash of the content into the names of what lies in assets/.
        reply.header(
          "cache-control",
          /[/\\]assets[/\\]/.test(path) ? "public, max-age=31536000, immutable" : "no-cache",
        );
      },
    });
  } else {
    app.get("/", { schema: { hide: true } }, async (_request, reply) =>
      reply.code(503).type("text/plain; charset=utf-8").send(NOT_BUILT),
    );
  }
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request, reply) => {
    if (built && isPlaceInPage(request)) return reply.header("cache-control", "no-cache").sendFile("index.html");
    return refuse(app, request, reply);
  });
}

function isPlaceInPage(request: FastifyRequest): boolean {
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  const path = request.url.split("?", 1)[0] ?? "/";
  const last = path.slice(path.lastIndexOf("/") + 1);
  return !OURS.test(path) && !last.includes(".") && (request.headers.accept ?? "").includes("text/html");
}

function refuse(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = notFound(app, request);
  if (error.statusCode === 405) reply.header("allow", (error.details["accepted"] as string[]).join(", "));
  return sendError(reply, error);
}
