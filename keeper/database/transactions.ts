/** The journal of transactions: each is written down, signed, before it is sent. */
import { type Address, getAddress, type Hash, type Hex } from "viem";
import type { Sql } from "./database.ts";

/** One signed version of a transaction; a later one replaces it with a higher fee under the same nonce. */
export interface SignedAttempt {
  readonly hash: Hash;
  readonly raw: Hex;
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/** written: signed and kept. sent: an endpoint took it. mined: in a block. lost: its nonce went to another one. */
export type TransactionState = "written" | "sent" | "mined" | "lost";

export interface TransactionRow {
  readonly id: number;
  readonly purpose: string;
  readonly state: TransactionState;
  readonly nonce: number;
  readonly to: Address;
  readonly data: Hex;
  readonly gas: bigint;
  readonly attempts: readonly SignedAttempt[];
  readonly createdAt: number;
  readonly sentAt: number | null;
  readonly minedHash: Hash | null;
  readonly minedBlock: bigint | null;
  readonly minedStatus: "success" | "reverted" | null;
}

interface RawTransaction {
  readonly id: number | string;
  readonly purpose: string;
  readonly state: TransactionState;
  readonly nonce: number | string;
  readonly recipient: string;
  readonly data: Hex;
  readonly gas: string;
  readonly attempts: readonly { hash: Hash; raw: Hex; maxFeePerGas: string; maxPriorityFeePerGas: string }[];
  readonly created_at: number | string;
  readonly sent_at: number | string | null;
  readonly mined_hash: Hash | null;
  readonly mined_block: number | string | null;
  readonly mined_status: "success" | "reverted" | null;
}

const toRow = (raw: RawTransaction): TransactionRow => ({
  id: Number(raw.id),
  purpose: raw.purpose,
  state: raw.state,
  nonce: Number(raw.nonce),
  to: getAddress(raw.recipient),
  data: raw.data,
  gas: BigInt(raw.gas),
  attempts: raw.attempts.map((attempt) => ({
    ...attempt,
    maxFeePerGas: BigInt(attempt.maxFeePerGas),
    maxPriorityFeePerGas: BigInt(attempt.maxPriorityFeePerGas),
  })),
  createdAt: Number(raw.created_at),
  sentAt: raw.sent_at === null ? null : Number(raw.sent_at),
  minedHash: raw.mined_hash,
  minedBlock: raw.mined_block === null ? null : BigInt(raw.mined_block),
  minedStatus: raw.mined_status,
});

const attemptsJson = (attempts: readonly SignedAttempt[]): string =>
  JSON.stringify(attempts, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value));

const OPEN = "state in ('written', 'sent')";

export async function insertTransaction(
  sql: Sql,
  operator: Address,
  row: Pick<TransactionRow, "purpose" | "nonce" | "to" | "data" | "gas" | "attempts" | "createdAt">,
): Promise<number> {
  const [inserted] = await sql.query<{ id: number | string }>(
    `insert into transactions (operator, purpose, state, nonce, recipient, data, gas, attempts, created_at)
     values ($1, $2, 'written', $3, $4, $5, $6, $7, $8) returning id`,
    [operator, row.purpose, row.nonce, row.to, row.data, row.gas.toString(), attemptsJson(row.attempts), row.createdAt],
  );
  if (inserted === undefined) throw new Error("the database returned no id for a transaction");
  return Number(inserted.id);
}

async function select(sql: Sql, tail: string, parameters: readonly (string | number)[]): Promise<TransactionRow[]> {
  return (await sql.query<RawTransaction>(`select * from transactions where ${tail}`, parameters)).map(toRow);
}

export const getTransaction = async (sql: Sql, id: number): Promise<TransactionRow | undefined> =>
  (await select(sql, "id = $1", [id]))[0];

export const openTransactions = (sql: Sql, operator: Address): Promise<TransactionRow[]> =>
  select(sql, `operator = $1 and ${OPEN} order by nonce`, [operator]);

export const openForPurpose = async (
  sql: Sql,
  operator: Address,
  purpose: string,
): Promise<TransactionRow | undefined> =>
  (await select(sql, `operator = $1 and purpose = $2 and ${OPEN}`, [operator, purpose]))[0];

/** Whatever became of it. */
export const lastForPurpose = async (
  sql: Sql,
  operator: Address,
  purpose: string,
): Promise<TransactionRow | undefined> =>
  (await select(sql, "operator = $1 and purpose = $2 order by id desc limit 1", [operator, purpose]))[0];

/** The transaction that this hash is a version of. */
export const findByHash = async (sql: Sql, hash: Hash): Promise<TransactionRow | undefined> =>
  (await select(sql, "attempts @> $1::jsonb", [JSON.stringify([{ hash }])]))[0];

export const minedSince = (sql: Sql, operator: Address, block: bigint): Promise<TransactionRow[]> =>
  select(sql, "operator = $1 and state = 'mined' and mined_block >= $2 order by nonce", [operator, block.toString()]);

export async function markSent(sql: Sql, id: number, at: number): Promise<void> {
  await sql.query("update transactions set state = 'sent', sent_at = $2 where id = $1 and state = 'written'", [id, at]);
}

export async function addAttempt(sql: Sql, id: number, attempts: readonly SignedAttempt[], at: number): Promise<void> {
  await sql.query("update transactions set attempts = $2, sent_at = $3 where id = $1", [
    id,
    attemptsJson(attempts),
    at,
  ]);
}

export async function markMined(
  sql: Sql,
  id: number,
  mined: { hash: Hash; block: bigint; status: "success" | "reverted" },
): Promise<void> {
  await sql.query(
    "update transactions set state = 'mined', mined_hash = $2, mined_block = $3, mined_status = $4 where id = $1",
    [id, mined.hash, mined.block.toString(), mined.status],
  );
}

export async function markLost(sql: Sql, id: number): Promise<void> {
  await sql.query("update transactions set state = 'lost' where id = $1", [id]);
}

/** A reorganisation took it out of its block again. */
export async function markUnmined(sql: Sql, id: number): Promise<void> {
  await sql.query(
    `update transactions set state = 'sent', mined_hash = null, mined_block = null, mined_status = null
     where id = $1 and state = 'mined'`,
    [id],
  );
}
