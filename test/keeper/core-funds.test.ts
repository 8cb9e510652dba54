import { parseEther } from "viem";
import { expect, test } from "vitest";
import { routerAbi } from "../../keeper/chain/contracts.ts";
import { account } from "./support/chain.ts";
import { coreFixture } from "./support/core.ts";
import { ask, request, settled } from "./support/keeper.ts";

// Time enough to change something between an answer and its delivery.
const core = coreFixture({ MAX_EXPOSURE_NSD: "120", BATCH_MS: "5000" });

test("who voids what was answered is answered on trust only up to the limit", async () => {
  const user = account(0);
  for (let round = 0; round < 2; round++) {
    const { state, intent } = await request(core.keeper, "direct", user, ask(user.address, `Free of charge ${round}`));
    await core.chain.write(user, core.chain.book.contracts.router, routerAbi, "voidNonces", [BigInt(intent.nonce + 1)]);
    expect(await settled(core.keeper, state.requestId)).toMatchObject({
      status: "failed",
      error: { code: "nonce_used" },
    });
  }
  await expect(request(core.keeper, "direct", user, ask(user.address, "Once more"))).rejects.toMatchObject({
    statusCode: 402,
    code: "exposure_exceeded",
    details: { unpaid_wei: parseEther("100").toString() },
  });
  const small = ask(user.address, "Within the limit", { payment: parseEther("20") });
  const within = await request(core.keeper, "direct", user, small);
  expect(await settled(core.keeper, within.state.requestId)).toMatchObject({ status: "completed" });
  const honest = await request(core.keeper, "direct", account(1), ask(account(1).address, "Paid"));
  expect(await settled(core.keeper, honest.state.requestId)).toMatchObject({ status: "completed" });
});

test("credits that direct answers will take are not there for an assigned one", async () => {
  const user = account(6);
  await core.chain.deposit(user, parseEther("60"));
  const direct = await request(core.keeper, "direct", user, ask(user.address, "First"));
  const { nsd } = await core.keeper.services.reads.balances(user.address);
  expect(nsd).toMatchObject({ owed: parseEther("50"), usable: parseEther("10") });
  await expect(request(core.keeper, "assigned", user, ask(user.address, "Second"))).rejects.toMatchObject({
    statusCode: 402,
    code: "insufficient_credits",
    details: { available_wei: parseEther("10").toString() },
  });
  expect(await settled(core.keeper, direct.state.requestId)).toMatchObject({ status: "completed" });
  const assigned = await request(core.keeper, "assigned", user, ask(user.address, "Second"));
  expect(await settled(core.keeper, assigned.state.requestId)).toMatchObject({ status: "completed" });
});
