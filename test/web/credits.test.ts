import { defineChain, type EIP1193Provider, toHex } from "viem";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { NetworkBody } from "../../keeper/web/src/api/wire.ts";
import { creditsActions } from "../../keeper/web/src/wallet/credits.ts";
import { walletProblem } from "../../keeper/web/src/wallet/failure.ts";

const address = (byte: string) => `0x${byte.repeat(20)}` as const;
const TRANSACTION = toHex(7n, { size: 32 });
const network = {
  chain_id: 8_453,
  local: false,
  contracts: { credits: address("a1"), nsd: address("b2") },
} as unknown as NetworkBody;
const chain = defineChain({
  id: 8_453,
  name: "Chain",
  nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
  rpcUrls: { default: { http: [] } },
});

/** Sends what it is given, and never sees it mined. */
async function request({ method }: { method: string }): Promise<unknown> {
  if (method === "eth_chainId") return toHex(8_453);
  if (method === "eth_call") return toHex(0, { size: 32 });
  if (method === "eth_sendTransaction") return TRANSACTION;
  if (method === "eth_blockNumber") return toHex(12);
  if (method === "eth_getTransactionReceipt" || method === "eth_getTransactionByHash") return null;
  throw new Error(`${method} was not expected`);
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("a transaction that nobody mines for minutes is told as one that was sent", async () => {
  const provider = { request } as EIP1193Provider;
  const actions = creditsActions(network, chain, async () => provider);
  const told = actions.withdraw({ kind: "development", address: address("c3") }).catch(walletProblem);
  await vi.advanceTimersByTimeAsync(200_000);
  expect(await told).toMatch(
    new RegExp(`^It was sent and is not mined yet: ${TRANSACTION}\\. .*before you send another`),
  );
});
