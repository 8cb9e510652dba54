/** What the routes that ask and follow answer, for the description at /docs and the types of what they return. */
import Type from "typebox";
import { Address, Hash, maybe, money, optional, Time, Url, Wei } from "./answer-parts.ts";

export const ErrorOut = Type.Object(
  {
    error: Type.Object(
      {
        code: Type.String(),
        message: Type.String(),
        field: Type.Optional(Type.String()),
        expected: Type.Optional(Type.String()),
        accepted: Type.Optional(Type.Array(Type.String())),
        onchain_error: Type.Optional(Type.String()),
        retry_after_seconds: Type.Optional(Type.Number()),
        trace_id: Type.Optional(Type.String()),
      },
      { additionalProperties: true },
    ),
  },
  { description: "What is wrong, and what to do" },
);

export const SignatureRequiredOut = Type.Object(
  {
    error: Type.Object(
      {
        code: Type.String(),
        message: Type.String(),
        typed_data: Type.Optional(
          Type.Object({}, { additionalProperties: true, description: "Ready for eth_signTypedData_v4" }),
        ),
        salt: Type.Optional(Hash),
      },
      { additionalProperties: true },
    ),
  },
  { description: "What to sign" },
);

const Receipt = Type.Object(money("payment", "consumed", "validator", "treasury", "burned", "returned"), {
  description: "payment = validator + treasury + burned + returned",
});

const proofs = optional({
  finish_reason: Type.Enum(["stop", "length"]),
  receipt: Receipt,
  cid: Type.String(),
  ipfs_url: Url,
  blockchain_tx: Hash,
  blockchain_url: Url,
  ...money("lcai_earned"),
  reward_skipped: Type.String(),
});

export const ChatOut = Type.Object(
  {
    response: Type.String(),
    status: Type.Enum(["success", "pending", "failed"]),
    request_id: Hash,
    model: Type.String(),
    tokens_used: maybe(Type.Integer()),
    ...proofs,
    error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
  },
  { description: "The answer: `success` when it is settled, `pending` while that is on its way" },
);

export const GenerateOut = Type.Object(
  {
    request_id: Hash,
    status: Type.String(),
    ...money("nsd_burned"),
    estimated_wait_seconds: Type.Integer(),
    estimated_wait: Type.Integer(),
    assigned_node: maybe(Type.String()),
    model: Type.String(),
    max_tokens: Type.Integer(),
  },
  { description: "Accepted, and on chain" },
);

const requestFields = {
  request_id: Hash,
  status: Type.Enum(["queued", "processing", "completed", "failed", "cancelled"]),
  result: maybe(Type.String()),
  tokens_used: maybe(Type.Integer()),
  nsd_consumed: maybe(Type.Number()),
  nsd_consumed_wei: maybe(Wei),
  lane: Type.Enum(["direct", "assigned"]),
  user_address: Address,
  model: Type.String(),
  created_at: Time,
  ...money("nsd_burned"),
  assigned_node: maybe(Type.String()),
  ...proofs,
  ...optional({
    validator: Address,
    ...money("validator_earned", "nsd_refunded", "nsd_penalty"),
    error: Type.String(),
    error_code: Type.String(),
    submit_tx: Hash,
    record: Type.Integer(),
    settled_at: Time,
    thread_id: Type.String(),
  }),
};

export const RequestOut = Type.Object(requestFields, { description: "Where a request stands" });

export const HistoryOut = Type.Object(
  {
    address: Address,
    requests: Type.Array(Type.Object({ ...requestFields, prompt: Type.String() })),
    next_before: maybe(Time),
  },
  { description: "Requests of an address, newest first" },
);
