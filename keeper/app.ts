/** The keeper's outside: every route, assembled and not yet listening. */
import { randomUUID } from "node:crypto";
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from "fastify";
import { registerClosing } from "./http/closing.ts";
import { registerDocs, registerOpenApi } from "./http/docs.ts";
import { clientError, internalError, refuseConnection, registerErrors, sendError, toJson } from "./http/errors.ts";
import { registerJson } from "./http/json.ts";
import { registerPage } from "./http/page.ts";
import { registerSecurity } from "./http/security.ts";
import { type HttpSettings, httpSettings } from "./http/settings.ts";
import { registerSockets } from "./http/sockets.ts";
import { validatorCompiler } from "./http/validation.ts";
import { registerRoutes } from "./routes/index.ts";
import type { Services } from "./services/types.ts";

export interface AppOptions {
  readonly services: Services;
  readonly settings?: Partial<HttpSettings>;
  readonly log?: FastifyBaseLogger;
  /** Folder of the built page; without it the keeper serves its API alone. */
  readonly webRoot?: string;
}

export async function buildApp({ services, settings: given, log, webRoot }: AppOptions): Promise<FastifyInstance> {
  const settings = httpSettings(given);
  const app = create(settings, log);
  app.setValidatorCompiler(validatorCompiler as never);
  // Routes build what they answer field by field, and the types hold it against the schema.
  app.setSerializerCompiler(() => toJson);
  registerJson(app);
  registerErrors(app);
  await registerSecurity(app, settings);
  await registerDocs(app);
  await registerSockets(app, settings);
  // After the sockets: by then a request says whether it is one.
  registerClosing(app);
  registerRoutes(app, services, settings);
  registerOpenApi(app);
  await registerPage(app, webRoot);
  await app.ready();
  return app;
}

function create(settings: HttpSettings, log: FastifyBaseLogger | undefined): FastifyInstance {
  return Fastify({
    ...(log === undefined ? { logger: false } : { loggerInstance: log }),
    logController: new QuietController(),
    trustProxy: settings.trustedProxies.length > 0 && [...settings.trustedProxies],
    bodyLimit: settings.bodyLimit,
    requestTimeout: settings.requestTimeoutMs,
    handlerTimeout: settings.handlerTimeoutMs,
    // Longer than any answer is silent: a connection on which nothing moves any more is a reader who left.
    connectionTimeout: settings.answerTimeoutMs + settings.settlementTimeoutMs + settings.submissionTimeoutMs,
    http: {
      headersTimeout: settings.headersTimeoutMs,
      connectionsCheckingInterval: Math.min(5_000, settings.headersTimeoutMs),
    },
    clientErrorHandler: refuseConnection,
    genReqId: () => randomUUID(),
    return503OnClosing: true,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 256, caseSensitive: true },
    // What is wrong before a route is found, a broken URL for instance.
    frameworkErrors(error, request, reply) {
      const shown = clientError(error) ?? internalError(request);
      sendError(reply as FastifyReply, shown);
    },
  }) as unknown as FastifyInstance;
}

/** A line for each request would bury what the keeper has to say; they are there for who looks for them. */
class QuietController extends LogController {
  override incomingRequest(): void {}

  override requestCompleted(error: Error | null, request: FastifyRequest, reply: FastifyReply): void {
    const { method, url } = request;
    request.log.debug(
      { err: error ?? undefined, method, url, status: reply.statusCode, ms: reply.elapsedTime },
      "answered",
    );
  }
}
