/** `POST /api/sessions/:session_id/prompts`: asked by the session's key, paid by its receipt, answered whole or as a stream. */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance, FastifyReply } from "fastify";
import Type from "typebox";
import type { Hex } from "viem";
import { ChatOut, ErrorOut, SignatureRequiredOut } from "../http/answers.ts";
import { type ChatReply, streamAnswer, wantsEvents } from "../http/chat-reply.ts";
import { toJson } from "../http/errors.ts";
import { failureOf } from "../http/failures.ts";
import { baseUrl } from "../http/origin.ts";
import { presentChat } from "../http/present.ts";
import { NoQuery } from "../http/schemas.ts";
import { presentBill, sessionAskOf, signedReceiptOf } from "../http/session-bodies.ts";
import { BillOut, PromptIn, SessionParams } from "../http/session-schemas.ts";
import type { HttpSettings } from "../http/settings.ts";
import { forWallet } from "../http/spending.ts";
import { missingField } from "../http/validation.ts";
import { ApiError } from "../services/errors.ts";
import type { RequestState, Services } from "../services/types.ts";

export function registerSessionPrompts(app: FastifyInstance, services: Services, settings: HttpSettings): void {
  const { sessions } = services;
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    "/api/sessions/:session_id/prompts",
    {
      onRequest: app.limitSpending,
      handlerTimeout: settings.handlerTimeoutMs + settings.answerTimeoutMs,
      schema: {
        summary: "Ask in a session",
        description:
          "Signed by the session's key. Where nothing pays for the answer yet, 402 says what receipt does: sign it, and send the same again with it.",
        tags: ["Sessions"],
        params: SessionParams,
        querystring: NoQuery,
        body: PromptIn,
        response: {
          200: {
            description: "The answer, paid",
            content: { "application/json": { schema: ChatOut }, "text/event-stream": { schema: Type.String() } },
          },
          202: ChatOut,
          401: SignatureRequiredOut,
          402: BillOut,
          404: ErrorOut,
          409: ErrorOut,
          "4xx": ErrorOut,
          "5xx": ErrorOut,
        },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const id = request.params.session_id.toLowerCase() as Hex;
      const ask = sessionAskOf(body);
      if (body.signature === undefined) {
        throw new ApiError(
          401,
          "signature_required",
          "Sign typed_data with the session's key, and send the same again with its number and the signature.",
          { typed_data: forWallet(await sessions.promptData(id, ask)) },
        );
      }
      if (body.number === undefined) throw missingField("number", "the number that was signed");
      const receipt = body.receipt && signedReceiptOf(body.receipt);
      const state = await sessions.prompt(id, ask, {
        number: body.number,
        signature: body.signature as Hex,
        ...(receipt === undefined ? {} : { receipt }),
      });
      const links = { base: baseUrl(request, settings.publicUrl), explorer: settings.explorerUrl };
      const parts = { reply, services, links, settings };
      if (wantsEvents(request)) return streamUnlessOwed(parts, state);
      return answer(parts, state.requestId);
    },
  );
}

const owed = async ({ services }: ChatReply, requestId: Hex): Promise<ApiError | undefined> => {
  const bill = await services.sessions.bill(requestId);
  if (bill === undefined) return undefined;
  const message =
    "The answer is ready. Sign receipt (typed_data) with the session's key, and send the same again with it.";
  return new ApiError(402, "payment_required", message, presentBill(bill, requestId));
};

async function answer(parts: ChatReply, requestId: Hex): Promise<FastifyReply> {
  const { reply, services, links, settings } = parts;
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  const signal = AbortSignal.any([gone.signal, reply.server.closing]);
  const state = await services.sessions.waitFor(requestId, settings.answerTimeoutMs, signal);
  const bill = await owed(parts, requestId);
  if (bill !== undefined) throw bill;
  if (state.status === "failed") {
    const { code, message } = failureOf(state);
    throw new ApiError(500, code, message, { request_id: requestId });
  }
  return reply.code(state.status === "completed" ? 200 : 202).send(presentChat(state, links) as never);
}

/** What is drawn and not paid ends the stream with the bill, and is told in the next one. */
function streamUnlessOwed(parts: ChatReply, state: RequestState): Promise<FastifyReply> {
  return streamAnswer(parts, state, {
    begun: async (events) => {
      await parts.services.sessions.waitFor(state.requestId, parts.settings.streamTimeoutMs, events.closed);
      const bill = await owed(parts, state.requestId);
      if (bill === undefined) return;
      events.send("payment_required", toJson(bill.details));
      events.send("end", "{}");
      events.end();
    },
  });
}
