import { describe, expect, test } from "vitest";
import { promptHash } from "../../keeper/chain/intents.ts";
import type { IntentMessage, NetworkBody } from "../../keeper/web/src/api/wire.ts";
import { checkIntent } from "../../keeper/web/src/wallet/intent.ts";

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
const check = (changed: Partial<IntentMessage>, changedDomain = {}) =>
  checkIntent(
    {
      typed_data: {
        domain: { ...domain, ...changedDomain },
        primaryType: "Request",
        message: { ...message, ...changed },
      },
      salt: SALT,
    },
    asked,
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

  test("is refused for another chain or another contract", () => {
    expect(() => check({}, { chainId: 1 })).toThrow("chainId");
    expect(() => check({}, { verifyingContract: address("d4") })).toThrow("verifyingContract");
  });
});
