import { setTimeout as sleep, setImmediate as turnOfTheLoop } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { type Database, JournalInUseError } from "../../keeper/database/database.ts";
import { openPostgres } from "../../keeper/database/postgres.ts";
import { FakePostgres, type Script } from "./support/fake-postgres.ts";

let fake: FakePostgres | undefined;
afterEach(async () => {
  await fake?.close();
  fake = undefined;
});

async function opened(script: Script = () => []) {
  fake = await FakePostgres.open(script);
  const broken: Error[] = [];
  const database = await openPostgres(fake.url, (error) => broken.push(error));
  return { fake, database, broken };
}

/** An error event that nobody listens for ends a process; here it is Vitest that would report it. */
async function uncaughtDuring(work: () => Promise<void>): Promise<unknown[]> {
  const uncaught: unknown[] = [];
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => uncaught.push(error));
  try {
    await work();
    await sleep(50);
    await turnOfTheLoop();
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const listener of others) process.on("uncaughtException", listener);
  }
  return uncaught;
}

describe("a connection to PostgreSQL that breaks", () => {
  test.each(["begin", "select 2", "commit"])("at %s of a transaction rejects it, and ends nothing else", async (at) => {
    let dropped = false;
    const { database, fake } = await opened(({ text }) => {
      if (text !== at || dropped) return [];
      dropped = true;
      return "drop";
    });
    const uncaught = await uncaughtDuring(async () => {
      await expect(database.transaction((sql) => sql.query("select 2"))).rejects.toThrow("terminated");
    });
    expect(uncaught).toEqual([]);
    const before = fake.connections.ever;
    await expect(database.transaction(async () => "done")).resolves.toBe("done");
    expect(fake.connections.ever).toBe(before + 1);
    await database.close();
  });

  test("while a transaction is about something else rejects it at its next word", async () => {
    const { database, fake } = await opened();
    const uncaught = await uncaughtDuring(async () => {
      const work = database.transaction(async (sql) => {
        fake.drop(1);
        await sleep(50);
        await turnOfTheLoop();
        await sql.query("select 2");
      });
      await expect(work).rejects.toThrow();
    });
    expect(uncaught).toEqual([]);
    expect(fake.connections.open).toEqual([]);
    await database.close();
  });

  test("after a transaction's last word is not handed out again", async () => {
    const { database, fake } = await opened();
    const uncaught = await uncaughtDuring(async () => {
      await expect(database.transaction(() => Promise.reject(new Error("changed my mind")))).rejects.toThrow("my mind");
      fake.drop(1);
    });
    expect(uncaught).toEqual([]);
    await expect(database.query("select 2")).resolves.toEqual([]);
    expect(fake.connections.ever).toBe(2);
    await database.close();
  });
});

const NAME = "31337:0xrouter:0xoperator";

/** What a server with the table of terms and advisory locks does; a lock goes when its connection does. */
class Locks {
  readonly holders = new Map<string, number>();
  readonly terms = new Map<string, number>();
  server: FakePostgres | undefined;
  /** A server that does not know yet that a line is dead holds what was locked over it. */
  readonly lingering = new Set<number>();
  /** It finds out between the question for the lock and the one for its holder. */
  slow = false;

  readonly script: Script = ({ text, parameters, connection }) => {
    const [name = ""] = parameters.map(String);
    if (text.includes("pg_try_advisory_lock")) {
      const holder = this.#holderOf(name);
      if (holder === undefined) this.holders.set(name, connection);
      return [{ taken: holder === undefined || holder === connection, pid: String(connection) }];
    }
    if (text.includes("pg_locks")) {
      if (this.slow) this.lingering.clear();
      const holder = this.#holderOf(name);
      if (holder === undefined) return [];
      const application_name = "neuroswarm 77 on other-host";
      return [{ pid: String(holder), application_name, client_addr: "10.1.2.3", backend_start: "2026-01-31" }];
    }
    if (text.includes("insert into holders")) this.terms.set(name, (this.terms.get(name) ?? 0) + 1);
    if (text.includes("holders")) return [{ term: String(this.terms.get(name) ?? 0) }];
    return [];
  };

  #holderOf(name: string): number | undefined {
    const holder = this.holders.get(name);
    if (holder === undefined) return undefined;
    return this.lingering.has(holder) || this.server?.connections.open.includes(holder) ? holder : undefined;
  }

  /** The connection that holds the only lock. */
  get holding(): number {
    const [holder] = this.holders.values();
    return holder ?? 0;
  }
}

async function claimed(locks: Locks): Promise<{ database: Database; lost: Error[]; broken: Error[] }> {
  locks.server ??= fake = await FakePostgres.open(locks.script);
  const [lost, broken]: [Error[], Error[]] = [[], []];
  const database = await openPostgres(locks.server.url, (error) => broken.push(error));
  await database
    .claim(NAME, (error) => lost.push(error))
    .catch(async (error: unknown) => {
      await database.close();
      throw error;
    });
  return { database, lost, broken };
}

describe("a journal in PostgreSQL", () => {
  test("belongs to one process, and a second hears which one has it and what to do", async () => {
    const locks = new Locks();
    const first = await claimed(locks);
    const second = claimed(locks);
    await expect(second).rejects.toThrow(JournalInUseError);
    await expect(second).rejects.toThrow(
      `the journal ${NAME} in this database is in use by another keeper (process 77 on other-host, from 10.1.2.3, since 2026-01-31, server process ${locks.holding}): stop it`,
    );
    await first.database.close();
    const third = await claimed(locks);
    await third.database.close();
    await expect.poll(() => fake?.connections.open).toEqual([]);
  });

  test("is waited for while the process before is on its way out", async () => {
    const locks = new Locks();
    const first = await claimed(locks);
    const second = claimed(locks);
    await sleep(500);
    await first.database.close();
    await (await second).database.close();
  });

  test("is another one's under another operator's key", async () => {
    const locks = new Locks();
    const { database } = await claimed(locks);
    const other = await openPostgres(fake?.url ?? "", () => {});
    await expect(other.claim(`${NAME}2`, () => {})).resolves.toBeUndefined();
    await Promise.all([database.close(), other.close()]);
  });

  test("is left alone while the lock's connection is broken, and goes on when it is back", async () => {
    const locks = new Locks();
    const { database, lost, broken } = await claimed(locks);
    await expect(database.query("select 2")).resolves.toEqual([]);
    const before = locks.holding;
    locks.lingering.add(before);
    fake?.drop(before);
    await expect.poll(() => broken.length).toBe(1);
    await expect(database.query("select 2")).rejects.toThrow("lock");
    await expect(database.transaction(async () => "done")).rejects.toThrow("lock");
    await sleep(100);
    locks.lingering.clear();
    await expect.poll(() => database.query("select 2").catch(String), { timeout: 5_000 }).toEqual([]);
    expect(locks.holding).not.toBe(before);
    expect(lost).toEqual([]);
    await database.close();
  });

  test("is not lost to one's own connection of before, which the server lets go of late", async () => {
    const locks = new Locks();
    const { database, lost } = await claimed(locks);
    const before = locks.holding;
    locks.lingering.add(before);
    locks.slow = true;
    fake?.drop(before);
    await expect.poll(() => locks.holding, { timeout: 5_000 }).not.toBe(before);
    await expect.poll(() => database.query("select 2").catch(String)).toEqual([]);
    expect(lost).toEqual([]);
    await database.close();
  });

  test("is not written by a transaction during which the lock's connection broke", async () => {
    const locks = new Locks();
    const { database } = await claimed(locks);
    let worked = false;
    const work = database.transaction(async (sql) => {
      await sql.query("select 2");
      locks.lingering.add(locks.holding);
      fake?.drop(locks.holding);
      await sleep(100);
      await turnOfTheLoop();
      worked = true;
    });
    await expect(work).rejects.toThrow("lock");
    expect(worked).toBe(true);
    await database.close();
  });

  test.each(["has it", "had it meanwhile"])("is lost for good where another process %s", async (how) => {
    const locks = new Locks();
    const { database, lost } = await claimed(locks);
    const before = locks.holding;
    locks.lingering.add(before);
    const taken = how === "has it" ? await openIdle() : undefined;
    fake?.drop(before);
    await sleep(50);
    locks.terms.set(NAME, 2);
    if (taken !== undefined) for (const key of locks.holders.keys()) locks.holders.set(key, taken.connection);
    locks.lingering.clear();
    await expect.poll(() => lost.length, { timeout: 5_000 }).toBe(1);
    expect(lost[0]).toBeInstanceOf(JournalInUseError);
    await expect(database.query("select 2")).rejects.toThrow("in use by another keeper");
    await sleep(1_200);
    expect(lost).toHaveLength(1);
    await taken?.end();
    await database.close();
  });
});

/** A connection of somebody else's. */
async function openIdle(): Promise<{ connection: number; end: () => Promise<void> }> {
  const other = await openPostgres(fake?.url ?? "", () => {});
  return { connection: fake?.connections.ever ?? 0, end: () => other.close() };
}
