/** One process for a journal, where PostgreSQL holds it: a lock of the server's, on a connection that does nothing else. */
import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { JournalInUseError } from "./database.ts";

/** A process that was killed is gone from the server within this. */
const PATIENCE_MS = 3_000;
const TRY_EVERY_MS = 250;
const RETAKE_EVERY_MS = 1_000;
const CONNECT_MS = 10_000;
/** Probes, a second apart, follow 10 s of silence: a dead line is known here after 20 s. */
const SILENCE_MS = 10_000;
/** On the server after 60 s: nobody gets the lock before its holder knows that it is lost. */
const KEEPALIVES = `select set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false),
  set_config('tcp_keepalives_count', '3', false)`;

const NOBODY = "";

interface Holder {
  readonly pid: string;
  readonly application_name: string | null;
  readonly client_addr: string | null;
  readonly backend_start: string | null;
}

interface Listeners {
  readonly error: (error: Error) => void;
  readonly lost: (error: Error) => void;
}

/**
 * When the connection breaks, nothing is read or written until the lock is ours again, and then the work goes on: the server's
 * restarts are no reason to stop. But where another process has the lock, or had it meanwhile, which its term tells, what this
 * one remembers may be wrong: it stops, and whoever starts it again has it read the journal anew.
 */
export class Claim {
  readonly #url: string;
  readonly #name: string;
  readonly #onError: (error: Error) => void;
  readonly #onLost: (error: Error) => void;
  #client: pg.Client | undefined;
  #pid: string | undefined;
  #term: string | undefined;
  #trouble: unknown;
  #end: Error | undefined;

  private constructor(url: string, name: string, on: Listeners) {
    this.#url = url;
    this.#name = name;
    this.#onError = on.error;
    this.#onLost = on.lost;
  }

  static async take(url: string, name: string, on: Listeners): Promise<Claim> {
    const claim = new Claim(url, name, on);
    for (const until = Date.now() + PATIENCE_MS; ; await sleep(TRY_EVERY_MS)) {
      const holder = await claim.#try();
      if (holder === undefined) return claim;
      if (Date.now() > until) throw new JournalInUseError(claim.#name, describe(holder));
    }
  }

  require(): void {
    if (this.#end !== undefined) throw this.#end;
    if (this.#client === undefined)
      throw new Error("the connection that holds the lock on this journal broke, and the lock is not taken again yet", {
        cause: this.#trouble,
      });
  }

  async release(): Promise<void> {
    this.#end ??= new Error("the database is closed");
    await this.#client?.end();
  }

  /** Undefined where the lock is ours now, else who has it. */
  async #try(): Promise<Holder | undefined> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: `neuroswarm ${process.pid} on ${hostname()}`.slice(0, 63),
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: SILENCE_MS,
    });
    let broken = false;
    const onBreak = (): void => {
      broken = true;
      this.#broke(client);
    };
    client.on("error", onBreak);
    client.on("end", onBreak);
    let kept = false;
    try {
      await client.connect();
      await client.query(KEEPALIVES);
      const key = keyOf(this.#name);
      const { rows } = await client.query<{ taken: boolean; pid: string }>(
        "select pg_try_advisory_lock($1::bigint) as taken, pg_backend_pid()::text as pid",
        [key],
      );
      if (rows[0]?.taken !== true) return await holderOf(client, key);
      const term = await this.#termOn(client);
      if (this.#end !== undefined) throw this.#end;
      if (this.#term !== undefined && this.#term !== term)
        throw this.#lose("one that had it while the connection was broken");
      if (broken) throw new Error("the connection broke");
      this.#client = client;
      this.#pid = rows[0].pid;
      this.#term = term;
      kept = true;
      return undefined;
    } finally {
      if (!kept) await client.end().catch(() => undefined);
    }
  }

  /** How often the journal changed hands: by one more with each process that takes it. */
  async #termOn(client: pg.Client): Promise<string | undefined> {
    const text =
      this.#term === undefined
        ? `insert into holders (name, term) values ($1, 1)
           on conflict (name) do update set term = holders.term + 1 returning term::text as term`
        : "select term::text as term from holders where name = $1";
    return (await client.query<{ term: string }>(text, [this.#name])).rows[0]?.term;
  }

  #broke(client: pg.Client): void {
    if (client !== this.#client) return;
    this.#client = undefined;
    if (this.#end !== undefined) return;
    this.#onError(new Error("the connection that holds the lock on this journal broke"));
    void this.#retake();
  }

  async #retake(): Promise<void> {
    for (; this.#end === undefined; await sleep(RETAKE_EVERY_MS, undefined, { ref: false })) {
      try {
        const holder = await this.#try();
        if (holder === undefined) return;
        // The server may not know yet that the broken connection is broken, or have found out just now.
        if (holder.pid !== this.#pid && holder.pid !== NOBODY) this.#lose(describe(holder));
      } catch (cause) {
        // The server is away, and with it all that the lock is for.
        this.#trouble = cause;
      }
    }
  }

  #lose(by: string): Error {
    this.#end ??= new JournalInUseError(this.#name, by);
    this.#onLost(this.#end);
    return this.#end;
  }
}

const keyOf = (name: string): string =>
  createHash("sha256").update(`neuroswarm ${name}`).digest().readBigInt64BE().toString();

async function holderOf(client: pg.Client, key: string): Promise<Holder> {
  const { rows } = await client.query<Holder>(
    `select locks.pid::text as pid, application_name, host(client_addr) as client_addr,
       to_char(backend_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') as backend_start
     from pg_locks locks left join pg_stat_activity using (pid)
     where locktype = 'advisory' and granted and objsubid = 1
       and locks.database = (select oid from pg_database where datname = current_database())
       and classid = (($1::bigint >> 32) & 4294967295)::oid and objid = ($1::bigint & 4294967295)::oid`,
    [key],
  );
  // It may have let go between the two questions.
  return rows[0] ?? { pid: NOBODY, application_name: null, client_addr: null, backend_start: null };
}

/** What the server tells of another role's connection is its number alone. */
function describe({ pid, application_name, client_addr, backend_start }: Holder): string {
  const process = /^neuroswarm (\d+) on (.+)$/.exec(application_name ?? "");
  const who = process === null ? (application_name ?? "") : `process ${process[1]} on ${process[2]}`;
  const parts = [
    who,
    client_addr === null ? "" : `from ${client_addr}`,
    backend_start === null ? "" : `since ${backend_start}`,
    pid === NOBODY ? "" : `server process ${pid}`,
  ];
  return parts.filter((part) => part !== "").join(", ");
}
