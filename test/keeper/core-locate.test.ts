import { encodeAbiParameters, erc20Abi, keccak256, parseEther, zeroAddress } from "viem";
import { beforeAll, describe, expect, test } from "vitest";
import { creditsAbi, routerAbi } from "../../keeper/chain/contracts.ts";
import { modelId } from "../../keeper/chain/intents.ts";
import { latestEnd } from "../../keeper/services/locate-open.ts";
import type { Position, PositionKind } from "../../keeper/services/types.ts";
import { account, MODEL, OPERATOR_INDEX, setOpen } from "./support/chain.ts";
import { coreFixture } from "./support/core.ts";
import { ask, request, settled } from "./support/keeper.ts";

const core = coreFixture();
const user = account(0);
const owner = account(OPERATOR_INDEX);

async function found(address: `0x${string}`): Promise<(kind: PositionKind, token?: Position["token"]) => Position[]> {
  const { positions } = await core.keeper.services.reads.locate(address);
  return (kind, token) =>
    positions.filter((position) => position.kind === kind && (token === undefined || position.token === token));
}

const sumOf = (positions: readonly Position[]): bigint => positions.reduce((sum, { amount }) => sum + amount, 0n);
const nsdOf = async (address: `0x${string}`): Promise<bigint> =>
  sumOf((await core.keeper.services.reads.locate(address)).positions.filter(({ token }) => token === "NSD"));
const now = async (): Promise<number> => Number((await core.chain.client.getBlock()).timestamp);

describe("what the protocol holds for a user", () => {
  let whole: bigint;

  beforeAll(async () => {
    whole = await nsdOf(user.address);
  });

  test("adds up while a request, a session, a bond and a withdrawal hold parts of it", async () => {
    const { contracts } = core.chain.book;
    const { credits, router } = contracts;
    await setOpen(core.chain, owner, false);
    const { state } = await request(core.keeper, "assigned", user, ask(user.address, "Held back"));
    expect(state.status).toBe("queued");
    await setOpen(core.chain, owner, true);
    const done = await settled(core.keeper, state.requestId);
    await setOpen(core.chain, owner, false);
    const open = (await request(core.keeper, "assigned", user, ask(user.address, "Held"))).state;

    const { nonce } = await core.accountOf(user.address);
    const opening = {
      user: user.address,
      validator: owner.address,
      key: zeroAddress,
      model: modelId(MODEL),
      cap: parseEther("30"),
      expiry: BigInt((await now()) + 86_400),
      nonce: Number(nonce),
      deadline: BigInt((await now()) + 600),
    };
    await core.chain.write(user, router, routerAbi, "openSession", [opening, "0x"]);
    const commitment = keccak256(encodeAbiParameters([{ type: "string" }], ["to a costly request"]));
    await core.chain.write(user, router, routerAbi, "commit", [commitment, parseEther("60")]);
    await core.chain.write(user, credits, creditsAbi, "requestWithdrawal", [parseEther("100")]);

    const at = await found(user.address);
    expect(await nsdOf(user.address)).toBe(whole - (done.consumed ?? 0n));
    expect(at("request")).toMatchObject([{ id: open.requestId, amount: parseEther("50"), call: "expire(Ticket)" }]);
    expect(at("session")).toMatchObject([
      { amount: parseEther("30"), availableAt: new Date(Number(opening.expiry) * 1000), by: "anyone" },
    ]);
    expect(at("bond")).toMatchObject([{ id: commitment, amount: parseEther("60"), by: "owner" }]);
    expect(at("withdrawing")).toMatchObject([{ amount: parseEther("100"), call: "withdraw()" }]);
    expect(at("accrued")).toMatchObject([{ token: "LCAI", amount: parseEther("1"), call: "claim(address)" }]);
    const readyAt = at("withdrawing")[0]?.availableAt?.getTime() ?? 0;
    expect(readyAt).toBeGreaterThan((await now()) * 1000);
    await setOpen(core.chain, owner, true);
    await settled(core.keeper, open.requestId);
    expect((await found(user.address))("request")).toEqual([]);
  });

  test("says of a bond that was not revealed in time that it is gone", async () => {
    await core.chain.client.mine({ blocks: 300 });
    const [bond] = (await found(user.address))("bond");
    expect(bond?.availableAt).toBeUndefined();
    expect(bond?.note).toContain("lost");
  });
});

describe("what the protocol holds for a validator's owner", () => {
  test("is its stake, and its legs on their way from the till to the wallet", async () => {
    const { credits, nsd } = core.chain.book.contracts;
    const earned = (await found(owner.address))("till");
    expect(earned).toMatchObject([{ token: "NSD", call: "startClaim(uint256)", by: "anyone" }]);
    expect((await found(owner.address))("stake")).toMatchObject([{ token: "NST", amount: parseEther("50000") }]);
    const id = BigInt(core.keeper.validatorId);
    await core.chain.write(user, credits, creditsAbi, "startClaim", [id]);
    const pending = await found(owner.address);
    expect(pending("till")).toEqual([]);
    expect(sumOf(pending("claim"))).toBe(sumOf(earned));
    const readyAt = pending("claim")[0]?.availableAt?.getTime() ?? 0;
    await core.pass(readyAt / 1000 - (await now()));
    const before = await core.chain.client.readContract({
      address: nsd,
      abi: erc20Abi,
      functionName: "balanceOf",
      args: [owner.address],
    });
    await core.chain.write(user, credits, creditsAbi, "claim", [id]);
    const wallet = sumOf((await found(owner.address))("wallet", "NSD"));
    expect(wallet).toBe(before + sumOf(earned));
  });
});

describe("the latest end of a request", () => {
  const offer = { queueWindow: 300, window: 60, pace: 20 };
  const view = { since: 1_000n, attempts: 1n, cancelling: false };
  test.each([
    ["on its first attempt, with two left", view, "assigned", 1_000 + 80 + 2 * (300 + 2 + 80)],
    ["on its last attempt", { ...view, attempts: 3n }, "assigned", 1_080],
    ["in the queue from the beginning", { ...view, attempts: 0n }, "queued", 1_000 + 3 * 382],
    ["in the queue after two", { ...view, attempts: 2n }, "queued", 1_382],
    ["that is being cancelled", { ...view, cancelling: true }, "assigned", 1_030],
  ] as const)("%s", (_name, state, status, expected) => {
    expect(latestEnd(state, status, offer, 400)).toBe(expected);
  });
});
