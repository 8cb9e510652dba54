/** Who may ask for what: every check that stands between a signed message and the journal. */
import { type Address, formatEther, zeroAddress } from "viem";
import { creditsAbi, nsdAbi, routerAbi } from "../chain/contracts.ts";
import { minimumPayment } from "../chain/fees.ts";
import { isSignedByUser, NO_SALT, promptHash } from "../chain/intents.ts";
import type { RequestRow } from "../database/requests.ts";
import * as requests from "../database/requests.ts";
import { type Context, chainNow } from "./context.ts";
import { ApiError } from "./errors.ts";
import { insufficient, onChainRateLimit, RATE_LIMIT } from "./refusals.ts";
import type { AskFields, Intent, Lane } from "./types.ts";

export const DEADLINE_SECONDS = 600;
const LATEST_DEADLINE_SECONDS = 900;
const RATE_WINDOW_MS = 60_000;
export const NONCES_AHEAD = 16;
const MAX_TEMPERATURE = 200;
/** Credits that leave sooner than an answer can be delivered are as good as gone. */
const WITHDRAWAL_HORIZON_SECONDS = 900;

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

export async function checkSignature(context: Context, intent: Intent, signature: `0x${string}`): Promise<void> {
  const { chain, deployment } = context;
  if (await isSignedByUser(chain.id, deployment.addresses.router, intent, signature)) return;
  throw new ApiError(
    401,
    "invalid_signature",
    `The signature is not ${intent.user}'s over this request. Sign the typed data as it was given.`,
  );
}

/** The model, the length and the price, against the terms of today. */
export async function checkTerms(context: Context, lane: Lane, intent: Intent): Promise<void> {
  await requireModel(context, lane, intent.model);
  const offer = await context.catalogue.offer(intent.model);
  if (intent.maxTokens < 1 || intent.maxTokens > offer.tokenLimit) {
    throw wrong("maxTokens", `max_tokens lies between 1 and ${offer.tokenLimit} for ${intent.model}.`, {
      limit: offer.tokenLimit,
    });
  }
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
}

export async function requireModel(context: Context, lane: Lane, name: string): Promise<void> {
  const models = await context.catalogue.models();
  const there = models
    .filter((model) => model.active && (lane === "assigned" || model.name === context.model))
    .map(({ name }) => name);
  if (there.includes(name)) return;
  throw new ApiError(400, "unknown_model", `There is no model ${name} here. Ask for one of: ${there.join(", ")}.`, {
    field: "model",
    models: there,
  });
}

export function checkDeadline(context: Context, intent: Intent): void {
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
}

/** The checks that compare with what else is under way for this user; the caller holds the user's lock. */
export async function checkAllowance(context: Context, lane: Lane, intent: Intent): Promise<void> {
  const { database } = context;
  const pending = await requests.pendingOfUser(database, intent.user);
  await checkRate(context, lane, intent.user);
  await checkNonce(context, intent, pending);
  if (lane === "direct") await checkCredits(context, intent, pending);
  else await checkFunds(context, intent);
}

async function checkRate(context: Context, lane: Lane, user: Address): Promise<void> {
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

/** Direct: nothing is locked before the delivery, so what is owed already counts. */
async function checkCredits(context: Context, intent: Intent, pending: readonly RequestRow[]): Promise<void> {
  const { chain, deployment, settings } = context;
  const [account, withdrawal] = await Promise.all([
    chain.client.readContract({
      address: deployment.addresses.router,
      abi: routerAbi,
      functionName: "accountOf",
      args: [intent.user],
    }),
    chain.client.readContract({
      address: deployment.addresses.credits,
      abi: creditsAbi,
      functionName: "withdrawalOf",
      args: [intent.user],
    }),
  ]);
  const owed = pending.filter((row) => row.lane === "direct").reduce((sum, row) => sum + row.payment, 0n);
  const leaving =
    withdrawal.readyAt !== 0 && withdrawal.readyAt < chainNow(context) + WITHDRAWAL_HORIZON_SECONDS
      ? withdrawal.amount
      : 0n;
  const free = account.credits - owed - leaving;
  if (free < intent.payment) throw insufficient(intent.payment, free < 0n ? 0n : free, "credits");
  if (owed + intent.payment > settings.maxExposure && owed > 0n) {
    throw new ApiError(
      429,
      "exposure",
      "Too much of what you asked for is not settled yet. Try again in a few seconds.",
      {},
      5,
    );
  }
}

/** Assigned: what the credits lack is burned from the wallet, within its allowance. */
async function checkFunds(context: Context, intent: Intent): Promise<void> {
  const { chain, deployment } = context;
  const { router, credits, nsd } = deployment.addresses;
  const [account, wallet, allowance] = await Promise.all([
    chain.client.readContract({ address: router, abi: routerAbi, functionName: "accountOf", args: [intent.user] }),
    chain.client.readContract({ address: nsd, abi: nsdAbi, functionName: "balanceOf", args: [intent.user] }),
    chain.client.readContract({ address: nsd, abi: nsdAbi, functionName: "allowance", args: [intent.user, credits] }),
  ]);
  const bounded = allowance < wallet;
  const available = account.credits + (bounded ? allowance : wallet);
  if (available < intent.payment) throw insufficient(intent.payment, available, "credits and allowance");
  if (account.nextSubmitIn > 0n) throw onChainRateLimit(Number(account.nextSubmitIn));
}
