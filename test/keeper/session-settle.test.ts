import { type Hex, parseEther } from "viem";
import { describe, expect, test } from "vitest";
import { routerAbi } from "../../keeper/chain/contracts.ts";
import { sessionOnChain } from "../../keeper/chain/sessions.ts";
import { account } from "./support/chain.ts";
import { coreFixture } from "./support/core.ts";
import { call, HeldByTest } from "./support/sessions.ts";

const core = coreFixture({ SESSION_SETTLE_NSD: "15" });
const codeOf = ({ status, body }: Awaited<ReturnType<typeof call>>) => [status, body.error?.["code"]];
const stateOf = (id: Hex) =>
  core.chain.client.readContract({ address: core.router, abi: routerAbi, functionName: "sessionOf", args: [id] });
const statusOf = async ({ url }: HeldByTest) => (await call(url)).body;
/** Lets time pass, until the keeper's clock shows it: what it asks to sign has a deadline 10 minutes from its now. */
const pass = async (seconds: number, { id }: HeldByTest) => {
  await core.pass(seconds);
  const { timestamp } = await core.chain.client.getBlock();
  const clock = async () => (await core.keeper.services.sessions.prepareClose(id)).deadline - 600n;
  await expect.poll(clock, { timeout: 20_000 }).toBeGreaterThanOrEqual(timestamp);
};
/** The message that its user signed, as the contract takes it. */
const onChain = async ({ id }: HeldByTest) => {
  const state = await core.keeper.services.sessions.get(id);
  if (!state) throw new Error("the keeper does not know the session");
  return sessionOnChain(state.session);
};

describe("a session is settled", () => {
  test("when enough is unsettled, and goes on from there", async () => {
    const session = await HeldByTest.open(core, account(0));
    await session.ask("One");
    expect((await stateOf(session.id)).settled).toBe(0n);
    await session.ask("Two");
    await session.ask("Three");
    await expect.poll(async () => (await stateOf(session.id)).settled, { timeout: 20_000 }).toBe(session.spent);
    await expect
      .poll(async () => (await statusOf(session))["settled_wei"], { timeout: 20_000 })
      .toBe(session.spent.toString());
    // What the chain has taken it takes no more: the old receipt is refused, the next prompt is paid by a new one.
    const prompt = await session.prompt("Four");
    expect(codeOf(await session.post(prompt, await session.ahead()))).toEqual([409, "receipt_mismatch"]);
    const fourth = await session.ask("Four, again");
    expect(fourth.body["session_number"]).toBe(4);
    const closed = await session.close();
    expect(closed.body).toMatchObject({ status: "closed", settled_wei: session.spent.toString(), settled_prompts: 4 });
  });

  test("exactly, whatever is paid ahead: what the contract took beyond would have to be paid again", async () => {
    const session = await HeldByTest.open(core, account(3));
    await session.ask("One", 1);
    // 20.1 NSD reach for four answers of 5.1 each, and 15 of them are due after three.
    const reach = await session.ahead(parseEther("15"));
    const billed: number[] = [];
    for (let number = 2; number <= 9; number++) {
      const prompt = await session.prompt(`Cheap ${number}`, { maxTokens: 1 });
      let answer = await session.post(prompt, number === 2 ? reach : undefined);
      if (answer.status === 402) {
        billed.push(number);
        answer = await session.post(prompt, await session.sign(session.receiptFor(answer)));
      }
      expect([number, answer.status]).toEqual([number, 200]);
      session.told(answer);
      expect((await stateOf(session.id)).settled).toBeLessThanOrEqual(session.spent);
    }
    expect(billed).toEqual([4, 5, 6, 7, 8, 9]);
    expect((await statusOf(session))["settlement_error"]).toBeUndefined();
    const closed = await session.close();
    expect(closed.body).toMatchObject({ status: "closed", settled_wei: session.spent.toString(), settled_prompts: 9 });
  });

  test("as it was paid ahead, where its holder closes it without the exact receipt", async () => {
    const session = await HeldByTest.open(core, account(2));
    await session.ask("One", 1);
    session.told(await session.post(await session.prompt("Two", { maxTokens: 1 }), await session.ahead()));
    const reached = session.spent + parseEther("20") - parseEther("5.1");
    const closed = await session.close();
    expect(closed.body).toMatchObject({ status: "closed", settled_wei: reached.toString(), settled_prompts: 1 });
  });

  test("when its user ends it on chain, within the notice, and takes no prompts at the end of that", async () => {
    const user = account(1);
    const session = await HeldByTest.open(core, user);
    await session.ask("Before the end");
    await core.chain.write(user, core.router, routerAbi, "endSession", [await onChain(session)]);
    expect((await session.ask("In the notice")).status).toBe(200);
    await pass(9 * 60, session);
    expect(codeOf(await session.post(await session.prompt("Too late")))).toEqual([409, "session_ended"]);
    await pass(2 * 60, session);
    await expect.poll(async () => (await stateOf(session.id)).settled, { timeout: 60_000 }).toBe(session.spent);
    await pass(5 * 60, session);
    // The keeper closes it too, since something was paid in it: whoever comes second is refused.
    await core.chain.write(user, core.router, routerAbi, "closeSession", [await onChain(session)]).catch(() => {});
    await expect.poll(async () => (await statusOf(session))["status"], { timeout: 60_000 }).toBe("closed");
  });

  test("before it expires, and closed by the keeper when it has", async () => {
    const before = await core.creditsOf(account(2).address);
    const session = await HeldByTest.open(core, account(2), "50", 1_200);
    await session.ask("While it lasts");
    await pass(1_000, session);
    expect(codeOf(await session.post(await session.prompt("Near its end")))).toEqual([409, "session_ended"]);
    await expect.poll(async () => (await stateOf(session.id)).settled, { timeout: 60_000 }).toBe(session.spent);
    await pass(300, session);
    await expect.poll(async () => (await stateOf(session.id)).open, { timeout: 60_000 }).toBe(false);
    await expect.poll(async () => (await statusOf(session))["status"], { timeout: 20_000 }).toBe("closed");
    expect(await core.creditsOf(account(2).address)).toBe(before - session.spent);
    expect(codeOf(await session.post(await session.prompt("After")))).toEqual([409, "session_closed"]);
  });

  test("when its keeper starts again", async () => {
    const session = await HeldByTest.open(core, account(3));
    await session.ask("Before a stop");
    expect((await stateOf(session.id)).settled).toBe(0n);
    await core.restart();
    await expect.poll(async () => (await stateOf(session.id)).settled, { timeout: 20_000 }).toBe(session.spent);
  });
});

describe("what nobody paid", () => {
  test("is not told, nor settled, when its session is closed", async () => {
    const before = await core.creditsOf(account(4).address);
    const session = await HeldByTest.open(core, account(4));
    const bill = await session.post(await session.prompt("For nothing"));
    expect(codeOf(bill)).toEqual([402, "payment_required"]);
    const closed = await session.close();
    expect(closed.body).toMatchObject({ status: "closed", prompts: 0, settled_wei: "0" });
    const { request_id } = bill.body.error;
    const request = await call(`${core.keeper.url}/api/llm/status/${request_id}`);
    expect(request.body).toMatchObject({ status: "failed", error_code: "unpaid", result: null });
    expect(await core.creditsOf(account(4).address)).toBe(before);
  });

  test("is paid by the receipt that comes with the end", async () => {
    const session = await HeldByTest.open(core, account(4));
    const bill = await session.post(await session.prompt("At last"));
    const receipt = session.receiptFor(bill);
    const closed = await session.close({ receipt: await session.sign(receipt) });
    expect(closed.body).toMatchObject({ status: "closed", prompts: 1, settled_wei: receipt.total.toString() });
    const request = await call(`${core.keeper.url}/api/llm/status/${bill.body.error["request_id"]}`);
    expect(request.body["status"]).toBe("completed");
    expect(request.body["result"]).not.toBeNull();
  });
});

describe("a keeper whose settlements the contract does not take", () => {
  test("answers no more in that session, says why, and goes on when it takes them again", async () => {
    const session = await HeldByTest.open(core, account(0), "40");
    const { timestamp } = await core.chain.client.getBlock();
    await session.ask("Before the pause");
    const until = timestamp + 3_600n;
    await core.chain.write(account(0), core.router, routerAbi, "pauseSettlement", [until]);
    await session.ask("In the pause, not known yet");
    await session.ask("And another");
    await expect
      .poll(async () => (await statusOf(session))["settlement_error"], { timeout: 20_000 })
      .toBe("RouterSettlementPaused");
    const refused = await session.post(await session.prompt("Nobody would pay"));
    expect([...codeOf(refused), refused.body.error["onchain_error"]]).toEqual([
      503,
      "settlement_blocked",
      "RouterSettlementPaused",
    ]);
    await pass(3_700, session);
    await expect.poll(async () => (await stateOf(session.id)).settled, { timeout: 60_000 }).toBe(session.spent);
    await expect.poll(async () => (await statusOf(session))["settlement_error"], { timeout: 20_000 }).toBeUndefined();
    expect((await session.ask("After the pause")).status).toBe(200);
  });

  test("tries what it refused again, however little that is", async () => {
    const session = await HeldByTest.open(core, account(4), "40", 3 * 86_400);
    // A pause is followed by a day without one.
    await pass(86_400, session);
    await session.ask("Before the pause");
    const { timestamp } = await core.chain.client.getBlock();
    await core.chain.write(account(0), core.router, routerAbi, "pauseSettlement", [timestamp + 3_600n]);
    // A start settles whatever is owed.
    await core.restart();
    await expect
      .poll(async () => (await statusOf(session))["settlement_error"], { timeout: 20_000 })
      .toBe("RouterSettlementPaused");
    expect(codeOf(await session.post(await session.prompt("In the pause")))).toEqual([503, "settlement_blocked"]);
    await pass(3_700, session);
    await expect.poll(async () => (await stateOf(session.id)).settled, { timeout: 20_000 }).toBe(session.spent);
    await expect.poll(async () => (await statusOf(session))["settlement_error"], { timeout: 20_000 }).toBeUndefined();
    expect((await session.ask("After the pause")).status).toBe(200);
  });
});
