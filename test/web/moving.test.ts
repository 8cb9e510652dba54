import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { spendable, withheld } from "../../keeper/web/src/account/spendable.ts";
import { movingNsd, queries } from "../../keeper/web/src/api/queries.ts";
import type { BalancesBody, NsdBody } from "../../keeper/web/src/api/wire.ts";

const USER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const nsd = (more: Partial<NsdBody> = {}): NsdBody => ({
  wallet_wei: "100",
  credits_wei: "80",
  owed_wei: "0",
  usable_wei: "80",
  locked_wei: "0",
  withdrawing_wei: "0",
  ...more,
});
const bodyOf = (told: NsdBody): BalancesBody => ({
  nsd: told,
  lcai: { wallet_wei: "0", accrued_wei: "0" },
  native: { wallet_wei: "0" },
});

/** What the keeper tells at this moment; undefined where it is away. */
let told: NsdBody | undefined;
let asked: number[];

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  vi.stubGlobal("fetch", async () => {
    asked.push(Date.now());
    if (told === undefined) throw new TypeError("away");
    return Response.json(bodyOf(told));
  });
});
afterEach(() => {
  queries.clear();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Begins a move after what the keeper tells now. */
async function moved(): Promise<() => boolean> {
  let over = false;
  await new Promise<void>((begun) => {
    void movingNsd(USER, "wallet_wei", async () => begun()).then(() => {
      over = true;
    });
  });
  return () => over;
}

test("a deposit is over once the wallet has less, whatever else settles beside it", async () => {
  told = nsd();
  const over = await moved();
  told = nsd({ credits_wei: "75", usable_wei: "75", owed_wei: "0" });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(over()).toBe(false);
  told = nsd({ wallet_wei: "50", credits_wei: "125", usable_wei: "125" });
  await vi.advanceTimersByTimeAsync(2_000);
  expect(over()).toBe(true);
});

test("a keeper that is away tells nothing, and no two looks are more than 2 s apart", async () => {
  told = nsd();
  const over = await moved();
  told = undefined;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(over()).toBe(false);
  const gaps = asked.slice(1).map((at, index) => at - (asked[index] ?? 0));
  expect(Math.max(...gaps)).toBe(2_000);
  await vi.advanceTimersByTimeAsync(12_000);
  expect(over()).toBe(true);
});

test("what a question may spend is what its lane may take", () => {
  const leaving = bodyOf(nsd({ owed_wei: "20", usable_wei: "10", withdrawing_wei: "50" }));
  expect([spendable(leaving, "direct"), spendable(leaving, undefined), spendable(leaving, "assigned")]).toEqual([
    10n,
    10n,
    60n,
  ]);
  expect(withheld(leaving)).toBe(50n);
  const owing = bodyOf(nsd({ owed_wei: "90", usable_wei: "0" }));
  expect([spendable(owing, "assigned"), withheld(owing)]).toEqual([0n, 0n]);
});
