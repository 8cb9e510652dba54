import { createHash } from "node:crypto";
import { parseEther } from "viem";
import { describe, expect, test } from "vitest";
import { routerAbi } from "../../keeper/chain/contracts.ts";
import { modelId } from "../../keeper/chain/intents.ts";
import { digestOf } from "../../keeper/storage/cid.ts";
import { decodeRecord } from "../../keeper/storage/record.ts";
import { account, MODEL } from "./support/chain.ts";
import { coreFixture } from "./support/core.ts";
import { ask, keeperOn, request, settled } from "./support/keeper.ts";

const core = coreFixture();

describe("a direct chat", () => {
  test("is answered, stored, delivered and paid to the wei", async () => {
    const user = account(0);
    const before = await core.creditsOf(user.address);
    const { state, intent } = await request(core.keeper, "direct", user, ask(user.address, "What is a validator?"));
    expect(state.status).toBe("processing");
    const done = await settled(core.keeper, state.requestId);
    expect(done).toMatchObject({ status: "completed", lane: "direct", lcai: 10n ** 18n });
    expect(done.response.length).toBeGreaterThan(0);
    const { consumed = 0n, validatorEarned = 0n, treasuryEarned = 0n, burnedForGood = 0n } = done;
    expect(validatorEarned + treasuryEarned + burnedForGood).toBe(consumed);
    expect(burnedForGood).toBe(consumed / 10n);
    const cost = parseEther("5") + (parseEther("1") * BigInt(done.tokensUsed ?? 0)) / 10n;
    expect(consumed).toBe(cost);
    expect(await core.creditsOf(user.address)).toBe(before - consumed);
    expect(state.requestId).toBe(
      await core.chain.client.readContract({
        address: core.chain.book.contracts.router,
        abi: routerAbi,
        functionName: "hashIntent",
        args: [
          {
            ...intent,
            model: (await core.keeper.services.reads.models()).find(({ local }) => local)?.id ?? "0x",
            isPrivate: intent.private,
          },
        ],
      }),
    );
  });

  test("leaves a record that hashes to the digest on chain", async () => {
    const user = account(1);
    const { state } = await request(core.keeper, "direct", user, ask(user.address, "What is burned?"));
    const done = await settled(core.keeper, state.requestId);
    const bytes = await core.keeper.services.reads.block(done.cid ?? "");
    expect(bytes).toBeDefined();
    const digest = `0x${createHash("sha256")
      .update(bytes ?? new Uint8Array())
      .digest("hex")}`;
    expect(digest).toBe(digestOf(done.cid ?? ""));
    const [event] = await core.chain.client.getContractEvents({
      address: core.chain.book.contracts.router,
      abi: routerAbi,
      eventName: "RequestSettled",
      args: { id: state.requestId },
      fromBlock: 0n,
    });
    expect(event?.args.outcome?.digest).toBe(digest);
    const record = decodeRecord(bytes ?? new Uint8Array());
    expect(record).toMatchObject({
      answer: done.response,
      request_id: state.requestId,
      tokens_used: done.tokensUsed,
      user: user.address,
    });
  });
});

describe("many at once", () => {
  test("each gets a nonce of its own, an answer, and a record, and pays for itself alone", async () => {
    const users = [3, 4];
    const before = await Promise.all(users.map((index) => core.creditsOf(account(index).address)));
    const asked = await Promise.all(
      users.flatMap((index) =>
        Array.from({ length: 8 }, (_, n) =>
          request(core.keeper, "direct", account(index), ask(account(index).address, `Many ${n}`)),
        ),
      ),
    );
    const states = await Promise.all(asked.map(({ state }) => settled(core.keeper, state.requestId)));
    expect(new Set(states.map(({ status }) => status))).toEqual(new Set(["completed"]));
    expect(new Set(states.map(({ record }) => record)).size).toBe(16);
    for (const [position, index] of users.entries()) {
      const { address } = account(index);
      const own = states.filter(({ user }) => user === address);
      const paid = own.reduce((sum, { consumed = 0n }) => sum + consumed, 0n);
      expect(await core.creditsOf(address)).toBe((before[position] ?? 0n) - paid);
    }
  });
});

describe("a keeper that is stopped in the middle", () => {
  test("delivers what it has answered, and finishes the rest after its next start", async () => {
    const user = account(2);
    const asked = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        request(core.keeper, "direct", user, ask(user.address, `In a hurry ${index}`, { maxTokens: 64 })),
      ),
    );
    await core.keeper.stop();
    await core.keeper.stop();
    await core.restart();
    const states = await Promise.all(asked.map(({ state }) => settled(core.keeper, state.requestId)));
    expect(states.map(({ status }) => status)).toEqual(asked.map(() => "completed"));
    const records = states.map(({ record }) => record);
    expect(new Set(records).size).toBe(8);
    const skipped = await core.chain.client.getContractEvents({
      address: core.chain.book.contracts.router,
      abi: routerAbi,
      eventName: "DeliverySkipped",
      fromBlock: 0n,
    });
    expect(skipped).toHaveLength(0);
  });

  test("serves a folder alone", async () => {
    await expect(keeperOn(core.chain, core.path)).rejects.toThrow("in use by another keeper");
  });
});

describe("what is read", () => {
  test("ranks by what was earned, and earlier among equals", async () => {
    const ranks = await Promise.all(
      [2, 0, 1].map((index) => core.keeper.services.reads.userStats(account(index).address)),
    );
    expect(ranks.map(({ rank }) => rank)).toEqual([3, 4, 5]);
    expect((await core.keeper.services.reads.userStats(account(5).address)).rank).toBeUndefined();
  });

  test("adds up: what was burned, minted back, retired, and is still owed", async () => {
    const { supply } = await core.keeper.services.reads.network();
    expect(supply.total).toBe(10n ** 27n - supply.burned + supply.minted);
    expect(supply.burned).toBeGreaterThan(0n);
  });

  test("quotes as the contract does", async () => {
    for (const [tokens, priority] of [
      [1, false],
      [317, true],
      [2_048, false],
    ] as const) {
      const quote = await core.keeper.services.reads.quote(MODEL, tokens, priority, parseEther("50"));
      const args = [modelId(MODEL), BigInt(tokens), priority] as const;
      const address = core.chain.book.contracts.router;
      expect(quote.cost).toBe(
        await core.chain.client.readContract({ address, abi: routerAbi, functionName: "quote", args }),
      );
      const buys = [modelId(MODEL), parseEther("50"), priority] as const;
      expect(quote.tokens).toBe(
        Number(
          await core.chain.client.readContract({ address, abi: routerAbi, functionName: "tokensFor", args: buys }),
        ),
      );
    }
  });
});
