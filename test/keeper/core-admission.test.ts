import { parseEther, zeroAddress } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { creditsAbi } from "../../keeper/chain/contracts.ts";
import type { Keeper } from "../../keeper/main.ts";
import { ApiError } from "../../keeper/services/errors.ts";
import type { AskFields, Intent } from "../../keeper/services/types.ts";
import { account, MODEL, startChain, type TestChain } from "./support/chain.ts";
import { ask, dataFolder, keeperOn, request, settled } from "./support/keeper.ts";

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

async function signed(index: number, fields: AskFields, change: Partial<Intent> = {}) {
  const data = await keeper.services.requests.prepare("direct", fields);
  const intent = { ...data.message, ...change };
  return { intent, signature: await account(index).signTypedData({ ...data, message: intent }) };
}

async function refusal(work: Promise<unknown>): Promise<{ statusCode: number; code: string; field?: unknown }> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ApiError)
      return { statusCode: error.statusCode, code: error.code, field: error.details["field"] };
    throw error;
  }
  throw new Error("it was accepted");
}

describe("what the direct lane does not take", () => {
  const user = account(0);
  const fields = ask(user.address, "Refuse me");

  test.each<[string, Partial<Intent>, string]>([
    ["another payment", { payment: parseEther("49") }, "payment"],
    ["another length", { maxTokens: 17 }, "maxTokens"],
    ["another validator", { validator: account(3).address }, "validator"],
    ["a relayer", { relayer: account(3).address }, "relayer"],
    ["a relay fee", { relayFee: 1n }, "relayFee"],
    ["a callback", { callback: account(3).address }, "callback"],
    ["another prompt", { promptHash: `0x${"11".repeat(32)}` }, "promptHash"],
    ["another user", { user: account(1).address }, "user"],
    ["a deadline too far off", { deadline: BigInt(Math.floor(Date.now() / 1000) + 3_600) }, "deadline"],
    ["a deadline that is over", { deadline: 1n }, "deadline"],
    ["a deadline before it could be answered", { deadline: BigInt(Math.floor(Date.now() / 1000) + 50) }, "deadline"],
  ])("%s, though signed", async (_name, change, field) => {
    const { intent, signature } = await signed(0, fields, change);
    expect(await refusal(keeper.services.requests.accept("direct", intent, signature, fields))).toMatchObject({
      statusCode: 400,
      field,
    });
  });

  test("somebody else's signature", async () => {
    const { intent, signature } = await signed(1, fields);
    expect(await refusal(keeper.services.requests.accept("direct", intent, signature, fields))).toMatchObject({
      statusCode: 401,
    });
  });

  test("a nonce that is used, or far ahead", async () => {
    const far = await signed(0, fields, { nonce: 60 });
    expect(await refusal(keeper.services.requests.accept("direct", far.intent, far.signature, fields))).toMatchObject({
      statusCode: 409,
    });
  });

  test("a model that is not here, and says which are", async () => {
    const attempt = keeper.services.requests.prepare("direct", { ...fields, model: "gpt-2-q4" });
    await expect(attempt).rejects.toMatchObject({
      statusCode: 400,
      code: "unknown_model",
      details: { models: ["llama-2-7b-q4"] },
    });
  });

  test("less than the smallest answer costs, and lengths out of range", async () => {
    const less = keeper.services.requests.prepare("direct", { ...fields, payment: parseEther("4.99") });
    expect(await refusal(less)).toMatchObject({ code: "payment_too_low" });
    for (const maxTokens of [0, 2_049]) {
      expect(await refusal(keeper.services.requests.prepare("direct", { ...fields, maxTokens }))).toMatchObject({
        field: "maxTokens",
      });
    }
  });

  test("what the credits do not cover, and says what to deposit", async () => {
    const poor = account(7);
    const attempt = request(keeper, "direct", poor, ask(poor.address, "No credits"));
    await expect(attempt).rejects.toMatchObject({
      statusCode: 402,
      details: {
        required_wei: parseEther("50").toString(),
        available_wei: "0",
        deposit_wei: parseEther("50").toString(),
      },
    });
  });

  test("a model in the assigned lane that nobody serves, and says which are served", async () => {
    const attempt = keeper.services.requests.prepare("assigned", { ...fields, model: "llama-2-13b-q4" });
    await expect(attempt).rejects.toMatchObject({
      statusCode: 400,
      code: "model_not_served",
      details: { models: [MODEL] },
    });
  });

  test("credits that are about to be withdrawn", async () => {
    const leaving = account(3);
    await chain.write(leaving, chain.book.contracts.credits, creditsAbi, "requestWithdrawal", [parseEther("1990")]);
    // It takes 15 minutes, which is as long as a delivery may: a moment later it counts as gone.
    await chain.client.increaseTime({ seconds: 2 });
    await chain.client.mine({ blocks: 1 });
    await expect
      .poll(async () => (await keeper.services.reads.balances(leaving.address)).nsd)
      .toMatchObject({ withdrawing: parseEther("1990"), owed: 0n, usable: parseEther("10") });
    await expect(request(keeper, "direct", leaving, ask(leaving.address, "Leaving"))).rejects.toMatchObject({
      statusCode: 402,
      details: { available_wei: parseEther("10").toString() },
    });
  });

  test("a signed message for a second prompt; for the same one it is the same request", async () => {
    const first = ask(account(2).address, "Only once");
    const { state, intent, signature } = await request(keeper, "direct", account(2), first);
    const again = await keeper.services.requests.accept("direct", intent, signature, first);
    expect(again.requestId).toBe(state.requestId);
    expect(
      await refusal(keeper.services.requests.accept("direct", intent, signature, { ...first, prompt: "Another" })),
    ).toMatchObject({
      statusCode: 400,
      code: "replayed",
    });
    const done = await settled(keeper, state.requestId);
    expect(await keeper.services.requests.accept("direct", intent, signature, first)).toEqual(done);
  });

  test("an eleventh request within a minute", async () => {
    const eager = account(4);
    const accepted = await Promise.all(
      Array.from({ length: 10 }, (_, index) => request(keeper, "direct", eager, ask(eager.address, `Hurry ${index}`))),
    );
    const attempt = request(keeper, "direct", eager, ask(eager.address, "One too many"));
    await expect(attempt).rejects.toMatchObject({ statusCode: 429, code: "rate_limited" });
    const error = (await attempt.catch((reason: unknown) => reason)) as ApiError;
    expect(error.retryAfterSeconds).toBeGreaterThan(0);
    expect(error.retryAfterSeconds).toBeLessThanOrEqual(60);
    const states = await Promise.all(accepted.map(({ state }) => settled(keeper, state.requestId)));
    expect(new Set(states.map(({ status }) => status))).toEqual(new Set(["completed"]));
    expect(new Set(states.map(({ requestId }) => requestId)).size).toBe(10);
    const stats = await keeper.services.reads.userStats(eager.address);
    expect(stats.interactionCount).toBe(10);
  });

  test("anything of an unknown request", async () => {
    expect(await keeper.services.requests.status(`0x${"00".repeat(32)}`)).toBeUndefined();
    expect(await refusal(keeper.services.requests.waitFor(`0x${"00".repeat(32)}`, "settled", 10))).toMatchObject({
      statusCode: 404,
    });
  });
});

test("development accounts are signed for here, and nobody else", async () => {
  const fields = ask(account(1).address, "Sign for me");
  const data = await keeper.services.requests.prepare("direct", fields);
  expect(data.message.relayer).toBe(zeroAddress);
  const signature = await keeper.services.requests.signForDevelopment(data);
  expect(signature).toBeDefined();
  const state = await keeper.services.requests.accept("direct", data.message, signature ?? "0x", fields);
  expect(await settled(keeper, state.requestId)).toMatchObject({ status: "completed" });
  const stranger = { ...data, message: { ...data.message, user: chain.book.contracts.router } };
  expect(await keeper.services.requests.signForDevelopment(stranger)).toBeUndefined();
});
