/** The assigned lane: `POST /api/llm/generate`, and where any request stands. */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance } from "fastify";
import type { Hex } from "viem";
import { amount } from "../http/amounts.ts";
import { ErrorOut, GenerateOut, RequestOut, SignatureRequiredOut } from "../http/answers.ts";
import { baseUrl } from "../http/origin.ts";
import { nodeName, presentRequest } from "../http/present.ts";
import { GenerateIn, NoQuery, RequestParams } from "../http/schemas.ts";
import type { HttpSettings } from "../http/settings.ts";
import type { Spending } from "../http/spending.ts";
import { ApiError } from "../services/errors.ts";
import type { Services } from "../services/types.ts";

/** What an answer takes as a rule; who waits behind others waits for each of them. */
const SECONDS_PER_ANSWER = 5;

export function registerGenerate(
  app: FastifyInstance,
  services: Services,
  spending: Spending,
  settings: HttpSettings,
): void {
  registerStatus(app, services, settings);
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    "/api/llm/generate",
    {
      onRequest: app.limitSpending,
      handlerTimeout: settings.handlerTimeoutMs + settings.submissionTimeoutMs,
      schema: {
        summary: "Open a request that the network assigns",
        tags: ["Ask"],
        security: [{ intent: [] }, {}],
        querystring: NoQuery,
        body: GenerateIn,
        response: { 202: GenerateOut, 401: SignatureRequiredOut, 402: ErrorOut, "4xx": ErrorOut, "5xx": ErrorOut },
      },
    },
    async (request, reply) => {
      const state = await spending.accept(request, request.body, {
        lane: "assigned",
        required: ["model", "nsd_payment"],
      });
      const wait = await estimatedWait(services);
      return reply.code(202).send({
        request_id: state.requestId,
        status: state.status,
        ...amount("nsd_burned", state.burned),
        estimated_wait_seconds: wait,
        estimated_wait: wait,
        assigned_node: nodeName(state.validatorId),
        model: state.model,
        max_tokens: request.body.intent?.maxTokens ?? request.body.max_tokens ?? 500,
      });
    },
  );
}

function registerStatus(app: FastifyInstance, services: Services, settings: HttpSettings): void {
  app.withTypeProvider<TypeBoxTypeProvider>().get(
    "/api/llm/status/:request_id",
    {
      schema: {
        summary: "Where a request stands",
        tags: ["Follow"],
        params: RequestParams,
        querystring: NoQuery,
        response: { 200: RequestOut, 404: ErrorOut, "4xx": ErrorOut, "5xx": ErrorOut },
      },
    },
    async (request, reply) => {
      const state = await services.requests.status(request.params.request_id.toLowerCase() as Hex);
      if (state === undefined) throw requestNotFound();
      const body = presentRequest(state, {
        base: baseUrl(request, settings.publicUrl),
        explorer: settings.explorerUrl,
      });
      return reply.header("cache-control", "no-store").send(body);
    },
  );
}

export function requestNotFound(): ApiError {
  return new ApiError(
    404,
    "request_not_found",
    "This keeper knows no request of this id. Check the id, or ask the keeper that took it.",
    { field: "request_id" },
  );
}

/** An estimate must not fail what was accepted. */
async function estimatedWait({ reads }: Services): Promise<number> {
  const queue = await reads
    .network()
    .then(({ queue }) => queue)
    .catch(() => ({ waiting: 0, running: 0 }));
  return SECONDS_PER_ANSWER * Math.max(1, queue.waiting + queue.running);
}
