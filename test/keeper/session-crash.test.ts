import type { Hex } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { routerAbi } from "../../keeper/chain/contracts.ts";
import { recordsRoot } from "../../keeper/chain/sessions.ts";
import type { Keeper } from "../../keeper/main.ts";
import { digestOf } from "../../keeper/storage/cid.ts";
import { account, OPERATOR_INDEX, showLife, startChain, type TestChain } from "./support/chain.ts";
import { crashOf } from "./support/crash.ts";
import { dataFolder, keeperOn, overridesFor } from "./support/keeper.ts";
import type { SessionCrashPlan } from "./support/session-crash-child.ts";
import { call, HeldByTest } from "./support/sessions.ts";

let chain: TestChain;
let folder: Awaited<ReturnType<typeof dataFolder>>;

beforeAll(async () => {
  chain = await startChain();
  folder = await dataFolder();
});

afterAll(async () => {
  await chain?.stop();
  await folder?.remove();
});

async function crash(plan: Omit<SessionCrashPlan, "overrides">): Promise<NodeJS.Signals | null> {
  const overrides = await overridesFor(chain, folder.path);
  // The point is one of the session's, and no heartbeat's.
  await showLife(chain, OPERATOR_INDEX);
  return crashOf("./session-crash-child.ts", { ...plan, overrides } satisfies SessionCrashPlan);
}

const about = (id: Hex) => {
  const address = chain.book.contracts.router;
  return { address, abi: routerAbi, args: { id }, fromBlock: 0n, strict: true } as const;
};

describe("a keeper that is killed in the middle of a session", () => {
  test.each([
    // The opening is written down and sent; the settlement comes second.
    ["written", 0, 0],
    ["sent", 0, 1],
    ["accepted", 0, 2],
    ["answered", 0, 3],
    ["stored", 0, 4],
    ["paid", 0, 0],
    ["written", 1, 1],
    ["sent", 1, 2],
  ])("answers, is paid and settles once, at %s (%i)", { timeout: 180_000 }, async (point, pass, index) => {
    const user = account(index);
    const secret = generatePrivateKey();
    const key = privateKeyToAccount(secret);
    const prompt = `in a session, killed at ${point} ${pass}`;
    expect(await crash({ point, pass, user: index, key: secret, prompt })).toBe("SIGKILL");

    let keeper: Keeper | undefined;
    try {
      keeper = await keeperOn(chain, folder.path);
      const { router } = chain.book.contracts;
      const list = async () =>
        (await call(`${keeper?.url}/api/sessions?address=${user.address}`)).body["sessions"] as Record<
          string,
          unknown
        >[];
      const mine = async () => (await list()).find((entry) => entry["key"] === key.address);
      await expect.poll(async () => (await mine())?.["status"], { timeout: 20_000 }).toMatch(/^(open|closing|closed)$/);
      const session = new HeldByTest({ keeper, router, chain }, String((await mine())?.["session_id"]) as Hex, key);
      expect(await chain.client.getContractEvents({ ...about(session.id), eventName: "SessionOpened" })).toHaveLength(
        1,
      );

      const asked = await session.prompt(prompt, { number: 1 });
      const first = await session.post(asked);
      const answer =
        first.status === 402 ? await session.post(asked, await session.sign(session.receiptFor(first))) : first;
      expect(answer).toMatchObject({ status: 200, body: { session_number: 1, status: "success" } });
      expect(answer.body["response"]).not.toBe("");
      const closed = await session.close();
      expect(closed.body).toMatchObject({ prompts: 1, spent_wei: answer.body["price_wei"] });
      await expect.poll(async () => (await call(session.url)).body["status"], { timeout: 30_000 }).toBe("closed");

      const settlements = await chain.client.getContractEvents({ ...about(session.id), eventName: "SessionSettled" });
      expect(settlements).toHaveLength(1);
      expect(settlements[0]?.args).toMatchObject({
        prompts: 1n,
        root: recordsRoot([digestOf(String(answer.body["cid"]))]),
      });
      const [end] = await chain.client.getContractEvents({ ...about(session.id), eventName: "SessionClosed" });
      expect(end?.args.consumed.toString()).toBe(answer.body["price_wei"]);
    } finally {
      await keeper?.stop();
    }
  });
});
