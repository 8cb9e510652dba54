import { hash } from "node:crypto";
import type { Hex } from "viem";
import { InvalidJobError } from "./errors.ts";

export const SAMPLING_SCHEME = "gumbel-1";
export const TOP_K = 40;

const DOMAIN = Buffer.from("NeuroSwarm/gumbel/1", "ascii");
const GOLDEN_RATIO = 0x9e3779b1;

/** The finalizer of MurmurHash3: a bijection of 32 bits in which every input bit moves every output bit. */
function fmix(value: number): number {
  let x = value ^ (value >>> 16);
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return x ^ (x >>> 16);
}

function bytes32(field: string, value: Hex): Buffer {
  if (!/^0x[0-9a-fA-F]{64}$/.test(value))
    throw new InvalidJobError(`${field} must be 32 bytes in hex, got ${JSON.stringify(value)}`);
  return Buffer.from(value.slice(2), "hex");
}

/**
 * Public noise: whoever knows the request id (and the salt of a private request) can compute it again, so a judge with
 * the model can tell from one prefill whether an answer was drawn as it had to be.
 */
export class Noise {
  readonly #seed: Buffer;
  #k0 = 0;
  #k1 = 0;
  #k2 = 0;

  constructor(requestId: Hex, salt?: Hex) {
    const parts = [DOMAIN, bytes32("requestId", requestId)];
    const salted = salt === undefined ? undefined : bytes32("salt", salt);
    if (salted?.some((byte) => byte !== 0)) parts.push(salted);
    this.#seed = Buffer.concat([...parts, Buffer.alloc(4)]);
  }

  /** Moves to an output position, counted from 0. */
  at(position: number): this {
    this.#seed.writeUInt32BE(position, this.#seed.length - 4);
    const key = hash("sha256", this.#seed, "buffer");
    this.#k0 = key.readUInt32BE(0);
    this.#k1 = key.readUInt32BE(4);
    this.#k2 = key.readUInt32BE(8);
    return this;
  }

  /** Standard Gumbel noise of a token at the current position. */
  gumbel(token: number): number {
    const inner = fmix(Math.imul(token, GOLDEN_RATIO) ^ this.#k0);
    const x = fmix(fmix((inner + this.#k1) | 0) ^ this.#k2) >>> 0;
    const uniform = (x + 0.5) / 2 ** 32;
    return -Math.log(-Math.log(uniform));
  }
}

/**
 * The token that wins `logit + T * gumbel` among the candidates, the lower id where two are equal. A candidate's
 * probability at temperature 1 stands for its logit: their logarithms differ by the same constant for all of them.
 */
export function choose(probabilities: ReadonlyMap<number, number>, temperature: number, noise: Noise): number {
  let best = -1;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const [token, probability] of probabilities) {
    const score = Math.log(probability) + (temperature === 0 ? 0 : temperature * noise.gumbel(token));
    if (score > bestScore || (score === bestScore && token < best)) {
      best = token;
      bestScore = score;
    }
  }
  if (best < 0) throw new Error("The model gave no candidate for the next token");
  return best;
}
