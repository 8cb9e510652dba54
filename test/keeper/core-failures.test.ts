import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseEther } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modelsAbi, routerAbi } from "../../keeper/chain/contracts.ts";
import { modelId } from "../../keeper/chain/intents.ts";
import type { Keeper } from "../../keeper/main.ts";
import { account, MODEL, register, startChain, type TestChain } from "./support/chain.ts";
import { ask, dataFolder, keeperOn, request, settled } from "./support/keeper.ts";

let chain: TestChain;
let keeper: Keeper;
let folder: Awaited<ReturnType<typeof dataFolder>>;
/** More than the model's context holds. */
const ENDLESS = "Why? ".repeat(4_000);

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

const creditsOf = async (index: number): Promise<bigint> =>
  (
    await chain.client.readContract({
      address: chain.book.contracts.router,
      abi: routerAbi,
      functionName: "accountOf",
      args: [account(index).address],
    })
  ).credits;

describe("a prompt that the model cannot take", () => {
  test("costs nothing in the direct lane", async () => {
    const before = await creditsOf(0);
    const { state } = await request(keeper, "direct", account(0), ask(account(0).address, ENDLESS));
    expect(await settled(keeper, state.requestId)).toMatchObject({
      status: "failed",
      error: { code: "prompt_too_long" },
    });
    expect(await creditsOf(0)).toBe(before);
  });

  test("is declined in the assigned lane, and everything comes back where nobody else is there", async () => {
    const before = await creditsOf(1);
    const { state } = await request(keeper, "assigned", account(1), ask(account(1).address, ENDLESS));
    await expect
      .poll(() => keeper.services.requests.status(state.requestId), { timeout: 20_000 })
      .toMatchObject({ status: "queued" });
    await chain.client.increaseTime({ seconds: 400 });
    await chain.client.mine({ blocks: 3 });
    const done = await settled(keeper, state.requestId);
    expect(done).toMatchObject({
      status: "failed",
      returned: parseEther("50"),
      penalty: 0n,
      error: { code: "no_node" },
    });
    expect(await creditsOf(1)).toBe(before);
  });
});

describe("a block store that is away", () => {
  test.each(["direct", "assigned"] as const)("for a while is waited for in the %s lane", async (lane) => {
    const blocks = join(folder.path, "blocks");
    await rename(blocks, `${blocks}.away`);
    await writeFile(blocks, "in the way");
    const user = account(4);
    const { state } = await request(keeper, lane, user, ask(user.address, `Disk trouble, ${lane}`));
    await setTimeout(5_000);
    const meanwhile = await keeper.services.requests.status(state.requestId);
    await rm(blocks);
    await rename(`${blocks}.away`, blocks);
    expect(meanwhile).toMatchObject({ status: "processing" });
    const done = await settled(keeper, state.requestId);
    expect(done).toMatchObject({ status: "completed" });
    // Drawn once: what was told of it while the disk was away is the answer.
    expect(meanwhile?.response).toBe(done.response);
  });
});

describe("another validator that never answers", () => {
  test("is shown to be offline by the keeper that relayed, and the request gets another one", async () => {
    await register(chain, 8);
    const before = await creditsOf(2);
    let spent = 0n;
    for (let attempt = 0; attempt < 8; attempt++) {
      const { state } = await request(
        keeper,
        "assigned",
        account(2),
        ask(account(2).address, `Who answers ${attempt}?`),
      );
      if (state.validatorId === keeper.validatorId) {
        spent += (await settled(keeper, state.requestId)).consumed ?? 0n;
        continue;
      }
      await chain.client.increaseTime({ seconds: 60 });
      await chain.client.mine({ blocks: 3 });
      const done = await settled(keeper, state.requestId);
      expect(done).toMatchObject({ status: "completed", validatorId: keeper.validatorId });
      expect(done.attempts).toMatchObject([{ failure: "offline" }, { validatorId: keeper.validatorId }]);
      expect(await creditsOf(2)).toBe(before - spent - (done.consumed ?? 0n));
      return;
    }
    throw new Error("the other validator was never selected");
  });
});

describe("a keeper does not start", () => {
  test("with another file than the catalogue pins", async () => {
    const { models } = chain.book.contracts;
    const known = await chain.client.readContract({
      address: models,
      abi: modelsAbi,
      functionName: "modelOf",
      args: [modelId(MODEL)],
    });
    await chain.write(account(0), models, modelsAbi, "setModel", [{ ...known, fileHash: `0x${"ab".repeat(32)}` }]);
    const other = await dataFolder();
    try {
      await expect(keeperOn(chain, other.path)).rejects.toThrow("is not the file that the catalogue pins");
    } finally {
      await other.remove();
    }
  });

  test("for a model that is not in the catalogue, nor where nothing answers", async () => {
    const other = await dataFolder();
    try {
      await expect(keeperOn(chain, other.path, { MODEL_NAME: "gpt-9" })).rejects.toThrow("llama-2-7b-q4");
      await expect(keeperOn(chain, other.path, { RPC_URL: "http://127.0.0.1:1" })).rejects.toThrow("check RPC_URL");
    } finally {
      await other.remove();
    }
  });
});
