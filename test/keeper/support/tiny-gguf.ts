import { writeFile } from "node:fs/promises";

/**
 * Writes GGUF files small enough to load in milliseconds: a llama-architecture model of random weights over a byte
 * vocabulary, and a LoRA adapter for it. What such a model says is noise, but it is the same noise for the same seed,
 * and most of it is not valid UTF-8, which is what the streaming tests need.
 */
export interface TinyModelOptions {
  readonly name?: string;
  readonly seed?: number;
  readonly width?: number;
  readonly layers?: number;
  readonly context?: number;
  /** Leaves the end token out of reach, so that answers run to their limit. */
  readonly endless?: boolean;
  /** Its every answer ends before it begins. */
  readonly silent?: boolean;
}

const U32 = 4;
const I32 = 5;
const F32 = 6;
const BOOL = 7;
const STRING = 8;
const ARRAY = 9;

type MetaValue =
  | { readonly type: typeof U32 | typeof I32 | typeof F32 | typeof BOOL; readonly value: number }
  | { readonly type: typeof STRING; readonly value: string }
  | { readonly type: typeof ARRAY; readonly of: typeof STRING; readonly value: readonly string[] }
  | { readonly type: typeof ARRAY; readonly of: typeof I32; readonly value: readonly number[] };

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const CHAT_TEMPLATE =
  "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}" +
  "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
const SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
const END = 2;
const HEADS = 4;

function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

function u64(value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([u64(bytes.length), bytes]);
}

function scalar(type: number, value: number): Buffer {
  const buffer = Buffer.alloc(type === BOOL ? 1 : 4);
  if (type === BOOL) buffer.writeUInt8(value);
  else if (type === F32) buffer.writeFloatLE(value);
  else if (type === I32) buffer.writeInt32LE(value);
  else buffer.writeUInt32LE(value);
  return buffer;
}

function encodeMeta(meta: MetaValue): Buffer {
  if (meta.type === STRING) return Buffer.concat([u32(STRING), text(meta.value)]);
  if (meta.type !== ARRAY) return Buffer.concat([u32(meta.type), scalar(meta.type, meta.value)]);
  const items = meta.of === STRING ? meta.value.map(text) : meta.value.map((value) => scalar(I32, value));
  return Buffer.concat([u32(ARRAY), u32(meta.of), u64(meta.value.length), ...items]);
}

function encodeGguf(meta: Readonly<Record<string, MetaValue>>, tensors: readonly Tensor[]): Buffer {
  const entries = Object.entries(meta);
  const parts: Buffer[] = [Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(entries.length)];
  for (const [key, value] of entries) parts.push(text(key), encodeMeta(value));
  let offset = 0;
  for (const tensor of tensors) {
    parts.push(text(tensor.name), u32(tensor.shape.length), ...tensor.shape.map(u64), u32(0), u64(offset));
    offset += padded(tensor.data.byteLength);
  }
  const header = Buffer.concat(parts);
  const body = tensors.map(({ data }) => {
    const block = Buffer.alloc(padded(data.byteLength));
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).copy(block);
    return block;
  });
  return Buffer.concat([header, Buffer.alloc(padded(header.length) - header.length), ...body]);
}

const padded = (bytes: number): number => Math.ceil(bytes / 32) * 32;

function normal(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Byte-level vocabularies write the bytes that are no printable Latin-1 character as the code points from 256 on. */
function byteVocabulary(): string[] {
  let spare = 256;
  const printable = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : spare++));
  return [...SPECIALS, ...bytes];
}

function modelMeta(options: Required<TinyModelOptions>, vocabulary: readonly string[]): Record<string, MetaValue> {
  const number = (value: number): MetaValue => ({ type: U32, value });
  return {
    "general.architecture": { type: STRING, value: "llama" },
    "general.name": { type: STRING, value: options.name },
    "general.file_type": number(0),
    "llama.context_length": number(options.context),
    "llama.embedding_length": number(options.width),
    "llama.block_count": number(options.layers),
    "llama.feed_forward_length": number(options.width * 2),
    "llama.attention.head_count": number(HEADS),
    "llama.attention.head_count_kv": number(HEADS),
    "llama.attention.layer_norm_rms_epsilon": { type: F32, value: 1e-5 },
    "llama.rope.dimension_count": number(options.width / HEADS),
    "llama.vocab_size": number(vocabulary.length),
    "tokenizer.ggml.model": { type: STRING, value: "gpt2" },
    "tokenizer.ggml.pre": { type: STRING, value: "gpt-2" },
    "tokenizer.ggml.tokens": { type: ARRAY, of: STRING, value: vocabulary },
    "tokenizer.ggml.token_type": {
      type: ARRAY,
      of: I32,
      value: vocabulary.map((_, id) => (id < SPECIALS.length ? 3 : 1)),
    },
    "tokenizer.ggml.merges": { type: ARRAY, of: STRING, value: ["a b"] },
    "tokenizer.ggml.bos_token_id": number(0),
    "tokenizer.ggml.eos_token_id": number(END),
    "tokenizer.ggml.padding_token_id": number(0),
    "tokenizer.ggml.add_bos_token": { type: BOOL, value: 0 },
    "tokenizer.chat_template": { type: STRING, value: CHAT_TEMPLATE },
  };
}

function modelTensors(options: Required<TinyModelOptions>, vocabularySize: number): Tensor[] {
  const { width, layers } = options;
  const draw = normal(options.seed);
  const random = (name: string, rows: number, columns: number, deviation: number): Tensor => ({
    name,
    shape: [rows, columns],
    data: Float32Array.from({ length: rows * columns }, () => draw() * deviation),
  });
  const ones = (name: string): Tensor => ({ name, shape: [width], data: new Float32Array(width).fill(1) });
  const scale = 1 / Math.sqrt(width);
  const output = random("output.weight", width, vocabularySize, 2.5 * scale);
  if (options.endless) output.data.fill(0, 0, width * SPECIALS.length);
  const embeddings = random("token_embd.weight", width, vocabularySize, 1);
  if (options.silent) {
    // One dimension outweighs the others in every state, and speaks for the end alone.
    for (let id = 0; id < vocabularySize; id++) embeddings.data[id * width] = 20;
    output.data.fill(0, END * width, (END + 1) * width);
    output.data[END * width] = 10;
  }
  const tensors = [embeddings, ones("output_norm.weight"), output];
  for (let layer = 0; layer < layers; layer++) {
    const block = `blk.${layer}`;
    tensors.push(ones(`${block}.attn_norm.weight`), ones(`${block}.ffn_norm.weight`));
    for (const part of ["attn_q", "attn_k", "attn_v", "attn_output"])
      tensors.push(random(`${block}.${part}.weight`, width, width, scale));
    for (const part of ["ffn_gate", "ffn_up"]) tensors.push(random(`${block}.${part}.weight`, width, width * 2, scale));
    tensors.push(random(`${block}.ffn_down.weight`, width * 2, width, scale));
  }
  return tensors;
}

export async function writeTinyModel(path: string, options: TinyModelOptions = {}): Promise<void> {
  const complete = {
    name: "tiny",
    seed: 1,
    width: 64,
    layers: 2,
    context: 512,
    endless: false,
    silent: false,
    ...options,
  };
  const vocabulary = byteVocabulary();
  await writeFile(path, encodeGguf(modelMeta(complete, vocabulary), modelTensors(complete, vocabulary.length)));
}

/** A rank-4 adapter that changes the first layer's value projection of a tiny model. */
export async function writeTinyAdapter(path: string, width = 64, seed = 9): Promise<void> {
  const draw = normal(seed);
  const random = (name: string, shape: readonly [number, number]): Tensor => ({
    name,
    shape,
    data: Float32Array.from({ length: shape[0] * shape[1] }, () => draw()),
  });
  const meta: Record<string, MetaValue> = {
    "general.type": { type: STRING, value: "adapter" },
    "general.architecture": { type: STRING, value: "llama" },
    "adapter.type": { type: STRING, value: "lora" },
    "adapter.lora.alpha": { type: F32, value: 4 },
  };
  const tensors = [random("blk.0.attn_v.weight.lora_a", [width, 4]), random("blk.0.attn_v.weight.lora_b", [4, width])];
  await writeFile(path, encodeGguf(meta, tensors));
}
