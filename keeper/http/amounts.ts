/** Amounts between wei and decimals, digit by digit: no floating point takes part in what is charged. */
import { formatUnits } from "viem";
import { ApiError } from "../services/errors.ts";

const DECIMALS = 18;
/** The router keeps payments in 96 bits. */
const MAX_WEI = (1n << 96n) - 1n;
const DECIMAL = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/;
const EXPONENT = /^([0-9])(?:\.([0-9]+))?e-([0-9]+)$/;

/** Reads an NSD amount. A number arrives as its shortest decimal, which is what was sent (json.ts sees to that). */
export function parseAmount(value: number | string, field: string): bigint {
  const match = DECIMAL.exec(typeof value === "string" ? value : plain(value));
  const fraction = match?.[2] ?? "";
  if (!match || fraction.length > DECIMALS) {
    throw new ApiError(
      400,
      "invalid_amount",
      `Write ${field} as NSD with at most ${DECIMALS} decimals, for instance 50 or "12.5".`,
      {
        field,
        expected: `a decimal of at least 0 with at most ${DECIMALS} decimals`,
      },
    );
  }
  // Before BigInt reads it, so that nobody makes it read a quarter of a megabyte of digits.
  const wei = (match[1] ?? "").length > 12 ? MAX_WEI + 1n : BigInt(match[1] + fraction.padEnd(DECIMALS, "0"));
  if (wei > MAX_WEI) {
    throw new ApiError(
      400,
      "invalid_amount",
      `${field} is more NSD than there ever was. Send what the answer may cost at most.`,
      {
        field,
        expected: "at most 1000000000",
      },
    );
  }
  return wei;
}

/** JavaScript writes what is below 0.000001 with an exponent. */
function plain(value: number): string {
  const text = String(value);
  const match = EXPONENT.exec(text);
  if (!match) return text;
  return `0.${"0".repeat(Number(match[3]) - 1)}${match[1]}${match[2] ?? ""}`;
}

/** The decimal for people; the exact value stands beside it as `_wei`. */
export function decimal(wei: bigint): number {
  return Number(formatUnits(wei, DECIMALS));
}

export type WithWei<K extends string> = { [P in K]: number } & { [P in `${K}_wei`]: string };

/** `{cost: 53.7, cost_wei: "53700000000000000000"}` */
export function amount<K extends string>(name: K, wei: bigint): WithWei<K> {
  return { [name]: decimal(wei), [`${name}_wei`]: wei.toString() } as WithWei<K>;
}

/** The same, where it is not known yet: nothing. */
export function maybeAmount<K extends string>(name: K, wei: bigint | undefined): Partial<WithWei<K>> {
  return wei === undefined ? {} : amount(name, wei);
}
