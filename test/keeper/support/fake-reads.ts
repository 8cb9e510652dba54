/** What the core in memory can be asked about, and what its other half is made of. */
import { createHash } from "node:crypto";
import { CID } from "multiformats/cid";
import { create as createDigest } from "multiformats/hashes/digest";
import { type Address, getAddress, type Hex, parseEther, toHex } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import type { ModelInfo, Quote, RequestEvent, RequestState, Services } from "../../../keeper/services/types.ts";

export const MNEMONIC = "test test test test test test test test test test test junk";
export const account = (index: number) => mnemonicToAccount(MNEMONIC, { addressIndex: index });
export const ROUTER = getAddress(`0x${"a1".repeat(20)}`);
export const OPERATOR = getAddress(`0x${"b2".repeat(20)}`);
export const CHAIN_ID = 31_337;

/** What a test changes to see what becomes of it. */
export interface Script {
  tokens: string[];
  tokenDelayMs: number;
  settleDelayMs: number;
  fail: { code: string; message: string } | undefined;
  credits: bigint;
  health: "ok" | "degraded" | "down";
  breakReads: boolean;
  /** What is accepted stands still: the test tells what happens to it. */
  byHand: boolean;
}

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface Kept {
  readonly state: Mutable<RequestState>;
  readonly events: RequestEvent[];
  readonly listeners: Set<(event: RequestEvent) => void>;
}

export function store(blocks: Map<string, Uint8Array>, bytes: Uint8Array): string {
  const cid = CID.createV1(0x55, createDigest(0x12, createHash("sha256").update(bytes).digest())).toString();
  blocks.set(cid, bytes);
  return cid;
}

export const MODELS: readonly ModelInfo[] = [
  ["gpt-2-q4", 5_000, false],
  ["llama-2-7b-q4", 10_000, true],
].map(([name, multiplier, local], index) => ({
  id: toHex(index + 1, { size: 32 }),
  name: String(name),
  fileHash: toHex(index + 9, { size: 32 }),
  multiplierBps: Number(multiplier),
  maxTokens: 2_048,
  maxInputTokens: 2_048,
  active: true,
  local: local === true,
  servers: local === true ? 1 : 2,
  servedElsewhere: local !== true,
}));

function quoteOf(name: string | undefined, maxTokens: number, priority: boolean, payment?: bigint): Quote {
  const model = MODELS.find((candidate) => candidate.name === (name ?? "llama-2-7b-q4"));
  const cost = (tokens: number): bigint =>
    ((parseEther("5") + (parseEther("1") / 10n) * BigInt(tokens)) *
      BigInt(model?.multiplierBps ?? 0) *
      (priority ? 15_000n : 10_000n)) /
    100_000_000n;
  const minimum = parseEther(priority ? "7.65" : "5");
  const tokens =
    payment === undefined ? undefined : Math.max(0, Math.min(2_048, Number((payment * 10n) / parseEther("1")) - 50));
  return {
    model: model?.name ?? "",
    maxTokens,
    priority,
    cost: cost(maxTokens),
    minimum,
    commitFrom: parseEther("500"),
    ...(payment === undefined ? {} : { payment, tokens: tokens ?? 0 }),
  };
}

export function reads(script: Script, kept: Map<Hex, Kept>, blocks: Map<string, Uint8Array>): Services["reads"] {
  const ok = { state: "ok" as const, latencyMs: 1 };
  const all = async <T>(value: T): Promise<T> => {
    if (script.breakReads) throw new Error("secret: postgres://keeper:hunter2@db");
    return value;
  };
  const contracts = Object.fromEntries(
    ["router", "credits", "validators", "models", "reward", "fees", "nsd", "nst", "lcai", "choir"].map((name) => [
      name,
      ROUTER,
    ]),
  ) as never;
  const mine = (address: Address): RequestState[] =>
    [...kept.values()].map(({ state }) => ({ ...state })).filter(({ user }) => user === address);
  return {
    health: () =>
      all({
        status: script.health,
        components: {
          chain: { ...ok, lagBlocks: 0 },
          storage: ok,
          model: ok,
          database: { state: script.health, detail: "as scripted" },
        },
      }),
    network: () =>
      all({
        chainId: CHAIN_ID,
        local: true,
        rpcUrl: "http://127.0.0.1:8545",
        contracts,
        operator: OPERATOR,
        validatorId: 1,
        model: "llama-2-7b-q4",
        block: 12n,
        records: 3n,
        supply: { total: 10n ** 27n, retired: 0n, burned: 5n, minted: 1n },
        epoch: { number: 1, burned: 5n, minted: 1n },
        queue: { waiting: 0, running: 0 },
      }),
    quote: (model, maxTokens, priority, payment) => all(quoteOf(model, maxTokens, priority, payment)),
    models: () => all([...MODELS]),
    validators: () =>
      all([
        {
          id: 1,
          owner: OPERATOR,
          operator: OPERATOR,
          stake: parseEther("5000"),
          models: ["llama-2-7b-q4"],
          endpoint: "https://node.example",
          reputation: 100,
          totalRequests: 1n,
          successfulRequests: 1n,
          registered: new Date(0),
          load: 0,
          capacity: 4,
        },
      ]),
    userStats: (address) =>
      all({
        address,
        tokenBalance: parseEther("3"),
        totalRewards: parseEther("3"),
        interactionCount: 3,
        lastInteraction: new Date(0),
        rank: 1,
        isPrivate: false,
        choirBalance: 0n,
      }),
    balances: (address) =>
      all({
        address,
        nsd: {
          wallet: parseEther("1.5"),
          credits: script.credits,
          owed: 0n,
          usable: script.credits,
          locked: 0n,
          withdrawing: 0n,
          allowance: 0n,
        },
        nst: { wallet: 0n, staked: 0n },
        lcai: { wallet: 0n, accrued: 0n },
        choir: { wallet: 0n },
        native: 10n ** 18n,
        earnings: { till: 1n, claiming: 2n, claimableAt: new Date(0) },
      }),
    locate: (address) =>
      all({
        address,
        block: 12n,
        at: new Date(0),
        positions: [
          {
            token: "NSD",
            kind: "wallet",
            amount: 1n,
            contract: "nsd",
            availableAt: new Date(0),
            call: "transfer(address,uint256)",
            by: "owner",
            note: "In the wallet.",
          },
          {
            token: "NSD",
            kind: "request",
            amount: parseEther("50"),
            contract: "router",
            availableAt: new Date(60_000),
            call: "expire(Ticket)",
            by: "anyone",
            id: toHex(1, { size: 32 }),
            note: "Locked.",
          },
          {
            token: "NST",
            kind: "stake",
            amount: parseEther("5000"),
            contract: "validators",
            by: "owner",
            note: "Staked.",
          },
        ],
      }),
    rewards: (_address, limit) =>
      all(
        [
          {
            token: "LCAI" as const,
            amount: parseEther("1"),
            requestId: toHex(1, { size: 32 }),
            transaction: toHex(2, { size: 32 }),
            at: new Date(0),
          },
        ].slice(0, limit),
      ),
    history: (address, limit) => all({ requests: mine(address).slice(0, limit), cut: false }),
    block: (cid) => all(blocks.get(cid)),
  };
}
