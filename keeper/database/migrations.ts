import type { Database } from "./database.ts";

interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
}

/** In order; a migration that was released never changes. */
const MIGRATIONS: readonly Migration[] = [
  {
    name: "requests, transactions, events, caches",
    statements: [
      `create table requests (
         key text primary key,
         request_id text unique,
         operator text not null,
         lane text not null,
         origin text not null,
         stage text not null,
         status text not null,
         user_address text not null,
         model text not null,
         prompt text,
         salt text not null,
         prompt_hash text not null,
         max_tokens integer not null,
         temperature integer not null,
         payment numeric(78) not null,
         priority boolean not null,
         is_private boolean not null,
         nonce bigint not null,
         deadline bigint not null,
         thread_id text,
         signature text,
         ticket jsonb,
         created_at bigint not null,
         validator_id integer,
         assigned_at bigint,
         response text not null default '',
         tokens_used integer,
         finish_reason text,
         digest text,
         cid text,
         transaction_id bigint,
         submit_tx text,
         submit_block bigint,
         settle_tx text,
         settle_block bigint,
         settled_at bigint,
         record numeric(78),
         consumed numeric(78),
         validator_leg numeric(78),
         treasury_leg numeric(78),
         burn_leg numeric(78),
         returned numeric(78),
         penalty numeric(78),
         lcai numeric(78),
         reward_skipped text,
         error_code text,
         error_message text,
         attempts integer not null default 0
       )`,
      "create index requests_by_user on requests (user_address, created_at desc)",
      "create index requests_unfinished on requests (operator) where stage <> 'final'",
      "create index requests_by_settlement on requests (settle_block) where settle_block is not null",
      `create table request_events (
         key text not null,
         seq integer not null,
         event jsonb not null,
         primary key (key, seq)
       )`,
      `create table transactions (
         id bigserial primary key,
         operator text not null,
         purpose text not null,
         state text not null,
         nonce bigint not null,
         recipient text not null,
         data text not null,
         gas numeric(78) not null,
         attempts jsonb not null,
         created_at bigint not null,
         sent_at bigint,
         mined_hash text,
         mined_block bigint,
         mined_status text,
         error text
       )`,
      "create unique index transactions_one_per_purpose on transactions (operator, purpose) where state in ('written', 'sent')",
      "create index transactions_open on transactions (operator, nonce) where state in ('written', 'sent')",
      "create table cursors (name text primary key, block bigint not null, hashes jsonb not null)",
      `create table rewards (
         transaction_hash text not null,
         log_index integer not null,
         block bigint not null,
         token text not null,
         user_address text not null,
         amount numeric(78) not null,
         request_id text,
         at bigint not null,
         primary key (transaction_hash, log_index)
       )`,
      "create index rewards_by_user on rewards (user_address, at desc)",
      "create index rewards_by_block on rewards (block)",
      `create table standings (
         user_address text primary key,
         total numeric(78) not null,
         block bigint not null,
         log_index integer not null
       )`,
      "create index standings_by_rank on standings (total desc, block, log_index)",
    ],
  },
  {
    name: "attempts, cancelling, and what the router holds for whom",
    statements: [
      "alter table requests add column tries jsonb not null default '[]'",
      "alter table requests add column moved_block bigint",
      "alter table requests add column cancelling_until bigint",
      "create index requests_by_move on requests (moved_block) where moved_block is not null",
      `create table positions (
         kind text not null,
         id text not null,
         user_address text not null,
         amount numeric(78) not null,
         detail jsonb not null,
         block bigint not null,
         ended_block bigint,
         primary key (kind, id, user_address)
       )`,
      "create index positions_open on positions (user_address) where ended_block is null",
      "create index positions_by_block on positions (block)",
      "create index positions_by_end on positions (ended_block) where ended_block is not null",
      // What was read before tells nothing of positions: the chain is read again from its beginning.
      "delete from cursors",
    ],
  },
  {
    name: "sessions, and the prompts that are paid in them",
    statements: [
      `create table sessions (
         id text primary key,
         operator text not null,
         stage text not null,
         user_address text not null,
         key_address text not null,
         model text not null,
         cap numeric(78) not null,
         expiry bigint not null,
         nonce bigint not null,
         deadline bigint not null,
         token_hash text unique,
         created_at bigint not null,
         ends_at bigint not null,
         spent numeric(78) not null default 0,
         prompts integer not null default 0,
         receipts jsonb not null default '[]',
         settled numeric(78) not null default 0,
         settled_prompts integer not null default 0,
         unsettled_since bigint,
         transaction_id bigint,
         settle_tx text,
         close_tx text,
         error text
       )`,
      "create index sessions_open on sessions (operator) where stage <> 'closed'",
      "create index sessions_by_user on sessions (user_address, created_at desc)",
      "create index sessions_by_transaction on sessions (transaction_id) where transaction_id is not null",
      "alter table requests add column session_id text",
      "alter table requests add column session_number integer",
      "alter table requests add column prepaid boolean not null default false",
      "alter table requests add column price numeric(78)",
      "alter table requests add column withheld text",
      "create index requests_by_session on requests (session_id, session_number) where session_id is not null",
    ],
  },
  {
    name: "how often a journal changed hands",
    statements: ["create table holders (name text primary key, term bigint not null)"],
  },
];

/** Any number, the same for every keeper, so that two that share a database do not migrate at once. */
const MIGRATION_LOCK = 738_201_177;

/** Brings the schema up to date; a database from a newer keeper is refused. */
export async function migrate(database: Database): Promise<void> {
  await database.transaction(async (sql) => {
    if (database.kind === "postgres") await sql.query("select pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    await sql.query("create table if not exists migrations (id integer primary key, name text not null)");
    const [row] = await sql.query<{ last: number }>("select coalesce(max(id), 0)::int as last from migrations");
    const last = row?.last ?? 0;
    if (last > MIGRATIONS.length) {
      throw new Error(`the database is at version ${last}, this keeper knows ${MIGRATIONS.length}: update the keeper`);
    }
    for (const [index, migration] of MIGRATIONS.entries()) {
      if (index < last) continue;
      for (const statement of migration.statements) await sql.query(statement);
      await sql.query("insert into migrations (id, name) values ($1, $2)", [index + 1, migration.name]);
    }
  });
}
