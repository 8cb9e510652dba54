import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getAddress, type Hex, pad, parseEther, toHex, zeroHash } from "viem";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Database, Sql } from "../../keeper/database/database.ts";
import { openDatabase } from "../../keeper/database/open.ts";
import { insertRequest, type RequestRow } from "../../keeper/database/requests.ts";
import { readBalances } from "../../keeper/services/balances.ts";
import type { Context } from "../../keeper/services/context.ts";
import { newRow } from "../../keeper/services/events-to-rows.ts";
import { copyTemplate } from "./support/database-template.ts";

const user = getAddress(`0x${"ab".repeat(20)}`);
const operator = getAddress(`0x${"cd".repeat(20)}`);
const NOW = 1_800_000_000_000;
const idOf = (number: number): Hex => pad(toHex(number), { size: 32 });

let folder: string;
let database: Database;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "neuroswarm-requests-"));
  await copyTemplate(folder);
  database = await openDatabase({ databaseUrl: undefined, dataDir: folder }, () => {});
});
afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => database.query("delete from requests"));

const keep = (number: number, given: Partial<RequestRow> = {}): Promise<boolean> =>
  insertRequest(
    database,
    newRow({
      key: idOf(number),
      requestId: idOf(number),
      operator,
      lane: "assigned",
      user,
      model: "demo-3m",
      prompt: `Prompt ${number}`,
      salt: zeroHash,
      promptHash: zeroHash,
      maxTokens: 500,
      temperature: 70,
      payment: parseEther("50"),
      priority: false,
      isPrivate: false,
      nonce: number,
      deadline: 0n,
      createdAt: NOW + number,
      status: "queued",
      ...given,
    }),
  );

/** The database, and how many characters of text it gave out. */
function counted(): Sql & { characters: number } {
  const sql = {
    characters: 0,
    query: async <Row extends object>(...args: Parameters<Sql["query"]>): Promise<Row[]> => {
      const rows = await database.query<Row>(...args);
      for (const value of rows.flatMap((row) => Object.values(row)))
        if (typeof value === "string") sql.characters += value.length;
      return rows;
    },
  };
  return sql;
}

/** A chain on which everybody has nothing. */
const emptyChain = {
  client: {
    readContract: async ({ functionName }: { functionName: string }) =>
      functionName === "accountOf"
        ? { credits: 0n, accruedChats: 0n }
        : functionName === "withdrawalOf"
          ? { amount: 0n, readyAt: 0 }
          : 0n,
    getBalance: async () => 0n,
  },
};
const contextOf = (sql: Sql): Context =>
  ({ chain: emptyChain, deployment: { addresses: {} }, database: sql }) as unknown as Context;

test("what is locked counts open requests however much came after them, and reads no prompts for it", async () => {
  await keep(1, { payment: parseEther("7"), prompt: "x".repeat(250_000) });
  await keep(2, { payment: parseEther("5") });
  await keep(3, { stage: "final" });
  await keep(4, { lane: "direct" });
  await keep(5, { requestId: null });
  await keep(6, { user: operator });
  for (let number = 10; number < 15; number++) await keep(number, { stage: "final", prompt: "x".repeat(250_000) });
  await database.query(
    `insert into requests (key, operator, lane, origin, stage, status, user_address, model, salt, prompt_hash, max_tokens,
       temperature, payment, priority, is_private, nonce, deadline, created_at)
     select 'later ' || n, operator, lane, origin, 'final', 'completed', user_address, model, salt, prompt_hash, max_tokens,
       temperature, payment, priority, is_private, nonce, deadline, created_at + n
     from requests, generate_series(1, 1000) n where key = $1`,
    [idOf(1)],
  );
  const sql = counted();
  const { nsd } = await readBalances(contextOf(sql), user);
  expect(nsd.locked).toBe(parseEther("12"));
  expect(sql.characters).toBeLessThan(100);
});
