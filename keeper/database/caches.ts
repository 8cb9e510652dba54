/** What the chain says of rewards and standings, kept for quick answers; all of it can be read from the chain again. */
import { type Address, getAddress, type Hash, type Hex } from "viem";
import type { Sql } from "./database.ts";

export interface RewardRow {
  readonly transaction: Hash;
  readonly logIndex: number;
  readonly block: bigint;
  readonly token: "LCAI" | "CHOIR";
  readonly user: Address;
  readonly amount: bigint;
  readonly requestId: Hex | null;
  /** Unix milliseconds. */
  readonly at: number;
}

/** False where it was there already. */
export async function insertReward(sql: Sql, reward: RewardRow): Promise<boolean> {
  const inserted = await sql.query(
    `insert into rewards (transaction_hash, log_index, block, token, user_address, amount, request_id, at)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning log_index`,
    [
      reward.transaction,
      reward.logIndex,
      reward.block.toString(),
      reward.token,
      reward.user.toLowerCase(),
      reward.amount.toString(),
      reward.requestId,
      reward.at,
    ],
  );
  return inserted.length === 1;
}

interface RawReward {
  readonly transaction_hash: Hash;
  readonly log_index: number;
  readonly block: number | string;
  readonly token: "LCAI" | "CHOIR";
  readonly user_address: string;
  readonly amount: string;
  readonly request_id: Hex | null;
  readonly at: number | string;
}

export async function rewardsOf(sql: Sql, user: Address, limit: number, before: number): Promise<RewardRow[]> {
  const rows = await sql.query<RawReward>(
    "select * from rewards where user_address = $1 and at < $2 order by at desc, log_index desc limit $3",
    [user.toLowerCase(), before, limit],
  );
  return rows.map((row) => ({
    transaction: row.transaction_hash,
    logIndex: row.log_index,
    block: BigInt(row.block),
    token: row.token,
    user: getAddress(row.user_address),
    amount: BigInt(row.amount),
    requestId: row.request_id,
    at: Number(row.at),
  }));
}

/** A user's total as of a place on the chain; the place moves only with the total, since it breaks ties. */
export async function putStanding(
  sql: Sql,
  user: Address,
  total: bigint,
  block: bigint,
  logIndex: number,
): Promise<void> {
  await sql.query(
    `insert into standings (user_address, total, block, log_index) values ($1, $2, $3, $4)
     on conflict (user_address) do update set total = excluded.total, block = excluded.block, log_index = excluded.log_index
     where standings.total <> excluded.total`,
    [user.toLowerCase(), total.toString(), block.toString(), logIndex],
  );
}

/** 1 for who earned most, and among equals for who had it first; undefined for who earned nothing. */
export async function rankOf(sql: Sql, user: Address): Promise<number | undefined> {
  const [row] = await sql.query<{ rank: number }>(
    `select (select count(*) from standings other where other.total > mine.total or (other.total = mine.total
             and (other.block, other.log_index) < (mine.block, mine.log_index)))::int + 1 as rank
     from standings mine where user_address = $1 and total > 0`,
    [user.toLowerCase()],
  );
  return row?.rank;
}

export async function dropCachesFrom(sql: Sql, block: bigint): Promise<Address[]> {
  await sql.query("delete from rewards where block >= $1", [block.toString()]);
  const rows = await sql.query<{ user_address: string }>(
    "delete from standings where block >= $1 returning user_address",
    [block.toString()],
  );
  return rows.map((row) => getAddress(row.user_address));
}
