"""A byte-level BPE that llama.cpp reads as `tokenizer.ggml.model = gpt2`, `tokenizer.ggml.pre = gpt-2`."""
import collections
import re

# GPT-2's split into words, with \p{L} as "a word character that is neither digit nor underscore" and \p{N} as \d.
SPLIT = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")

END_OF_TEXT, IM_START, IM_END = 0, 1, 2
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def byte_symbols():
    """The printable character that stands for each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    symbols, extra = {}, 256
    for b in range(256):
        if b in plain:
            symbols[b] = chr(b)
        else:
            symbols[b] = chr(extra)
            extra += 1
    return symbols


SYMBOLS = byte_symbols()
BYTES = {s: b for b, s in SYMBOLS.items()}


def to_symbols(text):
    return [SYMBOLS[b] for b in text.encode("utf-8")]


def learn(texts, size):
    """Tokens and merges, by joining the most frequent neighbours until there are `size` tokens."""
    counts = collections.Counter()
    for text in texts:
        counts.update(SPLIT.findall(text))
    words = [[to_symbols(w), n] for w, n in counts.items()]
    tokens, merges = SPECIALS + [SYMBOLS[b] for b in range(256)], []
    pairs = collections.Counter()
    where = collections.defaultdict(set)
    for i, (symbols, n) in enumerate(words):
        for pair in zip(symbols, symbols[1:]):
            pairs[pair] += n
            where[pair].add(i)
    while len(tokens) < size:
        best = max(pairs, key=lambda p: (pairs[p], p))
        tokens.append(best[0] + best[1])
        merges.append(best)
        for i in list(where[best]):
            symbols, n = words[i]
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] -= n
            symbols = words[i][0] = join(symbols, best)
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += n
                where[pair].add(i)
        del pairs[best], where[best]
    return tokens, merges


def join(symbols, pair):
    out, i = [], 0
    while i < len(symbols):
        if tuple(symbols[i:i + 2]) == pair:
            out.append(pair[0] + pair[1])
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return out


class Tokenizer:
    def __init__(self, tokens, merges):
        self.tokens = tokens
        self.ids = {t: i for i, t in enumerate(tokens)}
        self.ranks = {tuple(m): i for i, m in enumerate(merges)}
        self.cache = {}

    def encode(self, text, rng=None, dropout=0.0):
        """Token ids. With `dropout`, that share of the words is split by a random part of the merges."""
        out = []
        for word in SPLIT.findall(text):
            if dropout and rng.random() < dropout:
                out += self._word(word, rng)
                continue
            ids = self.cache.get(word)
            if ids is None:
                ids = self.cache[word] = self._word(word)
            out += ids
        return out

    def _word(self, word, rng=None):
        symbols = to_symbols(word)
        while len(symbols) > 1:
            candidates = [(self.ranks[p], p) for p in zip(symbols, symbols[1:]) if p in self.ranks and not (rng and rng.random() < 0.25)]
            if not candidates:
                break
            symbols = join(symbols, min(candidates)[1])
        return [self.ids[s] for s in symbols]

    def decode(self, ids):
        return bytes(BYTES[c] for i in ids if i >= len(SPECIALS) for c in self.tokens[i]).decode("utf-8", "replace")
