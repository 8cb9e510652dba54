/** `DELETE /api/llm/:request_id`: takes a request back, by its user's signature. */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Hex } from "viem";
import { CancelOut, ErrorOut, SignatureRequiredOut } from "../http/answers.ts";
import { deadlineOf } from "../http/ask.ts";
import { mayUseDevelopmentKey } from "../http/origin.ts";
import { presentCancelled } from "../http/present.ts";
import { type CancelBody, CancelIn, NoQuery, RequestParams } from "../http/schemas.ts";
import type { HttpSettings } from "../http/settings.ts";
import { forWallet, signatureOf } from "../http/spending.ts";
import { missingField } from "../http/validation.ts";
import { ApiError } from "../services/errors.ts";
import type { CancelOffer, RequestState, Requests, Services } from "../services/types.ts";

/** What was asked to be signed lately, so that a bare signature is complete. */
const REMEMBERED = 2_000;

export function registerCancel(app: FastifyInstance, { requests }: Services, settings: HttpSettings): void {
  const deadlines = new Map<Hex, bigint>();
  app.withTypeProvider<TypeBoxTypeProvider>().delete(
    "/api/llm/:request_id",
    {
      onRequest: app.limitSpending,
      // Nothing is needed to learn what is to be signed.
      preValidation: async (request) => {
        request.body ??= {};
      },
      handlerTimeout: settings.handlerTimeoutMs + settings.submissionTimeoutMs,
      schema: {
        summary: "Take a request back",
        description: "Queued, it ends at once; assigned, its node has 30 seconds to post what it has.",
        tags: ["Ask"],
        security: [{ intent: [] }, {}],
        params: RequestParams,
        querystring: NoQuery,
        body: CancelIn,
        response: {
          200: CancelOut,
          202: CancelOut,
          401: SignatureRequiredOut,
          403: ErrorOut,
          404: ErrorOut,
          409: ErrorOut,
          "4xx": ErrorOut,
          "5xx": ErrorOut,
        },
      },
    },
    async (request, reply) => {
      const id = request.params.request_id.toLowerCase() as Hex;
      const body = presentCancelled(await cancelled(request, request.body, id, requests, deadlines));
      return reply.code(body.status === "cancelled" ? 200 : 202).send(body);
    },
  );
}

async function cancelled(
  request: FastifyRequest,
  body: CancelBody,
  id: Hex,
  requests: Requests,
  deadlines: Map<Hex, bigint>,
): Promise<RequestState> {
  const signature = signatureOf(request, body);
  if (signature !== undefined && body.prepare !== true) {
    const deadline = deadlineOf(body) ?? deadlines.get(id);
    if (deadline === undefined) throw missingField("deadline", "the deadline that was signed");
    return requests.cancel(id, deadline, signature);
  }
  const offer = await requests.prepareCancel(id);
  if (!isOffer(offer)) return offer;
  const { deadline } = offer.data.message;
  if (body.prepare !== true && mayUseDevelopmentKey(request)) {
    const ours = await requests.signCancelForDevelopment(offer);
    if (ours !== undefined) return requests.cancel(id, deadline, ours);
  }
  deadlines.delete(id);
  deadlines.set(id, deadline);
  const [oldest] = deadlines.keys();
  if (deadlines.size > REMEMBERED && oldest !== undefined) deadlines.delete(oldest);
  throw signatureRequired(offer);
}

const isOffer = (value: CancelOffer | RequestState): value is CancelOffer => "data" in value;

function signatureRequired({ user, data, refundPercent }: CancelOffer): ApiError {
  const share = refundPercent === 100 ? "the whole payment" : `${refundPercent} % of the payment`;
  return new ApiError(
    401,
    "signature_required",
    `Cancelling gives back ${share} now. Sign typed_data with the wallet of ${user} (eth_signTypedData_v4), and send the same request again with the signature and its message's deadline.`,
    { typed_data: forWallet(data), refund_percent: refundPercent },
  );
}
