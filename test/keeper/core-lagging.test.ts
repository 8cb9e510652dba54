/** What a keeper concludes from an endpoint that shows an older chain than it has read already: nothing. */
import { setTimeout } from "node:timers/promises";
import { erc20Abi, type Hex, parseEther, stringToHex } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { routerAbi } from "../../keeper/chain/contracts.ts";
import type { Keeper } from "../../keeper/main.ts";
import type { Probe, ProbePoint } from "../../keeper/services/context.ts";
import { account, OPERATOR_INDEX, registerAs, STAKE, setOpen, startChain, type TestChain } from "./support/chain.ts";
import { submitOnChain } from "./support/core.ts";
import { ask, dataFolder, keeperOn, request, settled } from "./support/keeper.ts";
import { type LaggingEndpoint, laggingEndpoint } from "./support/lagging.ts";
import { HeldByTest } from "./support/sessions.ts";

const key = generatePrivateKey();
const operator = privateKeyToAccount(key);
let chain: TestChain;
let endpoint: LaggingEndpoint;
let folder: Awaited<ReturnType<typeof dataFolder>>;
let keeper: Keeper;
/** Called once the keeper has come to these points. */
const at: Partial<Record<ProbePoint, () => Promise<void>>> = {};

beforeAll(async () => {
  chain = await startChain();
  endpoint = await laggingEndpoint(chain.rpcUrl);
  folder = await dataFolder();
  // Development keys are for local chains alone.
  await chain.client.setBalance({ address: operator.address, value: parseEther("10") });
  await chain.write(account(8), chain.book.contracts.nst, erc20Abi, "transfer", [operator.address, STAKE]);
  await registerAs(chain, operator, "https://validator.example");
  // The other one has no keeper here.
  await setOpen(chain, account(OPERATOR_INDEX), false);
  const probe: Probe = (point) => at[point]?.();
  keeper = await keeperOn(chain, folder.path, { RPC_URL: endpoint.url, OPERATOR_KEY: key }, { probe });
});
afterAll(async () => {
  await keeper?.stop();
  await endpoint?.stop();
  await chain?.stop();
  await folder?.remove();
});

const sent = (): Promise<number> =>
  chain.client.getTransactionCount({ address: operator.address, blockTag: "pending" });
const statusOf = async (id: Hex): Promise<string | undefined> => (await keeper.services.requests.status(id))?.status;

test("what was settled stays settled, and nothing is sent for it again", async () => {
  const user = account(0);
  const { state } = await request(keeper, "assigned", user, ask(user.address, "Settled, and then out of sight"));
  const done = await settled(keeper, state.requestId);
  const before = await sent();
  const head = await chain.client.getBlockNumber();
  endpoint.until = head - 2n;
  await setTimeout(1_500);
  expect(await keeper.services.requests.status(state.requestId)).toEqual(done);
  endpoint.until = undefined;
  await chain.client.mine({ blocks: 2 });
  // It looks up to the newest block before it answers this.
  await keeper.services.reads.locate(user.address);
  expect(await keeper.services.requests.status(state.requestId)).toEqual(done);
  expect(await sent()).toBe(before);
});

test("a request whose submission is out of sight is neither submitted again nor given up", async () => {
  const user = account(1);
  const before = await sent();
  let submitted = 0n;
  at.answered = async () => {
    delete at.answered;
    submitted = await chain.client.getBlockNumber();
    endpoint.until = submitted - 1n;
  };
  const { state } = await request(keeper, "assigned", user, ask(user.address, "Submitted, and then out of sight"));
  await expect.poll(() => submitted, { timeout: 20_000 }).not.toBe(0n);
  await setTimeout(2_500);
  expect(await statusOf(state.requestId)).toBe("processing");
  expect(await sent()).toBe(before + 1);
  endpoint.until = undefined;
  expect(await settled(keeper, state.requestId)).toMatchObject({ status: "completed" });
  expect(await sent()).toBe(before + 2);
});

test("a session whose opening is out of sight is not over, and takes prompts again when it is in sight", async () => {
  const core = { keeper, chain, router: chain.book.contracts.router };
  const before = await chain.client.getBlockNumber();
  const session = await HeldByTest.open(core, account(2));
  // What is paid makes the keeper look at its session.
  at.paid = async () => {
    delete at.paid;
    endpoint.until = before;
  };
  expect((await session.ask("One")).status).toBe(200);
  await setTimeout(1_500);
  const { status, body } = await session.post(await session.prompt("Two"));
  expect([status, body.error["code"]]).toEqual([503, "chain_lagging"]);
  endpoint.until = undefined;
  expect((await session.ask("Two")).status).toBe(200);
  expect((await session.close()).body).toMatchObject({ status: "closed", settled_wei: session.spent.toString() });
});

test("a request that comes to us late is found where few blocks can be asked for at once", async () => {
  const { router } = chain.book.contracts;
  await setOpen(chain, account(OPERATOR_INDEX), true);
  await setOpen(chain, operator, false);
  const id = await submitOnChain(chain, account(3), stringToHex("Passed on"));
  await chain.client.mine({ blocks: 12 });
  await setOpen(chain, operator, true);
  endpoint.most = 5n;
  const [submitted] = await chain.client.getContractEvents({
    address: router,
    abi: routerAbi,
    eventName: "RequestSubmitted",
    args: { id },
    fromBlock: 0n,
  });
  const { payer, terms, promptHash, callback } = submitted?.args ?? {};
  await chain.write(account(OPERATOR_INDEX), router, routerAbi, "decline", [{ payer, terms, promptHash, callback }]);
  await expect.poll(() => statusOf(id), { timeout: 20_000 }).toBe("completed");
  endpoint.most = undefined;
});
