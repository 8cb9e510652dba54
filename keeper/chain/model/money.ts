/**
 * What the protocol says of money, in exact fractions and by its own words: no formula here is one of the contracts', which
 * scale, reorder and round as integers want it. test/models compares the two.
 */

export interface Terms {
  /** NSD wei a request. */
  readonly base: bigint;
  /** NSD wei an output token. */
  readonly perToken: bigint;
  /** M, in ten-thousandths. */
  readonly multiplierBps: bigint;
  /** I, in 1e-18. */
  readonly indexWad: bigint;
}

/** A share of something: never rounded before it has to be. */
interface Fraction {
  readonly of: bigint;
  readonly in: bigint;
}

const NSD = 10n ** 18n;
export const LEAST = 5n * NSD;
const BPS = 10_000n;

const floor = (f: Fraction): bigint => f.of / f.in;
const ceil = (f: Fraction): bigint => (f.of % f.in === 0n ? floor(f) : floor(f) + 1n);
const product = (...factors: readonly Fraction[]): Fraction => ({
  of: factors.reduce((all, f) => all * f.of, 1n),
  in: factors.reduce((all, f) => all * f.in, 1n),
});
const whole = (of: bigint): Fraction => ({ of, in: 1n });
const bps = (of: bigint): Fraction => ({ of, in: BPS });

/** (BASE + CPT t) M P I, rounded up. */
export function cost(terms: Terms, tokens: bigint, priority: boolean): bigint {
  const amount = whole(terms.base + terms.perToken * tokens);
  const raised: Fraction = priority ? { of: 3n, in: 2n } : whole(1n);
  return ceil(product(amount, bps(terms.multiplierBps), raised, { of: terms.indexWad, in: NSD }));
}

export const atLeastFive = (amount: bigint): bigint => (amount < LEAST ? LEAST : amount);

/** min(payment, max(5 NSD, cost)). */
export function consumed(terms: Terms, tokens: bigint, priority: boolean, payment: bigint): bigint {
  const amount = atLeastFive(cost(terms, tokens, priority));
  return amount < payment ? amount : payment;
}

export const minimumPayment = (terms: Terms, priority: boolean): bigint => atLeastFive(cost(terms, 1n, priority));

/** The most tokens whose cost the payment covers, found by asking for the cost. */
export function tokensFor(terms: Terms, payment: bigint, priority: boolean): bigint {
  if (terms.perToken === 0n || terms.multiplierBps === 0n || terms.indexWad === 0n)
    throw new RangeError("a price without a price per token buys any number");
  const covers = (tokens: bigint): boolean => cost(terms, tokens, priority) <= payment;
  let most = 1n;
  while (covers(most)) most *= 2n;
  let least = most / 2n;
  while (most - least > 1n) {
    const middle = (least + most) / 2n;
    if (covers(middle)) least = middle;
    else most = middle;
  }
  return least;
}

export interface Legs {
  readonly validator: bigint;
  readonly treasury: bigint;
  readonly burned: bigint;
}

/** Bands 2, 1 and 0: boosted, neutral, reduced. */
const BANDS: readonly Fraction[] = [
  { of: 9n, in: 10n },
  { of: 1n, in: 1n },
  { of: 12n, in: 10n },
];

/** burn rounded up, the validator's 7/9 of what is not burned, times its band, rounded down; the treasury has the rest. */
export function split(amount: bigint, burnBps: bigint, band: 0 | 1 | 2): Legs {
  const burned = ceil(product(whole(amount), bps(burnBps)));
  const factor = BANDS[band] ?? { of: 0n, in: 1n };
  const validator = floor(product(whole(amount), bps(BPS - burnBps), { of: 7n, in: 9n }, factor));
  return { validator, treasury: amount - burned - validator, burned };
}

/** What comes back of a payment: rounded down, the rest stays burned. */
export const refund = (payment: bigint, refundBps: bigint): bigint => floor(product(whole(payment), bps(refundBps)));
