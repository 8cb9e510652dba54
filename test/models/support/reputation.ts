/** Reputation by the protocol's words: lists instead of bits, fractions instead of scaled integers. */

const DAY = 86_400n;
/** 30 days of 256 slots. */
const SLOT = (30n * DAY) / 256n;
const SLOTS = 256;

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const ceil = (of: bigint, by: bigint): bigint => of / by + (of % by === 0n ? 0n : 1n);

/**
 * 50 success + 30 uptime + 20 speed - penalties, clamped. Averages of success and uptime are in 1/255, speed in percent. What
 * was earned is whole points, speed's by itself; without 95 % uptime it stays below the bonus; then penalties weigh.
 */
export function points(success: bigint, uptime: bigint, speed: bigint, penalty: bigint): bigint {
  let earned = (50n * success + 30n * uptime) / 255n + (20n * speed) / 100n;
  if (100n * uptime < 95n * 255n) earned = min(earned, 89n);
  return max(0n, earned - penalty);
}

/** >= 90: 2 (paid 1.2), 70-89: 1, below: 0 (paid 0.9). */
export function band(standing: bigint): bigint {
  if (standing >= 90n) return 2n;
  return standing >= 70n ? 1n : 0n;
}

/** An eighth of the way from one value to another, rounded away from where it starts, so that it arrives. */
function eighth(from: bigint, to: bigint): bigint {
  return to >= from ? from + ceil(to - from, 8n) : from - ceil(from - to, 8n);
}

export const afterSuccess = (average: bigint): bigint => eighth(average, 255n);
export const afterFailure = (average: bigint): bigint => eighth(average, 0n);

/** Speed is expected over elapsed, clamped to 1, in whole percent. */
export function speedAfter(average: bigint, expected: bigint, elapsed: bigint): bigint {
  const sample = elapsed === 0n ? 100n : min(100n, (100n * expected) / elapsed);
  return eighth(average, sample);
}

/** The success average rises to perfect within 14 days without work, evenly. */
export const relaxed = (elapsed: bigint): bigint => min(255n, (255n * elapsed) / (14n * DAY));

/** Penalties heal by a point a day and a point per 20 successes. */
export const healed = (penalty: bigint, elapsed: bigint, successes: bigint): bigint =>
  max(0n, penalty - elapsed / DAY - successes / 20n);

/** The newest slot first. */
export function slots(map: bigint): boolean[] {
  return [...map.toString(2).padStart(SLOTS, "0")].reverse().map((digit) => digit === "1");
}

function mapOf(list: readonly boolean[]): bigint {
  return BigInt(
    `0b${[...list]
      .reverse()
      .map((seen) => (seen ? "1" : "0"))
      .join("")}`,
  );
}

/** Each slot that has begun since moves the list on by one; the node is seen in the newest. */
export function uptimeMap(map: bigint, previous: bigint, time: bigint): bigint {
  const begun = Number(min(time / SLOT - previous / SLOT, BigInt(SLOTS)));
  const moved = [...Array<boolean>(begun).fill(false), ...slots(map)].slice(0, SLOTS);
  return mapOf([true, ...moved.slice(1)]);
}

export const countBits = (map: bigint): bigint => BigInt(slots(map).filter(Boolean).length);

/** The share of slots in which it was seen, in 1/255. */
export const uptimeShare = (map: bigint): bigint => (countBits(map) * 255n) / BigInt(SLOTS);
