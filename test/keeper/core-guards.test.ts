import { Writable } from "node:stream";
import { pino } from "pino";
import { concat, type Hex, parseGwei, slice, toHex, zeroAddress } from "viem";
import { describe, expect, test } from "vitest";
import { limitedFees, raisedFees } from "../../keeper/chain/gas-fees.ts";
import { isSignedByUser, REQUEST_TYPES, typedData } from "../../keeper/chain/intents.ts";
import { GenerationFailedError, ModelFileError, PromptTooLongError } from "../../keeper/inference/errors.ts";
import { guardedLog } from "../../keeper/services/log-guard.ts";
import { refusalOf } from "../../keeper/services/troubles.ts";
import type { Intent } from "../../keeper/services/types.ts";
import { StorageUnavailableError } from "../../keeper/storage/errors.ts";
import { account } from "./support/chain.ts";

const ROUTER = `0x${"12".repeat(20)}` as const;
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

describe("a signature", () => {
  const user = account(0);
  const intent: Intent = {
    user: user.address,
    model: "m",
    promptHash: `0x${"11".repeat(32)}`,
    maxTokens: 1,
    temperature: 0,
    payment: 1n,
    priority: false,
    private: false,
    validator: zeroAddress,
    relayer: zeroAddress,
    relayFee: 0n,
    callback: zeroAddress,
    callbackGas: 0,
    nonce: 0,
    deadline: 1n,
  };

  test("counts in the one form that the router takes, and not mirrored", async () => {
    const data = typedData(1, ROUTER, intent);
    const signature = await user.signTypedData({ ...data, types: REQUEST_TYPES, message: { ...intent } });
    expect(await isSignedByUser(1, ROUTER, intent, signature)).toBe(true);
    const s = ORDER - BigInt(slice(signature, 32, 64));
    const v: Hex = slice(signature, 64) === "0x1b" ? "0x1c" : "0x1b";
    const mirrored = concat([slice(signature, 0, 32), toHex(s, { size: 32 }), v]);
    expect(await isSignedByUser(1, ROUTER, intent, mirrored)).toBe(false);
  });
});

describe("fees", () => {
  const market = { maxFeePerGas: parseGwei("3"), maxPriorityFeePerGas: parseGwei("1") };
  const limit = parseGwei("500");

  test("rise by a quarter at least, and to the market", () => {
    expect(raisedFees(market, market, limit)).toEqual({
      maxFeePerGas: parseGwei("3.75") + 1n,
      maxPriorityFeePerGas: parseGwei("1.25") + 1n,
    });
    const low = { maxFeePerGas: 1n, maxPriorityFeePerGas: 1n };
    expect(raisedFees(low, market, limit)).toEqual(market);
  });

  test("end at four times the market, and at the limit", () => {
    let fees = market;
    for (;;) {
      const next = raisedFees(fees, market, limit);
      if (next === undefined) break;
      fees = next;
    }
    expect(fees.maxFeePerGas).toBeLessThanOrEqual(4n * market.maxFeePerGas);
    expect(fees.maxPriorityFeePerGas).toBeLessThanOrEqual(4n * market.maxPriorityFeePerGas);
    expect(raisedFees(market, market, parseGwei("3.5"))).toBeUndefined();
    expect(limitedFees(market, parseGwei("0.5"))).toEqual({
      maxFeePerGas: parseGwei("0.5"),
      maxPriorityFeePerGas: parseGwei("0.5"),
    });
  });
});

describe("what a client hears of a failure", () => {
  test("is the engine's own sentence where it has one, and no path or URL", () => {
    expect(refusalOf(new PromptTooLongError(900, 100))).toMatchObject({
      code: "prompt_too_long",
      message: expect.stringContaining("900 tokens"),
    });
    for (const error of [
      new GenerationFailedError("llama: /srv/model.gguf is broken"),
      new ModelFileError("/srv/model.gguf", "gone"),
    ]) {
      const refusal = refusalOf(error);
      expect(refusal?.code).toBe(error.code);
      expect(refusal?.message).not.toContain("/srv");
    }
  });

  test("is nothing while it may pass", () => {
    expect(refusalOf(new StorageUnavailableError("http://kubo:5001 is away"))).toBeUndefined();
    expect(refusalOf(Object.assign(new Error("ENOSPC"), { code: "ENOSPC" }))).toBeUndefined();
  });
});

describe("the log", () => {
  test("shows of each endpoint no more than its origin", () => {
    const lines: string[] = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    });
    const settings = {
      rpcUrls: ["https://rpc.example/v2/api-key-1", "https://user:word@rpc.example"],
      ipfsApiUrl: "http://ipfs.example:5001/token-2/",
      databaseUrl: "postgresql://me:word-3@db.example/neuro",
    };
    const log = guardedLog(pino(stream), settings);
    const urls = [...settings.rpcUrls, `${settings.rpcUrls[1]}/`, settings.ipfsApiUrl, settings.databaseUrl];
    const cause = new Error(`no answer from ${urls.join(" or ")}`);
    log.child({ part: "x" }).warn({ err: Object.assign(new Error("failed", { cause }), { url: urls[0] }) }, "trouble");
    expect(lines).toHaveLength(1);
    for (const secret of ["api-key-1", "token-2", "word"]) expect(lines[0]).not.toContain(secret);
    for (const origin of ["https://rpc.example", "http://ipfs.example:5001", "postgresql://db.example"])
      expect(lines[0]).toContain(origin);
    expect(lines[0]).toContain("core-guards.test.ts");
  });
});
