/** The money of contracts/libraries/FeeMath.sol, to the wei. */
import type { Price } from "./words.ts";

export const MINIMUM = 5n * 10n ** 18n;
const BPS = 10_000n;
const PRIORITY_BPS = 15_000n;
const SCALE = 10n ** 17n;

const factor = (price: Price, priority: boolean): bigint =>
  price.multiplierBps * (priority ? PRIORITY_BPS : BPS) * price.index;
const atLeastMinimum = (amount: bigint): bigint => (amount < MINIMUM ? MINIMUM : amount);

/** Rounded up. */
export function cost(price: Price, tokens: bigint, priority: boolean): bigint {
  return ((price.base + price.perToken * tokens) * factor(price, priority) + (SCALE - 1n)) / SCALE;
}

/** What an answer of so many tokens is charged, where the payment reaches. */
export const charge = (price: Price, tokens: bigint, priority: boolean): bigint =>
  atLeastMinimum(cost(price, tokens, priority));

export function consumed(price: Price, tokens: bigint, priority: boolean, payment: bigint): bigint {
  const amount = atLeastMinimum(cost(price, tokens, priority));
  return amount > payment ? payment : amount;
}

export const minimumPayment = (price: Price, priority: boolean): bigint => atLeastMinimum(cost(price, 1n, priority));

/** The most output tokens whose cost the payment covers. */
export function tokensFor(price: Price, payment: bigint, priority: boolean): bigint {
  const affordable = (payment * SCALE) / factor(price, priority);
  return affordable < price.base ? 0n : (affordable - price.base) / price.perToken;
}

/** Where a node stops: what was asked for, or what the payment buys, which is one token at least of what was accepted. */
export function maxBillable(price: Price, payment: bigint, priority: boolean, maxTokens: number): number {
  const affordable = tokensFor(price, payment, priority);
  const bought = affordable === 0n ? 1n : affordable;
  return bought < BigInt(maxTokens) ? Number(bought) : maxTokens;
}

/** The three legs of what was consumed, for a pay band: 2 boosted, 1 neutral, 0 reduced. */
export function split(
  amount: bigint,
  burnBps: bigint,
  band: 0 | 1 | 2,
): { validator: bigint; treasury: bigint; burned: bigint } {
  const bandBps = band === 2 ? 12_000n : band === 1 ? 10_000n : 9_000n;
  const burned = (amount * burnBps + (BPS - 1n)) / BPS;
  const validator = (amount * (BPS - burnBps) * 7n * bandBps) / (9n * BPS * BPS);
  return { validator, treasury: amount - burned - validator, burned };
}

/** The most that a request can be charged, whatever it pays. */
export const chargeable = (price: Price, payment: bigint, priority: boolean, maxTokens: number): bigint =>
  consumed(price, BigInt(maxTokens), priority, payment);
