import type { Hex } from "viem";
import { describe, expect, test } from "vitest";
import { routerAbi } from "../../keeper/chain/contracts.ts";
import { account } from "./support/chain.ts";
import { coreFixture } from "./support/core.ts";
import { call, HeldByTest } from "./support/sessions.ts";

const core = coreFixture();
const stateOf = (id: Hex) =>
  core.chain.client.readContract({ address: core.router, abi: routerAbi, functionName: "sessionOf", args: [id] });
const statusOf = async ({ url }: HeldByTest) => (await call(url)).body["status"];
const blockOf = async (id: Hex, eventName: "SessionOpened" | "SessionClosed"): Promise<bigint> => {
  const about = { address: core.router, abi: routerAbi, args: { id }, fromBlock: 0n, strict: true } as const;
  const [log] = await core.chain.client.getContractEvents({ ...about, eventName });
  if (log === undefined) throw new Error(`no ${eventName}`);
  return log.blockNumber;
};

/** Drops the blocks from `block` on; what they held is not mined before `mined` is called. */
async function dropFrom(block: bigint): Promise<{ mined: () => Promise<void> }> {
  const { client } = core.chain;
  await client.setAutomine(false);
  const depth = Number((await client.getBlockNumber()) - block) + 1;
  await client.request({ method: "anvil_reorg", params: [depth, []] } as never);
  return {
    mined: async () => {
      await client.setAutomine(true);
      await client.mine({ blocks: 1 });
    },
  };
}

describe("when the chain drops the block", () => {
  test("that opened a session, it takes no prompts until it is open again, and is settled", async () => {
    const session = await HeldByTest.open(core, account(0));
    expect((await session.ask("Before")).status).toBe(200);
    const dropped = await dropFrom(await blockOf(session.id, "SessionOpened"));
    expect((await stateOf(session.id)).open).toBe(false);
    const early = await session.post(await session.prompt("Meanwhile"));
    expect([early.status, early.body.error["code"]]).toEqual([409, "session_opening"]);
    // A start looks at every session.
    await core.restart();
    expect((await session.post(await session.prompt("Meanwhile"))).body.error["code"]).toBe("session_opening");
    expect(await statusOf(session)).toBe("open");
    await dropped.mined();
    await expect.poll(async () => (await stateOf(session.id)).open, { timeout: 20_000 }).toBe(true);
    await expect.poll(async () => (await session.ask("After")).status, { timeout: 20_000 }).toBe(200);
    const closed = await session.close();
    expect(closed.body).toMatchObject({ status: "closed", settled_wei: session.spent.toString(), settled_prompts: 2 });
  });

  test("that closed it, it is closed again", async () => {
    const session = await HeldByTest.open(core, account(1));
    await session.ask("Before");
    const closed = await session.close();
    const dropped = await dropFrom(await blockOf(session.id, "SessionClosed"));
    await expect.poll(() => statusOf(session), { timeout: 20_000 }).toBe("closing");
    await dropped.mined();
    await expect.poll(() => statusOf(session), { timeout: 20_000 }).toBe("closed");
    expect((await stateOf(session.id)).open).toBe(false);
    expect((await call(session.url)).body["close_tx"]).toBe(closed.body["close_tx"]);
  });

  test("that settled it, it is settled once", async () => {
    const session = await HeldByTest.open(core, account(2));
    await session.ask("Before");
    await core.restart();
    await expect.poll(async () => (await stateOf(session.id)).settled, { timeout: 20_000 }).toBe(session.spent);
    const dropped = await dropFrom(await core.chain.client.getBlockNumber());
    await dropped.mined();
    await expect.poll(async () => (await stateOf(session.id)).settled, { timeout: 20_000 }).toBe(session.spent);
    const closed = await session.close();
    expect(closed.body).toMatchObject({ status: "closed", settled_wei: session.spent.toString() });
  });
});
