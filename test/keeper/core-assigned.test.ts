import { erc20Abi, getAddress, parseEther } from "viem";
import { describe, expect, test } from "vitest";
import { routerAbi } from "../../keeper/chain/contracts.ts";
import { modelId } from "../../keeper/chain/intents.ts";
import type { RequestEvent } from "../../keeper/services/types.ts";
import { decodeRecord } from "../../keeper/storage/record.ts";
import { abi as askOnChainAbi } from "../../typechain-types/AskOnChain.ts";
import { bytecode as askOnChainBytecode } from "../../typechain-types/bytecode/AskOnChain.ts";
import { account, MODEL } from "./support/chain.ts";
import { coreFixture } from "./support/core.ts";
import { ask, request, settled } from "./support/keeper.ts";

const core = coreFixture();

describe("an assigned request", () => {
  test("is submitted, answered and settled, and what it did not use comes back", async () => {
    const user = account(0);
    const before = await core.accountOf(user.address);
    const { state } = await request(core.keeper, "assigned", user, ask(user.address, "What is staked?"));
    expect(state).toMatchObject({ lane: "assigned", burned: parseEther("50") });
    expect(state.submitTx).toBeDefined();
    const done = await settled(core.keeper, state.requestId);
    const { consumed = 0n, returned = 0n } = done;
    expect(done.status).toBe("completed");
    expect(consumed + returned).toBe(parseEther("50"));
    expect((done.validatorEarned ?? 0n) + (done.treasuryEarned ?? 0n) + (done.burnedForGood ?? 0n)).toBe(consumed);
    const after = await core.accountOf(user.address);
    expect(after.credits).toBe(before.credits - consumed);
    expect(after.accruedChats).toBe(before.accruedChats + 1n);
  });

  test("burns from the wallet what the credits lack", async () => {
    const user = account(6);
    const { nsd, credits } = core.chain.book.contracts;
    const poor = ask(user.address, "Without credits");
    const attempt = request(core.keeper, "assigned", user, poor);
    await expect(attempt).rejects.toMatchObject({
      statusCode: 402,
      details: { required_wei: parseEther("50").toString(), available_wei: "0" },
    });
    await core.chain.write(user, nsd, erc20Abi, "approve", [credits, parseEther("50")]);
    const { state } = await request(core.keeper, "assigned", user, poor);
    expect(await settled(core.keeper, state.requestId)).toMatchObject({ status: "completed" });
    expect(
      await core.chain.client.readContract({
        address: nsd,
        abi: erc20Abi,
        functionName: "balanceOf",
        args: [user.address],
      }),
    ).toBe(parseEther("99950"));
  });

  test("is the same request when the same signed message comes again", async () => {
    const user = account(0);
    const fields = ask(user.address, "Twice");
    const { state, intent, signature } = await request(core.keeper, "assigned", user, fields);
    const again = await core.keeper.services.requests.accept("assigned", intent, signature, fields);
    expect(again.requestId).toBe(state.requestId);
    await settled(core.keeper, state.requestId);
  });

  test("tells its phases, and its tokens joined are the answer", async () => {
    const user = account(2);
    const { state } = await request(core.keeper, "assigned", user, ask(user.address, "Step by step"));
    const events: RequestEvent[] = [];
    const over = Promise.withResolvers<void>();
    await core.keeper.services.requests.follow(state.requestId, 0, (event) => {
      events.push(event);
      if (event.type === "final") over.resolve();
    });
    await over.promise;
    const done = await settled(core.keeper, state.requestId);
    expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index));
    expect(events.flatMap((event) => (event.type === "phase" ? [event.phase] : []))).toEqual([
      "accepted",
      "assigned",
      "answering",
      "answered",
      "stored",
      "settling",
      "settled",
    ]);
    expect(events.map((event) => (event.type === "token" ? event.token : "")).join("")).toBe(done.response);
    const late: RequestEvent[] = [];
    await core.keeper.services.requests.follow(state.requestId, 3, (event) => late.push(event));
    expect(late).toEqual(events.slice(3));
  });
});

describe("a contract that asks on chain", () => {
  test("gets the answer into its callback", async () => {
    const { router, nsd } = core.chain.book.contracts;
    const owner = account(5);
    const consumer = await core.chain.deploy(owner, askOnChainAbi, askOnChainBytecode, [router]);
    await core.chain.write(owner, nsd, erc20Abi, "transfer", [consumer, parseEther("100")]);
    await core.chain.write(owner, consumer, askOnChainAbi, "ask", [
      modelId(MODEL),
      "What does a contract want to know?",
    ]);
    const [asked] = await core.chain.client.getContractEvents({
      address: consumer,
      abi: askOnChainAbi,
      eventName: "Asked",
      fromBlock: 0n,
    });
    const id = asked?.args.id ?? "0x";
    await expect
      .poll(() => core.keeper.services.requests.status(id), { timeout: 20_000 })
      .toMatchObject({ status: "completed" });
    const done = await settled(core.keeper, id);
    const failures = await core.chain.client.getContractEvents({
      address: router,
      abi: routerAbi,
      eventName: "CallbackFailed",
      fromBlock: 0n,
    });
    expect(failures).toHaveLength(0);
    const answer = await core.chain.client.readContract({
      address: consumer,
      abi: askOnChainAbi,
      functionName: "answers",
      args: [id],
    });
    const bytes = (await core.keeper.services.reads.block(done.cid ?? "")) ?? new Uint8Array();
    // The contract hands over the JSON string as it stands in the record, escapes included.
    expect(JSON.parse(`"${answer}"`)).toBe(decodeRecord(bytes).answer);
    expect(done.user).toBe(getAddress(consumer));
  });
});
