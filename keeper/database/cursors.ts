import type { Hash } from "viem";
import type { Sql } from "./database.ts";

/** How far the chain was read, with the hashes of the last blocks that were looked at, oldest first. */
export interface Cursor {
  readonly block: bigint;
  readonly hashes: readonly (readonly [block: string, hash: Hash])[];
}

export async function readCursor(sql: Sql, name: string): Promise<Cursor | undefined> {
  const [row] = await sql.query<{ block: number | string; hashes: Cursor["hashes"] }>(
    "select block, hashes from cursors where name = $1",
    [name],
  );
  return row && { block: BigInt(row.block), hashes: row.hashes };
}

export async function writeCursor(sql: Sql, name: string, cursor: Cursor): Promise<void> {
  await sql.query(
    `insert into cursors (name, block, hashes) values ($1, $2, $3)
     on conflict (name) do update set block = excluded.block, hashes = excluded.hashes`,
    [name, cursor.block.toString(), JSON.stringify(cursor.hashes)],
  );
}
