import canonicalize from "canonicalize";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import type { Address, Hex } from "viem";
import { cidOf, digestOfBytes } from "./cid.ts";
import { BlockTooLargeError, InvalidRecordError } from "./errors.ts";

export { cidOf, digestOf } from "./cid.ts";

export const RECORD_SCHEMA = "neuroswarm.record/1";
/** What every IPFS node accepts and passes on as one block. */
export const MAX_BLOCK_BYTES = 1 << 20;

const hex = <T extends Hex>(bytes: number) => Type.Unsafe<T>(Type.String({ pattern: `^0x[0-9a-fA-F]{${bytes * 2}}$` }));
const sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });
const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const tokenIds = Type.Array(Type.Integer({ minimum: 0, maximum: 0x7fffffff }));
const closed = { additionalProperties: false };

/** The public proof of one interaction, as keeper/README.md documents it. */
export const InteractionRecord = Type.Object(
  {
    answer: Type.String(),
    chain_id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    created_at: count,
    finish_reason: Type.Union([Type.Literal("stop"), Type.Literal("length"), Type.Literal("cancelled")]),
    lane: Type.Union([Type.Literal("direct"), Type.Literal("assigned"), Type.Literal("session")]),
    messages: Type.Array(Type.Object({ content: Type.String(), role: Type.String({ minLength: 1 }) }, closed), {
      minItems: 1,
    }),
    model: Type.String({ minLength: 1 }),
    model_adapters: Type.Array(Type.Object({ scale: Type.Number(), sha256 }, closed)),
    model_sha256: sha256,
    operator: hex<Address>(20),
    request_id: hex<Hex>(32),
    router: hex<Address>(20),
    salt: hex<Hex>(32),
    sampling: Type.Object(
      {
        context_size: Type.Integer({ minimum: 1 }),
        output_ids: tokenIds,
        prompt_ids: tokenIds,
        scheme: Type.Literal("gumbel-1"),
        temperature: Type.Integer({ minimum: 0, maximum: 200 }),
        top_k: Type.Integer({ minimum: 1 }),
      },
      closed,
    ),
    schema: Type.Literal(RECORD_SCHEMA),
    thread_id: Type.Optional(Type.String({ minLength: 1 })),
    tokens_used: Type.Integer({ minimum: 1 }),
    user: hex<Address>(20),
  },
  closed,
);

export type InteractionRecord = Static<typeof InteractionRecord>;

export interface EncodedRecord {
  readonly bytes: Uint8Array;
  readonly digest: Hex;
  readonly cid: string;
}

const validator = Compile(InteractionRecord);

/** The one sequence of bytes that this record is: canonical JSON (RFC 8785), whose first key is `answer`. */
export function encodeRecord(record: InteractionRecord): EncodedRecord {
  checkSchema(record);
  const bytes = canonicalBytes(record);
  if (bytes.length > MAX_BLOCK_BYTES) throw new BlockTooLargeError(bytes.length, MAX_BLOCK_BYTES);
  const digest = digestOfBytes(bytes);
  return { bytes, digest, cid: cidOf(digest) };
}

/** Refuses what `encodeRecord` would not have written: two spellings of one record would have two digests. */
export function decodeRecord(bytes: Uint8Array): InteractionRecord {
  if (bytes.length > MAX_BLOCK_BYTES) throw new BlockTooLargeError(bytes.length, MAX_BLOCK_BYTES);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    throw new InvalidRecordError("The block is not JSON in UTF-8", { cause: error });
  }
  checkSchema(value);
  if (!canonicalBytes(value).equals(bytes))
    throw new InvalidRecordError("The record is not in canonical form (RFC 8785)");
  return value;
}

function checkSchema(value: unknown): asserts value is InteractionRecord {
  if (validator.Check(value)) return;
  const error = validator.Errors(value)[0];
  const field = error?.instancePath.slice(1).replaceAll("/", ".") || "the record";
  throw new InvalidRecordError(`${field}: ${error?.message ?? "not as the schema asks"}`);
}

function canonicalBytes(record: InteractionRecord): Buffer {
  try {
    return Buffer.from(canonicalize(record) ?? "", "utf8");
  } catch (error) {
    // A lone surrogate has no UTF-8: half of a pair would be stored as U+FFFD, and the digest would prove another text.
    throw new InvalidRecordError(
      `The record cannot be written as JSON: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    );
  }
}
