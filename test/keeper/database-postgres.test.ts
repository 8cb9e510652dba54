import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
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
