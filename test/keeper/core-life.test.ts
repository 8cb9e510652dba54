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
    for (let round = 0; round < 2; round++) {
      const sent = await transactions();
      await core.pass(UPTIME_SLOT - ((await now()) % UPTIME_SLOT) + 5);
      const began = await now();
      await expect
        .poll(async () => Number((await seat()).lastSeenAt), { timeout: 20_000 })
        .toBeGreaterThanOrEqual(began);
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
