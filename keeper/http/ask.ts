/** From a body to what is asked, whichever way its user agreed to it. */
import { type Address, getAddress, type Hex, zeroHash } from "viem";
import { ApiError } from "../services/errors.ts";
import { commitRequired } from "../services/refusals.ts";
import type { AskFields, Intent, Lane, Reads } from "../services/types.ts";
import { amount, decimal, parseAmount } from "./amounts.ts";
import type { ChatBody, IntentBody } from "./schemas.ts";
import { missingField } from "./validation.ts";

export const DEFAULT_TOKENS = 500;
export const DEFAULT_TEMPERATURE = 0.7;
export const UINT64 = 1n << 64n;
export const UINT96 = 1n << 96n;

/** Chat and generate differ in the prompt's name and in what must be there. */
export interface AskBody extends Omit<ChatBody, "message"> {
  readonly prompt: string;
}

/** Everything but the payment may be known before the price is. */
export type Draft = Omit<AskFields, "payment"> & { readonly payment: bigint | undefined };

export function address(text: string): Address {
  return getAddress(text.toLowerCase());
}

/** An ask that its fields describe. */
export function draftOf(body: AskBody, required: readonly ("model" | "nsd_payment")[]): Draft {
  if (body.user_address === undefined)
    throw missingField("user_address", "the address that asks, 0x followed by 40 hex digits");
  for (const field of required) {
    if (body[field] === undefined)
      throw missingField(
        field,
        field === "model" ? "the name of a model, see /api/models" : "what the answer may cost at most, in NSD",
      );
  }
  return {
    user: address(body.user_address),
    prompt: body.prompt,
    maxTokens: body.max_tokens ?? DEFAULT_TOKENS,
    temperature: hundredths(body.temperature ?? DEFAULT_TEMPERATURE) / 100,
    payment: body.nsd_payment === undefined ? undefined : parseAmount(body.nsd_payment, "nsd_payment"),
    priority: body.priority ?? false,
    ...(body.model === undefined ? {} : { model: body.model }),
    ...(body.salt === undefined ? {} : { salt: body.salt.toLowerCase() as Hex }),
    ...(body.thread_id === undefined ? {} : { threadId: body.thread_id }),
  };
}

/** An ask that a signed message describes; what the body says beside it has to agree. */
export function askOf(body: AskBody, intent: Intent): AskFields {
  const said: [string, unknown, unknown][] = [
    ["user_address", body.user_address && address(body.user_address), intent.user],
    ["model", body.model, intent.model],
    ["max_tokens", body.max_tokens, intent.maxTokens],
    ["temperature", body.temperature === undefined ? undefined : hundredths(body.temperature), intent.temperature],
    [
      "nsd_payment",
      body.nsd_payment === undefined ? undefined : parseAmount(body.nsd_payment, "nsd_payment"),
      intent.payment,
    ],
    ["priority", body.priority, intent.priority],
    ["nonce", body.nonce, intent.nonce],
    ["deadline", body.deadline === undefined ? undefined : whole(body.deadline, UINT64, "deadline"), intent.deadline],
  ];
  for (const [field, here, signed] of said) {
    if (here !== undefined && here !== signed) {
      throw new ApiError(
        400,
        "field_mismatch",
        `"${field}" is not what the intent says. Leave it out, or sign an intent that agrees.`,
        {
          field,
          expected: String(signed),
        },
      );
    }
  }
  return {
    user: intent.user,
    model: intent.model,
    prompt: body.prompt,
    salt: (body.salt?.toLowerCase() as Hex | undefined) ?? zeroHash,
    maxTokens: intent.maxTokens,
    temperature: intent.temperature / 100,
    payment: intent.payment,
    priority: intent.priority,
    ...(body.thread_id === undefined ? {} : { threadId: body.thread_id }),
  };
}

export function intentOf(body: IntentBody): Intent {
  return {
    ...body,
    user: address(body.user),
    promptHash: body.promptHash.toLowerCase() as Hex,
    payment: whole(body.payment, UINT96, "intent.payment"),
    validator: address(body.validator),
    relayer: address(body.relayer),
    relayFee: whole(body.relayFee, UINT96, "intent.relayFee"),
    callback: address(body.callback),
    deadline: whole(body.deadline, UINT64, "intent.deadline"),
  };
}

export function deadlineOf(body: Pick<AskBody, "deadline">): bigint | undefined {
  return body.deadline === undefined ? undefined : whole(body.deadline, UINT64, "deadline");
}

export function whole(value: unknown, limit: bigint, field: string): bigint {
  const read = BigInt(value as string | number);
  if (read < limit) return read;
  throw new ApiError(400, "invalid_field", `"${field}" must be below 2^${limit === UINT64 ? 64 : 96}.`, { field });
}

export function hundredths(temperature: number): number {
  const scaled = Math.round(temperature * 100);
  if (Math.abs(scaled - temperature * 100) < 1e-9) return scaled;
  throw new ApiError(400, "invalid_field", '"temperature" must be a number from 0 to 2 in steps of 0.01.', {
    field: "temperature",
    expected: "a number from 0 to 2 in steps of 0.01",
  });
}

/** Checks against the catalogue and today's price what a signature would only confirm, and fills in what was left open. */
export async function priced(lane: Lane, draft: Draft, reads: Reads): Promise<AskFields> {
  if (draft.model !== undefined) await assertModel(lane, draft.model, reads, draft.maxTokens);
  const { cost, minimum, commitFrom } = await reads.quote(draft.model, draft.maxTokens, draft.priority);
  const payment = draft.payment ?? larger(cost, minimum);
  if (lane === "assigned" && payment >= commitFrom) throw commitRequired(payment, commitFrom, "nsd_payment");
  if (payment < minimum) {
    throw new ApiError(
      400,
      "payment_too_low",
      `The least that a request costs is ${decimal(minimum)} NSD, and ${decimal(payment)} were offered. Offer at least that.`,
      {
        field: "nsd_payment",
        ...amount("minimum", minimum),
        ...amount("cost", cost),
      },
    );
  }
  return { ...draft, payment };
}

/** Directly this keeper answers, with what it runs; the network answers with what anybody runs. */
export async function assertModel(lane: Lane, name: string, reads: Reads, maxTokens: number): Promise<void> {
  const models = (await reads.models()).filter(({ active, local }) => active && (lane === "assigned" || local));
  const model = models.find((candidate) => candidate.name === name);
  if (!model) {
    const accepted = models.map((known) => known.name);
    const message = `There is no model "${name}" here. Those there are: ${accepted.join(", ")}.`;
    throw new ApiError(400, "unknown_model", message, { field: "model", accepted });
  }
  if (maxTokens > model.maxTokens) {
    throw new ApiError(
      400,
      "tokens_out_of_range",
      `${name} answers with at most ${model.maxTokens} tokens. Ask for fewer.`,
      { field: "max_tokens", expected: `a whole number from 1 to ${model.maxTokens}` },
    );
  }
}

function larger(one: bigint, other: bigint): bigint {
  if (one > other) return one;
  return other;
}
