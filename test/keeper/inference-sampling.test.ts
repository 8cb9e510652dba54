import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { InvalidJobError } from "../../keeper/inference/errors.ts";
import { choose, Noise } from "../../keeper/inference/sampling.ts";
import { TextStream } from "../../keeper/inference/text-stream.ts";
import { requestId } from "./support/engine-harness.ts";

/** The published formula once more, in BigInt, where nothing overflows by accident. */
function referenceGumbel(id: string, position: number, token: number): number {
  const low = (x: bigint): bigint => x & 0xffffffffn;
  const fmix = (x: bigint): bigint => {
    let h = x;
    h = low((h ^ (h >> 16n)) * 0x85ebca6bn);
    h = low((h ^ (h >> 13n)) * 0xc2b2ae35n);
    return h ^ (h >> 16n);
  };
  const counter = Buffer.alloc(4);
  counter.writeUInt32BE(position);
  const key = createHash("sha256")
    .update("NeuroSwarm/gumbel/1")
    .update(Buffer.from(id, "hex"))
    .update(counter)
    .digest();
  const [k0, k1, k2] = [0, 4, 8].map((offset) => BigInt(key.readUInt32BE(offset))) as [bigint, bigint, bigint];
  const first = fmix(low(BigInt(token) * 0x9e3779b1n) ^ k0);
  const x = fmix(fmix(low(first + k1)) ^ k2);
  return -Math.log(-Math.log((Number(x) + 0.5) / 2 ** 32));
}

describe("public noise", () => {
  test("is the published function of request id, position and token", () => {
    const id = "ab".repeat(32);
    const noise = new Noise(`0x${id}`);
    for (const position of [0, 1, 255, 70_000])
      for (const token of [0, 1, 31_999, 151_935])
        expect(noise.at(position).gumbel(token)).toBe(referenceGumbel(id, position, token));
  });

  test("a salt changes it, a zero salt does not", () => {
    const plain = new Noise(requestId(1)).at(3).gumbel(7);
    expect(new Noise(requestId(1), requestId(0)).at(3).gumbel(7)).toBe(plain);
    expect(new Noise(requestId(1), requestId(9)).at(3).gumbel(7)).not.toBe(plain);
  });

  test("draws tokens as often as the temperature says", () => {
    const probabilities = new Map([
      [5, 0.5],
      [9, 0.3],
      [2, 0.2],
    ]);
    const draws = 20_000;
    const counts = new Map<number, number>();
    const noise = new Noise(requestId(77));
    for (let position = 0; position < draws; position++) {
      const token = choose(probabilities, 1, noise.at(position));
      counts.set(token, (counts.get(token) ?? 0) + 1);
    }
    for (const [token, probability] of probabilities)
      expect((counts.get(token) ?? 0) / draws).toBeCloseTo(probability, 1.5);
  });

  test("takes the most probable token at temperature 0, the lower id of two equal ones", () => {
    const noise = new Noise(requestId(1)).at(0);
    expect(
      choose(
        new Map([
          [8, 0.4],
          [3, 0.4],
          [1, 0.2],
        ]),
        0,
        noise,
      ),
    ).toBe(3);
  });

  test("refuses an id that is not 32 bytes", () => {
    expect(() => new Noise("0x1234")).toThrow(InvalidJobError);
  });
});

describe("text from tokens", () => {
  const bytes = (tokens: readonly number[]): string => Buffer.from(tokens).toString("utf8");
  const feed = (input: Uint8Array): { pieces: string[]; text: string } => {
    const stream = new TextStream(bytes);
    const pieces = [...input].map((byte) => stream.push(byte));
    return { pieces, text: [...pieces, stream.end()].join("") };
  };

  test("characters of several tokens come whole", () => {
    const input = "naïve 🧠 日本語";
    const { pieces, text } = feed(Buffer.from(input));
    expect(text).toBe(input);
    for (const piece of pieces) expect(piece).not.toContain("\ufffd");
  });

  test("bytes that never become a character end as U+FFFD, and what follows them is not lost", () => {
    expect(feed(Uint8Array.of(0xff, 0x41)).text).toBe("\ufffdA");
    expect(feed(Uint8Array.of(0x41, 0xf0, 0x9f)).text).toBe("A\ufffd");
  });
});
