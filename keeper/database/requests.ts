/** The journal of requests: what was accepted, how far it came, and how it ended. */
import type { Address, Hash, Hex } from "viem";
import type { RequestLane } from "../services/types.ts";
import type { Parameter, Sql } from "./database.ts";
import { COLUMNS, encode, FIELDS, type RequestPatch, type RequestRow, toRow } from "./request-row.ts";

export type { RequestPatch, RequestRow, Stage, TicketFields, Try } from "./request-row.ts";

export async function insertRequest(sql: Sql, row: RequestRow): Promise<boolean> {
  const names = FIELDS.map((field) => COLUMNS[field][0]).join(", ");
  const slots = FIELDS.map((_, index) => `$${index + 1}`).join(", ");
  const inserted = await sql.query(
    `insert into requests (${names}) values (${slots}) on conflict do nothing returning key`,
    FIELDS.map((field) => encode(field, row[field])),
  );
  return inserted.length === 1;
}

/** Changes an open request; one that has ended since stays as it ended. */
export const updateOpen = (sql: Sql, key: Hex, patch: RequestPatch): Promise<RequestRow | undefined> =>
  update(sql, key, patch, " and stage <> 'final'");

export const updateRequest = (sql: Sql, key: Hex, patch: RequestPatch): Promise<RequestRow | undefined> =>
  update(sql, key, patch, "");

async function update(sql: Sql, key: Hex, patch: RequestPatch, condition: string): Promise<RequestRow | undefined> {
  const entries = (Object.entries(patch) as [keyof RequestRow, unknown][]).filter(([, value]) => value !== undefined);
  if (entries.length === 0) return getRequest(sql, key);
  const sets = entries.map(([field], index) => `${COLUMNS[field][0]} = $${index + 2}`).join(", ");
  const rows = await sql.query<Record<string, unknown>>(
    `update requests set ${sets} where key = $1${condition} returning *`,
    [key, ...entries.map(([field, value]) => encode(field, value))],
  );
  return rows[0] && toRow(rows[0]);
}

async function select(sql: Sql, tail: string, parameters: readonly Parameter[]): Promise<RequestRow[]> {
  const rows = await sql.query<Record<string, unknown>>(`select * from requests ${tail}`, parameters);
  return rows.map(toRow);
}

export const getRequest = async (sql: Sql, key: Hex): Promise<RequestRow | undefined> =>
  (await select(sql, "where key = $1", [key]))[0];

/** By the id on chain, or by the digest of the intent. */
export const findRequest = async (sql: Sql, id: Hex): Promise<RequestRow | undefined> =>
  (await select(sql, "where request_id = $1 or key = $1 order by (request_id = $1) desc nulls last limit 1", [id]))[0];

/** The request that this user's nonce belongs to, whatever became of it. */
export const findByNonce = (sql: Sql, user: Address, nonce: number): Promise<RequestRow[]> =>
  select(sql, "where user_address = $1 and nonce = $2 and origin = 'door' order by created_at desc", [
    user.toLowerCase(),
    nonce,
  ]);

export const unfinishedRequests = (sql: Sql, operator: Address): Promise<RequestRow[]> =>
  select(sql, "where operator = $1 and stage <> 'final' order by created_at", [operator.toLowerCase()]);

/** Other keys that open requests of this journal are for. */
export async function otherOperators(sql: Sql, operator: Address): Promise<Address[]> {
  const rows = await sql.query<{ operator: Address }>(
    "select distinct operator from requests where stage <> 'final' and operator <> $1",
    [operator.toLowerCase()],
  );
  return rows.map((row) => row.operator);
}

/** What is open goes on under another key, which cannot carry it in the transactions of the one before. */
export async function handOver(sql: Sql, from: Address, to: Address): Promise<void> {
  await sql.query("update requests set operator = $2, transaction_id = null where operator = $1 and stage <> 'final'", [
    from.toLowerCase(),
    to.toLowerCase(),
  ]);
}

export const pendingOfUser = (sql: Sql, user: Address): Promise<RequestRow[]> =>
  select(sql, "where user_address = $1 and stage <> 'final' order by created_at", [user.toLowerCase()]);

/** What the contract holds of a user for open requests, as far as they came in here. */
export async function lockedOf(sql: Sql, user: Address): Promise<bigint> {
  const [row] = await sql.query<{ locked: string }>(
    `select coalesce(sum(payment), 0)::text as locked from requests
     where user_address = $1 and stage <> 'final' and lane = 'assigned' and request_id is not null`,
    [user.toLowerCase()],
  );
  return BigInt(row?.locked ?? "0");
}

/** What direct answers that are not charged yet may take of a user's credits. */
export async function owedOf(sql: Sql, user: Address): Promise<bigint> {
  const [row] = await sql.query<{ owed: string }>(
    `select coalesce(sum(payment), 0)::text as owed from requests
     where user_address = $1 and stage <> 'final' and lane = 'direct'`,
    [user.toLowerCase()],
  );
  return BigInt(row?.owed ?? "0");
}

/** What direct requests that ended since then would have paid, had the contract not found the user unable to. */
export async function unpaidOf(sql: Sql, user: Address, since: number): Promise<bigint> {
  const [row] = await sql.query<{ unpaid: string }>(
    `select coalesce(sum(payment), 0)::text as unpaid from requests
     where user_address = $1 and lane = 'direct' and origin = 'door' and stage = 'final' and status = 'failed'
       and error_code in ('nonce_used', 'no_credits', 'bad_signature') and settled_at > $2`,
    [user.toLowerCase(), since],
  );
  return BigInt(row?.unpaid ?? "0");
}

/** What a user has paid for answers that were told before they were charged. */
export async function paidOf(sql: Sql, user: Address): Promise<bigint> {
  const [row] = await sql.query<{ paid: string }>(
    `select coalesce(sum(consumed), 0)::text as paid from requests
     where user_address = $1 and lane in ('direct', 'session') and status = 'completed' and settle_tx is not null`,
    [user.toLowerCase()],
  );
  return BigInt(row?.paid ?? "0");
}

/** When the user's last requests of a lane were accepted, newest first. */
export async function acceptedAt(sql: Sql, user: Address, lane: RequestLane, since: number): Promise<number[]> {
  const rows = await sql.query<{ created_at: number | string }>(
    `select created_at from requests where user_address = $1 and lane = $2 and origin = 'door' and created_at > $3
     order by created_at desc`,
    [user.toLowerCase(), lane, since],
  );
  return rows.map((row) => Number(row.created_at));
}

/** Prompts of a session that are not at their end. */
export const openOfSession = (sql: Sql, session: Hex): Promise<RequestRow[]> =>
  select(sql, "where session_id = $1 and stage <> 'final' order by created_at, key", [session]);

/** Digests of a session's records, in the order in which they were paid. */
export async function digestsOfSession(sql: Sql, session: Hex): Promise<Hex[]> {
  const rows = await sql.query<{ digest: Hex }>(
    "select digest from requests where session_id = $1 and session_number is not null order by session_number",
    [session],
  );
  return rows.map(({ digest }) => digest);
}

/** Which of a session's records a settlement took in is told to them. */
export async function markSettled(sql: Sql, session: Hex, upTo: number, settleTx: Hash, at: number): Promise<void> {
  await sql.query(
    `update requests set settle_tx = $3, settled_at = $4
     where session_id = $1 and session_number <= $2 and settle_tx is null`,
    [session, upTo, settleTx, at],
  );
}

export interface Page {
  readonly rows: readonly RequestRow[];
  /** More was found, within the limit on rows, than the limit on bytes let through. */
  readonly cut: boolean;
}

/**
 * A user's requests, newest first: as many as the limit says, and of those what `bytes` of prompts and answers hold. What was
 * asked at one time is not cut apart, since the next page begins before a time, and the first time's requests always come.
 */
export async function historyOf(sql: Sql, user: Address, limit: number, before: number, bytes: number): Promise<Page> {
  const raw = await sql.query<Record<string, unknown> & { found: number }>(
    `with newest as (
       select key, created_at, octet_length(response) + coalesce(octet_length(prompt), 0) + coalesce(octet_length(withheld), 0) as size
       from requests where user_address = $1 and created_at < $2 order by created_at desc, key limit $3
     ), sized as (
       select key, sum(size) over (order by created_at desc) as up_to_here, max(created_at) over () as first,
         (count(*) over ())::int as found
       from newest
     )
     select requests.*, found from requests join sized using (key)
     where up_to_here <= $4 or created_at = first order by created_at desc, key`,
    [user.toLowerCase(), before, limit, bytes],
  );
  return { rows: raw.map(toRow), cut: raw.length < (raw[0]?.found ?? 0) };
}

export const carriedBy = (sql: Sql, transactionId: number): Promise<RequestRow[]> =>
  select(sql, "where transaction_id = $1 order by created_at", [transactionId]);

/** Requests whose submission, end or change of hands lies in a block that the chain may have dropped. */
export const touchedSince = (sql: Sql, operator: Address, block: bigint): Promise<RequestRow[]> =>
  select(sql, "where operator = $1 and (settle_block >= $2 or submit_block >= $2 or moved_block >= $2)", [
    operator.toLowerCase(),
    block.toString(),
  ]);

/** 50, a point for each completed request up to 50 more, less 10 for each bad prompt and 2 for each cancelled one. */
export async function reputationOf(sql: Sql, user: Address): Promise<number> {
  const [row] = await sql.query<{ completed: number; bad: number; cancelled: number }>(
    `select count(*) filter (where status = 'completed')::int as completed,
            count(*) filter (where error_code = 'bad_prompt')::int as bad,
            count(*) filter (where status = 'cancelled')::int as cancelled
     from requests where user_address = $1 and stage = 'final'`,
    [user.toLowerCase()],
  );
  const { completed, bad, cancelled } = row ?? { completed: 0, bad: 0, cancelled: 0 };
  return Math.max(0, Math.min(100, 50 + Math.min(completed, 50) - 10 * bad - 2 * cancelled));
}

export async function deleteRequest(sql: Sql, key: Hex): Promise<void> {
  await sql.query("delete from requests where key = $1", [key]);
}
