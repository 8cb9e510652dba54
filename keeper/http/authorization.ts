/** API keys in the header. */
import type { FastifyRequest } from "fastify";
import { ApiError } from "../services/errors.ts";
import { isApiKey } from "../services/sessions/keys.ts";

/** The API key of a request; undefined where it brings none. What only begins like one is refused, and never repeated. */
export function apiKeyOf(request: FastifyRequest): string | undefined {
  const match = /^Bearer +(nsk_\S*)$/i.exec(request.headers.authorization ?? "");
  if (match?.[1] === undefined) return undefined;
  if (isApiKey(match[1])) return match[1];
  throw new ApiError(401, "invalid_api_key", "An API key is nsk_ and 43 further characters. Send it as it was given.", {
    field: "authorization",
    expected: "Bearer nsk_…",
  });
}
