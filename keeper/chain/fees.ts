/** The money of a price word, to the wei as contracts/libraries/FeeMath.sol has it; test/models compares the two. */
import * as model from "./model/money.ts";
import type { Price } from "./words.ts";

export const MINIMUM = model.LEAST;

/** The word keeps the index in 1e-9. */
const termsOf = ({ base, perToken, multiplierBps, index }: Price): model.Terms => ({
  base,
  perToken,
  multiplierBps,
  indexWad: index * 10n ** 9n,
});

/** Rounded up. */
export const cost = (price: Price, tokens: bigint, priority: boolean): bigint =>
  model.cost(termsOf(price), tokens, priority);

/** What an answer of so many tokens is charged, where the payment reaches. */
export const charge = (price: Price, tokens: bigint, priority: boolean): bigint =>
  model.atLeastFive(cost(price, tokens, priority));

export const consumed = (price: Price, tokens: bigint, priority: boolean, payment: bigint): bigint =>
  model.consumed(termsOf(price), tokens, priority, payment);

export const minimumPayment = (price: Price, priority: boolean): bigint =>
  model.minimumPayment(termsOf(price), priority);

/** The most output tokens whose cost the payment covers. */
export const tokensFor = (price: Price, payment: bigint, priority: boolean): bigint =>
  model.tokensFor(termsOf(price), payment, priority);

/** Where a node stops: what was asked for, or what the payment buys, which is one token at least of what was accepted. */
export function maxBillable(price: Price, payment: bigint, priority: boolean, maxTokens: number): number {
  const affordable = tokensFor(price, payment, priority);
  const bought = affordable === 0n ? 1n : affordable;
  return bought < BigInt(maxTokens) ? Number(bought) : maxTokens;
}

/** The three legs of what was consumed, for a pay band: 2 boosted, 1 neutral, 0 reduced. */
export const split = (amount: bigint, burnBps: bigint, band: 0 | 1 | 2): model.Legs =>
  model.split(amount, burnBps, band);

/** The most that a request can be charged, whatever it pays. */
export const chargeable = (price: Price, payment: bigint, priority: boolean, maxTokens: number): bigint =>
  consumed(price, BigInt(maxTokens), priority, payment);
