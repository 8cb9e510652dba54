import { describe, expect, test } from "vitest";
import { routerAbi } from "../../keeper/chain/contracts.ts";
import { readSettings } from "../../keeper/config.ts";
import { openDatabase } from "../../keeper/database/open.ts";
import { account, OPERATOR_INDEX, showLife } from "./support/chain.ts";
import { coreFixture } from "./support/core.ts";
import { ask, overridesFor, request, settled } from "./support/keeper.ts";

const core = coreFixture();

const reorg = (depth: number): Promise<unknown> =>
  core.chain.client.request({ method: "anvil_reorg", params: [depth, []] } as never);
const transactionsOf = (index: number): Promise<number> =>
  core.chain.client.getTransactionCount({ address: account(index).address });
const creditsOf = (index: number): Promise<bigint> => core.creditsOf(account(index).address);
const settlements = (id: `0x${string}`) =>
  core.chain.client.getContractEvents({
    address: core.chain.book.contracts.router,
    abi: routerAbi,
    eventName: "RequestSettled",
    args: { id },
    fromBlock: 0n,
  });

describe("when the chain drops blocks", () => {
  test.each([1, 4, 8])(
    "%i deep, a settled direct chat is settled again by the same transaction, and paid once",
    async (depth) => {
      const before = await creditsOf(0);
      const { state } = await request(
        core.keeper,
        "direct",
        account(0),
        ask(account(0).address, `Reorganised ${depth}`),
      );
      const first = await settled(core.keeper, state.requestId);
      if (depth > 1) await core.chain.client.mine({ blocks: depth - 1 });
      await reorg(depth);
      expect(await settlements(state.requestId)).toHaveLength(0);
      await expect.poll(() => settlements(state.requestId), { timeout: 20_000 }).toHaveLength(1);
      await expect
        .poll(async () => (await core.keeper.services.requests.status(state.requestId))?.status, { timeout: 20_000 })
        .toBe("completed");
      const again = await settled(core.keeper, state.requestId);
      expect(again.settleTx).toBe(first.settleTx);
      expect(again.response).toBe(first.response);
      expect(await creditsOf(0)).toBe(before - (again.consumed ?? 0n));
      const stats = await core.keeper.services.reads.userStats(account(0).address);
      expect(stats.totalRewards).toBe(BigInt(stats.interactionCount) * 10n ** 18n);
    },
  );

  test("a submission that is gone is submitted again", async () => {
    const before = await creditsOf(1);
    const { state } = await request(
      core.keeper,
      "assigned",
      account(1),
      ask(account(1).address, "Submitted twice, paid once"),
    );
    await settled(core.keeper, state.requestId);
    await reorg(3);
    await expect.poll(() => settlements(state.requestId), { timeout: 30_000 }).toHaveLength(1);
    await expect
      .poll(async () => (await core.keeper.services.requests.status(state.requestId))?.status, { timeout: 30_000 })
      .toBe("completed");
    const done = await settled(core.keeper, state.requestId);
    expect(await creditsOf(1)).toBe(before - (done.consumed ?? 0n));
  });
});

describe("when the same events are read again", () => {
  test("nothing is answered, sent or paid a second time", async () => {
    const { state } = await request(core.keeper, "assigned", account(2), ask(account(2).address, "Only once"));
    const done = await settled(core.keeper, state.requestId);
    await core.keeper.stop();
    // Else a heartbeat could be due at the next start.
    await showLife(core.chain, OPERATOR_INDEX);
    const sent = await transactionsOf(OPERATOR_INDEX);
    const rewards = await keeperlessRewards();

    const database = await openDatabase(readSettings(await overridesFor(core.chain, core.path), {}), () => {});
    await database.query("delete from cursors");
    await database.close();
    await core.restart();
    await expect.poll(async () => (await core.keeper.services.reads.health()).components.chain.lagBlocks).toBe(0);
    expect(await core.keeper.services.requests.status(state.requestId)).toEqual(done);
    expect(await transactionsOf(OPERATOR_INDEX)).toBe(sent);
    expect(await keeperlessRewards()).toBe(rewards);
    expect(await core.keeper.services.reads.rewards(account(0).address, 100)).toHaveLength(3);
  });

  async function keeperlessRewards(): Promise<bigint> {
    const [records] = await core.chain.client.readContract({
      address: core.chain.book.contracts.router,
      abi: routerAbi,
      functionName: "ledger",
    });
    return records;
  }
});
