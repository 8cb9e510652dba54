/** What the router holds for whom beside plain credits: found in its logs, and read from it anew whenever it is told. */
import type { Address, Hex } from "viem";
import type { Sql } from "./database.ts";

export type PositionKind = "request" | "session" | "bond";

export interface PositionRow {
  readonly kind: PositionKind;
  /** The request's id, the session's, or the commitment. */
  readonly id: Hex;
  readonly user: Address;
  readonly amount: bigint;
  /** Of a request: the model's index in the catalogue, and its length. */
  readonly detail: { readonly model?: number; readonly maxTokens?: number };
  readonly block: bigint;
}

export async function openPosition(sql: Sql, row: PositionRow): Promise<void> {
  await sql.query(
    `insert into positions (kind, id, user_address, amount, detail, block) values ($1, $2, $3, $4, $5, $6)
     on conflict (kind, id, user_address)
     do update set amount = excluded.amount, detail = excluded.detail, block = excluded.block, ended_block = null`,
    [row.kind, row.id, row.user.toLowerCase(), row.amount.toString(), JSON.stringify(row.detail), row.block.toString()],
  );
}

export async function endPosition(sql: Sql, kind: PositionKind, id: Hex, block: bigint): Promise<void> {
  await sql.query("update positions set ended_block = $3 where kind = $1 and id = $2 and block <= $3", [
    kind,
    id,
    block.toString(),
  ]);
}

/** What blocks from `block` on brought is gone, and what they ended is open. */
export async function dropPositionsFrom(sql: Sql, block: bigint): Promise<void> {
  await sql.query("delete from positions where block >= $1", [block.toString()]);
  await sql.query("update positions set ended_block = null where ended_block >= $1", [block.toString()]);
}

interface RawPosition {
  readonly kind: PositionKind;
  readonly id: Hex;
  readonly amount: string;
  readonly detail: PositionRow["detail"];
  readonly block: number | string;
}

/** Oldest first. */
export async function positionsOf(sql: Sql, user: Address, limit = 1_000): Promise<PositionRow[]> {
  const rows = await sql.query<RawPosition>(
    `select kind, id, amount::text as amount, detail, block from positions
     where user_address = $1 and ended_block is null order by block, id limit $2`,
    [user.toLowerCase(), limit],
  );
  return rows.map((row) => ({ ...row, user, amount: BigInt(row.amount), block: BigInt(row.block) }));
}
