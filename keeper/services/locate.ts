/**
 * Every unit that the protocol holds for an address: where, from when it can be had, and by which call. All of it is
 * read at one block, so that it adds up; the journal only knows where to look.
 */
import type { Address } from "viem";
import { creditsAbi, feesAbi, rewardTokenAbi, routerAbi, validatorsAbi } from "../chain/contracts.ts";
import type { Context } from "./context.ts";
import { dateOf, type Moment, readOpen } from "./locate-open.ts";
import type { Located, Position } from "./types.ts";

/** `Parameter` of contracts/interfaces/IFeeController.sol. */
const CHALLENGE_WINDOW = 6;
const WITHDRAW_DELAY = 7;
const REWARD_PER_CHAT = 10n ** 18n;

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
      note: "Announced; it still pays for assigned requests, and for direct ones until 15 minutes before; less where it is used.",
    },
  ];
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
