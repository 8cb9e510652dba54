import { createHash } from "node:crypto";

/** Random inputs from a seed that a failure names, edge values far more often than chance would have them. */
export class Dice {
  readonly seed: string;
  #count = 0;

  constructor(seed: string) {
    this.seed = seed;
  }

  /** 256 random bits. */
  #bits(): bigint {
    const hash = createHash("sha256")
      .update(`${this.seed}:${this.#count++}`)
      .digest("hex");
    return BigInt(`0x${hash}`);
  }

  /** Of 0..below - 1, evenly. */
  below(below: number): number {
    return Number(this.#bits() % BigInt(below));
  }

  one<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new RangeError("an empty list has no element");
    return found;
  }

  /**
   * Of least..most: every third at an end, at a power of two, or at one of `edges`, each or beside it; every third of a
   * random length in bits; the rest evenly.
   */
  between(least: bigint, most: bigint, edges: readonly bigint[] = []): bigint {
    const bits = this.#bits();
    const span = most - least + 1n;
    const how = bits & 0xffn;
    const rest = bits >> 8n;
    const length = BigInt(most.toString(2).length);
    let value = least + (rest % span);
    if (how % 3n === 0n) {
      const step = ((rest >> 16n) % 3n) - 1n;
      value = this.one([least, most, 1n << (rest % length), ...edges]) + step;
    } else if (how % 3n === 1n) {
      value = rest & ((1n << (1n + (how % length))) - 1n);
    }
    return value < least ? least : value > most ? most : value;
  }

  flag(): boolean {
    return this.#bits() % 2n === 1n;
  }
}
