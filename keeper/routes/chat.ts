/** `POST /api/chat`: asked, answered and settled in one exchange, whole or as a stream of events. */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance, FastifyRequest } from "fastify";
import Type from "typebox";
import { ChatOut, ErrorOut, SignatureRequiredOut } from "../http/answers.ts";
import { apiKeyOf } from "../http/authorization.ts";
import { streamAnswer, wantsEvents, wholeAnswer } from "../http/chat-reply.ts";
import { baseUrl } from "../http/origin.ts";
import { type ChatBody, ChatIn, NoQuery } from "../http/schemas.ts";
import { sessionAskOf } from "../http/session-bodies.ts";
import type { HttpSettings } from "../http/settings.ts";
import type { Spending } from "../http/spending.ts";
import type { RequestState, Services } from "../services/types.ts";

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
  /** An API key pays from its session; everything else is signed for. */
  const accepted = async (request: FastifyRequest, body: ChatBody): Promise<RequestState> => {
    const apiKey = apiKeyOf(request);
    if (apiKey !== undefined) return services.sessions.promptByKey(apiKey, sessionAskOf(body));
    const { message, ...rest } = body;
    return spending.accept(request, { ...rest, prompt: message }, { lane: "direct", required: [] });
  };
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    "/api/chat",
    {
      onRequest: app.limitSpending,
      handlerTimeout: settings.handlerTimeoutMs + settings.answerTimeoutMs + settings.settlementTimeoutMs,
      schema: {
        summary: "Ask, and be answered",
        description: "With `Accept: text/event-stream` the answer comes as events: phase, token, final, end.",
        tags: ["Ask"],
        security: [{ api_key: [] }, { intent: [] }, {}],
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
      const state = await accepted(request, request.body);
      const links = { base: baseUrl(request, settings.publicUrl), explorer: settings.explorerUrl };
      const parts = { reply, services, links, settings };
      return wantsEvents(request) ? streamAnswer(parts, state) : wholeAnswer(parts, state.requestId);
    },
  );
}
