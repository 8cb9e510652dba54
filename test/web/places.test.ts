import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { placesOf } from "../../keeper/web/src/account/places.ts";
import type { AccountBody, PositionBody } from "../../keeper/web/src/api/wire.ts";
import { parseAmount } from "../../keeper/web/src/format/amount.ts";

const AT = "2026-03-01T12:00:00.000Z";
const LATER = "2026-03-02T12:00:00.000Z";
const ID = `0x${"1d".repeat(32)}` as const;

const held = (token: PositionBody["token"], kind: string, amount_wei: string, more: Partial<PositionBody> = {}) => ({
  token,
  kind,
  amount_wei,
  available_at: AT,
  note: "As the keeper says it.",
  ...more,
});
const report = (...positions: PositionBody[]): AccountBody => ({ address: "0x00", block: 7, at: AT, positions });
const shown = (text: string): bigint => parseAmount(text.replaceAll(",", "")) ?? -1n;

describe("where everything is", () => {
  test("is told by token, with a total to which the rows add up as they are written", () => {
    const wei = fc.bigInt({ min: 1n, max: 10n ** 27n });
    fc.assert(
      fc.property(fc.array(wei, { minLength: 1, maxLength: 6 }), (amounts) => {
        const [nsd] = placesOf(report(...amounts.map((amount) => held("NSD", "wallet", amount.toString()))));
        const sum = nsd?.places.reduce((total, place) => total + shown(place.shown), 0n);
        return sum === shown(nsd?.total ?? "");
      }),
    );
  });

  test("keeps the tokens apart, in one order, and leaves out those of which there is nothing", () => {
    const tokens = placesOf(
      report(held("LCAI", "accrued", "1"), held("NST", "stake", "1"), held("NSD", "wallet", "1")),
    );
    expect(tokens.map(({ token }) => token)).toEqual(["NSD", "NST", "LCAI"]);
    expect(placesOf(report())).toEqual([]);
  });

  test("says from when: now, a time, or never", () => {
    const [nsd] = placesOf(
      report(
        held("NSD", "wallet", "1"),
        held("NSD", "credits", "1", { available_at: LATER }),
        held("NSD", "bond", "1", { available_at: null, id: ID }),
      ),
    );
    expect(nsd?.places.map(({ from, now }) => [from, now])).toEqual([
      [Date.parse(AT), true],
      [Date.parse(LATER), false],
      [undefined, false],
    ]);
    expect(nsd?.places[2]?.note).toContain("it is lost");
  });

  test("names a request by its id, and what it does not know as the keeper does", () => {
    const [nsd] = placesOf(report(held("NSD", "request", "1", { id: ID }), held("NSD", "escrow", "1", { id: ID })));
    expect(nsd?.places.map(({ requestId }) => requestId)).toEqual([ID, undefined]);
    expect(nsd?.places[1]).toMatchObject({ name: "escrow", note: "As the keeper says it." });
  });
});
