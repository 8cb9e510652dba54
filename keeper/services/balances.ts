import type { Address } from "viem";
import { creditsAbi, nsdAbi, rewardTokenAbi, routerAbi, validatorsAbi } from "../chain/contracts.ts";
import { lockedOf, owedOf } from "../database/requests.ts";
import type { Context } from "./context.ts";
import { usableOf } from "./funds.ts";
import type { Balances } from "./types.ts";

const dateOf = (seconds: bigint | number): Date => new Date(Number(seconds) * 1000);

/** Every unit of every token that an address has, and where. */
export async function readBalances(context: Context, user: Address): Promise<Balances> {
  const { chain, deployment } = context;
  const { router, credits, nsd, nst, lcai, choir, validators } = deployment.addresses;
  // Before the credits: what is charged in between counts as owed still, and not as usable.
  const owed = await owedOf(context.database, user);
  const [account, withdrawal, wallet, allowance, nstWallet, staked, lcaiWallet, choirWallet, native, id, locked] =
    await Promise.all([
      chain.client.readContract({ address: router, abi: routerAbi, functionName: "accountOf", args: [user] }),
      chain.client.readContract({ address: credits, abi: creditsAbi, functionName: "withdrawalOf", args: [user] }),
      balanceOf(context, nsd, user),
      chain.client.readContract({ address: nsd, abi: nsdAbi, functionName: "allowance", args: [user, credits] }),
      balanceOf(context, nst, user),
      chain.client.readContract({ address: validators, abi: validatorsAbi, functionName: "stakeOf", args: [user] }),
      balanceOf(context, lcai, user),
      balanceOf(context, choir, user),
      chain.client.getBalance({ address: user }),
      chain.client.readContract({ address: validators, abi: validatorsAbi, functionName: "idOf", args: [user] }),
      lockedOf(context.database, user),
    ]);
  const pending = withdrawal.readyAt !== 0;
  return {
    address: user,
    nsd: {
      wallet,
      credits: account.credits,
      owed,
      usable: usableOf(context, { credits: account.credits, owed, withdrawal }),
      locked,
      withdrawing: pending ? withdrawal.amount : 0n,
      ...(pending ? { withdrawableAt: dateOf(withdrawal.readyAt) } : {}),
      allowance,
    },
    nst: { wallet: nstWallet, staked },
    lcai: { wallet: lcaiWallet, accrued: account.accruedChats * 10n ** 18n },
    choir: { wallet: choirWallet },
    native,
    ...(id === 0n ? {} : { earnings: await earningsOf(context, id) }),
  };
}

export function balanceOf({ chain }: Context, token: Address, user: Address): Promise<bigint> {
  return chain.client.readContract({
    address: token,
    abi: rewardTokenAbi,
    functionName: "balanceOf",
    args: [user],
  });
}

async function earningsOf({ chain, deployment }: Context, id: bigint): Promise<NonNullable<Balances["earnings"]>> {
  const [seat, claim] = await Promise.all([
    chain.client.readContract({
      address: deployment.addresses.router,
      abi: routerAbi,
      functionName: "validatorOf",
      args: [id],
    }),
    chain.client.readContract({
      address: deployment.addresses.credits,
      abi: creditsAbi,
      functionName: "claimOf",
      args: [id],
    }),
  ]);
  return {
    till: seat.validatorLeg,
    claiming: claim.validatorLeg,
    ...(claim.readyAt === 0 ? {} : { claimableAt: dateOf(claim.readyAt) }),
  };
}
