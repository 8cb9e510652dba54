/**
 * Every unit that the protocol holds for an address: where, from when it can be had, and by which call. All of it is
 * read at one block, so that it adds up; the journal only knows where to look.
 */
import type { Address } from "viem";
import { creditsAbi, feesAbi, rewardTokenAbi, routerAbi, validatorsAbi } from "../chain/contracts.ts";
import { executionWindow, type Offer } from "../chain/words.ts";
import { type PositionRow, positionsOf } from "../database/positions.ts";
import type { Context } from "./context.ts";
import { CANCEL_WINDOW, CHAIN_STATUSES } from "./decide.ts";
import type { Located, Position } from "./types.ts";

/** `Parameter` of contracts/interfaces/IFeeController.sol. */
const CHALLENGE_WINDOW = 6;
const WITHDRAW_DELAY = 7;
const MOST_ATTEMPTS = 3;
const LONGEST_BACKOFF = 2;
const BLOCKS_TO_REVEAL = 256n;
const REWARD_PER_CHAT = 10n ** 18n;

/** A block, and everything that is read at it. */
interface Moment {
  readonly context: Context;
  readonly user: Address;
  readonly block: bigint;
  /** Unix seconds. */
  readonly now: number;
}

const dateOf = (seconds: bigint | number): Date => new Date(Number(seconds) * 1000);

export async function locate(context: Context, user: Address): Promise<Located> {
  // What the newest block changed has to be known before it is looked up there.
  await context.catchUp();
  const { number: block, timestamp } = await context.chain.client.getBlock();
  const moment: Moment = { context, user, block, now: Number(timestamp) };
  const found = await Promise.all([
    readWallet(moment),
    readCredits(moment),
    readOpen(moment),
    readStake(moment),
    readAccrued(moment),
  ]);
  const positions = found.flat().filter(({ amount }) => amount > 0n);
  return { address: user, block, at: dateOf(timestamp), positions };
}

async function readWallet({ context, user, block, now }: Moment): Promise<Position[]> {
  const { chain, deployment } = context;
  const tokens = [
    ["NSD", "nsd"],
    ["NST", "nst"],
    ["LCAI", "lcai"],
    ["CHOIR", "choir"],
  ] as const;
  const amounts = await Promise.all(
    tokens.map(([, contract]) =>
      chain.client.readContract({
        address: deployment.addresses[contract],
        abi: rewardTokenAbi,
        functionName: "balanceOf",
        args: [user],
        blockNumber: block,
      }),
    ),
  );
  return tokens.map(([token, contract], index) => ({
    token,
    kind: "wallet",
    amount: amounts[index] ?? 0n,
    contract,
    availableAt: dateOf(now),
    call: "transfer(address,uint256)",
    by: "owner",
    note: "In the wallet.",
  }));
}

/** Announced withdrawals stay usable credits until they are executed: what is announced is a part of them. */
async function readCredits({ context, user, block, now }: Moment): Promise<Position[]> {
  const { client } = context.chain;
  const { router, credits, fees } = context.deployment.addresses;
  const at = { blockNumber: block } as const;
  const [account, withdrawal, delay] = await Promise.all([
    client.readContract({ ...at, address: router, abi: routerAbi, functionName: "accountOf", args: [user] }),
    client.readContract({ ...at, address: credits, abi: creditsAbi, functionName: "withdrawalOf", args: [user] }),
    client.readContract({ ...at, address: fees, abi: feesAbi, functionName: "get", args: [WITHDRAW_DELAY] }),
  ]);
  const announced = withdrawal.readyAt === 0 ? 0n : withdrawal.amount;
  const leaving = announced < account.credits ? announced : account.credits;
  const common = { token: "NSD", contract: "credits", by: "owner" } as const;
  return [
    {
      ...common,
      kind: "credits",
      amount: account.credits - leaving,
      availableAt: dateOf(now + Number(delay)),
      call: "requestWithdrawal(uint256)",
      note: "Free to use at once; back in the wallet by withdraw() once an announced withdrawal has waited.",
    },
    {
      ...common,
      kind: "withdrawing",
      amount: leaving,
      availableAt: dateOf(withdrawal.readyAt),
      call: "withdraw()",
      note: "Announced; still usable, and less where it is used before.",
    },
  ];
}

async function readOpen(moment: Moment): Promise<Position[]> {
  const rows = await positionsOf(moment.context.database, moment.user);
  const found = await Promise.all(
    rows.map((row) => {
      if (row.kind === "request") return readRequest(moment, row);
      return row.kind === "session" ? readSession(moment, row) : readBond(moment, row);
    }),
  );
  return found.filter((position) => position !== undefined);
}

async function readRequest({ context, block }: Moment, row: PositionRow): Promise<Position | undefined> {
  const { chain, catalogue, deployment } = context;
  const view = await chain.client.readContract({
    address: deployment.addresses.router,
    abi: routerAbi,
    functionName: "requestOf",
    args: [row.id],
    blockNumber: block,
  });
  const status = CHAIN_STATUSES[view.status] ?? "none";
  if (status !== "queued" && status !== "assigned") return undefined;
  const model = await catalogue.byIndex(row.detail.model ?? 0);
  const offer = await catalogue.offer(model?.name ?? context.model);
  const end = latestEnd(view, status, offer, row.detail.maxTokens ?? 0);
  return {
    token: "NSD",
    kind: "request",
    amount: row.amount,
    contract: "router",
    availableAt: dateOf(end),
    call: "expire(Ticket)",
    by: "anyone",
    id: row.id,
    note: view.cancelling
      ? "Locked by a request that was cancelled: its validator may still post what it has."
      : `Locked by a ${status === "queued" ? "queued" : "running"} request: what it does not cost comes back when it ends, at that time at the latest, where somebody says so. cancel(Ticket) ends it sooner.`,
  };
}

/** With every attempt that is left, each of them queued and worked on for as long as can be. */
export function latestEnd(
  view: { readonly since: bigint; readonly attempts: bigint; readonly cancelling: boolean },
  status: "queued" | "assigned",
  offer: Pick<Offer, "queueWindow" | "window" | "pace">,
  maxTokens: number,
): number {
  const since = Number(view.since);
  if (view.cancelling) return since + CANCEL_WINDOW;
  const work = executionWindow(offer, maxTokens);
  const left = Math.max(0, MOST_ATTEMPTS - Number(view.attempts));
  const later = left * (offer.queueWindow + LONGEST_BACKOFF + work);
  return status === "assigned" ? since + work + later : since + Math.max(later, offer.queueWindow);
}

async function readSession({ context, block }: Moment, row: PositionRow): Promise<Position | undefined> {
  const view = await context.chain.client.readContract({
    address: context.deployment.addresses.router,
    abi: routerAbi,
    functionName: "sessionOf",
    args: [row.id],
    blockNumber: block,
  });
  if (!view.open) return undefined;
  return {
    token: "NSD",
    kind: "session",
    amount: view.cap - view.settled,
    contract: "router",
    availableAt: dateOf(view.endsAt),
    call: "closeSession(Session)",
    by: "anyone",
    id: row.id,
    note: "Locked by an open session, less what receipts settle until then. endSession(Session) ends it sooner.",
  };
}

async function readBond({ context, user, block, now }: Moment, row: PositionRow): Promise<Position | undefined> {
  const [bond, atBlock] = await context.chain.client.readContract({
    address: context.deployment.addresses.router,
    abi: routerAbi,
    functionName: "commitmentOf",
    args: [user, row.id],
    blockNumber: block,
  });
  if (bond === 0n) return undefined;
  const revealable = block <= atBlock + BLOCKS_TO_REVEAL;
  return {
    token: "NSD",
    kind: "bond",
    amount: bond,
    contract: "router",
    ...(revealable ? { availableAt: dateOf(now), call: "reveal(Intent,bytes,bytes,bytes32)" } : {}),
    by: "owner",
    id: row.id,
    note: revealable
      ? `The bond of a commitment: back in credits when it is revealed, up to block ${atBlock + BLOCKS_TO_REVEAL}.`
      : "The bond of a commitment that was not revealed in time: it is lost.",
  };
}

async function readStake({ context, user, block, now }: Moment): Promise<Position[]> {
  const { client } = context.chain;
  const { router, credits, fees, validators } = context.deployment.addresses;
  const at = { blockNumber: block } as const;
  const registry = { ...at, address: validators, abi: validatorsAbi } as const;
  const [stake, id] = await Promise.all([
    client.readContract({ ...registry, functionName: "stakeOf", args: [user] }),
    client.readContract({ ...registry, functionName: "idOf", args: [user] }),
  ]);
  if (id === 0n) return [];
  const [seat, claim, window] = await Promise.all([
    client.readContract({ ...at, address: router, abi: routerAbi, functionName: "validatorOf", args: [id] }),
    client.readContract({ ...at, address: credits, abi: creditsAbi, functionName: "claimOf", args: [id] }),
    client.readContract({ ...at, address: fees, abi: feesAbi, functionName: "get", args: [CHALLENGE_WINDOW] }),
  ]);
  const waits = claim.readyAt > now ? claim.readyAt : now;
  const legs = { token: "NSD", contract: "credits", by: "anyone" } as const;
  return [
    { token: "NST", kind: "stake", amount: stake, contract: "validators", by: "owner", note: STAKED },
    {
      ...legs,
      kind: "till",
      amount: seat.validatorLeg,
      availableAt: dateOf((claim.readyAt === 0 ? now : waits) + Number(window)),
      call: "startClaim(uint256)",
      note: "Earned as a validator; claim(uint256) mints it once the time for challenges is over.",
    },
    {
      ...legs,
      kind: "claim",
      amount: claim.validatorLeg,
      availableAt: dateOf(claim.readyAt),
      call: "claim(uint256)",
      note: "Earned as a validator, and claimed: minted by that call.",
    },
  ];
}

const STAKED = "Staked as a validator. This version of the registry knows no way out yet.";

async function readAccrued({ context, user, block, now }: Moment): Promise<Position[]> {
  const { accruedChats } = await context.chain.client.readContract({
    address: context.deployment.addresses.router,
    abi: routerAbi,
    functionName: "accountOf",
    args: [user],
    blockNumber: block,
  });
  return [
    {
      token: "LCAI",
      kind: "accrued",
      amount: accruedChats * REWARD_PER_CHAT,
      contract: "reward",
      availableAt: dateOf(now),
      call: "claim(address)",
      by: "anyone",
      note: "Earned by chats of the assigned lane; minted as far as the caps of the day allow.",
    },
  ];
}
