import { type Address, keccak256, stringToBytes } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { routerAbi } from "../../keeper/chain/contracts.ts";
import type { Keeper } from "../../keeper/main.ts";
import { account, OPERATOR_INDEX, privateKey, register, setOpen, startChain, type TestChain } from "./support/chain.ts";
import { ask, dataFolder, keeperOn, request, settled } from "./support/keeper.ts";

const OTHER = 8;
let chain: TestChain;
const keepers: Keeper[] = [];
let folders: Awaited<ReturnType<typeof dataFolder>>[] = [];

beforeAll(async () => {
  chain = await startChain();
  folders = [await dataFolder(), await dataFolder()];
  keepers.push(await keeperOn(chain, folders[0]?.path ?? ""));
});

afterAll(async () => {
  await Promise.all(keepers.map((keeper) => keeper.stop()));
  await chain?.stop();
  await Promise.all(folders.map((folder) => folder.remove()));
});

const published = (router: Address) =>
  chain.client.getContractEvents({ address: router, abi: routerAbi, eventName: "PromptPublished", fromBlock: 0n });

test("a prompt stays with the only keeper that serves its model", async () => {
  const [keeper] = keepers;
  if (!keeper) throw new Error("no keeper");
  const user = account(0);
  const { state } = await request(keeper, "assigned", user, ask(user.address, "Between us"));
  expect(await settled(keeper, state.requestId)).toMatchObject({ status: "completed" });
  expect(await published(chain.book.contracts.router)).toHaveLength(0);
});

test("where two serve it, whoever is assigned answers, and one with a salt goes to who knows it", async () => {
  await register(chain, OTHER);
  keepers.push(await keeperOn(chain, folders[1]?.path ?? "", { OPERATOR_KEY: privateKey(OTHER) }));
  const [keeper, other] = keepers;
  if (!keeper || !other) throw new Error("no keeper");
  // Terms are read anew after five seconds.
  await new Promise((resolve) => setTimeout(resolve, 5_100));
  for (const [closed, { validatorId }] of [
    [OTHER, keeper],
    [OPERATOR_INDEX, other],
  ] as const) {
    await setOpen(chain, account(closed), false);
    const user = account(closed % 3);
    const { state } = await request(keeper, "assigned", user, ask(user.address, `Who? ${closed}`));
    expect(await settled(keeper, state.requestId)).toMatchObject({ status: "completed", validatorId });
    await setOpen(chain, account(closed), true);
  }
  await expect(
    keeper.services.requests.prepare("assigned", ask(account(0).address, "a".repeat(9_000))),
  ).rejects.toMatchObject({ statusCode: 400, details: { field: "prompt" } });
  const salt = keccak256(stringToBytes("salt"));
  for (let round = 0; round < 4; round++) {
    const user = account(3 + (round % 2));
    const { state } = await request(keeper, "assigned", user, ask(user.address, `Salted ${round}`, { salt }));
    const done = await settled(keeper, state.requestId);
    expect(done).toMatchObject({ status: "completed", validatorId: keeper.validatorId });
  }
}, 60_000);
