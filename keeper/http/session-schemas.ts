/** What clients send to sessions, and what they are answered. */
import Type, { type Static } from "typebox";
import { Address, Hash, maybe, money, optional, Time, Wei } from "./answer-parts.ts";
import { AddressIn, AmountIn, ChatIn, HashIn, SignatureIn, Uint32In, Uint64In, Uint96In } from "./schemas.ts";

const closed = { additionalProperties: false } as const;
const { message, max_tokens, temperature, priority, thread_id, salt, prepare } = ChatIn.properties;

/** The EIP-712 message as it was signed, hence its own names. */
export const SessionIn = Type.Object(
  {
    user: AddressIn,
    validator: AddressIn,
    key: AddressIn,
    model: Type.String({ minLength: 1, maxLength: 64, "x-expected": "the name of a model, 1 to 64 characters" }),
    cap: Uint96In,
    expiry: Uint64In,
    nonce: Uint32In,
    deadline: Uint64In,
  },
  { ...closed, description: "`typed_data.message` of the 401, unchanged", "x-expected": "the message that was signed" },
);

export const ReceiptIn = Type.Object(
  { count: Uint32In, total: Uint96In, root: HashIn, signature: SignatureIn },
  { ...closed, description: "Of all prompts so far, signed by the session's key", "x-expected": "a signed receipt" },
);

export const OpenIn = Type.Object(
  {
    user_address: Type.Optional(AddressIn),
    cap: Type.Optional(AmountIn),
    key: Type.Optional(AddressIn),
    api_key: Type.Optional(
      Type.Boolean({
        description: "The keeper shall hold the session's key, and give an API key for it",
        "x-expected": "true or false",
      }),
    ),
    model: Type.Optional(SessionIn.properties.model),
    expires_in: Type.Optional(
      Type.Integer({
        minimum: 1_200,
        maximum: 7_776_000,
        description: "Seconds; a day when absent",
        "x-expected": "a whole number of seconds from 1200 to 7776000",
      }),
    ),
    session: Type.Optional(SessionIn),
    signature: Type.Optional(SignatureIn),
    prepare,
  },
  {
    ...closed,
    description:
      "Either the terms (`user_address`, `cap`, and `key` or `api_key`), to learn what to sign; or the `session` with its `signature`; or the `session` alone, where it is open on chain",
  },
);

export const PromptIn = Type.Object(
  {
    message,
    max_tokens,
    temperature,
    priority,
    thread_id,
    salt,
    number: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 2_097_151,
        description: "1 for the first prompt of the session",
        "x-expected": "the prompt's number, from 1",
      }),
    ),
    signature: Type.Optional(SignatureIn),
    receipt: Type.Optional(ReceiptIn),
  },
  { ...closed, description: "Without `number` and `signature`: what to sign. With `receipt`: paid ahead, or at last" },
);

export const CloseIn = Type.Object(
  {
    deadline: Type.Optional(Uint64In),
    signature: Type.Optional(SignatureIn),
    receipt: Type.Optional(ReceiptIn),
    prepare,
  },
  { ...closed, description: "`deadline` and `signature` of the 401; nothing where the API key is in the header" },
);

export const KeyIn = Type.Object(
  { deadline: Type.Optional(Uint64In), signature: Type.Optional(SignatureIn), prepare },
  { ...closed, description: "`deadline` and `signature` of the 401" },
);

export const SessionParams = Type.Object(
  {
    session_id: Type.String({ pattern: "^0x[0-9a-fA-F]{64}$", "x-expected": "the session's id, 0x and 64 hex digits" }),
  },
  closed,
);

const receiptOut = Type.Object({ count: Type.Integer(), total: Wei, root: Hash });

const sessionFields = {
  session_id: Hash,
  status: Type.Enum(["opening", "open", "closing", "closed"]),
  user_address: Address,
  validator: Address,
  key: Address,
  model: Type.String(),
  api_key_held: Type.Boolean(),
  ...money("cap", "spent", "reserved", "remaining", "settled"),
  prompts: Type.Integer(),
  settled_prompts: Type.Integer(),
  next_receipt: receiptOut,
  created_at: Time,
  expires_at: Time,
  ends_at: Time,
  settle_tx: maybe(Hash),
  close_tx: maybe(Hash),
  ...optional({ settlement_error: Type.String() }),
};

export const SessionOut = Type.Object(sessionFields, { description: "Where a session stands" });

export const OpenedOut = Type.Object(
  { ...sessionFields, ...optional({ api_key: Type.String({ description: "Told once, and at /api-key" }) }) },
  { description: "The session, open on chain" },
);

export const KeyOut = Type.Object(
  { ...sessionFields, api_key: Type.String() },
  { description: "The session, and its API key" },
);

export const SessionsOut = Type.Object({ address: Address, sessions: Type.Array(SessionOut) });

export const BillOut = Type.Object(
  {
    error: Type.Object(
      {
        code: Type.String(),
        message: Type.String(),
        request_id: Type.Optional(Hash),
        digest: Type.Optional(Hash),
        tokens_used: Type.Optional(Type.Integer()),
        ...optional(money("price")),
        receipt: Type.Optional(receiptOut),
        typed_data: Type.Optional(Type.Object({}, { additionalProperties: true })),
      },
      { additionalProperties: true },
    ),
  },
  { description: "The answer is drawn, and the receipt that pays for it is to be signed; or the cap is used up" },
);

export type OpenBody = Static<typeof OpenIn>;
export type PromptBody = Static<typeof PromptIn>;
export type CloseBody = Static<typeof CloseIn>;
export type KeyBody = Static<typeof KeyIn>;
export type SessionBody = Static<typeof SessionIn>;
export type ReceiptBody = Static<typeof ReceiptIn>;
