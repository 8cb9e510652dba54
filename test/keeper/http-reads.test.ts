import { createHash } from "node:crypto";
import { CID } from "multiformats/cid";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Document, expectDescribed } from "./support/described.ts";
import { account, store } from "./support/fake-reads.ts";
import { type Outside, outside } from "./support/http.ts";

const user = account(1).address;
let keeper: Outside;
let document: Document;

beforeAll(async () => {
  keeper = await outside({ explorerUrl: "https://explorer.example/" });
  document = (await keeper.app.inject("/openapi.json")).json<Document>();
});
afterAll(() => keeper.app.close());

describe("reads answer as described", () => {
  it("which a field too many, or one of another type, is not", () => {
    const models = (body: unknown) => () => expectDescribed(document, "/api/models", "get", 200, body);
    expect(models({ models: [] })).not.toThrow();
    expect(models({ models: [], more: 1 })).toThrow();
    expect(models({ models: [{ name: 1 }] })).toThrow();
  });

  it.each([
    ["/api/user-stats", `/api/user-stats?address=${user.toLowerCase()}`],
    ["/api/health", "/api/health"],
    ["/api/quote", "/api/quote"],
    ["/api/quote", "/api/quote?model=gpt-2-q4&max_tokens=10&priority=true&nsd_payment=50.5"],
    ["/api/account/{address}", `/api/account/${user}`],
    ["/api/balances/{address}", `/api/balances/${user}`],
    ["/api/rewards/{address}", `/api/rewards/${user}?limit=1`],
    ["/api/history/{address}", `/api/history/${user}?before=2126-01-31T12:00:00.5Z`],
    ["/api/models", "/api/models"],
    ["/api/validators", "/api/validators"],
    ["/api/network", "/api/network"],
  ])("%s (%s)", async (path, url) => {
    const response = await keeper.app.inject(url);
    expect(response.statusCode).toBe(200);
    expectDescribed(document, path, "get", 200, response.json());
  });

  it("chat, generate, status and history", async () => {
    const chat = await keeper.app.inject({
      method: "POST",
      url: "/api/chat",
      payload: { message: "hello", user_address: user, thread_id: "t1" },
    });
    expectDescribed(document, "/api/chat", "post", 200, chat.json());
    const payload = { model: "llama-2-7b-q4", prompt: "hello", user_address: user, nsd_payment: "50.5" };
    const generate = await keeper.app.inject({ method: "POST", url: "/api/llm/generate", payload });
    expectDescribed(document, "/api/llm/generate", "post", 202, generate.json());
    const { request_id } = chat.json<{ request_id: string }>();
    const status = await keeper.app.inject(`/api/llm/status/${request_id.toUpperCase().replace("0X", "0x")}`);
    expectDescribed(document, "/api/llm/status/{request_id}", "get", 200, status.json());
    expect(status.json()).toMatchObject({ thread_id: "t1", lane: "direct", assigned_node: "node_validator_1" });
    const history = await keeper.app.inject(`/api/history/${user}?limit=2`);
    expectDescribed(document, "/api/history/{address}", "get", 200, history.json());
    expect(history.json()).toMatchObject({
      address: user,
      requests: [{ prompt: "hello" }, { prompt: "hello" }],
      next_before: null,
    });
    const refused = await keeper.app.inject({ method: "POST", url: "/api/chat", payload: {} });
    expectDescribed(document, "/api/chat", "post", 401, { error: { code: "x", message: "y" } });
    expect(Object.keys(refused.json<{ error: object }>().error).slice(0, 2)).toEqual(["code", "message"]);
  });

  it("pages without losing what happened at one time", async () => {
    const { reads } = keeper.services;
    const times = [9, 8, 8, 8, 7, 6];
    const all = times.map((second, index) => ({
      token: "LCAI" as const,
      amount: BigInt(index),
      transaction: `0x${"00".repeat(32)}` as const,
      at: new Date(second * 1_000),
    }));
    const original = reads.rewards;
    reads.rewards = async (_address, limit, before) => all.filter(({ at }) => !before || at < before).slice(0, limit);
    const seen: string[] = [];
    let query = "?limit=3";
    for (let page = 0; page < 6; page++) {
      const answer = await keeper.app.inject(`/api/rewards/${user}${query}`);
      const { rewards, next_before } = answer.json<{ rewards: { amount_wei: string }[]; next_before: string | null }>();
      seen.push(...rewards.map(({ amount_wei }) => amount_wei));
      if (next_before === null) break;
      query = `?limit=3&before=${next_before}`;
    }
    reads.rewards = original;
    expect(seen).toEqual(["0", "1", "2", "3", "4", "5"]);
  });

  it("goes on with a history whose page would have been too large", async () => {
    const { reads } = keeper.services;
    const original = reads.history;
    const { requests } = await original(user, 1);
    reads.history = async () => ({ requests, cut: true });
    const page = await keeper.app.inject(`/api/history/${user}?limit=5`);
    reads.history = original;
    expect(requests).toHaveLength(1);
    expect(page.json()).toMatchObject({
      requests: [{}],
      next_before: requests[0]?.createdAt.toISOString(),
    });
  });

  it("links to the explorer where one is configured", async () => {
    const chat = await keeper.app.inject({
      method: "POST",
      url: "/api/chat",
      payload: { message: "hi", user_address: user },
    });
    const body = chat.json<{ blockchain_url: string; blockchain_tx: string }>();
    expect(body.blockchain_url).toBe(`https://explorer.example/tx/${body.blockchain_tx}`);
  });

  it.each([
    ["down", 503],
    ["degraded", 200],
  ] as const)("health that is %s says %i", async (state, status) => {
    const other = await outside();
    other.script.health = state;
    const response = await other.app.inject("/api/health");
    expect([response.statusCode, response.json<{ status: string }>().status]).toEqual([status, state]);
    expectDescribed(document, "/api/health", "get", status, response.json());
    await other.app.close();
  });

  it("amounts are exact beside what people read", async () => {
    const { nsd } = (await keeper.app.inject(`/api/balances/${user}`)).json<{ nsd: Record<string, unknown> }>();
    expect(nsd).toMatchObject({ wallet: 1.5, wallet_wei: "1500000000000000000" });
    const { earnings } = (await keeper.app.inject(`/api/balances/${user}`)).json<{
      earnings: Record<string, unknown>;
    }>();
    expect(earnings).toMatchObject({ till: 1e-18, till_wei: "1" });
  });
});

describe("GET /ipfs/:cid", () => {
  const record = new TextEncoder().encode('{"answer":"é","schema":"neuroswarm.record/1"}');
  const other = new TextEncoder().encode('{"schema":"something else"}');
  const get = (cid: string, headers: Record<string, string> = {}, query = "") =>
    keeper.app.inject({ url: `/ipfs/${cid}${query}`, headers });

  it("gives a record as JSON and as a raw block, the same bytes both times", async () => {
    const cid = store(keeper.blocks, record);
    const json = await get(cid, { accept: "text/html,*/*;q=0.8" });
    expect(json.headers["content-type"]).toBe("application/json; charset=utf-8");
    const raw = await get(cid, { accept: "application/vnd.ipld.raw" });
    expect(raw.headers["content-type"]).toBe("application/vnd.ipld.raw");
    expect((await get(cid, {}, "?format=raw")).headers["content-type"]).toBe("application/vnd.ipld.raw");
    for (const { rawPayload } of [json, raw]) {
      expect(createHash("sha256").update(rawPayload).digest()).toEqual(Buffer.from(CID.parse(cid).multihash.digest));
    }
    expect(json.headers["etag"]).not.toBe(raw.headers["etag"]);
  });

  it("gives what is no record raw", async () => {
    expect((await get(store(keeper.blocks, other))).headers["content-type"]).toBe("application/vnd.ipld.raw");
    expect((await get(store(keeper.blocks, new Uint8Array([0xff, 0])))).rawPayload).toEqual(Buffer.from([0xff, 0]));
  });

  it("may be kept for ever, and runs nowhere", async () => {
    const cid = store(keeper.blocks, record);
    const { headers } = await get(cid);
    expect(headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    expect(headers["content-security-policy"]).toContain("sandbox");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    const again = await get(cid, { "if-none-match": String(headers["etag"]) });
    expect([again.statusCode, again.body]).toEqual([304, ""]);
    const head = await keeper.app.inject({ method: "HEAD", url: `/ipfs/${cid}` });
    expect([head.statusCode, head.body, head.headers["content-length"]]).toEqual([200, "", String(record.length)]);
  });

  it("knows a CID by any of its spellings", async () => {
    const cid = store(keeper.blocks, record);
    const { bases } = await import("multiformats/basics");
    expect((await get(CID.parse(cid).toString(bases.base58btc))).statusCode).toBe(200);
  });
});
