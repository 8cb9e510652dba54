import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { signConsent } from "../../keeper/chain/consent.ts";
import { routerAbi, validatorsAbi } from "../../keeper/chain/contracts.ts";
import type { Keeper } from "../../keeper/main.ts";
import type { Lane } from "../../keeper/services/types.ts";
import { account, OPERATOR_INDEX, privateKey, showLife, startChain, type TestChain } from "./support/chain.ts";
import { crashOf } from "./support/crash.ts";
import type { CrashPlan } from "./support/crash-child.ts";
import { ask, dataFolder, keeperOn, overridesFor, request, settled } from "./support/keeper.ts";
import { modelProcess } from "./support/model-process.ts";
import { call, HeldByTest, openSession } from "./support/sessions.ts";

const owner = account(OPERATOR_INDEX);

let chain: TestChain;
let folder: Awaited<ReturnType<typeof dataFolder>>;
let keeper: Keeper | undefined;

beforeAll(async () => {
  chain = await startChain();
  folder = await dataFolder();
});
afterEach(async () => {
  await keeper?.stop();
  keeper = undefined;
});
afterAll(async () => {
  await chain?.stop();
  await folder?.remove();
});

const keyOf = (index: number) => ({ OPERATOR_KEY: privateKey(index) });
const creditsOf = async (index: number) =>
  (
    await chain.client.readContract({
      address: chain.book.contracts.router,
      abi: routerAbi,
      functionName: "accountOf",
      args: [account(index).address],
    })
  ).credits;

/** The owner appoints another key, with that key's consent. */
async function rotateTo(index: number): Promise<void> {
  const registry = chain.book.contracts.validators;
  const deadline = (await chain.client.getBlock()).timestamp + 600n;
  const consent = await signConsent(account(index), owner.address, { chainId: 31_337, registry }, deadline);
  await chain.write(owner, registry, validatorsAbi, "rotateOperator", [account(index).address, deadline, consent]);
}

async function crash(lane: Lane, point: string, operator: number, prompt: string): Promise<void> {
  const overrides = await overridesFor(chain, folder.path, keyOf(operator));
  // The point is one of the request's, and no heartbeat's.
  await showLife(chain, operator);
  const plan: CrashPlan = { overrides, lane, user: 1, prompt, point, pass: 0 };
  expect(await crashOf("./crash-child.ts", plan)).toBe("SIGKILL");
}

describe("a keeper whose validator appointed another key", () => {
  test("says so, takes no more work, and the new key goes on with what is the validator's", {
    timeout: 180_000,
  }, async () => {
    const model = modelProcess();
    keeper = await keeperOn(chain, folder.path, {}, { log: model.log });
    const { validatorId } = keeper;
    const { router } = chain.book.contracts;
    const session = await HeldByTest.open({ keeper, router, chain }, account(2));
    const key = await openSession({ keeper, router, chain }, account(3), { cap: "30", api_key: true });
    const before = await creditsOf(0);
    model.hold();
    const direct = await request(keeper, "direct", account(0), ask(account(0).address, "Never delivered"));
    const assigned = await request(keeper, "assigned", account(1), ask(account(1).address, "Taken over"));
    await rotateTo(8);
    const health = async () => (await call(`${keeper?.url}/api/health`)).body;
    await expect.poll(async () => (await health())["status"], { timeout: 30_000 }).toBe("down");
    expect(await health()).toMatchObject({
      components: { chain: { detail: expect.stringContaining(`validator ${validatorId} is operated by another key`) } },
    });
    expect(JSON.stringify(await health())).toContain(account(8).address);
    const refused = { statusCode: 503, code: "operator_rotated" };
    for (const lane of ["direct", "assigned"] as const)
      await expect(request(keeper, lane, account(2), ask(account(2).address, "Too late"))).rejects.toMatchObject(
        refused,
      );
    const prompt = await session.post(await session.prompt("Too late"));
    expect([prompt.status, prompt.body.error["code"]]).toEqual([503, "operator_rotated"]);
    model.release();
    expect(await settled(keeper, direct.state.requestId)).toMatchObject({
      status: "failed",
      error: { code: "operator_rotated" },
    });
    expect(await creditsOf(0)).toBe(before);
    await keeper.stop();

    await expect(keeperOn(chain, folder.path)).rejects.toThrow(
      /was rotated out: validator \d+ is operated by another key/,
    );
    keeper = await keeperOn(chain, folder.path, keyOf(8));
    expect(keeper.validatorId).toBe(validatorId);
    expect(await settled(keeper, assigned.state.requestId)).toMatchObject({ status: "completed", validatorId });
    const next = await request(keeper, "direct", account(0), ask(account(0).address, "By the new key"));
    expect(await settled(keeper, next.state.requestId)).toMatchObject({ status: "completed" });
    // A session names the key: it is shown, and neither asked in nor closed by the new one.
    const url = `${keeper.url}/api/sessions/${session.id}`;
    expect((await call(url)).body).toMatchObject({ status: "open", validator: owner.address });
    expect((await call(`${url}/close`, { prepare: true })).body.error["code"]).toBe("session_closed");
    const bearer = { authorization: `Bearer ${key.body["api_key"]}` };
    const chat = await call(`${keeper.url}/api/chat`, { message: "Hello" }, bearer);
    expect(chat.body.error["code"]).toBe("api_key_revoked");
  });
});

describe("a new key that finds direct requests of the one before", () => {
  test("tells that they are void, where they were not delivered", { timeout: 180_000 }, async () => {
    const before = await creditsOf(1);
    await crash("direct", "stored", 8, "answered and not delivered");
    await rotateTo(7);
    keeper = await keeperOn(chain, folder.path, keyOf(7));
    const [row] = (await keeper.services.reads.history(account(1).address, 1)).requests;
    expect(row?.prompt).toBe("answered and not delivered");
    expect(await settled(keeper, row?.requestId ?? "0x")).toMatchObject({
      status: "failed",
      error: { code: "operator_rotated" },
    });
    expect(await creditsOf(1)).toBe(before);
  });

  test("finds out that they are settled, where they were", { timeout: 180_000 }, async () => {
    const before = await creditsOf(1);
    await crash("direct", "sent", 7, "delivered and not noted");
    await rotateTo(6);
    keeper = await keeperOn(chain, folder.path, keyOf(6));
    const [row] = (await keeper.services.reads.history(account(1).address, 1)).requests;
    expect(row?.prompt).toBe("delivered and not noted");
    const done = await settled(keeper, row?.requestId ?? "0x");
    expect(done.status).toBe("completed");
    expect(await creditsOf(1)).toBe(before - (done.consumed ?? 0n));
  });
});
