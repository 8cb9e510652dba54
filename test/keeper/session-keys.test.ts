import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { decodeFunctionData, erc20Abi, type Hex, parseEther } from "viem";
import { describe, expect, test } from "vitest";
import { routerAbi } from "../../keeper/chain/contracts.ts";
import { type Session, sessionOnChain } from "../../keeper/chain/sessions.ts";
import { readSettings } from "../../keeper/config.ts";
import { openDatabase } from "../../keeper/database/open.ts";
import { countsOfUser, insertSession } from "../../keeper/database/sessions.ts";
import { account, MODEL } from "./support/chain.ts";
import { coreFixture } from "./support/core.ts";
import { eventsOf } from "./support/http.ts";
import { dataFolder, overridesFor } from "./support/keeper.ts";
import { bearer, call, openSession } from "./support/sessions.ts";

const core = coreFixture();
const codeOf = ({ status, body }: Awaited<ReturnType<typeof call>>) => [status, body.error?.["code"]];
const chat = (apiKey: string, message: string, more: object = {}) =>
  call(`${core.keeper.url}/api/chat`, { message, max_tokens: 12, ...more }, bearer(apiKey));
const sessionUrl = (id: unknown) => `${core.keeper.url}/api/sessions/${id}`;

const tell = (id: Hex, body: object) => call(`${sessionUrl(id)}/api-key`, body);
const toSign = async (id: Hex) => {
  const { error } = (await tell(id, { prepare: true })).body;
  return error["typed_data"] as { message: { deadline: string } };
};

async function newKey(index: number, cap = "60"): Promise<{ apiKey: string; id: Hex }> {
  const { status, body } = await openSession(core, account(index), { cap, api_key: true });
  expect(status).toBe(201);
  return { apiKey: String(body["api_key"]), id: String(body["session_id"]) as Hex };
}

describe("an API key", () => {
  test("is made by one signature, asks without any, and is settled and given back when it is revoked", async () => {
    const user = account(0);
    const before = await core.creditsOf(user.address);
    const { apiKey, id } = await newKey(0);
    expect(apiKey).toMatch(/^nsk_[A-Za-z0-9_-]{43}$/);
    expect(await core.creditsOf(user.address)).toBe(before - parseEther("60"));
    const answer = await chat(apiKey, "What is a key?");
    expect(answer).toMatchObject({ status: 200, body: { status: "success", session_id: id, session_number: 1 } });
    expect(answer.body["response"]).not.toBe("");
    const price = BigInt(String(answer.body["price_wei"]));
    const second = await chat(apiKey, "And another?", { user_address: user.address });
    const spent = price + BigInt(String(second.body["price_wei"]));
    expect((await call(sessionUrl(id))).body).toMatchObject({
      api_key_held: true,
      prompts: 2,
      spent_wei: spent.toString(),
      remaining_wei: (parseEther("60") - spent).toString(),
    });
    const closed = await call(`${sessionUrl(id)}/close`, {}, bearer(apiKey));
    expect(closed).toMatchObject({ status: 200, body: { status: "closed", settled_wei: spent.toString() } });
    expect(await core.creditsOf(user.address)).toBe(before - spent);
    expect(codeOf(await chat(apiKey, "Still there?"))).toEqual([401, "api_key_revoked"]);
  });

  test("is made for a development account without a wallet, as everything on a local chain", async () => {
    const { address } = account(4);
    const opened = await call(`${core.keeper.url}/api/sessions`, { user_address: address, cap: 30, api_key: true });
    expect(opened.status).toBe(201);
    expect((await chat(String(opened.body["api_key"]), "Hello")).status).toBe(200);
    const proxied = await call(
      `${core.keeper.url}/api/sessions`,
      { user_address: address, cap: 30, api_key: true },
      { "x-forwarded-for": "10.0.0.1" },
    );
    expect(codeOf(proxied)).toEqual([401, "signature_required"]);
  });

  test("streams as any chat does, before anything is settled", async () => {
    const { apiKey } = await newKey(1);
    const response = await fetch(`${core.keeper.url}/api/chat`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream", ...bearer(apiKey) },
      body: JSON.stringify({ message: "Slowly, please", max_tokens: 24 }),
    });
    const events = eventsOf(await response.text());
    const tokens = events.filter(({ event }) => event === "token").map(({ data }) => data["token"]);
    expect(tokens.length).toBeGreaterThan(0);
    expect(events.findIndex(({ event }) => event === "token")).toBeLessThan(
      events.findIndex(({ data }) => data["phase"] === "answered"),
    );
    expect(events.at(-2)?.data).toMatchObject({ status: "success", response: tokens.join(""), session_number: 1 });
    expect(events.map(({ data }) => data["phase"])).not.toContain("settling");
  });

  test("asks several at once, within its cap, each with a number of its own", async () => {
    const { apiKey, id } = await newKey(2, "31");
    const answers = await Promise.all(Array.from({ length: 6 }, (_, n) => chat(apiKey, `At once ${n}`)));
    const paid = answers.filter(({ status }) => status === 200);
    const refused = answers.filter(({ status }) => status === 402);
    // 6.2 NSD are reserved for each: the fifth may still be asked, and only where others cost less, the sixth.
    expect(paid.length).toBeGreaterThanOrEqual(5);
    expect(paid.length + refused.length).toBe(6);
    for (const { body } of refused) {
      expect(body.error).toMatchObject({ code: "cap_exhausted", cap_wei: parseEther("31").toString() });
      expect(Number(body.error["remaining_wei"])).toBeLessThan(Number(body.error["required_wei"]));
    }
    const numbers = paid.map(({ body }) => Number(body["session_number"])).sort((a, b) => a - b);
    expect(numbers).toEqual(paid.map((_, n) => n + 1));
    const spent = paid.reduce((sum, { body }) => sum + BigInt(String(body["price_wei"])), 0n);
    expect((await call(sessionUrl(id))).body).toMatchObject({ spent_wei: spent.toString(), reserved_wei: "0" });
  });

  test("is told once, kept as a hash, and its session's key is written down nowhere", async () => {
    const { apiKey, id } = await newKey(3);
    const again = await call(sessionUrl(id));
    expect(JSON.stringify(again.body)).not.toContain(apiKey);
    expect(again.body["api_key"]).toBeUndefined();
    const secret = join(core.path, "session.key");
    expect(statSync(secret).mode & 0o777).toBe(0o600);
    expect(readFileSync(secret, "utf8")).toMatch(/^[0-9a-f]{64}$/);
    const files = await core.keeper.app.inject({ method: "GET", url: `/api/sessions?address=${account(3).address}` });
    expect(files.body).not.toContain(apiKey);
  });

  test("works on after its keeper was stopped and started", async () => {
    const { apiKey } = await newKey(4);
    expect((await chat(apiKey, "Before")).status).toBe(200);
    await core.restart();
    const after = await chat(apiKey, "After");
    expect(after).toMatchObject({ status: 200, body: { session_number: 2 } });
  });
});

describe("the gas that a user's signatures can spend", () => {
  test("ends with ten openings a day, closed ones among them; who opens in person may go on", async () => {
    const user = account(6);
    await core.chain.write(account(0), core.chain.book.contracts.nsd, erc20Abi, "transfer", [
      user.address,
      parseEther("100"),
    ]);
    await core.chain.deposit(user, parseEther("100"));
    for (let n = 0; n < 10; n++) {
      const { apiKey, id } = await newKey(6, "25");
      const closed = await call(`${sessionUrl(id)}/close`, {}, bearer(apiKey));
      expect(closed.body).toMatchObject({ status: "closed", settled_wei: "0" });
    }
    const sent = await core.chain.client.getTransactionCount({ address: account(9).address });
    const refused = await openSession(core, user, { cap: "25", api_key: true });
    expect(codeOf(refused)).toEqual([429, "too_many_today"]);
    expect(Number(refused.body.error["retry_after_seconds"])).toBeGreaterThan(86_000);
    expect(await core.chain.client.getTransactionCount({ address: account(9).address })).toBe(sent);
    const key = user.address;
    const { error } = (
      await call(`${core.keeper.url}/api/sessions`, { user_address: user.address, cap: 25, key, prepare: true })
    ).body;
    const { to, data } = error["transaction"] as { to: Hex; data: Hex };
    const { args } = decodeFunctionData({ abi: routerAbi, data });
    await core.chain.write(user, to, routerAbi, "openSession", args);
    const { message } = error["typed_data"] as { message: object };
    expect((await call(`${core.keeper.url}/api/sessions`, { session: message })).status).toBe(201);
  });
});

describe("the open sessions of a user", () => {
  test("are counted however many closed ones came after them", async () => {
    const folder = await dataFolder();
    const database = await openDatabase(readSettings(await overridesFor(core.chain, folder.path), {}), () => {});
    try {
      const [user, validator] = [account(0).address, account(9).address];
      const terms = { user, validator, key: user, model: MODEL, cap: 1n, expiry: 1n, deadline: 1n };
      for (let nonce = 0; nonce < 50; nonce++) {
        const id = `0x${nonce.toString(16).padStart(64, "0")}` as Hex;
        const stage = nonce < 20 ? "open" : "closed";
        await insertSession(database, id, { ...terms, nonce }, { stage, tokenHash: null, createdAt: nonce });
      }
      expect(await countsOfUser(database, validator, user, 29)).toEqual({ open: 20, recent: 20, oldest: 30 });
      expect(await countsOfUser(database, validator, validator, 29)).toEqual({ open: 0, recent: 0, oldest: 29 });
    } finally {
      await database.close();
      await folder.remove();
    }
  });
});

describe("an API key that was lost on its way", () => {
  test("is told again to the wallet that opened its session, and to nobody for what lies on chain", async () => {
    const { apiKey, id } = await newKey(2, "30");
    const [opened] = await core.chain.client.getContractEvents({
      address: core.router,
      abi: routerAbi,
      eventName: "SessionOpened",
      args: { id },
      fromBlock: 0n,
    });
    const { input } = await core.chain.client.getTransaction({ hash: opened?.transactionHash ?? "0x" });
    const { args } = decodeFunctionData({ abi: routerAbi, data: input });
    const [terms, signature] = args as unknown as [Record<string, unknown>, Hex];
    const found = { user: terms["user"], validator: terms["validator"], key: terms["key"], model: MODEL };
    const numbers = { cap: terms["cap"], expiry: terms["expiry"], nonce: terms["nonce"], deadline: terms["deadline"] };
    const texts = Object.entries(numbers).map(([name, value]) => [name, name === "nonce" ? value : String(value)]);
    const session = { ...found, ...Object.fromEntries(texts) };
    const replayed = await call(`${core.keeper.url}/api/sessions`, { session, signature });
    expect([replayed.status, replayed.body["session_id"], replayed.body["api_key"]]).toEqual([201, id, undefined]);
    const data = await toSign(id);
    const { deadline } = data.message;
    expect(codeOf(await tell(id, { deadline, signature }))).toEqual([403, "not_yours"]);
    const stranger = await account(7).signTypedData(data as never);
    expect(codeOf(await tell(id, { deadline, signature: stranger }))).toEqual([403, "not_yours"]);
    const ours = await account(2).signTypedData(data as never);
    expect(codeOf(await tell(id, { deadline: "1", signature: ours }))).toEqual([400, "expired"]);
    await core.restart();
    const told = await tell(id, { deadline, signature: ours });
    expect(told).toMatchObject({ status: 200, body: { session_id: id, api_key: apiKey } });
    expect((await chat(apiKey, "Found again?")).status).toBe(200);
  });

  test("is not told for another session, nor once it is revoked, nor where its client holds the key", async () => {
    const one = await newKey(3, "30");
    const other = await newKey(3, "30");
    expect(one.apiKey).not.toBe(other.apiKey);
    const data = await toSign(one.id);
    const signature = await account(3).signTypedData(data as never);
    const { deadline } = data.message;
    expect(codeOf(await tell(other.id, { deadline, signature }))).toEqual([403, "not_yours"]);
    await call(`${sessionUrl(one.id)}/close`, {}, bearer(one.apiKey));
    expect(codeOf(await tell(one.id, { deadline, signature }))).toEqual([409, "session_closed"]);
    const { body } = await openSession(core, account(3), { cap: "30", key: account(3).address });
    expect(codeOf(await tell(String(body["session_id"]) as Hex, { prepare: true }))).toEqual([409, "no_api_key"]);
  });
});

describe("what an API key cannot do", () => {
  test("pay for another user, ask another model, or close another's session", async () => {
    const mine = await newKey(0, "30");
    const other = await newKey(1, "30");
    expect(codeOf(await chat(mine.apiKey, "Whose?", { user_address: account(1).address }))).toEqual([
      400,
      "field_mismatch",
    ]);
    expect(codeOf(await chat(mine.apiKey, "Which?", { model: "gpt-2-q4" }))).toEqual([400, "field_mismatch"]);
    expect(codeOf(await call(`${sessionUrl(other.id)}/close`, {}, bearer(mine.apiKey)))).toEqual([403, "not_yours"]);
    expect((await call(sessionUrl(other.id))).body["status"]).toBe("open");
    expect((await chat(other.apiKey, "Mine still?")).status).toBe(200);
  });

  test("be guessed, or be used as something else", async () => {
    const forged = `nsk_${"A".repeat(43)}`;
    expect(codeOf(await chat(forged, "Hello"))).toEqual([401, "invalid_api_key"]);
    const short = await chat("nsk_short", "Hello");
    expect(codeOf(short)).toEqual([401, "invalid_api_key"]);
    expect(JSON.stringify(short.body)).not.toContain("nsk_short");
    const generate = await call(`${core.keeper.url}/api/llm/generate`, { prompt: "Hello" }, bearer(forged));
    expect(generate.status).toBe(401);
    expect(JSON.stringify(generate.body)).not.toContain(forged);
  });

  test("be had for a session that somebody else opened in person", async () => {
    const user = account(2);
    const { error } = (
      await call(`${core.keeper.url}/api/sessions`, {
        user_address: user.address,
        cap: 30,
        api_key: true,
        prepare: true,
      })
    ).body;
    const { message } = error["typed_data"] as { message: Record<string, string | number> };
    const session = {
      ...message,
      cap: BigInt(message["cap"] ?? 0),
      expiry: BigInt(message["expiry"] ?? 0),
      deadline: BigInt(message["deadline"] ?? 0),
    } as unknown as Session;
    await core.chain.write(user, core.router, routerAbi, "openSession", [sessionOnChain(session), "0x"]);
    const url = `${core.keeper.url}/api/sessions`;
    const stranger = await account(7).signTypedData(error["typed_data"] as never);
    expect(codeOf(await call(url, { session: message, signature: stranger }))).toEqual([401, "invalid_signature"]);
    const signature = await user.signTypedData(error["typed_data"] as never);
    const opened = await call(url, { session: message, signature });
    expect(opened).toMatchObject({ status: 201, body: { status: "open", api_key_held: true } });
    // Whoever relayed it may have put that signature on chain.
    expect(opened.body["api_key"]).toBeUndefined();
    const id = String(opened.body["session_id"]) as Hex;
    const data = await toSign(id);
    const proof = { deadline: data.message.deadline, signature: await user.signTypedData(data as never) };
    const told = await tell(id, proof);
    expect((await chat(String(told.body["api_key"]), "Mine after all?")).status).toBe(200);
  });

  test("be revoked by a stranger, while its user can by the wallet alone", async () => {
    const { apiKey, id } = await newKey(3, "30");
    const url = `${sessionUrl(id)}/close`;
    const { error } = (await call(url, { prepare: true })).body;
    const data = error["typed_data"] as { message: { deadline: string } };
    const { deadline } = data.message;
    const theirs = await account(7).signTypedData(data as never);
    expect(codeOf(await call(url, { deadline, signature: theirs }))).toEqual([403, "not_yours"]);
    const late = await call(url, { deadline: "1", signature: theirs });
    expect(codeOf(late)).toEqual([400, "expired"]);
    const signature = await account(3).signTypedData(data as never);
    expect((await call(url, { deadline, signature })).body).toMatchObject({ status: "closed", settled_wei: "0" });
    expect(codeOf(await chat(apiKey, "Hello?"))).toEqual([401, "api_key_revoked"]);
  });
});
