/** Who may ask for what: every check that stands between a signed message and the journal. */
import { type Address, formatEther, type Hex, zeroAddress } from "viem";
import { routerAbi } from "../chain/contracts.ts";
import { maxBillable, minimumPayment } from "../chain/fees.ts";
import { intentDigest, isSignedByUser, NO_SALT, promptHash } from "../chain/intents.ts";
import { judgeSignature } from "../chain/signatures.ts";
import { executionWindow } from "../chain/words.ts";
import type { RequestRow } from "../database/requests.ts";
import * as requests from "../database/requests.ts";
import { PromptTooLongError } from "../inference/errors.ts";
import { type Context, chainNow } from "./context.ts";
import { ApiError } from "./errors.ts";
import { checkCredits, checkFunds } from "./funds.ts";
import { commitRequired, noKeysSignature, RATE_LIMIT, walletNotDeployed } from "./refusals.ts";
import { isServedElsewhere, MOST_PUBLIC_BYTES } from "./submissions.ts";
import type { AskFields, Intent, Lane, RequestLane } from "./types.ts";
import { messagesOf } from "./worker.ts";

export const DEADLINE_SECONDS = 600;
const LATEST_DEADLINE_SECONDS = 900;
/** The most that a direct request needs, whatever its model's window: what is prepared can be signed for 150 seconds. */
const LEAST_DIRECT_SECONDS = DEADLINE_SECONDS - 150;
const RATE_WINDOW_MS = 60_000;
export const NONCES_AHEAD = 16;
const MAX_TEMPERATURE = 200;

const wrong = (field: string, message: string, details: Record<string, unknown> = {}): ApiError =>
  new ApiError(400, "invalid_intent", message, { field, ...details });

/** What can be said without asking anybody: the message is one that this keeper could carry out as it stands. */
export function checkFields(context: Context, lane: Lane, intent: Intent, ask: AskFields): void {
  const { operator } = context;
  const expected: [field: string, actual: unknown, wanted: unknown][] = [
    ["user", intent.user.toLowerCase(), ask.user.toLowerCase()],
    ["model", intent.model, ask.model ?? context.model],
    ["maxTokens", intent.maxTokens, ask.maxTokens],
    ["temperature", intent.temperature, Math.round(ask.temperature * 100)],
    ["payment", intent.payment, ask.payment],
    ["priority", intent.priority, ask.priority],
    ["private", intent.private, false],
    ["validator", intent.validator.toLowerCase(), (lane === "direct" ? operator : zeroAddress).toLowerCase()],
    ["relayer", intent.relayer.toLowerCase(), (lane === "direct" ? zeroAddress : operator).toLowerCase()],
    ["relayFee", intent.relayFee, 0n],
    ["callback", intent.callback.toLowerCase(), zeroAddress],
    ["callbackGas", intent.callbackGas, 0],
    ["promptHash", intent.promptHash.toLowerCase(), promptHash(ask.prompt, ask.salt ?? NO_SALT)],
  ];
  for (const [field, actual, wanted] of expected) {
    if (actual === wanted) continue;
    throw wrong(field, `The signed ${field} is ${String(actual)}; this request needs ${String(wanted)}.`, {
      expected: String(wanted),
    });
  }
  if (ask.prompt.trim() === "") throw wrong("prompt", "The prompt is empty.");
  if (!ask.prompt.isWellFormed()) throw wrong("prompt", "The prompt is not valid Unicode.");
  if (intent.temperature > MAX_TEMPERATURE || intent.temperature < 0)
    throw wrong("temperature", "The temperature lies between 0 and 2.");
  if (!Number.isInteger(intent.nonce) || intent.nonce < 0 || intent.nonce > 0xffff_ffff)
    throw wrong("nonce", "The nonce is a whole number of 32 bits.");
}

/** The signature as the contract takes it. Contracts' accounts sign in the lane that locks, where the router asks them. */
export async function checkSignature(context: Context, lane: Lane, intent: Intent, signature: Hex): Promise<Hex> {
  const { chain, deployment } = context;
  const { router } = deployment.addresses;
  if (await isSignedByUser(chain.id, router, intent, signature)) return signature;
  const verdict = await judgeSignature(chain.client, intent.user, intentDigest(chain.id, router, intent), signature);
  if (verdict.kind !== "none" && lane === "direct") throw noKeysSignature(intent.user);
  if (verdict.kind === "undeployed") throw walletNotDeployed(intent.user, verdict.deployment);
  if (verdict.kind !== "none") return verdict.signature;
  throw new ApiError(
    401,
    "invalid_signature",
    `The signature is not ${intent.user}'s over this request. Sign the typed data as it was given.`,
  );
}

/** The model, the length and the price, against the terms of today. */
export async function checkTerms(context: Context, lane: Lane, intent: Intent, prompt: string): Promise<void> {
  await requireModel(context, lane, intent.model);
  const offer = await context.catalogue.offer(intent.model);
  // Longer ones stay with this keeper: whoever else were assigned could only decline, and three of those cost half.
  if (
    lane === "assigned" &&
    isServedElsewhere(context, intent.model, offer) &&
    Buffer.byteLength(prompt) > MOST_PUBLIC_BYTES
  ) {
    throw wrong(
      "prompt",
      `The prompt has more than ${MOST_PUBLIC_BYTES} bytes, too many to hand to whichever validator is assigned. Shorten it, or ask directly.`,
      { limit: MOST_PUBLIC_BYTES },
    );
  }
  if (intent.maxTokens < 1 || intent.maxTokens > offer.tokenLimit) {
    throw wrong("maxTokens", `max_tokens lies between 1 and ${offer.tokenLimit} for ${intent.model}.`, {
      limit: offer.tokenLimit,
    });
  }
  if (lane === "assigned" && intent.payment >= offer.commitFrom) throw commitRequired(intent.payment, offer.commitFrom);
  const minimum = minimumPayment(offer, intent.priority);
  if (intent.payment < minimum) {
    throw new ApiError(
      400,
      "payment_too_low",
      `The least that ${intent.model} can be asked for is ${formatEther(minimum)} NSD.`,
      {
        field: "payment",
        required_wei: minimum.toString(),
      },
    );
  }
  if (intent.model !== context.model) return;
  await checkLength(context, lane, prompt, maxBillable(offer, intent.payment, intent.priority, intent.maxTokens));
}

/** Only the model's own tokenizer can tell how long a prompt is. */
export async function checkLength(
  { engine }: Context,
  lane: RequestLane,
  prompt: string,
  maxTokens: number,
): Promise<void> {
  try {
    await engine.checkLength({ messages: messagesOf(prompt), maxTokens });
  } catch (error) {
    if (!(error instanceof PromptTooLongError)) throw error;
    throw new ApiError(400, error.code, error.message, {
      field: lane === "assigned" ? "prompt" : "message",
      expected: `a prompt of at most ${error.allowedTokens} tokens`,
      prompt_tokens: error.promptTokens,
    });
  }
}

/** Direct: what runs here. Assigned: what anybody serves, since the contract would only queue it otherwise. */
export async function requireModel(context: Context, lane: Lane, name: string): Promise<void> {
  const { catalogue } = context;
  const there = (await catalogue.models())
    .filter((model) => model.active && (lane === "assigned" || model.name === context.model))
    .map(({ name }) => name);
  if (!there.includes(name)) {
    throw new ApiError(400, "unknown_model", `There is no model ${name} here. Ask for one of: ${there.join(", ")}.`, {
      field: "model",
      models: there,
    });
  }
  if (lane === "direct" || (await catalogue.offer(name)).servers > 0) return;
  const offers = await Promise.all(there.map((model) => catalogue.offer(model)));
  const served = there.filter((_, index) => (offers[index]?.servers ?? 0) > 0);
  const hint = served.length > 0 ? `Ask for one of: ${served.join(", ")}.` : "Nor any other at the moment.";
  throw new ApiError(400, "model_not_served", `No validator serves ${name} at the moment. ${hint}`, {
    field: "model",
    models: served,
  });
}

export async function checkDeadline(context: Context, lane: Lane, intent: Intent): Promise<void> {
  const now = chainNow(context);
  const deadline = Number(intent.deadline);
  if (deadline <= now)
    throw new ApiError(400, "expired", "The deadline of the signed request is over. Ask and sign again.", {
      field: "deadline",
    });
  if (deadline > now + LATEST_DEADLINE_SECONDS) {
    throw wrong("deadline", `The deadline is at most ${LATEST_DEADLINE_SECONDS} seconds off.`, {
      latest: now + LATEST_DEADLINE_SECONDS,
    });
  }
  if (lane === "assigned") return;
  // Its answer is told before it is paid: who leaves too little time for both would have it for nothing.
  const window = executionWindow(await context.catalogue.offer(intent.model), intent.maxTokens);
  const earliest = now + Math.min(window, LEAST_DIRECT_SECONDS);
  if (deadline < earliest) {
    throw wrong(
      "deadline",
      `A direct request of ${intent.maxTokens} tokens needs ${earliest - now} seconds at least.`,
      {
        earliest,
      },
    );
  }
}

/** The checks that compare with what else is under way for this user; the caller holds the user's lock. */
export async function checkAllowance(context: Context, lane: Lane, intent: Intent): Promise<void> {
  const { database } = context;
  const pending = await requests.pendingOfUser(database, intent.user);
  await checkRate(context, lane, intent.user);
  await checkNonce(context, intent, pending);
  if (lane === "direct") await checkCredits(context, intent);
  else await checkFunds(context, intent);
}

export async function checkRate(context: Context, lane: RequestLane, user: Address): Promise<void> {
  const now = Date.now();
  const times = await requests.acceptedAt(context.database, user, lane, now - RATE_WINDOW_MS);
  const tenth = times[RATE_LIMIT - 1];
  if (tenth === undefined) return;
  const wait = Math.max(1, Math.ceil((tenth + RATE_WINDOW_MS - now) / 1000));
  throw new ApiError(
    429,
    "rate_limited",
    `At most ${RATE_LIMIT} requests in any 60 seconds. Try again in ${wait} s.`,
    {},
    wait,
  );
}

async function checkNonce(context: Context, intent: Intent, pending: readonly RequestRow[]): Promise<void> {
  const { chain, deployment } = context;
  const address = deployment.addresses.router;
  if (pending.some((row) => row.nonce === intent.nonce && row.origin === "door")) {
    throw new ApiError(409, "nonce_pending", "Another request with this nonce is under way. Ask and sign again.", {
      field: "nonce",
    });
  }
  const [account, used] = await Promise.all([
    chain.client.readContract({ address, abi: routerAbi, functionName: "accountOf", args: [intent.user] }),
    chain.client.readContract({
      address,
      abi: routerAbi,
      functionName: "isNonceUsed",
      args: [intent.user, BigInt(intent.nonce)],
    }),
  ]);
  if (used || intent.nonce > Number(account.nonce) + NONCES_AHEAD) {
    throw new ApiError(
      409,
      "nonce_used",
      "The nonce of the signed request was used already, or is too far ahead. Ask and sign again.",
      {
        field: "nonce",
        lowest: Number(account.nonce),
      },
    );
  }
}
