import { type Hex, parseEther } from "viem";
import { afterEach, describe, expect, test } from "vitest";
import { routerAbi } from "../../keeper/chain/contracts.ts";
import { CANCEL_TYPES } from "../../keeper/chain/intents.ts";
import type { AskFields, CancelOffer, RequestEvent, RequestState } from "../../keeper/services/types.ts";
import { decodeRecord } from "../../keeper/storage/record.ts";
import { account, OPERATOR_INDEX, register, setOpen } from "./support/chain.ts";
import { coreFixture } from "./support/core.ts";
import { ask, request, settled } from "./support/keeper.ts";
import { modelProcess } from "./support/model-process.ts";

const model = modelProcess();
const core = coreFixture({}, { log: model.log });

afterEach(() => model.release());

const serve = (open: boolean) => setOpen(core.chain, account(OPERATOR_INDEX), open);

async function opened(index: number, prompt: string, more: Partial<AskFields> = {}): Promise<RequestState> {
  const user = account(index);
  return (await request(core.keeper, "assigned", user, ask(user.address, prompt, more))).state;
}

async function offered(id: Hex): Promise<CancelOffer> {
  const offer = await core.keeper.services.requests.prepareCancel(id);
  if (!("data" in offer)) throw new Error("it was cancelled already");
  return offer;
}

async function cancel(id: Hex, index: number): Promise<RequestState> {
  const { data } = await offered(id);
  const signature = await account(index).signTypedData({ ...data, types: CANCEL_TYPES });
  return core.keeper.services.requests.cancel(id, data.message.deadline, signature);
}

const reputation = async (): Promise<bigint> =>
  (
    await core.chain.client.readContract({
      address: core.router,
      abi: routerAbi,
      functionName: "validatorOf",
      args: [BigInt(core.keeper.validatorId)],
    })
  ).reputation;

async function following(id: Hex, onFirst = (_event: RequestEvent): void => {}) {
  const events: RequestEvent[] = [];
  await core.keeper.services.requests.follow(id, 0, (event) => {
    events.push(event);
    if (!events.slice(0, -1).some(({ type }) => type === event.type)) onFirst(event);
  });
  return {
    events,
    text: () => events.map((event) => (event.type === "token" ? event.token : "")).join(""),
    phases: () => events.flatMap((event) => (event.type === "phase" ? [event.phase] : [])),
  };
}

describe("cancelling what nobody works on", () => {
  test("ends it at once, with everything back, however often it is asked for", async () => {
    await serve(false);
    const before = await core.creditsOf(account(0).address);
    const state = await opened(0, "Never mind");
    expect(state.status).toBe("queued");
    expect((await offered(state.requestId)).refundPercent).toBe(100);
    const { events, phases } = await following(state.requestId);
    const done = await cancel(state.requestId, 0);
    expect(done).toMatchObject({ status: "cancelled", returned: parseEther("50"), penalty: 0n });
    expect(await core.creditsOf(account(0).address)).toBe(before);
    expect(await core.keeper.services.requests.prepareCancel(state.requestId)).toMatchObject({ status: "cancelled" });
    // The end is written down a moment before it is told.
    await expect.poll(() => events.at(-1)).toMatchObject({ type: "final", state: { status: "cancelled" } });
    expect(phases()).toEqual(["accepted", "queued", "cancelled"]);
    const shown = (await (await fetch(`${core.keeper.url}/api/llm/status/${state.requestId}`)).json()) as object;
    expect(shown).toMatchObject({
      status: "cancelled",
      nsd_refunded: 50,
      nsd_penalty: 0,
      refund_percent: 100,
      error_code: "cancelled",
      error: "You cancelled the request; the whole payment is back in your credits.",
      attempts: [],
    });
    await serve(true);
  });
});

describe("cancelling what is being answered", () => {
  test("posts and charges what was told by then, and gives the rest back", { timeout: 120_000 }, async () => {
    const before = await core.creditsOf(account(1).address);
    // Some are short: one is taken that is long enough to be caught in the middle.
    for (let round = 0; ; round++) {
      const state = await opened(1, `At length ${round}`, { maxTokens: 1_000, payment: parseEther("200") });
      const { promise: begun, resolve } = Promise.withResolvers<void>();
      const { text, phases } = await following(state.requestId, ({ type }) => {
        if (type !== "token") return;
        model.hold();
        resolve();
      });
      await begun;
      if (phases().includes("answered") && round < 8) {
        model.release();
        await settled(core.keeper, state.requestId);
        continue;
      }
      const cancelled = await cancel(state.requestId, 1);
      expect(cancelled.status).not.toBe("cancelled");
      const done = await settled(core.keeper, state.requestId);
      expect(done).toMatchObject({ status: "completed", finishReason: "cancelled", response: text() });
      const { tokensUsed = 0, consumed = 0n, returned = 0n } = done;
      expect(consumed).toBe(parseEther("5") + (parseEther("1") / 10n) * BigInt(tokensUsed));
      expect(consumed + returned).toBe(parseEther("200"));
      expect(phases()).toEqual(expect.arrayContaining(["cancelling", "answered", "stored", "settling", "settled"]));
      const record = decodeRecord((await core.keeper.services.reads.block(done.cid ?? "")) ?? new Uint8Array());
      expect(record).toMatchObject({ answer: text(), finish_reason: "cancelled", tokens_used: tokensUsed });
      expect(record.sampling.output_ids).toHaveLength(tokensUsed);
      break;
    }
    expect(await core.creditsOf(account(1).address)).toBeLessThan(before);
    model.release();
    const next = await opened(2, "And the model is free again");
    expect(await settled(core.keeper, next.requestId)).toMatchObject({ status: "completed" });
  });

  test("lets go at once where nothing was told yet, and nobody is blamed", async () => {
    const [before, standing] = [await core.creditsOf(account(3).address), await reputation()];
    model.hold();
    const state = await opened(3, "Not begun");
    expect((await offered(state.requestId)).refundPercent).toBe(50);
    await cancel(state.requestId, 3);
    const done = await settled(core.keeper, state.requestId);
    expect(done).toMatchObject({ status: "cancelled", returned: parseEther("25"), penalty: parseEther("25") });
    expect(done.error?.message).toBe("You cancelled the request; 50 % of the payment are back in your credits.");
    expect(await core.creditsOf(account(3).address)).toBe(before - parseEther("25"));
    expect(await reputation()).toBe(standing);
    model.release();
  });
});

describe("what cannot be cancelled", () => {
  test("is over, direct, unknown or somebody else's", async () => {
    const { requests } = core.keeper.services;
    const done = await opened(4, "Answered");
    const { data } = await offered(done.requestId).catch(() => ({ data: undefined }));
    await settled(core.keeper, done.requestId);
    await expect(requests.prepareCancel(done.requestId)).rejects.toMatchObject({
      statusCode: 409,
      code: "already_ended",
      details: { status: "completed" },
    });
    const late = data && (await account(4).signTypedData({ ...data, types: CANCEL_TYPES }));
    if (data && late)
      await expect(requests.cancel(done.requestId, data.message.deadline, late)).rejects.toMatchObject({
        statusCode: 409,
      });
    const user = account(4);
    const direct = await request(core.keeper, "direct", user, ask(user.address, "Directly"));
    await expect(requests.prepareCancel(direct.state.requestId)).rejects.toMatchObject({ code: "not_cancellable" });
    await expect(requests.prepareCancel(`0x${"ab".repeat(32)}`)).rejects.toMatchObject({ statusCode: 404 });
    // Its delivery has the operator's nonce, which later tests use from a wallet.
    await settled(core.keeper, direct.state.requestId);
    model.hold();
    const open = await opened(4, "Mine");
    const offer = await offered(open.requestId);
    const forged = await account(5).signTypedData({ ...offer.data, types: CANCEL_TYPES });
    await expect(requests.cancel(open.requestId, offer.data.message.deadline, forged)).rejects.toMatchObject({
      statusCode: 403,
      code: "not_yours",
    });
    await expect(requests.cancel(open.requestId, 1n, forged)).rejects.toMatchObject({ statusCode: 400 });
    model.release();
    expect(await settled(core.keeper, open.requestId)).toMatchObject({ status: "completed" });
  });
});

describe("cancelling with a validator that is silent", () => {
  test("tells until when it may still answer, and ends it then", { timeout: 120_000 }, async () => {
    await register(core.chain, 8);
    await serve(false);
    const state = await opened(0, "Nobody home");
    expect(state.validatorId).toBe(core.keeper.validatorId + 1);
    const { status, body } = await (async () => {
      const url = `${core.keeper.url}/api/llm/${state.requestId}`;
      const response = await fetch(url, { method: "DELETE" });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    })();
    expect(status).toBe(202);
    expect(body).toMatchObject({ status: "cancelling", refund_percent: 50, nsd_refundable: 25 });
    const again = await fetch(`${core.keeper.url}/api/llm/${state.requestId}`, { method: "DELETE" });
    expect([again.status, await again.json()]).toEqual([202, body]);
    const shown = await (await fetch(`${core.keeper.url}/api/llm/status/${state.requestId}`)).json();
    expect(shown).toMatchObject({ status: "processing", cancelling: { until: body["until"], refund_percent: 50 } });
    await core.pass(40);
    const done = await settled(core.keeper, state.requestId);
    expect(done).toMatchObject({ status: "cancelled", returned: parseEther("25") });
    await serve(true);
  });
});
