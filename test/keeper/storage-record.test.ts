import { createHash } from "node:crypto";
import { base58btc } from "multiformats/bases/base58";
import { CID } from "multiformats/cid";
import { describe, expect, test } from "vitest";
import { normalizedCid } from "../../keeper/storage/cid.ts";
import { BlockTooLargeError, InvalidCidError, InvalidRecordError } from "../../keeper/storage/errors.ts";
import {
  cidOf,
  decodeRecord,
  digestOf,
  encodeRecord,
  type InteractionRecord,
  MAX_BLOCK_BYTES,
} from "../../keeper/storage/record.ts";
import { exampleRecord } from "./support/records.ts";

describe("a record", () => {
  test("comes back as it was", () => {
    for (const record of [exampleRecord(), exampleRecord({ thread_id: "t-1", answer: '日本語 🧠 "\\\n\u2028' })])
      expect(decodeRecord(encodeRecord(record).bytes)).toEqual(record);
  });

  test("is one sequence of bytes, in whatever order it was put together, and begins with the answer", () => {
    const record = exampleRecord();
    const reversed = Object.fromEntries(Object.entries(record).reverse()) as InteractionRecord;
    const { bytes, digest } = encodeRecord(record);
    expect(encodeRecord(reversed).digest).toBe(digest);
    expect(Buffer.from(bytes).toString("utf8").startsWith('{"answer":"70 % goes')).toBe(true);
  });

  test("has its SHA-256 as digest, and the raw CIDv1 of it", () => {
    const { bytes, digest, cid } = encodeRecord(exampleRecord());
    expect(digest).toBe(`0x${createHash("sha256").update(bytes).digest("hex")}`);
    expect(cid).toMatch(/^bafkrei[a-z2-7]{52}$/);
    expect(digestOf(cid)).toBe(digest);
    expect(cidOf(digest)).toBe(cid);
  });

  test("may have 1 MiB and not one byte more", () => {
    const overhead = encodeRecord(exampleRecord({ answer: "" })).bytes.length;
    const largest = exampleRecord({ answer: "a".repeat(MAX_BLOCK_BYTES - overhead) });
    expect(encodeRecord(largest).bytes).toHaveLength(MAX_BLOCK_BYTES);
    expect(() => encodeRecord({ ...largest, answer: `${largest.answer}a` })).toThrow(BlockTooLargeError);
    expect(() => decodeRecord(Buffer.alloc(MAX_BLOCK_BYTES + 1, " "))).toThrow(BlockTooLargeError);
  });

  test.each([
    ["a lone surrogate in the answer", { answer: "broken \ud83e" }],
    ["a lone surrogate in a message", { messages: [{ role: "user", content: "\udc00" }] }],
    ["a scale that is no number", { model_adapters: [{ scale: Number.NaN, sha256: "cd".repeat(32) }] }],
    ["a short request id", { request_id: "0x22" as const }],
    ["an address that is none", { user: "0x44" as const }],
    ["a temperature between two hundredths", { sampling: { ...exampleRecord().sampling, temperature: 0.7 } }],
    ["no billed token", { tokens_used: 0 }],
    ["no message", { messages: [] }],
    ["a hash in capitals", { model_sha256: "AB".repeat(32) }],
    ["a field that it has not", { extra: 1 } as object],
  ])("with %s is refused", (_, wrong) => {
    const encode = () => encodeRecord({ ...exampleRecord(), ...wrong });
    expect(encode).toThrow(InvalidRecordError);
    expect(encode).toThrow(expect.objectContaining({ retryable: false }));
  });

  test("names the field that is wrong", () => {
    expect(() => encodeRecord(exampleRecord({ tokens_used: 0 }))).toThrow(/^tokens_used:/);
  });

  test.each([
    ["with spaces", (text: string) => text.replace(":", ": ")],
    ["with a byte order mark", (text: string) => `\ufeff${text}`],
    ["with a key twice", (text: string) => text.replace("{", '{"answer":"other",')],
    ["with an escape that none needs", (text: string) => text.replace("goes", "g\\u006fes")],
    ["that is cut off", (text: string) => text.slice(0, -5)],
    ["of another schema", (text: string) => text.replace("neuroswarm.record/1", "neuroswarm.record/2")],
  ])("%s is not decoded", (_, change) => {
    const text = Buffer.from(encodeRecord(exampleRecord()).bytes).toString("utf8");
    expect(() => decodeRecord(Buffer.from(change(text)))).toThrow(InvalidRecordError);
  });

  test("that is not UTF-8 is not decoded", () => {
    const bytes = Buffer.from(encodeRecord(exampleRecord()).bytes);
    bytes[12] = 0xff;
    expect(() => decodeRecord(bytes)).toThrow(InvalidRecordError);
  });
});

describe("a CID", () => {
  const cid = encodeRecord(exampleRecord()).cid;

  test("in another spelling names the same block", () => {
    const base58 = CID.parse(cid).toString(base58btc);
    expect(base58.startsWith("z")).toBe(true);
    expect(normalizedCid(base58)).toBe(cid);
    expect(normalizedCid(cid)).toBe(cid);
  });

  test.each([
    "",
    "../../etc/passwd",
    "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG",
    "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi",
  ])("%j is none of ours", (wrong) => {
    expect(() => digestOf(wrong)).toThrow(InvalidCidError);
  });

  test("is not made from less than a digest", () => {
    expect(() => cidOf("0x12")).toThrow(InvalidCidError);
  });
});
