/** The keeper's doors with everything real behind them: chain, contracts, model, blockstore, database. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { type Hex, parseEther } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { routerAbi } from "../../keeper/chain/contracts.ts";
import { REQUEST_TYPES } from "../../keeper/chain/intents.ts";
import type { Keeper } from "../../keeper/main.ts";
import { digestOf } from "../../keeper/storage/cid.ts";
import { account, startChain, type TestChain } from "../keeper/support/chain.ts";
import { type Document, expectDescribed } from "../keeper/support/described.ts";
import { connect, eventsOf } from "../keeper/support/http.ts";
import { dataFolder, keeperOn } from "../keeper/support/keeper.ts";

type Body = Record<string, unknown>;
interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly typed_data: { readonly domain: object; readonly message: Body };
  readonly salt: Hex;
  readonly [detail: string]: unknown;
}

let chain: TestChain;
let keeper: Keeper;
let folder: Awaited<ReturnType<typeof dataFolder>>;

beforeAll(async () => {
  chain = await startChain();
  folder = await dataFolder();
  keeper = await keeperOn(chain, folder.path);
});
afterAll(async () => {
  await keeper?.stop();
  await chain?.stop();
  await folder?.remove();
});

async function post(path: string, body: Body, headers: Record<string, string> = {}) {
  const response = await fetch(`${keeper.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as Body & { error: Refusal };
  return { status: response.status, headers: response.headers, body: answer, error: answer.error };
}

async function get<T = Body>(path: string): Promise<T> {
  return (await (await fetch(`${keeper.url}${path}`)).json()) as T;
}

const sign = (refusal: Refusal, signer: ReturnType<typeof account> = account(1)): Promise<Hex> => {
  const { domain, message } = refusal.typed_data;
  const wide = {
    payment: BigInt(message["payment"] as string),
    relayFee: 0n,
    deadline: BigInt(message["deadline"] as string),
  };
  return signer.signTypedData({
    domain,
    types: REQUEST_TYPES,
    primaryType: "Request",
    message: { ...message, ...wide } as never,
  });
};

const credits = async (user: Hex): Promise<bigint> =>
  BigInt((await get<{ nsd: { credits_wei: string } }>(`/api/balances/${user}`)).nsd.credits_wei);

describe("the seeds' calls", () => {
  const user = account(0).address;

  it("POST /api/chat is answered, settled, rewarded, and its block hashes to the digest on chain", async () => {
    const before = await credits(user);
    const { status, body } = await post("/api/chat", { message: "Explain blockchain consensus", user_address: user });
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: "success", lcai_earned: 1, response: expect.stringMatching(/./) });
    const receipt = body["receipt"] as Record<string, string>;
    const wei = (leg: string): bigint => BigInt(receipt[`${leg}_wei`] ?? -1);
    expect(wei("validator") + wei("treasury") + wei("burned") + wei("returned")).toBe(wei("payment"));
    expect(await credits(user)).toBe(before - wei("consumed"));

    const url = String(body["ipfs_url"]);
    expect(url).toBe(`${keeper.url}/ipfs/${body["cid"]}`);
    const block = new Uint8Array(await (await fetch(url)).arrayBuffer());
    const digest = `0x${createHash("sha256").update(block).digest("hex")}`;
    expect(digest).toBe(digestOf(String(body["cid"])));
    const [settled] = await chain.client.getContractEvents({
      address: chain.book.contracts.router,
      abi: routerAbi,
      eventName: "RequestSettled",
      args: { id: body["request_id"] as Hex },
      fromBlock: 0n,
    });
    expect(settled?.args.outcome?.digest).toBe(digest);
    expect(settled?.transactionHash).toBe(body["blockchain_tx"]);
    const raw = await fetch(url, { headers: { accept: "application/vnd.ipld.raw" } });
    expect(new Uint8Array(await raw.arrayBuffer())).toEqual(block);
    expect(JSON.parse(new TextDecoder().decode(block))).toMatchObject({
      answer: body["response"],
      request_id: body["request_id"],
    });
    expect(await get(String(body["blockchain_url"]).slice(keeper.url.length))).toMatchObject({
      status: "completed",
      result: body["response"],
    });
  });

  it("POST /api/llm/generate with the seed's payload, its stream and its status", async () => {
    const payload = {
      model: "llama-2-7b-q4",
      prompt: "Explain blockchain consensus",
      max_tokens: 500,
      temperature: 0.7,
      user_address: user,
      nsd_payment: 50,
    };
    const { status, body } = await post("/api/llm/generate", payload);
    expect(status).toBe(202);
    expect(body).toMatchObject({
      nsd_burned: 50,
      estimated_wait_seconds: expect.any(Number),
      assigned_node: expect.stringMatching(/^node_validator_\d+$/),
    });
    const stream = await connect(`${keeper.url}/llm/stream`);
    stream.send({ action: "subscribe", request_id: body["request_id"] });
    let text = "";
    let message = await stream.next();
    for (; message["type"] !== "final"; message = await stream.next()) text += String(message["token"] ?? "");
    stream.socket.close();
    expect(message).toMatchObject({ status: "completed", result: text, request_id: body["request_id"] });
    const done = await get(`/api/llm/status/${body["request_id"]}`);
    expect(done).toMatchObject({
      status: "completed",
      result: text,
      lane: "assigned",
      nsd_consumed: expect.any(Number),
      validator_earned: expect.any(Number),
    });
    expect(Number(done["nsd_consumed"])).toBeLessThanOrEqual(50);
  });

  it("GET /api/user-stats and what else is read of an address", async () => {
    expect(await get(`/api/user-stats?address=${user.toLowerCase()}`)).toMatchObject({
      address: user,
      token_balance: 1,
      total_rewards: expect.any(Number),
      interaction_count: expect.any(Number),
      is_private: false,
    });
    expect(await get(`/api/history/${user}`)).toMatchObject({
      requests: [{ prompt: "Explain blockchain consensus", lane: "assigned" }, { lane: "direct" }],
      next_before: null,
    });
    expect(await get(`/api/rewards/${user}`)).toMatchObject({
      rewards: [{ token: "LCAI", amount: 1, transaction: expect.stringMatching(/^0x/) }],
    });
    expect(await get("/api/health")).toMatchObject({
      status: "ok",
      components: {
        chain: { state: "ok" },
        storage: { state: "ok" },
        model: { state: "ok" },
        database: { state: "ok" },
      },
    });
    expect(await get("/api/network")).toMatchObject({
      chain_id: 31337,
      local: true,
      model: "llama-2-7b-q4",
      contracts: { router: chain.book.contracts.router, nsd: chain.book.contracts.nsd },
    });
    expect(await get("/api/quote?max_tokens=500&nsd_payment=50")).toMatchObject({ cost: 55, tokens: 450 });
    expect((await get<{ models: Body[] }>("/api/models")).models.filter(({ local }) => local)).toMatchObject([
      { name: "llama-2-7b-q4" },
    ]);
    expect((await get<{ validators: Body[] }>("/api/validators")).validators.length).toBeGreaterThan(0);
  });
});

describe("an intent", () => {
  const user = account(1).address;
  const fields = { message: "What is staked?", user_address: user, max_tokens: 12, nsd_payment: "6.5" };

  it("signed by its user is answered once, however often it is sent", async () => {
    const { error } = await post("/api/chat", { ...fields, prepare: true });
    const signed = {
      message: fields.message,
      intent: error.typed_data.message,
      signature: await sign(error),
      salt: error.salt,
    };
    const before = await credits(user);
    const first = await post("/api/chat", signed);
    const again = await post("/api/chat", signed);
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(again.body).toEqual(first.body);
    const { consumed_wei } = first.body["receipt"] as { consumed_wei: string };
    expect(await credits(user)).toBe(before - BigInt(consumed_wei));
    const other = await post("/api/chat", { ...signed, message: "Something else?" });
    expect(other.status).toBe(400);
  });

  it("is completed by a Bearer signature", async () => {
    const payload = {
      model: "llama-2-7b-q4",
      prompt: "Who validates?",
      max_tokens: 8,
      temperature: 0.7,
      user_address: user,
      nsd_payment: 6,
    };
    const { error } = await post("/api/llm/generate", { ...payload, prepare: true });
    const { status, body } = await post("/api/llm/generate", payload, { authorization: `Bearer ${await sign(error)}` });
    expect(status).toBe(202);
    expect(body).toMatchObject({ nsd_burned: 6 });
    const done = await keeper.services.requests.waitFor(body["request_id"] as Hex, "settled", 30_000);
    expect(done.status).toBe("completed");
  });

  it.each([
    ["somebody else's signature", {}, account(2), 401, "invalid_signature"],
    ["another prompt", { message: "What is burned?" }, undefined, 400, "invalid_intent"],
    ["a deadline that is over", { deadline: "1" }, undefined, 400, "expired"],
    ["a nonce far ahead", { nonce: 4_000_000 }, undefined, 409, "nonce_used"],
    ["another validator", { validator: account(3).address }, undefined, 400, "invalid_intent"],
    ["a fee for somebody", { relayFee: "1" }, undefined, 400, "invalid_intent"],
  ])("with %s is refused, and costs nothing", async (_name, change, signer, status, code) => {
    const before = await credits(user);
    const { error } = await post("/api/chat", { ...fields, prepare: true });
    const { message: _prompt, ...changed } = change as Body;
    const changedMessage = { ...error.typed_data.message, ...changed };
    const signature = await sign({ ...error, typed_data: { ...error.typed_data, message: changedMessage } }, signer);
    const answer = await post("/api/chat", {
      message: fields.message,
      ...("message" in change ? change : {}),
      intent: changedMessage,
      signature,
      salt: error.salt,
    });
    expect([answer.status, answer.error.code]).toEqual([status, code]);
    expect(await credits(user)).toBe(before);
  });

  it("of who has no credits gets 402, and what to deposit", async () => {
    const poor = privateKeyToAccount(generatePrivateKey());
    const ask = { ...fields, user_address: poor.address };
    const { status, error } = await post("/api/chat", ask);
    expect([status, error.code]).toEqual([401, "signature_required"]);
    const signature = await sign(error, poor);
    const refused = await post("/api/chat", ask, { authorization: `Bearer ${signature}` });
    expect(refused.status).toBe(402);
    expect(refused.error).toMatchObject({
      code: "insufficient_credits",
      required_wei: parseEther("6.5").toString(),
      deposit_wei: parseEther("6.5").toString(),
    });
  });
});

describe("what the real parts answer", () => {
  it("is what the description promises", async () => {
    const document = await get<Document>("/openapi.json");
    const user = account(0).address;
    const { requests } = await get<{ requests: { request_id: string }[] }>(`/api/history/${user}`);
    const reads: [string, string][] = [
      ["/api/user-stats", `/api/user-stats?address=${user}`],
      ["/api/health", "/api/health"],
      ["/api/quote", "/api/quote?nsd_payment=7"],
      ["/api/balances/{address}", `/api/balances/${user}`],
      ["/api/balances/{address}", `/api/balances/${account(9).address}`],
      ["/api/rewards/{address}", `/api/rewards/${user}`],
      ["/api/history/{address}", `/api/history/${user}`],
      ["/api/models", "/api/models"],
      ["/api/validators", "/api/validators"],
      ["/api/network", "/api/network"],
      ...requests.map(({ request_id }): [string, string] => [
        "/api/llm/status/{request_id}",
        `/api/llm/status/${request_id}`,
      ]),
    ];
    for (const [path, url] of reads) expectDescribed(document, path, "get", 200, await get(url));
    const payload = {
      prompt: "Who pays?",
      model: "llama-2-7b-q4",
      max_tokens: 4,
      nsd_payment: 6,
      user_address: account(2).address,
    };
    expectDescribed(document, "/api/llm/generate", "post", 202, (await post("/api/llm/generate", payload)).body);
    const chat = await post("/api/chat", { message: "Who pays?", max_tokens: 4, user_address: account(2).address });
    expectDescribed(document, "/api/chat", "post", 200, chat.body);
  });
});

describe("streams", () => {
  it("a chat as events, and its notifications", async () => {
    const user = account(2).address;
    const notified = await connect(`${keeper.url}/ws?address=${user}`);
    expect(await notified.next()).toEqual({ type: "subscribed", address: user });
    const response = await fetch(`${keeper.url}/api/chat`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ message: "What is NSD?", user_address: user, max_tokens: 16 }),
    });
    const events = eventsOf(await response.text());
    const final = events.at(-2);
    expect(final).toMatchObject({ event: "final", data: { status: "success", lcai_earned: 1 } });
    expect(
      events
        .filter(({ event }) => event === "token")
        .map(({ data }) => data["token"])
        .join(""),
    ).toBe(final?.data["response"]);
    expect(events.filter(({ event }) => event === "phase").map(({ data }) => data["phase"])).toEqual(
      expect.arrayContaining(["accepted", "answering", "answered", "stored", "settling", "settled"]),
    );
    const types = new Set<unknown>();
    while (!types.has("reward")) types.add((await notified.next())["type"]);
    notified.socket.close();
  });
});

describe("the command line", () => {
  it("asks as a development account, signs by itself, and prints what came of it", async () => {
    const main = fileURLToPath(new URL("../../keeper/cli/main.ts", import.meta.url));
    const stdout = await new Promise<string>((resolve, reject) => {
      const args = [
        main,
        "chat",
        "What is NeuroSwarm?",
        "--url",
        keeper.url,
        "--account",
        "3",
        "--max-tokens",
        "16",
        "--json",
      ];
      execFile(process.execPath, args, (error, out, err) => (error ? reject(new Error(`${err}${out}`)) : resolve(out)));
    });
    expect(JSON.parse(stdout)).toMatchObject({
      status: "success",
      user_address: account(3).address,
      lcai_earned: 1,
      receipt: { payment: 6.6 },
    });
  });
});

describe("limits that the chain knows", () => {
  it("ten requests of a user in a minute, then 429 with Retry-After", async () => {
    const user = account(4).address;
    const asks = Array.from({ length: 11 }, (_, index) =>
      post("/api/chat", { message: `Question ${index}`, user_address: user, max_tokens: 1 }),
    );
    const answers = await Promise.all(asks);
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(10);
    const refused = answers.find(({ error }) => error?.code === "rate_limited");
    expect(refused?.status).toBe(429);
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});
