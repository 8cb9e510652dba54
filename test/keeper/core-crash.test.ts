import type { Address } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { routerAbi } from "../../keeper/chain/contracts.ts";
import type { Keeper } from "../../keeper/main.ts";
import type { Lane } from "../../keeper/services/types.ts";
import { account, OPERATOR_INDEX, setOpen, showLife, startChain, type TestChain } from "./support/chain.ts";
import { crashOf } from "./support/crash.ts";
import type { CrashPlan } from "./support/crash-child.ts";
import { dataFolder, keeperOn, overridesFor, settled } from "./support/keeper.ts";

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

/** Runs a keeper that takes one request and ends at the point; resolves with the signal that ended it. */
async function crash(plan: Omit<CrashPlan, "overrides">): Promise<NodeJS.Signals | null> {
  const overrides = await overridesFor(chain, folder.path);
  // The point is one of the request's, and no heartbeat's.
  await showLife(chain, OPERATOR_INDEX);
  return crashOf("./crash-child.ts", { ...plan, overrides } satisfies CrashPlan);
}

async function eventsFor(user: Address, eventName: "RequestSettled" | "RequestSubmitted" | "DeliverySkipped") {
  const address = chain.book.contracts.router;
  return chain.client.getContractEvents({ address, abi: routerAbi, eventName, args: { user }, fromBlock: 0n });
}

const accountOf = (user: Address) =>
  chain.client.readContract({
    address: chain.book.contracts.router,
    abi: routerAbi,
    functionName: "accountOf",
    args: [user],
  });

const cases: readonly [lane: Lane, point: string, pass: number][] = [
  ["direct", "accepted", 0],
  ["direct", "answered", 0],
  ["direct", "stored", 0],
  ["direct", "written", 0],
  ["direct", "sent", 0],
  ["direct", "mined", 0],
  ["assigned", "accepted", 0],
  ["assigned", "written", 0],
  ["assigned", "sent", 0],
  ["assigned", "stored", 0],
  ["assigned", "written", 1],
  ["assigned", "sent", 1],
];

describe("a keeper that is killed finishes, once, what it had accepted", () => {
  test.each(cases)("%s lane, at %s (%i)", { timeout: 180_000 }, async (lane, point, pass) => {
    const user = account(lane === "direct" ? 0 : 1);
    const prompt = `killed in the ${lane} lane at ${point} ${pass}`;
    const before = await accountOf(user.address);
    const [settledBefore, submittedBefore] = [
      await eventsFor(user.address, "RequestSettled"),
      await eventsFor(user.address, "RequestSubmitted"),
    ];
    expect(await crash({ lane, point, pass, prompt, user: lane === "direct" ? 0 : 1 })).toBe("SIGKILL");

    let keeper: Keeper | undefined;
    try {
      keeper = await keeperOn(chain, folder.path);
      const [row] = (await keeper.services.reads.history(user.address, 1)).requests;
      expect(row?.prompt).toBe(prompt);
      const done = await settled(keeper, row?.requestId ?? "0x");
      expect(done).toMatchObject({ status: "completed", prompt });
      const after = await accountOf(user.address);
      expect(after.nonce).toBe(before.nonce + 1n);
      expect(after.credits).toBe(before.credits - (done.consumed ?? 0n));
      expect(await eventsFor(user.address, "RequestSettled")).toHaveLength(settledBefore.length + 1);
      expect(await eventsFor(user.address, "RequestSubmitted")).toHaveLength(
        submittedBefore.length + (lane === "assigned" ? 1 : 0),
      );
      expect(await eventsFor(user.address, "DeliverySkipped")).toHaveLength(0);
      expect(await keeper.services.reads.block(done.cid ?? "")).toBeDefined();
    } finally {
      await keeper?.stop();
    }
  });
});

describe("a keeper that is killed while it relays a cancellation", () => {
  test.each(["written", "sent"])("brings it to its end, at %s", { timeout: 180_000 }, async (point) => {
    const user = account(1);
    const prompt = `taken back at ${point}`;
    const before = await accountOf(user.address);
    await setOpen(chain, account(OPERATOR_INDEX), false);
    expect(await crash({ lane: "assigned", point, pass: 0, prompt, user: 1, cancel: true })).toBe("SIGKILL");
    let keeper: Keeper | undefined;
    try {
      keeper = await keeperOn(chain, folder.path);
      const [row] = (await keeper.services.reads.history(user.address, 1)).requests;
      expect(row?.prompt).toBe(prompt);
      const done = await settled(keeper, row?.requestId ?? "0x");
      expect(done).toMatchObject({ status: "cancelled", penalty: 0n });
      expect((await accountOf(user.address)).credits).toBe(before.credits);
    } finally {
      await keeper?.stop();
      await setOpen(chain, account(OPERATOR_INDEX), true);
    }
  });
});

describe("a keeper that is killed with several under way", () => {
  test.each([
    ["stored", 3, 2],
    ["written", 0, 3],
    ["sent", 0, 4],
  ])("finishes each of them once, at %s (%i)", { timeout: 180_000 }, async (point, pass, index) => {
    const user = account(index);
    const prompt = `several at ${point}`;
    const before = await accountOf(user.address);
    const earlier = (await eventsFor(user.address, "RequestSettled")).length;
    expect(await crash({ lane: "direct", point, pass, prompt, user: index, requests: 3 + pass })).toBe("SIGKILL");
    let keeper: Keeper | undefined;
    try {
      keeper = await keeperOn(chain, folder.path);
      const { requests } = await keeper.services.reads.history(user.address, 20);
      const accepted = requests.filter((row) => row.prompt === prompt);
      expect(accepted.length).toBeGreaterThan(0);
      let paid = 0n;
      for (const { requestId } of accepted) {
        const done = await settled(keeper, requestId);
        expect(done.status).toBe("completed");
        paid += done.consumed ?? 0n;
      }
      expect((await accountOf(user.address)).credits).toBe(before.credits - paid);
      expect(await eventsFor(user.address, "RequestSettled")).toHaveLength(earlier + accepted.length);
    } finally {
      await keeper?.stop();
    }
  });
});
