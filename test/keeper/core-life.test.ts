import { afterEach, describe, expect, test } from "vitest";
import { routerAbi } from "../../keeper/chain/contracts.ts";
import { isBeatDue, UPTIME_SLOT } from "../../keeper/services/life.ts";
import { account } from "./support/chain.ts";
import { coreFixture } from "./support/core.ts";
import { ask, request, settled } from "./support/keeper.ts";
import { modelProcess } from "./support/model-process.ts";

const model = modelProcess();
const core = coreFixture({}, { log: model.log });

afterEach(() => model.release());

const seat = () =>
  core.chain.client.readContract({
    address: core.router,
    abi: routerAbi,
    functionName: "validatorOf",
    args: [BigInt(core.keeper.validatorId)],
  });
const transactions = (): Promise<number> => core.chain.client.getTransactionCount({ address: account(9).address });
const slotOf = (seconds: number): number => Math.floor(seconds / UPTIME_SLOT);
const now = async (): Promise<number> => Number((await core.chain.client.getBlock()).timestamp);

describe("a beat is due", () => {
  const start = 40 * UPTIME_SLOT;
  test.each([
    ["in a new slot", start, start - 1, false, true],
    ["not twice in one", start + 9_000, start, false, false],
    ["not while work shows life anyway", start + 100, start - 1, true, false],
    ["but for work that shows none until the slot is nearly over", start + 9_500, start - 1, true, true],
    ["for who was never seen", start, 0, false, true],
  ])("%s", (_name, at, seenAt, busy, expected) => {
    expect(isBeatDue(at, seenAt, busy)).toBe(expected);
  });
});

describe("an idle keeper", () => {
  test("beats once in each slot", async () => {
    const seenIn = async (): Promise<number> => slotOf(Number((await seat()).lastSeenAt));
    // At its start it beats where a slot has begun since it registered.
    await expect.poll(seenIn).toBe(slotOf(await now()));
    for (let round = 0; round < 2; round++) {
      const sent = await transactions();
      const next = slotOf(await now()) + 1;
      await core.pass(next * UPTIME_SLOT - (await now()) + 5);
      await expect.poll(seenIn, { timeout: 20_000 }).toBe(next);
      expect(await transactions()).toBe(sent + 1);
      await core.pass(3_000);
      await core.pass(3_000);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(await transactions()).toBe(sent + 1);
    }
    expect((await seat()).uptime).toBe(255n);
  });
});

describe("a keeper whose answer outlasts the acknowledgement window", () => {
  test("shows life in time, so that nobody can call it offline", { timeout: 120_000 }, async () => {
    const user = account(0);
    model.hold();
    const { state } = await request(core.keeper, "assigned", user, ask(user.address, "Take your time"));
    const assignedAt = (await core.requestOf(state.requestId)).since;
    await core.pass(22);
    await expect.poll(async () => (await seat()).lastSeenAt, { timeout: 20_000 }).toBeGreaterThan(assignedAt);
    const sent = await transactions();
    await core.pass(15);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    // Once is enough: what follows is the execution window's.
    expect(await transactions()).toBe(sent);
    expect(await core.keeper.services.requests.status(state.requestId)).toMatchObject({ status: "processing" });
    model.release();
    const done = await settled(core.keeper, state.requestId);
    expect(done).toMatchObject({ status: "completed", attempts: [{ validatorId: core.keeper.validatorId }] });
  });
});
