import { BaseError } from "viem";
import { describe, expect, test } from "vitest";
import { routerAbi } from "../../keeper/chain/contracts.ts";
import { isOutOfGas } from "../../keeper/chain/errors.ts";
import { account } from "./support/chain.ts";
import { coreFixture } from "./support/core.ts";
import { ask, request, settled } from "./support/keeper.ts";

const ASKED = 8;
// As many as are answered together go together: by their number, before any time is over.
const core = coreFixture({ BATCH_SIZE: String(ASKED), BATCH_MS: "600000", SEQUENCES: "8" });

const deliveries = async (from: bigint) => {
  const events = await core.chain.client.getContractEvents({
    address: core.router,
    abi: routerAbi,
    eventName: "RequestSettled",
    fromBlock: from,
    strict: true,
  });
  return [...Map.groupBy(events, ({ transactionHash }) => transactionHash)].map(([hash, { length }]) => ({
    hash,
    length,
  }));
};

const askAll = async (name: string): Promise<void> => {
  const user = account(name.length % 5);
  const asked = await Promise.all(
    Array.from({ length: ASKED }, (_, n) => request(core.keeper, "direct", user, ask(user.address, `${name} ${n}`))),
  );
  for (const { state } of asked)
    expect(await settled(core.keeper, state.requestId)).toMatchObject({ status: "completed" });
};

describe("a batch of direct answers", () => {
  let gasUsed = 0n;

  test("is one transaction where it fits", async () => {
    const from = (await core.chain.client.getBlockNumber({ cacheTime: 0 })) + 1n;
    await askAll("Fits");
    const [batch, ...others] = await deliveries(from);
    expect([batch?.length, others]).toEqual([ASKED, []]);
    ({ gasUsed } = await core.chain.client.getTransactionReceipt({ hash: batch?.hash ?? "0x" }));
  });

  test("is halved until it fits the chain's blocks, and everybody is settled once", { timeout: 120_000 }, async () => {
    const { client } = core.chain;
    const { gasLimit } = await client.getBlock();
    await client.setBlockGasLimit({ gasLimit: (gasUsed * 3n) / 4n });
    await client.mine({ blocks: 1 });
    const from = (await client.getBlockNumber({ cacheTime: 0 })) + 1n;
    try {
      await askAll("Too many");
      const sizes = (await deliveries(from)).map(({ length }) => length);
      expect(sizes.length).toBeGreaterThan(1);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(ASKED);
    } finally {
      await client.setBlockGasLimit({ gasLimit });
      await client.mine({ blocks: 1 });
    }
  });
});

describe("want of gas", () => {
  test.each([
    "gas required exceeds allowance (30000000)",
    "Out of gas: gas required exceeds allowance: 700000",
    "execution reverted: EvmError: OutOfGas",
    "exceeds block gas limit",
  ])("is known by what endpoints say: %s", (details) => {
    expect(isOutOfGas(new BaseError("Execution failed.", { details }))).toBe(true);
  });

  test("is told from a refusal and from a dead endpoint", () => {
    expect(isOutOfGas(new BaseError("Execution reverted.", { details: "execution reverted" }))).toBe(false);
    expect(isOutOfGas(new Error("fetch failed"))).toBe(false);
  });
});
