/** What can be read of accounts, prices and the network: one half of the seam, see types.ts. Amounts in wei. */
import type { Address, Hash, Hex } from "viem";
import type { RequestState } from "./types.ts";

/** The contracts that a client may want to talk to itself. */
export const CONTRACT_NAMES = [
  "router",
  "credits",
  "validators",
  "models",
  "reward",
  "fees",
  "nsd",
  "nst",
  "lcai",
  "choir",
] as const;
export type ContractName = (typeof CONTRACT_NAMES)[number];

export interface UserStats {
  readonly address: Address;
  readonly tokenBalance: bigint;
  readonly totalRewards: bigint;
  readonly interactionCount: number;
  readonly lastInteraction?: Date;
  /** Rank by LCAI earned, earlier first; undefined for who earned none. */
  readonly rank?: number;
  readonly isPrivate: boolean;
  readonly choirBalance: bigint;
}

export interface Balances {
  readonly address: Address;
  readonly nsd: {
    readonly wallet: bigint;
    readonly credits: bigint;
    /** What direct answers that are not charged yet may take of the credits. */
    readonly owed: bigint;
    /** What a direct request may spend now: the credits less what is owed and what is about to be withdrawn. */
    readonly usable: bigint;
    readonly locked: bigint;
    readonly withdrawing: bigint;
    readonly withdrawableAt?: Date;
    readonly allowance: bigint;
  };
  readonly nst: { readonly wallet: bigint; readonly staked: bigint };
  readonly lcai: { readonly wallet: bigint; readonly accrued: bigint };
  readonly choir: { readonly wallet: bigint };
  /** Wei of the chain's own coin. */
  readonly native: bigint;
  /** Where the address owns a validator. */
  readonly earnings?: { readonly till: bigint; readonly claiming: bigint; readonly claimableAt?: Date };
}

export type PositionKind =
  | "wallet"
  | "credits"
  | "withdrawing"
  | "request"
  | "session"
  | "bond"
  | "stake"
  | "till"
  | "claim"
  | "accrued";

/** Some units of a token: where they are, and how they are had. */
export interface Position {
  readonly token: "NSD" | "NST" | "LCAI" | "CHOIR";
  readonly kind: PositionKind;
  readonly amount: bigint;
  /** That `call` is made to. */
  readonly contract: ContractName;
  /** When they can be had, where everybody who has a part in it makes use of all the time there is; absent where never. */
  readonly availableAt?: Date;
  readonly call?: string;
  readonly by: "owner" | "anyone";
  /** Of the request, session or commitment. */
  readonly id?: Hex;
  readonly note: string;
}

export interface Located {
  readonly address: Address;
  readonly block: bigint;
  readonly at: Date;
  readonly positions: readonly Position[];
}

export interface RewardEntry {
  readonly token: "LCAI" | "CHOIR";
  readonly amount: bigint;
  readonly requestId?: Hex;
  readonly transaction: Hash;
  readonly at: Date;
}

export interface Quote {
  readonly model: string;
  readonly maxTokens: number;
  readonly priority: boolean;
  /** Wei that an answer of maxTokens costs. */
  readonly cost: bigint;
  readonly minimum: bigint;
  /** Payment from which the assigned lane asks for commit and reveal. */
  readonly commitFrom: bigint;
  /** Output tokens that `payment` buys, where one was named. */
  readonly payment?: bigint;
  readonly tokens?: number;
}

export interface ModelInfo {
  readonly id: Hex;
  readonly name: string;
  readonly fileHash: Hex;
  readonly multiplierBps: number;
  readonly maxTokens: number;
  readonly maxInputTokens: number;
  readonly active: boolean;
  /** Whether this keeper runs it. */
  readonly local: boolean;
  readonly servers: number;
  /** Whether other validators than this keeper's serve it. */
  readonly servedElsewhere: boolean;
}

export interface ValidatorInfo {
  readonly id: number;
  readonly owner: Address;
  readonly operator: Address;
  readonly stake: bigint;
  readonly models: readonly string[];
  readonly endpoint: string;
  readonly reputation: number;
  readonly totalRequests: bigint;
  readonly successfulRequests: bigint;
  readonly registered: Date;
  readonly load: number;
  readonly capacity: number;
}

export interface NetworkInfo {
  readonly chainId: number;
  /** Whether it is the local development chain, whose accounts the keeper may sign for. */
  readonly local: boolean;
  readonly rpcUrl: string;
  readonly contracts: Readonly<Record<ContractName, Address>>;
  readonly operator: Address;
  readonly validatorId: number;
  readonly model: string;
  readonly block: bigint;
  readonly records: bigint;
  readonly supply: {
    readonly total: bigint;
    readonly retired: bigint;
    readonly burned: bigint;
    readonly minted: bigint;
  };
  readonly epoch: { readonly number: number; readonly burned: bigint; readonly minted: bigint };
  readonly queue: { readonly waiting: number; readonly running: number };
}

export type ComponentState = "ok" | "degraded" | "down";
export interface HealthReport {
  readonly status: ComponentState;
  readonly components: Readonly<
    Record<
      "chain" | "storage" | "model" | "database",
      {
        readonly state: ComponentState;
        readonly latencyMs?: number;
        readonly detail?: string;
        readonly lagBlocks?: number;
      }
    >
  >;
}

export interface HistoryPage {
  /** A user's requests, newest first. */
  readonly requests: readonly RequestState[];
  /** There are more within the limit, and they would make the page too large. */
  readonly cut: boolean;
}

export interface Reads {
  health(): Promise<HealthReport>;
  network(): Promise<NetworkInfo>;
  quote(model: string | undefined, maxTokens: number, priority: boolean, payment?: bigint): Promise<Quote>;
  models(): Promise<ModelInfo[]>;
  validators(): Promise<ValidatorInfo[]>;
  userStats(address: Address): Promise<UserStats>;
  balances(address: Address): Promise<Balances>;
  /** Every unit that the protocol holds for an address. */
  locate(address: Address): Promise<Located>;
  rewards(address: Address, limit: number, before?: Date): Promise<RewardEntry[]>;
  history(address: Address, limit: number, before?: Date): Promise<HistoryPage>;
  /** The bytes behind a CID, where this keeper holds them. */
  block(cid: string): Promise<Uint8Array | undefined>;
}
