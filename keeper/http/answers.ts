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
  finish_reason: Type.Enum(["stop", "length", "cancelled"]),
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
    ...optional({ session_id: Hash, session_number: Type.Integer(), ...money("price") }),
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

const FAILURES = ["offline", "timeout", "error", "invalid", "bad_prompt", "no_node", "declined", "none"] as const;

const Attempt = Type.Object(
  {
    node: Type.String(),
    assigned_at: Time,
    failure: Type.Optional(Type.Enum([...FAILURES])),
    error: Type.Optional(Type.String()),
  },
  { description: "A validator's turn, and why it did not answer where it did not" },
);

const Cancelling = Type.Object(
  { until: Time, ...money("nsd_refundable"), refund_percent: Type.Number() },
  { description: "Its node may post what it has until then, and is paid for that; else so much comes back" },
);

const requestFields = {
  request_id: Hash,
  status: Type.Enum(["queued", "processing", "completed", "failed", "cancelled"]),
  result: maybe(Type.String()),
  tokens_used: maybe(Type.Integer()),
  nsd_consumed: maybe(Type.Number()),
  nsd_consumed_wei: maybe(Wei),
  lane: Type.Enum(["direct", "assigned", "session"]),
  user_address: Address,
  model: Type.String(),
  created_at: Time,
  ...money("nsd_payment", "nsd_burned"),
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
    priority: Type.Boolean(),
    session_id: Hash,
    session_number: Type.Integer(),
    attempts: Type.Array(Attempt),
    last_failure: Type.Object({ failure: Type.Enum([...FAILURES]), message: Type.String() }),
    cancelling: Cancelling,
    refund_percent: Type.Number(),
  }),
};

export const CancelOut = Type.Object(
  {
    request_id: Hash,
    status: Type.Enum(["cancelled", "cancelling"]),
    message: Type.String(),
    refund_percent: Type.Number(),
    ...optional({ ...money("nsd_refunded", "nsd_penalty", "nsd_refundable"), until: Time, blockchain_tx: Hash }),
  },
  { description: "`cancelled` with what came back; `cancelling` while its node may still post what it has" },
);

export const RequestOut = Type.Object(requestFields, { description: "Where a request stands" });

export const HistoryOut = Type.Object(
  {
    address: Address,
    requests: Type.Array(Type.Object({ ...requestFields, prompt: Type.String() })),
    next_before: maybe(Time),
  },
  { description: "Requests of an address, newest first" },
);
