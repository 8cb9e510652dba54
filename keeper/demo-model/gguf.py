"""Writes GGUF v3 files: the base model in q8_0 and a LoRA adapter in f16."""
import struct

import numpy as np

import bpe

U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
TENSOR_TYPES = {"f32": 0, "f16": 1, "q8_0": 8}
ALIGNMENT = 32

CHATML = ("{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
          "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")


def _string(s):
    raw = s.encode("utf-8")
    return struct.pack("<Q", len(raw)) + raw


def _value(kind, value):
    if kind == STRING:
        return _string(value)
    return struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], value)


def _entry(key, kind, value):
    if isinstance(kind, tuple):
        item = kind[1]
        return _string(key) + struct.pack("<IIQ", ARRAY, item, len(value)) + b"".join(_value(item, v) for v in value)
    return _string(key) + struct.pack("<I", kind) + _value(kind, value)


def _encode(array, kind):
    array = np.ascontiguousarray(array, dtype=np.float32)
    if kind == "f32":
        return array.tobytes()
    if kind == "f16":
        return array.astype("<f2").tobytes()
    blocks = array.reshape(-1, 32)                       # q8_0: per 32 weights one f16 scale and 32 signed bytes
    scale = np.abs(blocks).max(1, keepdims=True) / 127
    inverse = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
    out = np.zeros(len(blocks), dtype=[("d", "<f2"), ("q", "i1", 32)])
    out["d"] = scale[:, 0]
    out["q"] = np.clip(np.rint(blocks * inverse), -127, 127)
    return out.tobytes()


def write(path, metadata, tensors):
    """metadata: (key, type, value); tensors: (name, array, kind)."""
    head, body = [b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))], b""
    head += [_entry(*m) for m in metadata]
    for name, array, kind in tensors:
        dims = array.shape[::-1]                         # GGUF lists the fastest dimension first
        head.append(_string(name) + struct.pack("<I", len(dims)) + struct.pack("<%dQ" % len(dims), *dims)
                    + struct.pack("<IQ", TENSOR_TYPES[kind], len(body)))
        body += _encode(array, kind)
        body += b"\0" * (-len(body) % ALIGNMENT)
    head = b"".join(head)
    with open(path, "wb") as f:
        f.write(head + b"\0" * (-len(head) % ALIGNMENT) + body)


def write_base(path, name, config, tokens, merges, state):
    c = config
    token_types = [3] * len(bpe.SPECIALS) + [1] * (len(tokens) - len(bpe.SPECIALS))    # 3: control, 1: normal
    metadata = [
        ("general.architecture", STRING, "llama"), ("general.type", STRING, "model"), ("general.name", STRING, name),
        ("general.license", STRING, "cc0-1.0"), ("general.file_type", U32, 7), ("general.quantization_version", U32, 2),
        ("llama.context_length", U32, c["context"]), ("llama.embedding_length", U32, c["width"]),
        ("llama.block_count", U32, c["layers"]), ("llama.feed_forward_length", U32, c["hidden"]),
        ("llama.attention.head_count", U32, c["heads"]), ("llama.attention.head_count_kv", U32, c["heads"]),
        ("llama.attention.layer_norm_rms_epsilon", F32, c["eps"]),
        ("llama.rope.dimension_count", U32, c["width"] // c["heads"]), ("llama.rope.freq_base", F32, c["rope_base"]),
        ("llama.vocab_size", U32, c["vocab"]),
        ("tokenizer.ggml.model", STRING, "gpt2"), ("tokenizer.ggml.pre", STRING, "gpt-2"),
        ("tokenizer.ggml.tokens", (ARRAY, STRING), tokens), ("tokenizer.ggml.token_type", (ARRAY, I32), token_types),
        ("tokenizer.ggml.merges", (ARRAY, STRING), [" ".join(m) for m in merges]),
        ("tokenizer.ggml.bos_token_id", U32, bpe.END_OF_TEXT), ("tokenizer.ggml.eos_token_id", U32, bpe.IM_END),
        ("tokenizer.ggml.padding_token_id", U32, bpe.END_OF_TEXT), ("tokenizer.ggml.add_bos_token", BOOL, False),
        ("tokenizer.chat_template", STRING, CHATML),
    ]
    write(path, metadata, [(n, a, "q8_0" if a.ndim == 2 else "f32") for n, a in state.items()])


def write_adapter(path, name, alpha, pairs):
    """pairs: (name of the base tensor, A of shape rank x inputs, B of shape outputs x rank)."""
    metadata = [("general.architecture", STRING, "llama"), ("general.type", STRING, "adapter"), ("general.name", STRING, name),
                ("general.license", STRING, "cc0-1.0"), ("adapter.type", STRING, "lora"), ("adapter.lora.alpha", F32, alpha)]
    tensors = []
    for tensor, a, b in pairs:
        tensors += [(tensor + ".lora_a", a, "f16"), (tensor + ".lora_b", b, "f16")]
    write(path, metadata, tensors)
