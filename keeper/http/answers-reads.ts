/** What the routes that read answer. */

import Type, { type TObject, type TProperties } from "typebox";
import { CONTRACT_NAMES, type PositionKind } from "../services/read-types.ts";
import { Address, Hash, maybe, money, optional, Time } from "./answer-parts.ts";

export const UserStatsOut = Type.Object(
  {
    address: Address,
    ...money("token_balance", "total_rewards"),
    interaction_count: Type.Integer(),
    last_interaction: maybe(Time),
    rank: maybe(Type.Integer()),
    is_private: Type.Boolean(),
    quality_score: maybe(Type.Number()),
    ...money("choir_balance"),
  },
  { description: "Standing of an address, in LCAI" },
);

const Component = Type.Object({
  state: Type.Enum(["ok", "degraded", "down"]),
  latency_ms: Type.Optional(Type.Number()),
  lag_blocks: Type.Optional(Type.Integer()),
  detail: Type.Optional(Type.String()),
});

export const HealthOut = Type.Object(
  {
    status: Type.Enum(["ok", "degraded", "down"]),
    components: Type.Object({ chain: Component, storage: Component, model: Component, database: Component }),
  },
  { description: "Whether the keeper serves" },
);

export const QuoteOut = Type.Object(
  {
    model: Type.String(),
    max_tokens: Type.Integer(),
    priority: Type.Boolean(),
    ...money("cost", "minimum", "commit_from"),
    ...optional(money("payment")),
    tokens: Type.Optional(Type.Integer()),
  },
  { description: "What an answer costs at today's terms" },
);

export const BalancesOut = Type.Object(
  {
    address: Address,
    nsd: Type.Object({
      ...money("wallet", "credits", "owed", "usable", "locked", "withdrawing", "allowance"),
      withdrawable_at: Type.Optional(Time),
    }),
    nst: Type.Object(money("wallet", "staked")),
    lcai: Type.Object(money("wallet", "accrued")),
    choir: Type.Object(money("wallet")),
    native: Type.Object(money("wallet")),
    earnings: Type.Optional(Type.Object({ ...money("till", "claiming"), claimable_at: Type.Optional(Time) })),
  },
  { description: "Every unit of every token" },
);

const TOKENS = ["NSD", "NST", "LCAI", "CHOIR"] as const;
const KINDS = [
  "wallet",
  "credits",
  "withdrawing",
  "request",
  "session",
  "bond",
  "stake",
  "till",
  "claim",
  "accrued",
] as const satisfies readonly PositionKind[];

const PositionOut = Type.Object({
  token: Type.Enum([...TOKENS]),
  kind: Type.Enum([...KINDS]),
  ...money("amount"),
  contract: Type.Enum([...CONTRACT_NAMES]),
  contract_address: Address,
  available_at: maybe(Time),
  call: maybe(Type.String({ description: "The contract's function that gets it, or the first of two" })),
  by: Type.Enum(["owner", "anyone"]),
  id: Type.Optional(Hash),
  note: Type.String(),
});

export const AccountOut = Type.Object(
  {
    address: Address,
    block: Type.Integer(),
    at: Time,
    totals: Type.Object(money("nsd", "nst", "lcai", "choir")),
    positions: Type.Array(PositionOut),
  },
  { description: "Every unit that the protocol holds for an address, at one block" },
);

const Reward = Type.Object({
  token: Type.Enum(["LCAI", "CHOIR"]),
  ...money("amount"),
  request_id: Type.Optional(Hash),
  transaction: Hash,
  at: Time,
});

export const RewardsOut = Type.Object(
  { address: Address, rewards: Type.Array(Reward), next_before: maybe(Time) },
  { description: "Rewards of an address, newest first" },
);

export const ModelsOut = list(
  "models",
  {
    id: Hash,
    name: Type.String(),
    file_hash: Hash,
    multiplier_bps: Type.Integer(),
    max_tokens: Type.Integer(),
    max_input_tokens: Type.Integer(),
    active: Type.Boolean(),
    local: Type.Boolean({ description: "Whether this keeper runs it" }),
    servers: Type.Integer(),
  },
  "The model catalogue",
);

export const ValidatorsOut = list(
  "validators",
  {
    id: Type.Integer(),
    node: Type.String(),
    owner: Address,
    operator: Address,
    ...money("stake"),
    models: Type.Array(Type.String()),
    endpoint: Type.String(),
    reputation: Type.Number(),
    total_requests: Type.Integer(),
    successful_requests: Type.Integer(),
    registered: Time,
    load: Type.Integer(),
    capacity: Type.Integer(),
  },
  "Everybody who may answer",
);

function list<K extends string, P extends TProperties>(name: K, properties: P, description: string) {
  return Type.Object(
    { [name]: Type.Array(Type.Object(properties)) } as Record<K, ReturnType<typeof Type.Array<TObject<P>>>>,
    { description },
  );
}

export const NetworkOut = Type.Object(
  {
    chain_id: Type.Integer(),
    local: Type.Boolean(),
    rpc_url: Type.String(),
    explorer_url: maybe(Type.String()),
    contracts: Type.Object(
      Object.fromEntries(CONTRACT_NAMES.map((name) => [name, Address])) as Record<
        (typeof CONTRACT_NAMES)[number],
        typeof Address
      >,
    ),
    operator: Address,
    validator_id: Type.Integer(),
    model: Type.String(),
    block: Type.Integer(),
    records: Type.Integer(),
    supply: Type.Object(money("total", "retired", "burned", "minted")),
    epoch: Type.Object({ number: Type.Integer(), ...money("burned", "minted") }),
    queue: Type.Object({ waiting: Type.Integer(), running: Type.Integer() }),
  },
  { description: "Chain, contracts, supply and queue" },
);
