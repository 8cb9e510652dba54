import { parseEther, stringToHex } from "viem";
import { afterEach, describe, expect, test } from "vitest";
import type { Keeper } from "../../keeper/main.ts";
import type { RequestEvent, RequestState } from "../../keeper/services/types.ts";
import { account, OPERATOR_INDEX, privateKey, register, setOpen } from "./support/chain.ts";
import { coreFixture } from "./support/core.ts";
import { ask, request, settled } from "./support/keeper.ts";
import { modelProcess } from "./support/model-process.ts";

const OTHER = 8;
const model = modelProcess();
const core = coreFixture({}, { log: model.log });

afterEach(() => model.release());

const phasesOf = (events: readonly RequestEvent[]): string[] =>
  events.flatMap((event) => (event.type === "phase" ? [event.phase] : []));

async function eventsOf(state: RequestState): Promise<RequestEvent[]> {
  const events: RequestEvent[] = [];
  await core.keeper.services.requests.follow(state.requestId, 0, (event) => events.push(event));
  return events;
}

/** Asks while nobody but `index` is open. */
async function askedOf(index: number, prompt: string, tokens = 16): Promise<RequestState> {
  const closed = index === OTHER ? OPERATOR_INDEX : OTHER;
  await serve(closed, false);
  const user = account(1);
  const fields = ask(user.address, prompt, { maxTokens: tokens, payment: parseEther("200") });
  const { state } = await request(core.keeper, "assigned", user, fields);
  await serve(closed, true);
  return state;
}

const serve = (index: number, open: boolean) => setOpen(core.chain, account(index), open);

describe("a request whose first validator is silent", () => {
  test("is answered by the second, and tells of both", { timeout: 120_000 }, async () => {
    await register(core.chain, OTHER);
    // Terms are read anew after five seconds: with two servers the prompt is published.
    await new Promise((resolve) => setTimeout(resolve, 5_100));
    const own = core.keeper.validatorId;
    const state = await askedOf(OTHER, "Who is there?");
    expect(state.validatorId).toBe(own + 1);
    const user = state.user;
    const before = await core.creditsOf(user);
    await core.pass(60);
    const done = await settled(core.keeper, state.requestId);
    expect(done).toMatchObject({ status: "completed", validatorId: own });
    expect(done.attempts).toMatchObject([{ validatorId: own + 1, failure: "offline" }, { validatorId: own }]);
    expect(await core.creditsOf(user)).toBe(before + (done.returned ?? 0n));
    expect(phasesOf(await eventsOf(done))).toEqual([
      "accepted",
      "assigned",
      "attempt_failed",
      "assigned",
      "answering",
      "answered",
      "stored",
      "settling",
      "settled",
    ]);
  });
});

describe("a request that is taken from a keeper while it answers", () => {
  let other: Keeper;

  test("is let go, and answered by whoever gets it", { timeout: 120_000 }, async () => {
    other = await core.another({ OPERATOR_KEY: privateKey(OTHER) });
    const own = core.keeper.validatorId;
    model.hold();
    const state = await askedOf(OPERATOR_INDEX, "Taken away", 100);
    expect(state.validatorId).toBe(own);
    await expect.poll(async () => phasesOf(await eventsOf(state)), { timeout: 20_000 }).toContain("answering");
    await core.pass(90);
    const done = await settled(core.keeper, state.requestId);
    expect(done).toMatchObject({ status: "completed", validatorId: other.validatorId });
    expect(done.attempts?.map(({ validatorId }) => validatorId)).toEqual([own, other.validatorId]);
    expect(done.attempts?.[0]?.failure).toMatch(/offline|timeout/);
    // The keeper that answered took it over from the chain, prompt and all.
    await expect
      .poll(() => other.services.requests.status(state.requestId), { timeout: 20_000 })
      .toMatchObject({ status: "completed", prompt: done.prompt, cid: done.cid });
    model.release();
    const user = account(4);
    const next = await request(core.keeper, "direct", user, ask(user.address, "Free again?"));
    expect(await settled(core.keeper, next.state.requestId)).toMatchObject({ status: "completed" });
  });
});

describe("a request that nobody is free for", () => {
  test("is assigned by its keeper as soon as somebody is", async () => {
    await serve(OTHER, false);
    await serve(OPERATOR_INDEX, false);
    const user = account(1);
    const { state } = await request(core.keeper, "assigned", user, ask(user.address, "Anybody?"));
    expect(state).toMatchObject({ status: "queued", attempts: [] });
    await serve(OPERATOR_INDEX, true);
    expect(await settled(core.keeper, state.requestId)).toMatchObject({ status: "completed" });
  });

  test("is taken up by a keeper that never saw it, where its prompt is published", { timeout: 120_000 }, async () => {
    await serve(OPERATOR_INDEX, false);
    const id = await core.submitOnChain(account(2), stringToHex("A stranger"), { priority: true });
    await serve(OPERATOR_INDEX, true);
    await expect.poll(() => core.keeper.services.requests.status(id)).toMatchObject({ status: "queued" });
    await core.pass(30);
    await expect
      .poll(() => core.keeper.services.requests.status(id), { timeout: 30_000 })
      .toMatchObject({ status: "completed", priority: true, attempts: [{ validatorId: core.keeper.validatorId }] });
  });
});

describe("a payment that has to be committed to first", () => {
  test("is refused with the threshold and the way to go", async () => {
    const user = account(0);
    const dear = ask(user.address, "Costly", { payment: parseEther("500") });
    await expect(core.keeper.services.requests.prepare("assigned", dear)).rejects.toMatchObject({
      statusCode: 400,
      code: "commit_required",
      message: expect.stringContaining("500 NSD"),
      details: { commit_from_wei: parseEther("500").toString(), onchain_error: "RouterCommitRequired" },
    });
    await expect(core.keeper.services.requests.prepare("direct", dear)).resolves.toBeDefined();
    expect(await core.keeper.services.reads.quote(undefined, 10, false)).toMatchObject({
      commitFrom: parseEther("500"),
    });
  });
});
