import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { routerAbi } from "../../keeper/chain/contracts.ts";
import { readSettings } from "../../keeper/config.ts";
import { openDatabase } from "../../keeper/database/open.ts";
import type { Keeper } from "../../keeper/main.ts";
import { account, OPERATOR_INDEX, startChain, type TestChain } from "./support/chain.ts";
import { ask, dataFolder, keeperOn, overridesFor, request, settled } from "./support/keeper.ts";

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

const reorg = (depth: number): Promise<unknown> =>
  chain.client.request({ method: "anvil_reorg", params: [depth, []] } as never);
const transactionsOf = (index: number): Promise<number> =>
  chain.client.getTransactionCount({ address: account(index).address });
const creditsOf = async (index: number): Promise<bigint> =>
  (
    await chain.client.readContract({
      address: chain.book.contracts.router,
      abi: routerAbi,
      functionName: "accountOf",
      args: [account(index).address],
    })
  ).credits;
const settlements = (id: `0x${string}`) =>
  chain.client.getContractEvents({
    address: chain.book.contracts.router,
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
      const { state } = await request(keeper, "direct", account(0), ask(account(0).address, `Reorganised ${depth}`));
      const first = await settled(keeper, state.requestId);
      if (depth > 1) await chain.client.mine({ blocks: depth - 1 });
      await reorg(depth);
      expect(await settlements(state.requestId)).toHaveLength(0);
      await expect.poll(() => settlements(state.requestId), { timeout: 20_000 }).toHaveLength(1);
      await expect
        .poll(async () => (await keeper.services.requests.status(state.requestId))?.status, { timeout: 20_000 })
        .toBe("completed");
      const again = await settled(keeper, state.requestId);
      expect(again.settleTx).toBe(first.settleTx);
      expect(again.response).toBe(first.response);
      expect(await creditsOf(0)).toBe(before - (again.consumed ?? 0n));
      const stats = await keeper.services.reads.userStats(account(0).address);
      expect(stats.totalRewards).toBe(BigInt(stats.interactionCount) * 10n ** 18n);
    },
  );

  test("a submission that is gone is submitted again", async () => {
    const before = await creditsOf(1);
    const { state } = await request(
      keeper,
      "assigned",
      account(1),
      ask(account(1).address, "Submitted twice, paid once"),
    );
    await settled(keeper, state.requestId);
    await reorg(3);
    await expect.poll(() => settlements(state.requestId), { timeout: 30_000 }).toHaveLength(1);
    await expect
      .poll(async () => (await keeper.services.requests.status(state.requestId))?.status, { timeout: 30_000 })
      .toBe("completed");
    const done = await settled(keeper, state.requestId);
    expect(await creditsOf(1)).toBe(before - (done.consumed ?? 0n));
  });
});

describe("when the same events are read again", () => {
  test("nothing is answered, sent or paid a second time", async () => {
    const { state } = await request(keeper, "assigned", account(2), ask(account(2).address, "Only once"));
    const done = await settled(keeper, state.requestId);
    await keeper.stop();
    const sent = await transactionsOf(OPERATOR_INDEX);
    const rewards = await keeperlessRewards();

    const database = await openDatabase(readSettings(await overridesFor(chain, folder.path), {}), () => {});
    await database.query("delete from cursors");
    await database.close();
    keeper = await keeperOn(chain, folder.path);
    await expect.poll(async () => (await keeper.services.reads.health()).components.chain.lagBlocks).toBe(0);
    expect(await keeper.services.requests.status(state.requestId)).toEqual(done);
    expect(await transactionsOf(OPERATOR_INDEX)).toBe(sent);
    expect(await keeperlessRewards()).toBe(rewards);
    expect(await keeper.services.reads.rewards(account(0).address, 100)).toHaveLength(3);
  });

  async function keeperlessRewards(): Promise<bigint> {
    const [records] = await chain.client.readContract({
      address: chain.book.contracts.router,
      abi: routerAbi,
      functionName: "ledger",
    });
    return records;
  }
});
