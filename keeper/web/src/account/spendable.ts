import type { BalancesBody, Lane, NsdBody } from "../api/wire.ts";

/** What a request may spend now, as the keeper counts it: only a direct answer is charged after a withdrawal may have left. */
export function spendable({ nsd }: BalancesBody, lane: Lane | undefined): bigint {
  return lane === "assigned" ? unclaimed(nsd) : BigInt(nsd.usable_wei);
}

/** What a withdrawal keeps from a direct request. */
export function withheld({ nsd }: BalancesBody): bigint {
  return unclaimed(nsd) - BigInt(nsd.usable_wei);
}

function unclaimed({ credits_wei, owed_wei }: NsdBody): bigint {
  const [credits, owed] = [BigInt(credits_wei), BigInt(owed_wei)];
  return credits > owed ? credits - owed : 0n;
}
