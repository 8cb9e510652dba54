import { parseEther } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { routerAbi } from "../../keeper/chain/contracts.ts";
import type { Keeper } from "../../keeper/main.ts";
import { account, startChain, type TestChain } from "./support/chain.ts";
import { ask, dataFolder, keeperOn, request, settled } from "./support/keeper.ts";

let chain: TestChain;
let keeper: Keeper;
let folder: Awaited<ReturnType<typeof dataFolder>>;

beforeAll(async () => {
  chain = await startChain();
  folder = await dataFolder();
  // Time enough to change something between an answer and its delivery.
  keeper = await keeperOn(chain, folder.path, { MAX_EXPOSURE_NSD: "120", BATCH_MS: "2000" });
});

afterAll(async () => {
  await keeper?.stop();
  await chain?.stop();
  await folder?.remove();
});

test("who voids what was answered is answered on trust only up to the limit", async () => {
  const user = account(0);
  for (let round = 0; round < 2; round++) {
    const { state, intent } = await request(keeper, "direct", user, ask(user.address, `Free of charge ${round}`));
    await chain.write(user, chain.book.contracts.router, routerAbi, "voidNonces", [BigInt(intent.nonce + 1)]);
    expect(await settled(keeper, state.requestId)).toMatchObject({ status: "failed", error: { code: "nonce_used" } });
  }
  await expect(request(keeper, "direct", user, ask(user.address, "Once more"))).rejects.toMatchObject({
    statusCode: 402,
    code: "exposure_exceeded",
    details: { unpaid_wei: parseEther("100").toString() },
  });
  const small = ask(user.address, "Within the limit", { payment: parseEther("20") });
  const within = await request(keeper, "direct", user, small);
  expect(await settled(keeper, within.state.requestId)).toMatchObject({ status: "completed" });
  const honest = await request(keeper, "direct", account(1), ask(account(1).address, "Paid"));
  expect(await settled(keeper, honest.state.requestId)).toMatchObject({ status: "completed" });
});

test("credits that direct answers will take are not there for an assigned one", async () => {
  const user = account(6);
  await chain.deposit(user, parseEther("60"));
  const direct = await request(keeper, "direct", user, ask(user.address, "First"));
  await expect(request(keeper, "assigned", user, ask(user.address, "Second"))).rejects.toMatchObject({
    statusCode: 402,
    code: "insufficient_credits",
    details: { available_wei: parseEther("10").toString() },
  });
  expect(await settled(keeper, direct.state.requestId)).toMatchObject({ status: "completed" });
  const assigned = await request(keeper, "assigned", user, ask(user.address, "Second"));
  expect(await settled(keeper, assigned.state.requestId)).toMatchObject({ status: "completed" });
});
