/** `/api/sessions`: a cap is locked once, and prompts are paid with receipts that the chain sees the last of. */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Hex } from "viem";
import { parseAmount } from "../http/amounts.ts";
import { ErrorOut, SignatureRequiredOut } from "../http/answers.ts";
import { address, deadlineOf } from "../http/ask.ts";
import { apiKeyOf } from "../http/authorization.ts";
import { mayUseDevelopmentKey } from "../http/origin.ts";
import { AddressQuery, NoQuery } from "../http/schemas.ts";
import { presentSession, sessionOf, signedReceiptOf } from "../http/session-bodies.ts";
import {
  type CloseBody,
  CloseIn,
  type KeyBody,
  KeyIn,
  KeyOut,
  type OpenBody,
  OpenedOut,
  OpenIn,
  SessionOut,
  SessionParams,
  SessionsOut,
} from "../http/session-schemas.ts";
import type { HttpSettings } from "../http/settings.ts";
import { forWallet, signatureOf } from "../http/spending.ts";
import { missingField } from "../http/validation.ts";
import { ApiError } from "../services/errors.ts";
import type { Services, SessionOffer, SessionState, Sessions, SessionTerms } from "../services/types.ts";

const DAY = 86_400;
const LISTED = 100;
const refusals = {
  401: SignatureRequiredOut,
  402: ErrorOut,
  403: ErrorOut,
  404: ErrorOut,
  409: ErrorOut,
  "4xx": ErrorOut,
  "5xx": ErrorOut,
};

/** Nothing is needed to learn what is to be signed. */
const bodyless = async (request: FastifyRequest): Promise<void> => {
  request.body ??= {};
};

export function registerSessions(app: FastifyInstance, { sessions }: Services, settings: HttpSettings): void {
  const routes = app.withTypeProvider<TypeBoxTypeProvider>();
  const handlerTimeout = settings.handlerTimeoutMs + settings.submissionTimeoutMs;
  routes.post(
    "/api/sessions",
    {
      onRequest: app.limitSpending,
      handlerTimeout,
      schema: {
        summary: "Open a session, or make an API key",
        description: "With terms: what to sign. With the signed session: opened on chain, at the keeper's expense.",
        tags: ["Sessions"],
        security: [{ intent: [] }, {}],
        querystring: NoQuery,
        body: OpenIn,
        response: { 201: OpenedOut, ...refusals },
      },
    },
    async (request, reply) => {
      const { state, apiKey } = await opened(request, request.body, sessions);
      return reply
        .code(201)
        .header("cache-control", "no-store")
        .send({ ...presentSession(state), ...(apiKey === undefined ? {} : { api_key: apiKey }) });
    },
  );
  routes.get(
    "/api/sessions",
    {
      schema: {
        summary: "Sessions of an address with this keeper",
        tags: ["Sessions"],
        querystring: AddressQuery,
        response: { 200: SessionsOut, "4xx": ErrorOut, "5xx": ErrorOut },
      },
    },
    async (request) => {
      const user = address(request.query.address);
      return { address: user, sessions: (await sessions.list(user, LISTED)).map(presentSession) };
    },
  );
  routes.get(
    "/api/sessions/:session_id",
    {
      schema: {
        summary: "Where a session stands",
        tags: ["Sessions"],
        params: SessionParams,
        querystring: NoQuery,
        response: { 200: SessionOut, 404: ErrorOut, "4xx": ErrorOut, "5xx": ErrorOut },
      },
    },
    async (request) => {
      const state = await sessions.get(request.params.session_id.toLowerCase() as Hex);
      if (state !== undefined) return presentSession(state);
      throw new ApiError(404, "session_not_found", "This keeper knows no session of this id.", { field: "session_id" });
    },
  );
  routes.post(
    "/api/sessions/:session_id/api-key",
    {
      onRequest: app.limitSpending,
      preValidation: bodyless,
      schema: {
        summary: "Be told a session's API key once more",
        description:
          "Signed by the wallet of the session's user, with a message that is for this alone: what opened the session lies on chain for everybody.",
        tags: ["Sessions"],
        security: [{ intent: [] }, {}],
        params: SessionParams,
        querystring: NoQuery,
        body: KeyIn,
        response: { 200: KeyOut, ...refusals },
      },
    },
    async (request, reply) => {
      const id = request.params.session_id.toLowerCase() as Hex;
      const { state, apiKey } = await toldKey(request, request.body, id, sessions);
      return reply.header("cache-control", "no-store").send({ ...presentSession(state), api_key: apiKey });
    },
  );
  routes.post(
    "/api/sessions/:session_id/close",
    {
      onRequest: app.limitSpending,
      preValidation: bodyless,
      handlerTimeout,
      schema: {
        summary: "Settle and close a session; revokes its API key",
        tags: ["Sessions"],
        security: [{ api_key: [] }, { intent: [] }, {}],
        params: SessionParams,
        querystring: NoQuery,
        body: CloseIn,
        response: { 200: SessionOut, 202: SessionOut, ...refusals },
      },
    },
    async (request, reply) => {
      const id = request.params.session_id.toLowerCase() as Hex;
      const state = await closed(request, request.body, id, sessions);
      return reply.code(state.stage === "closed" ? 200 : 202).send(presentSession(state));
    },
  );
}

async function opened(request: FastifyRequest, body: OpenBody, sessions: Sessions) {
  if (body.session !== undefined && body.prepare !== true)
    return sessions.open(sessionOf(body.session), signatureOf(request, body));
  const offer = await sessions.prepare(termsOf(body));
  if (body.prepare !== true && mayUseDevelopmentKey(request)) {
    const signature = await sessions.signForDevelopment(offer.data, offer.session.user);
    if (signature !== undefined) return sessions.open(offer.session, signature);
  }
  throw toSign(offer);
}

function termsOf(body: OpenBody): SessionTerms {
  if (body.user_address === undefined)
    throw missingField("user_address", "the address that pays, 0x followed by 40 hex digits");
  if (body.cap === undefined) throw missingField("cap", "the most that the session may cost, in NSD");
  if ((body.key === undefined) === (body.api_key !== true))
    throw missingField("key", "the address that signs receipts, or api_key: true for one that the keeper holds");
  return {
    user: address(body.user_address),
    cap: parseAmount(body.cap, "cap"),
    seconds: body.expires_in ?? DAY,
    ...(body.key === undefined ? {} : { key: address(body.key) }),
    ...(body.model === undefined ? {} : { model: body.model }),
  };
}

const toSign = ({ session, data, to, calldata }: SessionOffer): ApiError =>
  new ApiError(
    401,
    "signature_required",
    `Sign typed_data with the wallet of ${session.user} (eth_signTypedData_v4), and send its message as session, with the signature. It locks the cap, and no more than that can be lost.`,
    { typed_data: forWallet(data), transaction: { to, data: calldata } },
  );

async function toldKey(request: FastifyRequest, body: KeyBody, id: Hex, sessions: Sessions) {
  const signature = signatureOf(request, body);
  if (signature !== undefined && body.prepare !== true) {
    const deadline = deadlineOf(body);
    if (deadline === undefined) throw missingField("deadline", "the deadline that was signed");
    return sessions.tellKey(id, { deadline, signature });
  }
  const { user, deadline, data } = await sessions.prepareKey(id);
  if (body.prepare !== true && mayUseDevelopmentKey(request)) {
    const ours = await sessions.signForDevelopment(data, user);
    if (ours !== undefined) return sessions.tellKey(id, { deadline, signature: ours });
  }
  throw new ApiError(
    401,
    "signature_required",
    `Sign typed_data with the wallet of ${user}, and send its message's deadline and the signature. Send them to this keeper alone: whoever has them is told the API key.`,
    { typed_data: forWallet(data) },
  );
}

async function closed(request: FastifyRequest, body: CloseBody, id: Hex, sessions: Sessions): Promise<SessionState> {
  const receipt = body.receipt && signedReceiptOf(body.receipt);
  const apiKey = apiKeyOf(request);
  if (apiKey !== undefined) return sessions.close(id, { apiKey }, receipt);
  const signature = signatureOf(request, body);
  if (signature !== undefined && body.prepare !== true) {
    const deadline = deadlineOf(body);
    if (deadline === undefined) throw missingField("deadline", "the deadline that was signed");
    return sessions.close(id, { deadline, signature }, receipt);
  }
  const { user, deadline, data } = await sessions.prepareClose(id);
  if (body.prepare !== true && mayUseDevelopmentKey(request)) {
    const ours = await sessions.signForDevelopment(data, user);
    if (ours !== undefined) return sessions.close(id, { deadline, signature: ours }, receipt);
  }
  throw new ApiError(
    401,
    "signature_required",
    `Sign typed_data with the session's key or with the wallet of ${user}, and send its message's deadline and the signature.`,
    { typed_data: forWallet(data) },
  );
}
