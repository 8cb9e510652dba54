import { pino } from "pino";
import { getAddress, type Hex, pad, parseEther, toHex, zeroHash } from "viem";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Database, Sql } from "../../keeper/database/database.ts";
import { getRequest, insertRequest, type RequestRow } from "../../keeper/database/requests.ts";
import { readBalances } from "../../keeper/services/balances.ts";
import type { Context } from "../../keeper/services/context.ts";
import { newRow } from "../../keeper/services/events-to-rows.ts";
import { ForeignAnswers } from "../../keeper/services/foreign-answers.ts";
import { ReadService } from "../../keeper/services/reads.ts";
import { encodeRecord, type InteractionRecord } from "../../keeper/storage/record.ts";
import { openCopy } from "./support/database-template.ts";
import { exampleRecord } from "./support/records.ts";

const user = getAddress(`0x${"ab".repeat(20)}`);
const operator = getAddress(`0x${"cd".repeat(20)}`);
const NOW = 1_800_000_000_000;
const idOf = (number: number): Hex => pad(toHex(number), { size: 32 });

let database: Database;
let remove: () => Promise<void>;
beforeAll(async () => {
  ({ database, remove } = await openCopy());
});
afterAll(() => remove?.());
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

/** As many final requests after one that is kept, `apart` milliseconds from each other. */
const follow = (number: number, count: number, { prompt, apart }: { prompt: string; apart: number }) =>
  database.query(
    `insert into requests (key, operator, lane, origin, stage, status, user_address, model, prompt, salt, prompt_hash, max_tokens,
       temperature, payment, priority, is_private, nonce, deadline, created_at)
     select 'later ' || n, operator, lane, origin, 'final', 'failed', user_address, model, $3, salt, prompt_hash, max_tokens,
       temperature, payment, priority, is_private, nonce, deadline, created_at + n * $4
     from requests, generate_series(1, $2) n where key = $1`,
    [idOf(number), count, prompt, apart],
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
  ({ chain: emptyChain, deployment: { addresses: {} }, head: { timestamp: 0 }, database: sql }) as unknown as Context;

test("what is locked or owed counts open requests however much came after them, and reads no prompts for it", async () => {
  await keep(1, { payment: parseEther("7"), prompt: "x".repeat(250_000) });
  await keep(2, { payment: parseEther("5") });
  await keep(3, { stage: "final" });
  await keep(4, { lane: "direct", payment: parseEther("3") });
  await keep(7, { lane: "direct", payment: parseEther("4") });
  await keep(8, { lane: "direct", stage: "final" });
  await keep(9, { lane: "direct", user: operator });
  await keep(5, { requestId: null });
  await keep(6, { user: operator });
  for (let number = 10; number < 15; number++) await keep(number, { stage: "final", prompt: "x".repeat(250_000) });
  await follow(1, 1_000, { prompt: "", apart: 1 });
  const sql = counted();
  const { nsd } = await readBalances(contextOf(sql), user);
  expect(nsd).toMatchObject({ locked: parseEther("12"), owed: parseEther("7"), usable: 0n });
  expect(sql.characters).toBeLessThan(100);
});

const readsOf = (sql: Sql): ReadService => new ReadService(contextOf(sql), {} as never, () => 0);

/** Follows the pages to the end, as the route does, with how much text each took from the database. */
async function pagesOf(limit: number): Promise<{ keys: string[]; characters: number; cut: boolean }[]> {
  const pages: { keys: string[]; characters: number; cut: boolean }[] = [];
  for (let before: Date | undefined; pages.length < 100; ) {
    const sql = counted();
    const { requests, cut } = await readsOf(sql).history(user, limit, before);
    pages.push({ keys: requests.map(({ requestId }) => requestId), characters: sql.characters, cut });
    if (!cut && requests.length < limit) return pages;
    before = requests.at(-1)?.createdAt;
  }
  throw new Error("the pages do not end");
}

test("a page of history holds 4 MiB of text, and its followers the rest", async () => {
  await keep(1);
  await follow(1, 199, { prompt: "x".repeat(250_000), apart: 1 });
  const pages = await pagesOf(201);
  for (const { characters } of pages) expect(characters).toBeLessThan(4.5 * 1024 * 1024);
  expect(pages[0]).toMatchObject({ keys: { length: 16 }, cut: true });
  expect(pages.at(-1)).toMatchObject({ cut: false });
  const keys = pages.flatMap((page) => page.keys);
  expect(keys).toHaveLength(200);
  expect(new Set(keys).size).toBe(200);
});

test("small requests fill their page, and what was asked at one time is not cut apart by bytes", async () => {
  await keep(1);
  await follow(1, 30, { prompt: "x".repeat(250_000), apart: 0 });
  expect(await pagesOf(100)).toMatchObject([{ keys: { length: 31 }, cut: false }]);
  await keep(2, { createdAt: NOW + 100 });
  expect(await pagesOf(100)).toMatchObject([
    { keys: { length: 1 }, cut: true },
    { keys: { length: 31 }, cut: false },
  ]);
  await database.query("update requests set prompt = 'short'");
  expect(await pagesOf(100)).toMatchObject([{ keys: { length: 32 }, cut: false }]);
});

test("an answer that is not paid yet counts as what it takes, though nobody is shown it", async () => {
  for (let number = 1; number <= 12; number++)
    await keep(number, { lane: "session", stage: "stored", digest: zeroHash, withheld: "x".repeat(1_000_000) });
  const pages = await pagesOf(100);
  expect(pages.map(({ keys }) => keys.length)).toEqual([4, 4, 4]);
});

test.each<[string, Partial<InteractionRecord>, { response: string; finishReason: string | null }]>([
  ["its own", {}, { response: exampleRecord().answer, finishReason: "stop" }],
  ["of another request", { request_id: idOf(2) }, { response: "", finishReason: null }],
  ["of another chain", { chain_id: 1 }, { response: "", finishReason: null }],
  ["of another router", { router: operator }, { response: "", finishReason: null }],
])("another validator's answer is taken from a record that is %s", async (_, more, expected) => {
  const record = exampleRecord({ request_id: idOf(1), ...more });
  const { bytes, cid, digest } = encodeRecord(record);
  await keep(1, { stage: "final", status: "completed", cid, digest });
  const context = {
    database,
    blocks: { get: async (name: string) => (name === cid ? bytes : undefined) },
    hub: { changed: () => {} },
    log: pino({ level: "silent" }),
    signal: new AbortController().signal,
    chain: { id: exampleRecord().chain_id },
    deployment: { addresses: { router: exampleRecord().router } },
  } as unknown as Context;
  const row = await getRequest(database, idOf(1));
  if (row) await new ForeignAnswers(context).search(row);
  expect(await getRequest(database, idOf(1))).toMatchObject(expected);
});
