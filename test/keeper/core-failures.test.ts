import { rename, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseEther, stringToHex } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { modelsAbi, validatorsAbi } from "../../keeper/chain/contracts.ts";
import { CANCEL_TYPES, modelId, NO_SALT, promptHash } from "../../keeper/chain/intents.ts";
import { LengthChecks } from "../../keeper/inference/length-checks.ts";
import type { RequestState } from "../../keeper/services/types.ts";
import { account, MODEL, OPERATOR_INDEX, registerAs, setOpen } from "./support/chain.ts";
import { coreFixture } from "./support/core.ts";
import { ask, dataFolder, keeperOn, request, settled } from "./support/keeper.ts";

/** Called when an answer is drawn, before it is stored. */
let onAnswer: () => Promise<void> = async () => {};
const core = coreFixture({}, { probe: (point) => (point === "answered" ? onAnswer() : undefined) });
/** More than the model's context holds. */
const ENDLESS = "Why? ".repeat(4_000);

/** Asks while nobody counts tokens, as while the model is loaded again. */
async function unchecked<Result>(work: () => Promise<Result>): Promise<Result> {
  const check = vi.spyOn(LengthChecks.prototype, "ask").mockResolvedValue();
  try {
    return await work();
  } finally {
    check.mockRestore();
  }
}

const creditsOf = (index: number): Promise<bigint> => core.creditsOf(account(index).address);

describe("a prompt that the model cannot take", () => {
  test.each([
    ["direct", "message"],
    ["assigned", "prompt"],
  ] as const)("is refused in the %s lane before anything is signed, and when it is signed", async (lane, field) => {
    const user = account(0);
    const before = await creditsOf(0);
    const { requests } = core.keeper.services;
    const refusal = {
      statusCode: 400,
      code: "prompt_too_long",
      details: { field, expected: expect.stringMatching(/^a prompt of at most \d+ tokens$/) },
    };
    await expect(requests.prepare(lane, ask(user.address, ENDLESS))).rejects.toMatchObject(refusal);
    const { message, ...data } = await requests.prepare(lane, ask(user.address, "Why?"));
    const intent = { ...message, promptHash: promptHash(ENDLESS, NO_SALT) };
    const signature = await user.signTypedData({ ...data, message: { ...intent } });
    await expect(requests.accept(lane, intent, signature, ask(user.address, ENDLESS))).rejects.toMatchObject(refusal);
    expect(await creditsOf(0)).toBe(before);
  });

  test("costs nothing in the direct lane where it is taken while nobody can count", async () => {
    const before = await creditsOf(0);
    const { state } = await unchecked(() =>
      request(core.keeper, "direct", account(0), ask(account(0).address, ENDLESS)),
    );
    expect(await settled(core.keeper, state.requestId)).toMatchObject({
      status: "failed",
      error: { code: "prompt_too_long" },
    });
    expect(await creditsOf(0)).toBe(before);
  });

  test("is declined in the assigned lane, and everything comes back where nobody else is there", async () => {
    const before = await creditsOf(1);
    const { state } = await unchecked(() =>
      request(core.keeper, "assigned", account(1), ask(account(1).address, ENDLESS)),
    );
    await expect
      .poll(() => core.keeper.services.requests.status(state.requestId), { timeout: 20_000 })
      .toMatchObject({ status: "queued" });
    expect(await core.keeper.services.requests.prepareCancel(state.requestId)).toMatchObject({ refundPercent: 50 });
    await core.chain.client.increaseTime({ seconds: 400 });
    await core.chain.client.mine({ blocks: 3 });
    const done = await settled(core.keeper, state.requestId);
    expect(done).toMatchObject({
      status: "failed",
      returned: parseEther("50"),
      penalty: 0n,
      error: { code: "no_node" },
    });
    expect(await creditsOf(1)).toBe(before);
  });
});

describe("a published prompt that the model cannot take", () => {
  test("is declined too, and its user may have everything back at once", async () => {
    const user = account(2);
    const id = await core.submitOnChain(user, "0xff");
    await expect
      .poll(() => core.keeper.services.requests.status(id), { timeout: 20_000 })
      .toMatchObject({ status: "queued", attempts: [{ failure: "declined" }] });
    const before = await creditsOf(2);
    const offer = await core.keeper.services.requests.prepareCancel(id);
    if (!("data" in offer)) throw new Error("it was cancelled already");
    expect(offer.refundPercent).toBe(100);
    const signature = await user.signTypedData({ ...offer.data, types: CANCEL_TYPES });
    const done = await core.keeper.services.requests.cancel(id, offer.data.message.deadline, signature);
    expect(done).toMatchObject({ status: "cancelled", returned: parseEther("20"), penalty: 0n });
    expect(await creditsOf(2)).toBe(before + parseEther("20"));
  });
});

test("a request for another model than runs here is confessed, and not answered by this one", async () => {
  const setModels = (models: string[]) =>
    core.chain.write(account(OPERATOR_INDEX), core.chain.book.contracts.validators, validatorsAbi, "setModels", [
      models,
    ]);
  await setModels([MODEL, "gpt-2-q4"]);
  const id = await core.submitOnChain(account(2), stringToHex("Who are you?"), { model: modelId("gpt-2-q4") });
  await expect
    .poll(() => core.keeper.services.requests.status(id), { timeout: 20_000 })
    .toMatchObject({ status: "failed", model: "gpt-2-q4", attempts: [{ failure: "error" }] });
  await setModels([MODEL]);
});

describe("a block store that is away", () => {
  const blocks = (): string => join(core.path, "blocks");
  const takeAway = async (): Promise<void> => {
    await rename(blocks(), `${blocks()}.away`);
    await writeFile(blocks(), "in the way");
  };
  const bringBack = async (): Promise<void> => {
    await rm(blocks());
    await rename(`${blocks()}.away`, blocks());
  };

  test.each(["direct", "assigned"] as const)("for a while is waited for in the %s lane", async (lane) => {
    const answered = Promise.withResolvers<void>();
    onAnswer = async () => {
      onAnswer = async () => {};
      await takeAway();
      answered.resolve();
    };
    const user = account(4);
    const { state } = await request(core.keeper, lane, user, ask(user.address, `Disk trouble, ${lane}`));
    await answered.promise;
    // Long enough for an attempt or two to store it.
    await setTimeout(5_000);
    const meanwhile = await core.keeper.services.requests.status(state.requestId);
    await bringBack();
    expect(meanwhile).toMatchObject({ status: "processing" });
    const done = await settled(core.keeper, state.requestId);
    expect(done).toMatchObject({ status: "completed" });
    // Drawn once: what was told of it while the disk was away is the answer.
    expect(meanwhile?.response).toBe(done.response);
  });

  test.each(["direct", "assigned"] as const)(
    "takes no work in the %s lane, says so, and takes it again",
    async (lane) => {
      const user = account(3);
      const fields = ask(user.address, `No room, ${lane}`);
      const data = await core.keeper.services.requests.prepare(lane, fields);
      const signature = await user.signTypedData({ ...data, message: { ...data.message } });
      const { requests } = core.keeper.services;
      const prepare = (): Promise<unknown> => requests.prepare(lane, fields).catch((error: unknown) => error);
      const accept = (): Promise<RequestState> => requests.accept(lane, data.message, signature, fields);
      const refusal = { statusCode: 503, code: "storage_down", retryAfterSeconds: 10 };
      await takeAway();
      try {
        // What was seen of the store is good for a few seconds.
        await expect.poll(prepare, { timeout: 20_000 }).toMatchObject(refusal);
        await expect(accept()).rejects.toMatchObject(refusal);
        expect((await core.keeper.services.reads.health()).components.storage.state).toBe("down");
      } finally {
        await bringBack();
      }
      const { requestId } = await accept();
      expect(await settled(core.keeper, requestId)).toMatchObject({ status: "completed" });
    },
  );
});

describe("another validator that never answers", () => {
  let callers = 0;
  const host = createServer(() => callers++);

  beforeAll(async () => {
    await new Promise<void>((resolve) => host.listen(0, "127.0.0.1", resolve));
    await registerAs(core.chain, account(8), `http://127.0.0.1:${(host.address() as AddressInfo).port}`);
  });
  afterAll(() => host.close());

  test("is shown to be offline by the keeper that relayed, and the request gets another one", async () => {
    const before = await creditsOf(2);
    const user = account(2);
    await setOpen(core.chain, account(OPERATOR_INDEX), false);
    const { state } = await request(core.keeper, "assigned", user, ask(user.address, "Who answers?"));
    expect(state.validatorId).not.toBe(core.keeper.validatorId);
    await setOpen(core.chain, account(OPERATOR_INDEX), true);
    await core.pass(60);
    const done = await settled(core.keeper, state.requestId);
    expect(done).toMatchObject({ status: "completed", validatorId: core.keeper.validatorId });
    expect(done.attempts).toMatchObject([{ failure: "offline" }, { validatorId: core.keeper.validatorId }]);
    expect(await creditsOf(2)).toBe(before - (done.consumed ?? 0n));
  });

  test("is called by nobody, whatever it registered as its endpoint", async () => {
    const { validators } = (await (await fetch(`${core.keeper.url}/api/validators`)).json()) as {
      validators: object[];
    };
    expect(validators).toHaveLength(2);
    expect(callers).toBe(0);
  });
});

describe("a keeper does not start", () => {
  test("with another file than the catalogue pins", async () => {
    const { models } = core.chain.book.contracts;
    const known = await core.chain.client.readContract({
      address: models,
      abi: modelsAbi,
      functionName: "modelOf",
      args: [modelId(MODEL)],
    });
    await core.chain.write(account(0), models, modelsAbi, "setModel", [{ ...known, fileHash: `0x${"ab".repeat(32)}` }]);
    const other = await dataFolder();
    try {
      await expect(keeperOn(core.chain, other.path)).rejects.toThrow("is not the file that the catalogue pins");
    } finally {
      await other.remove();
    }
  });

  test("for a model that is not in the catalogue, nor where nothing answers", async () => {
    const other = await dataFolder();
    try {
      await expect(keeperOn(core.chain, other.path, { MODEL_NAME: "gpt-9" })).rejects.toThrow("llama-2-7b-q4");
      await expect(keeperOn(core.chain, other.path, { RPC_URL: "http://127.0.0.1:1" })).rejects.toThrow(
        "check RPC_URL",
      );
    } finally {
      await other.remove();
    }
  });
});
