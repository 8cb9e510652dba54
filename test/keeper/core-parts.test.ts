import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type Hex, parseEther } from "viem";
import { generatePrivateKey } from "viem/accounts";
import { describe, expect, test } from "vitest";
import { consumed, cost, maxBillable, minimumPayment, split, tokensFor } from "../../keeper/chain/fees.ts";
import { decryptKeystore, encryptKeystore } from "../../keeper/chain/keystore.ts";
import {
  compactSignature,
  type Price,
  packDeliveryTerms,
  packPayer,
  packTerms,
  unpackOffer,
  unpackPayer,
  unpackTerms,
} from "../../keeper/chain/words.ts";
import { readSettings, SettingsError } from "../../keeper/config.ts";
import { DataFolderLockedError } from "../../keeper/database/database.ts";
import { openDatabase } from "../../keeper/database/open.ts";
import { PriorityQueue, points } from "../../keeper/services/queue.ts";

const PRICE: Price = {
  base: parseEther("5"),
  perToken: parseEther("0.1"),
  multiplierBps: 10_000n,
  index: 10n ** 9n,
  burnBps: 1_000n,
  window: 60,
  pace: 20,
  ackWindow: 30,
  queueWindow: 300,
};
const uint = (bits: number) => fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n });
const int = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 });

describe("money", () => {
  test("50 NSD on a model of multiplier 1 buy 450 tokens", () => {
    expect(tokensFor(PRICE, parseEther("50"), false)).toBe(450n);
    expect(maxBillable(PRICE, parseEther("50"), false, 500)).toBe(450);
    expect(maxBillable(PRICE, parseEther("5"), false, 500)).toBe(1);
  });

  test("what a payment buys costs no more than it, and one token more does", () => {
    const price = fc.record({
      base: fc.constant(PRICE.base),
      perToken: fc.bigInt({ min: 1n, max: 2n ** 32n - 1n }).map((n) => n * 10n ** 12n),
      multiplierBps: fc.bigInt({ min: 1n, max: 1_000_000n }),
      index: fc.bigInt({ min: 5n * 10n ** 8n, max: 2n * 10n ** 9n }),
    });
    fc.assert(
      fc.property(price, uint(90), fc.boolean(), (part, payment, priority) => {
        const terms = { ...PRICE, ...part };
        const tokens = tokensFor(terms, payment, priority);
        if (tokens > 0n) expect(cost(terms, tokens, priority)).toBeLessThanOrEqual(payment);
        expect(cost(terms, tokens + 1n, priority)).toBeGreaterThan(payment);
      }),
    );
  });

  test("the legs add up to what was consumed, and the burn is never diluted", () => {
    fc.assert(
      fc.property(
        uint(90),
        fc.bigInt({ min: 100n, max: 1_500n }),
        fc.constantFrom(0, 1, 2),
        (amount, burnBps, band) => {
          const legs = split(amount, burnBps, band as 0 | 1 | 2);
          expect(legs.validator + legs.treasury + legs.burned).toBe(amount);
          expect(legs.burned * 10_000n).toBeGreaterThanOrEqual(amount * burnBps);
          expect(legs.treasury).toBeGreaterThanOrEqual(0n);
        },
      ),
    );
  });

  test("five NSD are the least, and the payment is the most", () => {
    expect(consumed(PRICE, 1n, false, parseEther("50"))).toBe(parseEther("5.1"));
    expect(consumed({ ...PRICE, multiplierBps: 5_000n }, 1n, false, parseEther("50"))).toBe(parseEther("5"));
    expect(consumed(PRICE, 2_000n, true, parseEther("50"))).toBe(parseEther("50"));
    expect(minimumPayment(PRICE, true)).toBe(parseEther("7.65"));
  });
});

describe("words", () => {
  test("come back as they were packed", () => {
    const terms = fc.record({
      model: int(8),
      maxTokens: int(24),
      temperature: int(16),
      priority: fc.boolean(),
      isPrivate: fc.boolean(),
      nonce: int(32),
      callbackGas: int(24),
      callbackFee: uint(96),
    });
    fc.assert(
      fc.property(terms, (fields) => {
        expect(unpackTerms(packTerms(fields))).toEqual(fields);
      }),
    );
    fc.assert(
      fc.property(uint(160), uint(96), (user, payment) => {
        const address: Hex = `0x${user.toString(16).padStart(40, "0")}`;
        const word = unpackPayer(packPayer(address, payment));
        expect(word.payment).toBe(payment);
        expect(word.user.toLowerCase()).toBe(address);
      }),
    );
  });

  test("refuse what does not fit, rather than let it run into its neighbour", () => {
    expect(() => packPayer(`0x${"11".repeat(20)}`, 1n << 96n)).toThrow(RangeError);
    const terms = {
      tokens: 1 << 24,
      maxTokens: 1,
      temperature: 0,
      priority: false,
      isPrivate: false,
      nonce: 0,
      deadline: 0n,
    };
    expect(() => packDeliveryTerms(terms)).toThrow(RangeError);
  });

  test("an offer reads as the contracts pack it", () => {
    const word =
      1n |
      (3n << 1n) |
      (2_048n << 9n) |
      (7n << 46n) |
      (500n << 83n) |
      (5_000n << 96n) |
      (100_000n << 120n) |
      (10_000n << 152n) |
      ((10n ** 9n) << 172n) |
      (1_000n << 208n) |
      (60n << 219n) |
      (20n << 233n) |
      (6n << 243n) |
      (10n << 249n);
    expect(unpackOffer(word)).toEqual({
      ...PRICE,
      active: true,
      model: 3,
      tokenLimit: 2_048,
      servers: 7,
      commitFrom: 500n * 10n ** 18n,
    });
  });

  test("a signature of 65 bytes becomes the two words of EIP-2098", () => {
    const r = "aa".repeat(32);
    const s = `0${"b".repeat(63)}`;
    expect(compactSignature(`0x${r}${s}1b`)).toEqual({ r: `0x${r}`, vs: `0x${s}` });
    expect(compactSignature(`0x${r}${s}1c`)).toEqual({ r: `0x${r}`, vs: `0x8${s.slice(1)}` });
  });
});

describe("the queue", () => {
  test("lets the most points go first, and who came first among equals", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -50, max: 50 })), (all) => {
        const queue = new PriorityQueue<readonly [number, number]>();
        for (const [index, score] of all.entries()) queue.push([score, index], score);
        const popped = Array.from({ length: all.length }, () => queue.pop());
        const expected = all
          .map((score, index) => [score, index])
          .toSorted(([a = 0, i = 0], [b = 0, j = 0]) => b - a || i - j);
        expect(popped).toEqual(expected);
        expect(queue.pop()).toBeUndefined();
      }),
    );
  });

  test("counts what can be charged, a tenth of the reputation, half again for priority, and a point a second", () => {
    const base = { chargeable: parseEther("10"), userReputation: 50, priority: false, arrivedAt: 0 };
    expect(points(base)).toBe(15);
    expect(points({ ...base, priority: true })).toBe(22.5);
    expect(points({ ...base, arrivedAt: 4_000 })).toBe(11);
  });
});

describe("settings", () => {
  test("hold without any", () => {
    expect(readSettings({}, {})).toMatchObject({
      host: "127.0.0.1",
      port: 4173,
      rpcUrls: [],
      maxExposure: parseEther("500"),
    });
  });

  test("are named all at once where they are wrong, and what was expected", () => {
    const wrong = { PORT: "70000", RPC_URL: "ftp://x", LOG_LEVEL: "loud", OPERATOR_KEY: "0x12", BATCH_MS: "-1" };
    const read = (): unknown => readSettings({}, wrong);
    expect(read).toThrow(SettingsError);
    try {
      read();
    } catch (error) {
      const { problems } = error as SettingsError;
      expect(problems).toHaveLength(5);
      for (const name of Object.keys(wrong))
        expect(problems.some((problem) => problem.startsWith(name) && problem.includes("expected"))).toBe(true);
      expect(String(error)).not.toContain("0x12");
    }
  });

  test("of the command line come before the environment's, and several endpoints are taken", () => {
    const settings = readSettings({ PORT: "1" }, { PORT: "2", RPC_URL: "http://a:1, https://b" });
    expect(settings.port).toBe(1);
    expect(settings.rpcUrls).toEqual(["http://a:1", "https://b"]);
  });

  test("show no secret", () => {
    const key = generatePrivateKey();
    const settings = readSettings({ OPERATOR_KEY: key }, {});
    expect(
      JSON.stringify(settings, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value)),
    ).not.toContain(key.slice(2));
    expect(settings.operatorKey?.reveal()).toBe(key);
  });
});

describe("a keystore", () => {
  test("gives its key back for its password alone", async () => {
    const key = generatePrivateKey();
    const text = await encryptKeystore(key, "correct horse");
    expect(text).not.toContain(key.slice(2));
    expect(await decryptKeystore(text, "correct horse")).toBe(key);
    await expect(decryptKeystore(text, "wrong")).rejects.toThrow("password is wrong");
  });

  test("of the standard's own example opens", async () => {
    const example = JSON.stringify({
      crypto: {
        cipher: "aes-128-ctr",
        cipherparams: { iv: "6087dab2f9fdbbfaddc31a909735c1e6" },
        ciphertext: "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        kdf: "pbkdf2",
        kdfparams: {
          c: 262144,
          dklen: 32,
          prf: "hmac-sha256",
          salt: "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
        },
        mac: "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
      },
      id: "3198bc9c-6672-5ab3-d995-4942343ae5b6",
      version: 3,
    });
    expect(await decryptKeystore(example, "testpassword")).toBe(
      "0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d",
    );
  });
});

describe("the data folder", () => {
  test("belongs to one keeper, and a lock that a dead one left does not count", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "neuroswarm-lock-"));
    try {
      const settings = { databaseUrl: undefined, dataDir };
      const first = await openDatabase(settings, () => {});
      await expect(openDatabase(settings, () => {})).rejects.toThrow(DataFolderLockedError);
      await first.query("insert into cursors (name, block, hashes) values ('x', 1, '[]')");
      await first.close();
      await writeFile(join(dataDir, "keeper.lock"), "4194000 12345\n");
      const second = await openDatabase(settings, () => {});
      expect(await second.query("select name from cursors")).toEqual([{ name: "x" }]);
      await second.close();
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
