/** The journal of sessions: what a user locked for this keeper, what was answered for it, and the receipts that say so. */
import { type Address, getAddress, type Hash, type Hex } from "viem";
import type { Receipt, Session } from "../chain/sessions.ts";
import type { Parameter, Sql } from "./database.ts";

/**
 * opening: its opening is on its way to the chain. open: it takes prompts. closing: it takes none, and is settled and closed.
 * closed: the chain holds nothing for it any more.
 */
export type SessionStage = "opening" | "open" | "closing" | "closed";

export interface SignedReceipt extends Receipt {
  readonly signature: Hex;
}

export interface SessionRow extends Session {
  readonly id: Hex;
  /** The validator's key, as `Session.validator`. */
  readonly operator: Address;
  readonly stage: SessionStage;
  /** SHA-256 of the API key, where the keeper holds the session's key. */
  readonly tokenHash: string | null;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** Unix seconds from which anybody may close it, as the chain said last. */
  readonly endsAt: number;
  /** What was answered and paid, NSD wei, and how many prompts that were. */
  readonly spent: bigint;
  readonly prompts: number;
  readonly receipts: readonly SignedReceipt[];
  /** What the chain has settled of it. */
  readonly settled: bigint;
  readonly settledPrompts: number;
  /** Unix milliseconds since when something is answered and not settled. */
  readonly unsettledSince: number | null;
  readonly transactionId: number | null;
  readonly settleTx: Hash | null;
  readonly closeTx: Hash | null;
  /** Why the contract did not take the last settlement. */
  readonly error: string | null;
}

export type SessionPatch = Partial<
  Pick<
    SessionRow,
    | "stage"
    | "endsAt"
    | "spent"
    | "prompts"
    | "receipts"
    | "settled"
    | "settledPrompts"
    | "unsettledSince"
    | "transactionId"
    | "settleTx"
    | "closeTx"
    | "error"
  >
>;

const COLUMNS: Readonly<Record<keyof Required<SessionPatch>, string>> = {
  stage: "stage",
  endsAt: "ends_at",
  spent: "spent",
  prompts: "prompts",
  receipts: "receipts",
  settled: "settled",
  settledPrompts: "settled_prompts",
  unsettledSince: "unsettled_since",
  transactionId: "transaction_id",
  settleTx: "settle_tx",
  closeTx: "close_tx",
  error: "error",
};

interface RawReceipt {
  readonly count: number;
  readonly total: string;
  readonly root: Hex;
  readonly signature: Hex;
}

interface RawSession {
  readonly id: Hex;
  readonly operator: string;
  readonly stage: SessionStage;
  readonly user_address: string;
  readonly key_address: string;
  readonly model: string;
  readonly cap: string;
  readonly expiry: number | string;
  readonly nonce: number | string;
  readonly deadline: number | string;
  readonly token_hash: string | null;
  readonly created_at: number | string;
  readonly ends_at: number | string;
  readonly spent: string;
  readonly prompts: number;
  readonly receipts: readonly RawReceipt[];
  readonly settled: string;
  readonly settled_prompts: number;
  readonly unsettled_since: number | string | null;
  readonly transaction_id: number | string | null;
  readonly settle_tx: Hash | null;
  readonly close_tx: Hash | null;
  readonly error: string | null;
}

const toRow = (raw: RawSession): SessionRow => ({
  id: raw.id,
  operator: getAddress(raw.operator),
  stage: raw.stage,
  user: getAddress(raw.user_address),
  validator: getAddress(raw.operator),
  key: getAddress(raw.key_address),
  model: raw.model,
  cap: BigInt(raw.cap),
  expiry: BigInt(raw.expiry),
  nonce: Number(raw.nonce),
  deadline: BigInt(raw.deadline),
  tokenHash: raw.token_hash,
  createdAt: Number(raw.created_at),
  endsAt: Number(raw.ends_at),
  spent: BigInt(raw.spent),
  prompts: raw.prompts,
  receipts: raw.receipts.map((receipt) => ({ ...receipt, total: BigInt(receipt.total) })),
  settled: BigInt(raw.settled),
  settledPrompts: raw.settled_prompts,
  unsettledSince: raw.unsettled_since === null ? null : Number(raw.unsettled_since),
  transactionId: raw.transaction_id === null ? null : Number(raw.transaction_id),
  settleTx: raw.settle_tx,
  closeTx: raw.close_tx,
  error: raw.error,
});

const encode = (value: SessionPatch[keyof SessionPatch]): Parameter => {
  if (value === undefined || value === null) return null;
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "object")
    return JSON.stringify(value.map((receipt) => ({ ...receipt, total: receipt.total.toString() })));
  return value;
};

/** False where it is there already. */
export async function insertSession(
  sql: Sql,
  id: Hex,
  session: Session,
  more: { stage: SessionStage; tokenHash: string | null; createdAt: number },
): Promise<boolean> {
  const inserted = await sql.query(
    `insert into sessions (id, operator, stage, user_address, key_address, model, cap, expiry, nonce, deadline, token_hash,
       created_at, ends_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $8) on conflict do nothing returning id`,
    [
      id,
      session.validator.toLowerCase(),
      more.stage,
      session.user.toLowerCase(),
      session.key.toLowerCase(),
      session.model,
      session.cap.toString(),
      session.expiry.toString(),
      session.nonce,
      session.deadline.toString(),
      more.tokenHash,
      more.createdAt,
    ],
  );
  return inserted.length === 1;
}

export async function updateSession(sql: Sql, id: Hex, patch: SessionPatch): Promise<void> {
  const entries = (Object.entries(patch) as [keyof SessionPatch, SessionPatch[keyof SessionPatch]][]).filter(
    ([, value]) => value !== undefined,
  );
  if (entries.length === 0) return;
  const sets = entries.map(([field], index) => `${COLUMNS[field]} = $${index + 2}`).join(", ");
  await sql.query(`update sessions set ${sets} where id = $1`, [id, ...entries.map(([, value]) => encode(value))]);
}

async function select(sql: Sql, tail: string, parameters: readonly Parameter[]): Promise<SessionRow[]> {
  return (await sql.query<RawSession>(`select * from sessions ${tail}`, parameters)).map(toRow);
}

export const getSession = async (sql: Sql, id: Hex): Promise<SessionRow | undefined> =>
  (await select(sql, "where id = $1", [id]))[0];

export const findByToken = async (sql: Sql, tokenHash: string): Promise<SessionRow | undefined> =>
  (await select(sql, "where token_hash = $1", [tokenHash]))[0];

export const openSessions = (sql: Sql, operator: Address): Promise<SessionRow[]> =>
  select(sql, "where operator = $1 and stage <> 'closed' order by created_at", [operator.toLowerCase()]);

export const sessionsOfUser = (sql: Sql, operator: Address, user: Address, limit: number): Promise<SessionRow[]> =>
  select(sql, "where operator = $1 and user_address = $2 order by created_at desc, id limit $3", [
    operator.toLowerCase(),
    user.toLowerCase(),
    limit,
  ]);

/** How many sessions of a user are not closed, and how many came in since then (unix milliseconds), whatever became of them. */
export async function countsOfUser(
  sql: Sql,
  operator: Address,
  user: Address,
  since: number,
): Promise<{ open: number; recent: number; oldest: number }> {
  const [row] = await sql.query<{ open: number; recent: number; oldest: number | string | null }>(
    `select count(*) filter (where stage <> 'closed')::int as open,
            count(*) filter (where created_at > $3)::int as recent,
            min(created_at) filter (where created_at > $3) as oldest
     from sessions where operator = $1 and user_address = $2`,
    [operator.toLowerCase(), user.toLowerCase(), since],
  );
  return { open: row?.open ?? 0, recent: row?.recent ?? 0, oldest: Number(row?.oldest ?? since) };
}

export const sessionCarriedBy = async (sql: Sql, transactionId: number): Promise<SessionRow | undefined> =>
  (await select(sql, "where transaction_id = $1", [transactionId]))[0];

export async function deleteSession(sql: Sql, id: Hex): Promise<void> {
  await sql.query("delete from sessions where id = $1", [id]);
}

/** Whether the logs that were read say that it was closed. */
export async function isClosedOnChain(sql: Sql, id: Hex): Promise<boolean> {
  const rows = await sql.query(
    "select id from positions where kind = 'session' and id = $1 and ended_block is not null limit 1",
    [id],
  );
  return rows.length > 0;
}

/** What was closed in blocks from `block` on is to be closed again. Asked before those blocks' positions are dropped. */
export async function reopenFrom(sql: Sql, operator: Address, block: bigint): Promise<void> {
  await sql.query(
    `update sessions set stage = 'closing' where operator = $1 and stage = 'closed'
       and id in (select id from positions where kind = 'session' and ended_block >= $2)`,
    [operator.toLowerCase(), block.toString()],
  );
}
