/** A model that says nothing has answered: it is paid the least, and loses nothing by it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEther } from "viem";
import { afterAll, expect, test } from "vitest";
import { routerAbi } from "../../keeper/chain/contracts.ts";
import { account } from "./support/chain.ts";
import { coreFixture } from "./support/core.ts";
import { ask, request, settled } from "./support/keeper.ts";
import { writeTinyModel } from "./support/tiny-gguf.ts";

const folder = await mkdtemp(join(tmpdir(), "neuroswarm-silent-"));
const model = join(folder, "silent.gguf");
await writeTinyModel(model, { silent: true });
const core = coreFixture({ MODEL: model });
afterAll(() => rm(folder, { recursive: true }));

test.each(["direct", "assigned"] as const)("in the %s lane", async (lane) => {
  const user = account(0);
  const { state } = await request(core.keeper, lane, user, ask(user.address, `Say nothing, ${lane}`));
  const done = await settled(core.keeper, state.requestId);
  expect(done).toMatchObject({ status: "completed", response: "", tokensUsed: 1, consumed: parseEther("5.1") });
  const { success, failed } = await core.chain.client.readContract({
    address: core.router,
    abi: routerAbi,
    functionName: "validatorOf",
    args: [BigInt(core.keeper.validatorId)],
  });
  // Not its reputation: the speed is a part of that, and hangs on how busy this machine is.
  expect([success, failed]).toEqual([255n, 0n]);
});
