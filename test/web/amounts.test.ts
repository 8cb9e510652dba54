import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  amount,
  amountProblem,
  dollars,
  exact,
  ONE,
  parseAmount,
  plain,
  sharing,
} from "../../keeper/web/src/format/amount.ts";

const wei = fc.bigInt({ min: 0n, max: 10n ** 28n });
const back = (text: string): bigint => parseAmount(text) ?? -1n;

describe("an amount", () => {
  test("is whole without decimals, and has two at least otherwise", () => {
    expect(amount(50n * ONE)).toBe("50");
    expect(amount((91n * ONE) / 10n)).toBe("9.10");
    expect(amount(9_000n * ONE)).toBe("9,000");
    expect(amount(1n)).toBe("0");
    expect(exact(1n)).toBe("0.000000000000000001");
  });

  test("is exact to the last wei where it is shown whole", () => {
    fc.assert(fc.property(wei, (value) => back(exact(value)) === value && parseAmount(plain(value)) === value));
  });

  test("is never shown as more than it is", () => {
    fc.assert(fc.property(wei, (value) => back(amount(value)) <= value));
  });

  test("is read as it was typed, or not at all", () => {
    expect(parseAmount(" 12.5 ")).toBe((25n * ONE) / 2n);
    expect(parseAmount("12,5")).toBe((25n * ONE) / 2n);
    for (const text of ["", "-1", "1e3", "0x10", "1.2.3", ".5", "1.0000000000000000001"]) {
      expect(parseAmount(text)).toBeUndefined();
    }
  });

  test("is read with the commas that this page writes, and not where they could mean something else", () => {
    expect(parseAmount("1,000")).toBe(1_000n * ONE);
    expect(parseAmount("1,749.70")).toBe((17_497n * ONE) / 10n);
    expect(parseAmount("12,345,678.9")).toBe((123_456_789n * ONE) / 10n);
    expect(parseAmount("0,125")).toBe(ONE / 8n);
    for (const text of [
      "1000,500",
      "01,500",
      "1,00,000",
      "1,2,3",
      ",500",
      "1,000,5",
      "1.000,50",
      "1,000.0000000000000000001",
    ])
      expect(parseAmount(text)).toBeUndefined();
  });

  test("that cannot be moved says why", () => {
    const told = (text: string, most?: bigint) => amountProblem(parseAmount(text), most, "That is too much.");
    expect(told("50")).toBeUndefined();
    expect(told("50", 50n * ONE)).toBeUndefined();
    expect(told("50.01", 50n * ONE)).toBe("That is too much.");
    expect(told("0", 0n)).toBe("That is too much.");
    expect(told("0", ONE)).toMatch(/more than 0/);
    expect(told("1,00", ONE)).toBeUndefined();
    expect(told("1000,500", ONE)).toMatch(/such as/);
  });

  test("is told in dollars with two significant digits", () => {
    expect(dollars(50n * ONE)).toBe("$0.05");
    expect(dollars((91n * ONE) / 10n)).toBe("$0.0091");
    expect(dollars(5_000n * ONE)).toBe("$5.00");
    expect(dollars(0n)).toBe("$0.00");
  });
});

describe("amounts that share a sum", () => {
  test("have the same decimals, and add up as they are written", () => {
    fc.assert(
      fc.property(fc.array(wei, { minLength: 2, maxLength: 4 }), (parts) => {
        const shown = sharing(parts);
        const decimals = new Set(shown.map((text) => text.split(".")[1]?.length));
        const sum = shown.reduce((total, text) => total + back(text), 0n);
        const whole = parts.reduce((total, part) => total + part, 0n);
        return decimals.size === 1 && sum <= whole && whole - sum < 10n ** 12n;
      }),
    );
  });

  test("are exact where six decimals hold them", () => {
    expect(sharing([637n, 182n, 91n, 4090n].map((part) => (part * ONE) / 100n))).toEqual([
      "6.37",
      "1.82",
      "0.91",
      "40.90",
    ]);
  });
});
