/** What clients send. `x-expected` and `x-code` make the sentence and the code of a refusal. */
import Type, { type Static, type TSchema } from "typebox";

const ADDRESS = "^0x[0-9a-fA-F]{40}$";
const HASH = "^0x[0-9a-fA-F]{64}$";
const SEED = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

const closed = { additionalProperties: false } as const;

export const AddressIn = Type.String({
  pattern: ADDRESS,
  description: "Any letter case",
  examples: [SEED],
  "x-code": "invalid_address",
  "x-expected": "0x followed by 40 hex digits",
});

export const HashIn = Type.String({ pattern: HASH, "x-expected": "0x followed by 64 hex digits" });

export const AmountIn = Type.Union([Type.Number(), Type.String({ maxLength: 40 })], {
  description: "NSD with at most 18 decimals, as a number or a string",
  examples: [50],
  "x-code": "invalid_amount",
  "x-expected": 'NSD with at most 18 decimals, such as 50 or "12.5"',
});

export const TokensIn = Type.Integer({
  minimum: 1,
  maximum: 2048,
  description: "Output tokens at most; 500 when absent",
  "x-code": "tokens_out_of_range",
  "x-expected": "a whole number from 1 to 2048",
});

const ModelIn = Type.String({
  minLength: 1,
  maxLength: 64,
  description: "A name in /api/models",
  "x-expected": "the name of a model, 1 to 64 characters",
});

const TextIn = Type.String({ minLength: 1, maxLength: 131_072, "x-expected": "a text of 1 to 131072 characters" });

const WholeIn = (pattern: string, expected: string): TSchema =>
  Type.Union([Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), Type.String({ pattern })], {
    "x-expected": expected,
  });

export const Uint96In = WholeIn("^(0|[1-9][0-9]{0,28})$", "a whole number below 2^96, as a decimal string");
export const Uint64In = WholeIn("^(0|[1-9][0-9]{0,19})$", "a whole number below 2^64, as a decimal string");
export const Uint32In = Type.Integer({ minimum: 0, maximum: 4_294_967_295, "x-expected": "a whole number below 2^32" });

/** The EIP-712 message as it was signed, hence its own names. */
export const IntentIn = Type.Object(
  {
    user: AddressIn,
    model: ModelIn,
    promptHash: HashIn,
    maxTokens: TokensIn,
    temperature: Type.Integer({
      minimum: 0,
      maximum: 200,
      description: "Hundredths",
      "x-expected": "a whole number from 0 to 200",
    }),
    payment: Uint96In,
    priority: Type.Boolean({ "x-expected": "true or false" }),
    private: Type.Boolean({ "x-expected": "true or false" }),
    validator: AddressIn,
    relayer: AddressIn,
    relayFee: Uint96In,
    callback: AddressIn,
    callbackGas: Uint32In,
    nonce: Uint32In,
    deadline: Uint64In,
  },
  {
    ...closed,
    description: "`typed_data.message` of the 401, unchanged",
    "x-expected": "the EIP-712 message that was signed",
  },
);

export const SignatureIn = Type.String({
  pattern: "^0x([0-9a-fA-F]{2}){64,2048}$",
  description: "EIP-712 signature of the message",
  "x-code": "invalid_signature",
  "x-expected": "0x followed by the hex digits of a signature, 65 bytes as a rule",
});

const common = {
  max_tokens: Type.Optional(TokensIn),
  temperature: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 2,
      description: "In steps of 0.01; 0.7 when absent",
      "x-expected": "a number from 0 to 2 in steps of 0.01",
    }),
  ),
  priority: Type.Optional(
    Type.Boolean({ description: "Costs and ranks half again as much", "x-expected": "true or false" }),
  ),
  thread_id: Type.Optional(
    Type.String({ pattern: "^[A-Za-z0-9_.:-]{1,64}$", "x-expected": "1 to 64 letters, digits or any of _ . : -" }),
  ),
  salt: Type.Optional(
    Type.String({
      pattern: HASH,
      description: "The prompt hash is keccak256(salt, prompt); zero when absent",
      "x-expected": "0x followed by 64 hex digits",
    }),
  ),
  nonce: Type.Optional(Uint32In),
  deadline: Type.Optional(Uint64In),
  intent: Type.Optional(IntentIn),
  signature: Type.Optional(SignatureIn),
  prepare: Type.Optional(
    Type.Boolean({ description: "Answer with what is to be signed, whoever asks", "x-expected": "true or false" }),
  ),
};

export const ChatIn = Type.Object(
  {
    message: TextIn,
    user_address: Type.Optional(AddressIn),
    model: Type.Optional(ModelIn),
    nsd_payment: Type.Optional(AmountIn),
    ...common,
  },
  {
    ...closed,
    description:
      "`user_address` is needed unless there is an `intent`; `nsd_payment` is what `max_tokens` cost, when absent",
  },
);

export const GenerateIn = Type.Object(
  {
    prompt: TextIn,
    user_address: Type.Optional(AddressIn),
    model: Type.Optional(ModelIn),
    nsd_payment: Type.Optional(AmountIn),
    ...common,
  },
  { ...closed, description: "`model`, `user_address` and `nsd_payment` are needed unless there is an `intent`" },
);

export const CancelIn = Type.Object(
  { deadline: common.deadline, signature: common.signature, prepare: common.prepare },
  {
    ...closed,
    description: "`typed_data.message.deadline` of the 401, and the signature; nothing to learn what to sign",
  },
);

export const AddressParams = Type.Object({ address: AddressIn }, closed);
export const AddressQuery = Type.Object({ address: AddressIn }, closed);
export const OptionalAddressQuery = Type.Object({ address: Type.Optional(AddressIn) }, closed);
export const RequestParams = Type.Object(
  { request_id: Type.String({ pattern: HASH, "x-expected": "the request's id, 0x followed by 64 hex digits" }) },
  closed,
);
export const NoQuery = Type.Object({}, closed);
export const PageQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 200,
        description: "50 when absent",
        "x-expected": "a whole number from 1 to 200",
      }),
    ),
    before: Type.Optional(
      Type.String({
        pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,3})?Z$",
        description: "`next_before` of the page before",
        "x-expected": "a time such as 2026-01-31T12:00:00Z",
      }),
    ),
  },
  closed,
);
export const QuoteQuery = Type.Object(
  {
    model: Type.Optional(ModelIn),
    max_tokens: Type.Optional(TokensIn),
    priority: Type.Optional(Type.Boolean({ "x-expected": "true or false" })),
    nsd_payment: Type.Optional(
      Type.String({
        maxLength: 40,
        description: "NSD with at most 18 decimals",
        "x-expected": "NSD with at most 18 decimals",
      }),
    ),
  },
  closed,
);
export const BlockParams = Type.Object(
  { cid: Type.String({ minLength: 1, maxLength: 128, "x-expected": "a CID" }) },
  closed,
);
export const BlockQuery = Type.Object({ format: Type.Optional(Type.Enum(["raw"], { "x-expected": "raw" })) }, closed);

export const NotificationsMessage = Type.Object(
  { action: Type.Enum(["subscribe", "unsubscribe"], { "x-expected": "subscribe or unsubscribe" }), address: AddressIn },
  closed,
);
export const StreamMessage = Type.Object(
  {
    action: Type.Enum(["subscribe", "unsubscribe"], { "x-expected": "subscribe or unsubscribe" }),
    request_id: HashIn,
    from_seq: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, "x-expected": "a whole number from 0" })),
  },
  closed,
);

export type ChatBody = Static<typeof ChatIn>;
export type GenerateBody = Static<typeof GenerateIn>;
export type CancelBody = Static<typeof CancelIn>;
export type IntentBody = Static<typeof IntentIn>;
