import { encodeAbiParameters, keccak256 } from "viem";
import { describe, expect, test } from "vitest";
import { promptHash } from "../../keeper/chain/intents.ts";
import type { IntentMessage, NetworkBody } from "../../keeper/web/src/api/wire.ts";
import { ClocksApart } from "../../keeper/web/src/chat/problems.ts";
import { checkCancel, checkIntent, isRequestOf } from "../../keeper/web/src/wallet/intent.ts";

const address = (byte: string) => `0x${byte.repeat(20)}` as const;
const ZERO = address("00");
const SALT = `0x${"5a".repeat(32)}` as const;
const network = {
  chain_id: 8_453,
  local: false,
  contracts: { router: address("a1") },
  operator: address("b2"),
  model: "demo",
} as unknown as NetworkBody;
const asked = {
  prompt: "How is a fee split?",
  user: address("c3"),
  network,
  terms: { model: "demo", maxTokens: 500, temperature: 0.7, paymentWei: "50000000000000000000", priority: false },
} as const;

const message: IntentMessage = {
  user: asked.user,
  model: "demo",
  promptHash: promptHash(asked.prompt, SALT),
  maxTokens: 500,
  temperature: 70,
  payment: asked.terms.paymentWei,
  priority: false,
  private: false,
  validator: network.operator,
  relayer: ZERO,
  relayFee: "0",
  callback: ZERO,
  callbackGas: 0,
  nonce: 3,
  deadline: String(Math.floor(Date.now() / 1000) + 600),
};
const domain = { name: "NeuroSwarm", version: "1", chainId: 8_453, verifyingContract: address("a1") };
const check = (changed: Partial<IntentMessage>, changedDomain = {}, lane: "direct" | "assigned" = "direct") =>
  checkIntent(
    {
      typed_data: {
        domain: { ...domain, ...changedDomain },
        primaryType: "Request",
        message: { ...message, ...changed },
      },
      salt: SALT,
    },
    { ...asked, terms: { ...asked.terms, lane } },
  );

describe("what the keeper wants signed", () => {
  test("passes where it says what was asked", () => {
    expect(check({})).toMatchObject({ payment: asked.terms.paymentWei, nonce: 3 });
  });

  test.each([
    ["user", { user: address("d4") }],
    ["validator", { validator: address("d4") }],
    ["model", { model: "dearer" }],
    ["promptHash", { promptHash: promptHash("Something else", SALT) }],
    ["maxTokens", { maxTokens: 501 }],
    ["temperature", { temperature: 71 }],
    ["payment", { payment: "50000000000000000001" }],
    ["priority", { priority: true }],
    ["private", { private: true }],
    ["relayFee", { relayFee: "1" }],
    ["callback", { callback: address("d4") }],
    ["callbackGas", { callbackGas: 1 }],
    ["deadline", { deadline: String(Math.floor(Date.now() / 1000) + 86_400) }],
    ["deadline", { deadline: "1" }],
  ] as const)("is refused with another %s", (field, changed) => {
    expect(() => check(changed)).toThrow(field);
  });

  test.each([
    ["is over already", -1],
    ["is more than an hour away", 7_200],
  ])("names the clocks, and accuses nobody, where its deadline %s", (words, seconds) => {
    const deadline = String(Math.floor(Date.now() / 1000) + seconds);
    expect(() => check({ deadline })).toThrow(words);
    expect(() => check({ deadline })).toThrow(ClocksApart);
  });

  test("is refused for another chain or another contract", () => {
    expect(() => check({}, { chainId: 1 })).toThrow("chainId");
    expect(() => check({}, { verifyingContract: address("d4") })).toThrow("verifyingContract");
  });
});

describe("what the keeper wants signed where the network picks", () => {
  const assigned = { validator: ZERO, relayer: network.operator };

  test("passes where nobody is named to answer, and this keeper alone may submit it", () => {
    expect(check(assigned, {}, "assigned")).toMatchObject({ validator: ZERO });
  });

  test.each([
    ["validator", { validator: network.operator }],
    ["relayer", { relayer: ZERO }],
    ["relayer", { relayer: address("d4") }],
    ["payment", { payment: "50000000000000000001" }],
    ["priority", { priority: true }],
  ] as const)("is refused with another %s", (field, changed) => {
    expect(() => check({ ...assigned, ...changed }, {}, "assigned")).toThrow(field);
  });

  test("has the id that the contract gives it, and no other", () => {
    const intent = { ...message, ...assigned, priority: true };
    const idOn = (chainId: number, model: bigint) => {
      const terms = model | (500n << 8n) | (70n << 32n) | (1n << 48n) | (3n << 56n);
      const payer = (BigInt(intent.user) << 96n) | BigInt(intent.payment);
      return keccak256(
        encodeAbiParameters(
          [
            { type: "uint256" },
            { type: "address" },
            { type: "uint256" },
            { type: "uint256" },
            { type: "bytes32" },
            { type: "address" },
          ],
          [BigInt(chainId), network.contracts.router, payer, terms, intent.promptHash, ZERO],
        ),
      );
    };
    expect(isRequestOf(idOn(8_453, 0n), intent, network)).toBe(true);
    expect(isRequestOf(idOn(8_453, 255n), intent, network)).toBe(true);
    expect(isRequestOf(idOn(1, 0n), intent, network)).toBe(false);
    expect(isRequestOf(idOn(8_453, 0n), { ...intent, nonce: 4 }, network)).toBe(false);
  });
});

describe("what the keeper wants signed to cancel", () => {
  const ID = `0x${"1d".repeat(32)}` as const;
  const soon = String(Math.floor(Date.now() / 1000) + 600);
  const cancel = (request: `0x${string}`, deadline: string, changedDomain = {}) =>
    checkCancel(
      { domain: { ...domain, ...changedDomain }, primaryType: "Cancel", message: { request, deadline } },
      ID,
      network,
    );

  test("passes where it is this request, on this chain, and soon over", () => {
    expect(cancel(ID, soon)).toEqual({ request: ID, deadline: soon });
  });

  test("is refused otherwise", () => {
    expect(() => cancel(`0x${"2e".repeat(32)}`, soon)).toThrow("request");
    expect(() => cancel(ID, String(Number(soon) + 86_400))).toThrow("deadline");
    expect(() => cancel(ID, "1")).toThrow("deadline");
    expect(() => cancel(ID, soon, { chainId: 1 })).toThrow("chainId");
    expect(() => cancel(ID, soon, { verifyingContract: address("d4") })).toThrow("verifyingContract");
  });
});
