import { parseEther } from "viem";
import { describe, expect, test } from "vitest";
import { readSettings } from "../../keeper/config.ts";
import type { Context } from "../../keeper/services/context.ts";
import { exposureLimit } from "../../keeper/services/funds.ts";
import { account, MODEL } from "./support/chain.ts";
import { coreFixture } from "./support/core.ts";
import { ask, request, settled } from "./support/keeper.ts";
import { modelProcess } from "./support/model-process.ts";

const model = modelProcess();
const core = coreFixture({ NEW_EXPOSURE_NSD: "60", MAX_EXPOSURE_NSD: "65" }, { log: model.log });
const nsd = parseEther;
const direct = (index: number, payment: bigint) =>
  request(core.keeper, "direct", account(index), ask(account(index).address, `For ${payment}`, { payment }));

describe("an account that has paid nothing here", () => {
  test("is answered up to the smaller limit, and told how it grows and what else there is", async () => {
    await expect(direct(0, nsd("60") + 1n)).rejects.toMatchObject({
      statusCode: 402,
      code: "exposure_exceeded",
      message: expect.stringContaining("/api/sessions"),
      details: { field: "nsd_payment", limit_wei: nsd("60").toString(), owed_wei: "0" },
    });
    const { state } = await direct(0, nsd("60"));
    expect(await settled(core.keeper, state.requestId)).toMatchObject({ status: "completed" });
  });

  test("may not owe more by asking twice", async () => {
    // Nothing is answered, and so nothing settled, before the second one is asked.
    model.hold();
    const first = await direct(1, nsd("35"));
    await expect(direct(1, nsd("26"))).rejects.toMatchObject({
      statusCode: 429,
      code: "exposure",
      details: { limit_wei: nsd("60").toString(), owed_wei: nsd("35").toString() },
    });
    model.release();
    expect(await settled(core.keeper, first.state.requestId)).toMatchObject({ status: "completed" });
  });

  test("is not held back where the payment is locked", async () => {
    const user = account(2);
    const fields = ask(user.address, "Locked first", { payment: nsd("100") });
    const { state } = await request(core.keeper, "assigned", user, fields);
    expect(await settled(core.keeper, state.requestId)).toMatchObject({ status: "completed" });
  });
});

describe("an account that has paid", () => {
  test("may owe as much more, up to the limit for all", async () => {
    const first = await direct(3, nsd("6"));
    const { consumed = 0n } = await settled(core.keeper, first.state.requestId);
    expect(consumed).toBeGreaterThan(nsd("5"));
    // 60 and 5 and a little: that is the whole limit, and who has it may ask what is dearer while nothing is owed.
    const second = await direct(3, nsd("70"));
    expect(await settled(core.keeper, second.state.requestId)).toMatchObject({ status: "completed" });
  });
});

describe("the limit", () => {
  const context = (local: boolean, paid: bigint, settings: Record<string, string> = {}): Context =>
    ({
      chain: { local },
      settings: readSettings(settings, {}),
      database: { query: async () => [{ paid: paid.toString() }] },
      catalogue: {
        offer: async () => ({ base: nsd("5"), perToken: nsd("0.1"), multiplierBps: 50_000n, index: 10n ** 9n }),
      },
    }) as unknown as Context;
  const limit = (...of: Parameters<typeof context>) => exposureLimit(context(...of), account(0).address, MODEL);

  test("is an answer of the default length with priority, and what was paid", async () => {
    expect(await limit(false, 0n)).toBe(nsd("412.5"));
    expect(await limit(false, nsd("40"))).toBe(nsd("452.5"));
    expect(await limit(false, nsd("400"))).toBe(nsd("500"));
  });

  test("is the whole on a local chain, unless a setting says otherwise", async () => {
    expect(await limit(true, 0n)).toBe(nsd("500"));
    expect(await limit(true, nsd("1"), { NEW_EXPOSURE_NSD: "60" })).toBe(nsd("61"));
    expect(await limit(false, 0n, { NEW_EXPOSURE_NSD: "0" })).toBe(0n);
  });

  test("is refused as a setting where it makes no sense", () => {
    expect(() => readSettings({ NEW_EXPOSURE_NSD: "501" }, {})).toThrow(/NEW_EXPOSURE_NSD "501": expected at most MAX/);
    expect(() => readSettings({ NEW_EXPOSURE_NSD: "-1" }, {})).toThrow(/NEW_EXPOSURE_NSD "-1": expected an amount/);
    expect(() => readSettings({ SESSION_SETTLE_NSD: "much" }, {})).toThrow(/SESSION_SETTLE_NSD "much": expected/);
  });
});
