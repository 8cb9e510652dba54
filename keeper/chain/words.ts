/** The packed words of contracts/words, bit for bit. */
import { type Address, getAddress, type Hex, pad, toHex } from "viem";

const field = (word: bigint, shift: number, bits: number): bigint =>
  (word >> BigInt(shift)) & ((1n << BigInt(bits)) - 1n);

function put(value: bigint | number, shift: number, bits: number, name: string): bigint {
  const wide = BigInt(value);
  if (wide < 0n || wide >> BigInt(bits) !== 0n) throw new RangeError(`${name} ${wide} does not fit ${bits} bits`);
  return wide << BigInt(shift);
}

const PRIORITY = 1n;
const PRIVATE = 2n;
const flagsOf = (priority: boolean, isPrivate: boolean): bigint =>
  (priority ? PRIORITY : 0n) | (isPrivate ? PRIVATE : 0n);

export const packPayer = (user: Address, payment: bigint): bigint =>
  (BigInt(user) << 96n) | put(payment, 0, 96, "payment");

export function unpackPayer(word: bigint): { user: Address; payment: bigint } {
  return { user: getAddress(pad(toHex(word >> 96n), { size: 20 })), payment: field(word, 0, 96) };
}

export interface Terms {
  /** Index in the catalogue. */
  readonly model: number;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly priority: boolean;
  readonly isPrivate: boolean;
  readonly nonce: number;
  readonly callbackGas: number;
  readonly callbackFee: bigint;
}

export function packTerms(terms: Terms): bigint {
  return (
    put(terms.model, 0, 8, "model") |
    put(terms.maxTokens, 8, 24, "maxTokens") |
    put(terms.temperature, 32, 16, "temperature") |
    put(flagsOf(terms.priority, terms.isPrivate), 48, 8, "flags") |
    put(terms.nonce, 56, 32, "nonce") |
    put(terms.callbackGas, 88, 24, "callbackGas") |
    put(terms.callbackFee, 112, 96, "callbackFee")
  );
}

export function unpackTerms(word: bigint): Terms {
  const flags = field(word, 48, 8);
  return {
    model: Number(field(word, 0, 8)),
    maxTokens: Number(field(word, 8, 24)),
    temperature: Number(field(word, 32, 16)),
    priority: (flags & PRIORITY) !== 0n,
    isPrivate: (flags & PRIVATE) !== 0n,
    nonce: Number(field(word, 56, 32)),
    callbackGas: Number(field(word, 88, 24)),
    callbackFee: field(word, 112, 96),
  };
}

export interface DeliveryTerms {
  readonly tokens: number;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly priority: boolean;
  readonly isPrivate: boolean;
  readonly nonce: number;
  readonly deadline: bigint;
}

export function packDeliveryTerms(terms: DeliveryTerms): bigint {
  return (
    put(terms.tokens, 0, 24, "tokens") |
    put(terms.maxTokens, 24, 24, "maxTokens") |
    put(terms.temperature, 48, 16, "temperature") |
    put(flagsOf(terms.priority, terms.isPrivate), 64, 8, "flags") |
    put(terms.nonce, 72, 32, "nonce") |
    put(terms.deadline, 104, 64, "deadline")
  );
}

/** What an answer costs and how long it may take: the upper part of an offer. */
export interface Price {
  readonly base: bigint;
  readonly perToken: bigint;
  readonly multiplierBps: bigint;
  /** 1e-9. */
  readonly index: bigint;
  readonly burnBps: bigint;
  /** Seconds before the share for length. */
  readonly window: number;
  /** Output tokens a second. */
  readonly pace: number;
  readonly ackWindow: number;
  readonly queueWindow: number;
}

export interface Offer extends Price {
  readonly active: boolean;
  readonly model: number;
  readonly tokenLimit: number;
  readonly servers: number;
  /** NSD wei of payment from which a request goes through commit and reveal. */
  readonly commitFrom: bigint;
}

export function unpackOffer(word: bigint): Offer {
  return {
    active: (word & 1n) === 1n,
    model: Number(field(word, 1, 8)),
    tokenLimit: Number(field(word, 9, 20)),
    servers: Number(field(word, 46, 16)),
    commitFrom: field(word, 83, 13) * 10n ** 18n,
    base: field(word, 96, 24) * 10n ** 15n,
    perToken: field(word, 120, 32) * 10n ** 12n,
    multiplierBps: field(word, 152, 20),
    index: field(word, 172, 36),
    burnBps: field(word, 208, 11),
    window: Number(field(word, 219, 14)),
    pace: Number(field(word, 233, 10)),
    ackWindow: Number(field(word, 243, 6)) * 5,
    queueWindow: Number(field(word, 249, 7)) * 30,
  };
}

export const executionWindow = (price: Pick<Price, "window" | "pace">, maxTokens: number): number =>
  price.window + Math.floor(maxTokens / price.pace);

/** Splits a 65-byte signature into the two words of EIP-2098. */
export function compactSignature(signature: Hex): { r: Hex; vs: Hex } {
  const hex = signature.slice(2);
  const r: Hex = `0x${hex.slice(0, 64)}`;
  if (hex.length === 128) return { r, vs: `0x${hex.slice(64)}` };
  const v = Number.parseInt(hex.slice(128), 16);
  const parity = v >= 27 ? v - 27 : v;
  const vs = BigInt(`0x${hex.slice(64, 128)}`) | (BigInt(parity) << 255n);
  return { r, vs: toHex(vs, { size: 32 }) };
}
