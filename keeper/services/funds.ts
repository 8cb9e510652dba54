/** Whether a user can pay for one more request, beside what is under way already. */
import { type Address, formatEther } from "viem";
import { creditsAbi, nsdAbi, routerAbi } from "../chain/contracts.ts";
import { charge } from "../chain/fees.ts";
import * as requests from "../database/requests.ts";
import { type Context, chainNow } from "./context.ts";
import { ApiError } from "./errors.ts";
import { insufficient, onChainRateLimit } from "./refusals.ts";
import type { Intent } from "./types.ts";

/** Credits that leave sooner than an answer can be delivered are as good as gone. */
const WITHDRAWAL_HORIZON_SECONDS = 900;
/** How long an answer that was not paid for is remembered. */
const DEBT_MS = 24 * 60 * 60 * 1000;

interface Funds {
  readonly credits: bigint;
  /** What open direct requests may cost. */
  readonly owed: bigint;
  readonly withdrawal: { readonly amount: bigint; readonly readyAt: number };
}

/** Credits that nothing claims yet: less what open direct requests may cost, and what leaves before they could be charged. */
export function usableOf(context: Pick<Context, "head">, { credits, owed, withdrawal }: Funds): bigint {
  const { amount, readyAt } = withdrawal;
  const leaving = readyAt !== 0 && readyAt < chainNow(context) + WITHDRAWAL_HORIZON_SECONDS ? amount : 0n;
  const free = credits - owed - leaving;
  return free < 0n ? 0n : free;
}

export async function freeCredits(context: Context, user: Address, owed: bigint): Promise<bigint> {
  const { chain, deployment } = context;
  const { credits } = deployment.addresses;
  const [account, withdrawal] = await Promise.all([
    readAccount(context, user),
    chain.client.readContract({ address: credits, abi: creditsAbi, functionName: "withdrawalOf", args: [user] }),
  ]);
  return usableOf(context, { credits: account.credits, owed, withdrawal });
}

/** Direct: nothing is locked before the delivery, so what is owed already counts. */
export async function checkCredits(context: Context, intent: Intent): Promise<void> {
  const owed = await requests.owedOf(context.database, intent.user);
  const free = await freeCredits(context, intent.user, owed);
  if (free < intent.payment) throw insufficient(intent.payment, free, "credits");
  await checkExposure(context, intent, owed);
}

/** Assigned: what the credits lack is burned from the wallet, within its allowance. */
export async function checkFunds(context: Context, intent: Intent): Promise<void> {
  const { chain, database, deployment } = context;
  const { credits, nsd } = deployment.addresses;
  const owed = await requests.owedOf(database, intent.user);
  const [account, wallet, allowance] = await Promise.all([
    readAccount(context, intent.user),
    chain.client.readContract({ address: nsd, abi: nsdAbi, functionName: "balanceOf", args: [intent.user] }),
    chain.client.readContract({ address: nsd, abi: nsdAbi, functionName: "allowance", args: [intent.user, credits] }),
  ]);
  const free = account.credits > owed ? account.credits - owed : 0n;
  // The contract takes credits before it burns from the wallet: while they are owed, the wallet cannot stand in.
  const bounded = allowance < wallet;
  const reach = owed > 0n ? 0n : bounded ? allowance : wallet;
  if (free + reach < intent.payment) throw insufficient(intent.payment, free + reach, "credits and allowance");
  if (account.nextSubmitIn > 0n) throw onChainRateLimit(Number(account.nextSubmitIn));
}

const readAccount = ({ chain, deployment }: Context, user: Address) =>
  chain.client.readContract({
    address: deployment.addresses.router,
    abi: routerAbi,
    functionName: "accountOf",
    args: [user],
  });

function atMost(amount: bigint, limit: bigint): bigint {
  if (amount > limit) return limit;
  return amount;
}

/** The answer that a client asks for who says nothing of its length. */
const DEFAULT_TOKENS = 500n;

/**
 * What a user may owe at once. Who has paid nothing here yet gets one answer of the default length, with priority; after that as
 * much more as it has paid: so cheating wins at most what was paid before, and one answer. On a local chain money is for play.
 */
export async function exposureLimit(context: Context, user: Address, model: string): Promise<bigint> {
  const { catalogue, chain, database, settings } = context;
  const { maxExposure, newExposure } = settings;
  if (newExposure === undefined && chain.local) return maxExposure;
  const first = newExposure ?? charge(await catalogue.offer(model), DEFAULT_TOKENS, true);
  const limit = first + (await requests.paidOf(database, user));
  return atMost(limit, maxExposure);
}

/** What is pending clears within seconds; what was answered and could not be charged does not clear at all. */
async function checkExposure(context: Context, intent: Intent, owed: bigint): Promise<void> {
  const { database, settings } = context;
  const limit = await exposureLimit(context, intent.user, intent.model);
  const debt = await requests.unpaidOf(database, intent.user, Date.now() - DEBT_MS);
  const amounts = { unpaid_wei: debt.toString(), owed_wei: owed.toString(), limit_wei: limit.toString() };
  if (debt > 0n && debt + owed + intent.payment > limit) {
    throw new ApiError(
      402,
      "exposure_exceeded",
      `Answers worth up to ${formatEther(debt)} NSD could not be charged to you within the last 24 hours, and at most ${formatEther(limit)} NSD may be outstanding. Use the assigned lane or a session, or come back later.`,
      amounts,
    );
  }
  if (owed === 0n && limit < settings.maxExposure && intent.payment > limit) {
    throw new ApiError(
      402,
      "exposure_exceeded",
      `This keeper answers before it is paid, and so far trusts you with ${formatEther(limit)} NSD; that grows with what you pay. Offer at most that, use the assigned lane (POST /api/llm/generate), or open a session (POST /api/sessions).`,
      { field: "nsd_payment", ...amounts },
    );
  }
  if (owed > 0n && owed + intent.payment > limit) {
    throw new ApiError(
      429,
      "exposure",
      "Too much of what you asked for is not settled yet. Try again in a few seconds.",
      amounts,
      5,
    );
  }
}
