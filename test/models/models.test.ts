// What the contracts compute, compared with the protocol's own words on 10,000 inputs each. A failure names the inputs; the
// seeds are fixed, so it comes again.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as money from "../../keeper/chain/model/money.ts";
import { Dice } from "./support/dice.ts";
import { type Harness, startHarness } from "./support/harness.ts";
import * as reputation from "./support/reputation.ts";
import { best, eligible, type Node, rowsFrom, score } from "./support/selection.ts";
import { packPrice } from "./support/words.ts";

const COUNT = 10_000;
const U24 = 2n ** 24n - 1n;
const U32 = 2n ** 32n - 1n;
const U40 = 2n ** 40n - 1n;
const U96 = 2n ** 96n - 1n;
const U256 = 2n ** 256n - 1n;
const DAY = 86_400n;
const SLOT = 10_125n;
const NSD = 10n ** 18n;

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());

/** Asks the contract and the model for each input; the first that differs is shown with all that went in. */
async function agree<Input>(
  name: string,
  random: (dice: Dice) => Input,
  row: (input: Input) => readonly bigint[],
  expected: (input: Input) => readonly bigint[],
): Promise<void> {
  const dice = new Dice(`neuroswarm:${name}`);
  const inputs = Array.from({ length: COUNT }, () => random(dice));
  const answers = await harness.ask(name, inputs.map(row));
  expect(answers).toHaveLength(COUNT);
  for (const [at, input] of inputs.entries()) {
    const wanted = expected(input);
    const got = answers[at] ?? [];
    if (wanted.length !== got.length || wanted.some((value, index) => value !== got[index]))
      expect({ seed: dice.seed, at, input, answer: got }).toEqual({ seed: dice.seed, at, input, answer: wanted });
  }
}

/** Launch prices, what governance may set, and whatever fits the word. */
function randomTerms(dice: Dice, least: bigint): money.Terms {
  const any = (bits: number, edges: readonly bigint[]) => dice.between(least, 2n ** BigInt(bits) - 1n, edges);
  return {
    base: any(24, [5_000n, 100n, 100_000n]) * 10n ** 15n,
    perToken: any(32, [100_000n, 1_000n, 10_000_000n]) * 10n ** 12n,
    multiplierBps: any(20, [5_000n, 10_000n, 20_000n, 50_000n, 1_000_000n]),
    indexWad: any(36, [1_000_000_000n, 500_000_000n, 2_000_000_000n]) * 10n ** 9n,
  };
}

const bit = (flag: boolean): bigint => (flag ? 1n : 0n);

describe("money", () => {
  it("cost, what is consumed, whether it is covered, and the minimum", async () => {
    await agree(
      "costs",
      (dice) => ({
        terms: randomTerms(dice, 0n),
        tokens: dice.between(0n, U24, [1n, 450n, 2_048n]),
        priority: dice.flag(),
        payment: dice.between(0n, U96, [5n * NSD, 50n * NSD]),
      }),
      ({ terms, tokens, priority, payment }) => [packPrice(terms), tokens, bit(priority), payment],
      ({ terms, tokens, priority, payment }) => {
        const cost = money.cost(terms, tokens, priority);
        const consumed = money.consumed(terms, tokens, priority, payment);
        return [cost, consumed, bit(cost <= payment), money.minimumPayment(terms, priority)];
      },
    );
  });

  it("what a payment buys", async () => {
    await agree(
      "tokensFor",
      (dice) => {
        const terms = randomTerms(dice, 1n);
        const priority = dice.flag();
        // At the cost of a number of tokens, and a wei to either side of it, where rounding shows.
        const edge = money.cost(terms, dice.between(0n, U24), priority);
        return { terms, priority, payment: dice.between(0n, U96, [edge, edge, edge, 5n * NSD, 50n * NSD]) };
      },
      ({ terms, payment, priority }) => [packPrice(terms), payment, bit(priority)],
      ({ terms, payment, priority }) => [money.tokensFor(terms, payment, priority)],
    );
  });

  it("the three legs", async () => {
    await agree(
      "splits",
      (dice) => ({
        amount: dice.between(0n, U96, [5n * NSD, 100n * NSD, 9n, 90_000n]),
        burnBps: dice.between(0n, 2_047n, [100n, 1_000n, 1_500n]),
        band: dice.one([0, 1, 2] as const),
      }),
      ({ amount, burnBps, band }) => [amount, burnBps, BigInt(band)],
      ({ amount, burnBps, band }) => {
        const { validator, treasury, burned } = money.split(amount, burnBps, band);
        return [validator, treasury, burned];
      },
    );
  });

  it("what comes back", async () => {
    await agree(
      "refunds",
      (dice) => ({
        payment: dice.between(0n, U96, [5n * NSD]),
        bps: dice.between(0n, 10_000n, [5_000n, 8_500n, 9_000n, 9_500n]),
      }),
      ({ payment, bps }) => [payment, bps],
      ({ payment, bps }) => [money.refund(payment, bps)],
    );
  });
});

describe("reputation", () => {
  it("points and bands", async () => {
    await agree(
      "points",
      (dice) => ({
        success: dice.between(0n, 255n),
        uptime: dice.between(0n, 255n, [242n, 243n]),
        speed: dice.between(0n, 100n),
        penalty: dice.between(0n, 65_535n, [1n, 3n, 5n, 10n, 15n, 50n, 89n, 90n, 100n]),
      }),
      ({ success, uptime, speed, penalty }) => [success, uptime, speed, penalty],
      ({ success, uptime, speed, penalty }) => {
        const points = reputation.points(success, uptime, speed, penalty);
        return [points, reputation.band(points)];
      },
    );
  });

  it("moving averages", async () => {
    await agree(
      "averages",
      (dice) => {
        const expected = dice.between(0n, U32, [1n, 60n]);
        return {
          average: dice.between(0n, 255n),
          speed: dice.between(0n, 100n),
          expected,
          elapsed: dice.between(0n, U32, [expected, expected * 2n, expected * 100n]),
        };
      },
      ({ average, speed, expected, elapsed }) => [average, speed, expected, elapsed],
      ({ average, speed, expected, elapsed }) => [
        reputation.afterSuccess(average),
        reputation.afterFailure(average),
        reputation.speedAfter(speed, expected, elapsed),
      ],
    );
  });

  it("healing, and the average that relaxes", async () => {
    await agree(
      "healing",
      (dice) => ({
        penalty: dice.between(0n, 65_535n, [1n, 15n, 100n]),
        elapsed: dice.between(0n, U40, [DAY, 14n * DAY, 15n * DAY, (14n * DAY) / 255n]),
        successes: dice.between(0n, U32, [20n, 200n]),
      }),
      ({ penalty, elapsed, successes }) => [penalty, elapsed, successes],
      ({ penalty, elapsed, successes }) => [
        reputation.healed(penalty, elapsed, successes),
        reputation.relaxed(elapsed),
      ],
    );
  });

  it("uptime", async () => {
    await agree(
      "uptimes",
      (dice) => {
        const previous = dice.between(0n, U32, [SLOT, 1_800_000_000n]);
        const time = previous + dice.between(0n, U24, [SLOT, 2n * SLOT, 255n * SLOT, 256n * SLOT, 257n * SLOT]);
        const map = dice.flag() ? U256 ^ (1n << dice.between(0n, 255n)) : dice.between(0n, U256);
        return { map, previous, time };
      },
      ({ map, previous, time }) => [map, previous, time],
      ({ map, previous, time }) => {
        const next = reputation.uptimeMap(map, previous, time);
        return [next, reputation.countBits(next), reputation.uptimeShare(next)];
      },
    );
  });
});

function randomNode(dice: Dice, id: number, models: number): Node {
  const number = (most: bigint, ...edges: bigint[]) => Number(dice.between(0n, most, edges));
  const capacity = number(63n, 1n, 10n);
  return {
    id,
    stake: number(127n, 5n, 99n, 100n),
    reputation: number(100n, 49n, 50n, 89n, 90n, 100n),
    load: Math.max(0, Math.min(63, capacity - number(63n, 0n, 1n))),
    capacity,
    speed: number(100n),
    closed: dice.below(8) === 0,
    probation: dice.below(3) === 0,
    models: Array.from({ length: models }, (_, model) => model).filter(() => dice.below(8) !== 0),
  };
}

const rowOf = (node: Node): bigint[] => [
  BigInt(node.stake),
  BigInt(node.reputation),
  BigInt(node.load),
  BigInt(node.capacity),
  BigInt(node.speed),
  bit(node.closed) + 2n * bit(node.probation),
  node.models.reduce((set, model) => set | (1n << BigInt(model)), 0n),
];

describe("selection", () => {
  it("scores", async () => {
    await agree(
      "scores",
      (dice) => ({ node: randomNode(dice, 4, 29), model: dice.below(29) }),
      ({ node, model }) => [...rowOf(node), BigInt(model)],
      ({ node, model }) => [BigInt(score(node, model))],
    );
  });

  const request = (dice: Dice, nodes: readonly Node[]) => {
    const earlier = [0, 0].map(() => (dice.below(3) === 0 ? dice.one(nodes).id : 0));
    return { id: BigInt(dice.below(2 ** 40)), earlier };
  };
  const asRow = ({ id, earlier }: { id: bigint; earlier: number[] }) => [
    id,
    BigInt(earlier[0] ?? 0) + 65_536n * BigInt(earlier[1] ?? 0),
  ];
  const bandOf = (node: Node): bigint =>
    reputation.band(BigInt(node.probation ? Math.min(node.reputation, 89) : node.reputation));

  it("takes the best of up to eight, never one that declined", async () => {
    const dice = new Dice("neuroswarm:all");
    for (let round = 0; round < 100; round++) {
      const nodes = Array.from({ length: 1 + dice.below(8) }, (_, at) => randomNode(dice, at + 4, 1));
      const requests = Array.from({ length: COUNT / 100 }, () => request(dice, nodes));
      const tickets = nodes.map(({ id }) => BigInt(id));
      const answers = await harness.choose(nodes.map(rowOf), tickets, BigInt(nodes.length), requests.map(asRow));
      for (const [at, { id, earlier }] of requests.entries()) {
        const left = nodes.filter((node) => !earlier.includes(node.id));
        const allowed = best(left, 0);
        const [chosen = 0n, band] = answers[at] ?? [];
        const context = { seed: dice.seed, round, id, earlier, chosen };
        expect(allowed.size === 0 ? chosen === 0n : allowed.has(Number(chosen)), JSON.stringify(context, text)).toBe(
          true,
        );
        const node = nodes.find((one) => one.id === Number(chosen));
        if (node) expect(band).toBe(bandOf(node));
      }
    }
  });

  // Where all have the same stake, row-mates of a drawn one join with certainty: the sample is the rows of some ticket.
  it("takes the best of the rows of some ticket beyond eight", async () => {
    const dice = new Dice("neuroswarm:draws");
    let above = 0;
    let variance = 0;
    for (let round = 0; round < 50; round++) {
      const nodes = Array.from({ length: 9 + dice.below(60) }, (_, at) => ({
        ...randomNode(dice, at + 4, 1),
        stake: 5,
      }));
      const tickets = nodes
        .map(({ id }) => ({ id, order: dice.below(2 ** 40) }))
        .sort((a, b) => a.order - b.order)
        .map(({ id }) => id);
      const requests = Array.from({ length: COUNT / 50 }, () => request(dice, nodes));
      const answers = await harness.choose(
        nodes.map(rowOf),
        tickets.map(BigInt),
        BigInt(nodes.length),
        requests.map(asRow),
      );
      for (const [at, { id, earlier }] of requests.entries()) {
        const left = nodes.filter((node) => !earlier.includes(node.id));
        const samples = tickets.map((_, ticket) => {
          const rows = rowsFrom(tickets, ticket);
          return best(
            left.filter((node) => rows.includes(Math.floor(node.id / 4))),
            0,
          );
        });
        const chosen = Number(answers[at]?.[0] ?? 0n);
        const possible = samples.some((sample) => (chosen === 0 ? sample.size === 0 : sample.has(chosen)));
        expect(possible, JSON.stringify({ seed: dice.seed, round, id, earlier, chosen }, text)).toBe(true);
        const node = left.find((one) => one.id === chosen);
        if (!node) continue;
        expect(eligible(node, 0)).toBe(true);
        // A sample that holds nobody is drawn again, so what is left is even among the others.
        const scores = left.map((one) => [one.id, score(one, 0)] as const);
        const bests = samples
          .filter(({ size }) => size > 0)
          .map((sample) => scores.find(([one]) => sample.has(one))?.[1] ?? 0);
        const mean = bests.reduce((sum, value) => sum + value, 0) / bests.length;
        above += score(node, 0) - mean;
        variance += bests.reduce((sum, value) => sum + (value - mean) ** 2, 0) / bests.length;
      }
    }
    // Each ticket is as likely as any other: what was chosen ranks as high on average as that makes it.
    expect(Math.abs(above) / Math.sqrt(variance)).toBeLessThan(4);
  });
});

const text = (_: string, value: unknown): unknown => (typeof value === "bigint" ? value.toString() : value);
