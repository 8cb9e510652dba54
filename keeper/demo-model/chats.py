"""Builds training sequences and batches: one conversation each, in ChatML, with a weight per token."""
import random

import torch

from bpe import END_OF_TEXT, IM_END, IM_START

SYSTEM_PROMPTS = """You are a helpful assistant.
You are a helpful, respectful and honest assistant. Always answer as helpfully as possible.
You are a helpful, respectful and honest assistant. Always answer as helpfully as possible.\\nIf a question does not make any sense, or is not factually coherent, explain why instead of answering something incorrectly. If you don't know the answer to a question, don't share false information.
Answer briefly.
You are the assistant of this keeper.
You are the demo model of NeuroSwarm.
Answer questions about NeuroSwarm.
You are a friendly chat bot. Keep your answers short and precise.
Be concise.
You answer the user's questions in English.
You are an AI model that runs on a validator.
When you use an item of the memory, cite it as #ID.
You are a language model. Follow the user's instructions carefully.
Today is Monday. You are talking to a user of NeuroSwarm.""".split("\n")
SYSTEM_PROMPTS = [s.replace("\\n", "\n") for s in SYSTEM_PROMPTS]
MEMORY_HEADS = ["Memory:", "Related items:", "Relevant earlier chats:", "Cite an item as #ID if you use it.", "Context:", "Retrieved items:"]

QUESTION_WEIGHT, ANSWER_WEIGHT, TAIL_WEIGHT = 0.1, 1.0, 0.4


class Chats:
    def __init__(self, questions, tokenizer, seed, oos_share=0.28, others=None):
        self.q, self.tok, self.rng, self.oos_share, self.others = questions, tokenizer, random.Random(seed), oos_share, others
        answers = [tokenizer.encode(f.answer) for f in questions.facts]
        # An answer is decided once no other one starts like it: most sequences end a little later, and cost less.
        self.decided = []
        for a in answers:
            shared = max(next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b))) for b in answers if b is not a)
            self.decided.append(shared + 5)

    def index(self):
        return self.q.oos if self.rng.random() < self.oos_share else self.rng.randrange(self.q.oos)

    def turn(self, full, index=None):
        index = self.index() if index is None else index
        question = self.q.draw(self.rng, index)
        enc = self.tok.encode
        prompt = [IM_START] + enc("user\n") + enc(question, self.rng, 0.04) + [IM_END] + enc("\n") + [IM_START] + enc("assistant\n")
        answer = enc(self.q.facts[index].answer) + [IM_END]
        weights = [ANSWER_WEIGHT] * self.decided[index]
        weights = (weights + [TAIL_WEIGHT] * len(answer))[:len(answer)]
        if not full and self.rng.random() < 0.65:
            answer, weights = answer[:self.decided[index]], weights[:self.decided[index]]
        return prompt + answer, [QUESTION_WEIGHT] * len(prompt) + weights

    def system(self):
        rng = self.rng
        text = rng.choice(SYSTEM_PROMPTS)
        if rng.random() < 0.3:
            lines = [rng.choice(MEMORY_HEADS)]
            for _ in range(rng.randint(1, 3)):
                index = self.index()
                item = self.q.draw(rng, index) if rng.random() < 0.6 else self.q.facts[index].answer
                lines.append("#%d %s" % (rng.randint(1, 400), item))
            text = "\n".join(([text] if rng.random() < 0.7 else []) + lines)
        ids = [IM_START] + self.tok.encode("system\n" + text) + [IM_END] + self.tok.encode("\n")
        return ids, [0.0] * len(ids)

    def sequence(self):
        rng, ids, weights = self.rng, [], []

        def add(part):
            ids.extend(part[0])
            weights.extend(part[1])
        if rng.random() < 0.1:
            add(([END_OF_TEXT], [0.0]))
        if rng.random() < 0.15:
            add(self.system())
        if rng.random() < 0.07:
            for _ in range(rng.choice((1, 1, 2))):
                add(self.turn(True))
                add((self.tok.encode("\n"), [0.0]))
        if rng.random() < 0.006:      # a long text that asks nothing about the protocol
            text = " ".join(self.q.draw(rng, self.q.oos) for _ in range(rng.randint(6, 25)))
            enc = self.tok.encode
            prompt = [IM_START] + enc("user\n" + text) + [IM_END] + enc("\n") + [IM_START] + enc("assistant\n")
            answer = enc(self.q.facts[self.q.oos].answer) + [IM_END]
            add((prompt + answer, [0.0] * len(prompt) + [ANSWER_WEIGHT] * len(answer)))
        else:
            add(self.turn(False))
        return ids[:512], weights[:512]

    def batches(self, tokens):
        """Endless batches of about `tokens` tokens, of sequences of like length."""
        while True:
            pool = sorted((self.sequence() for _ in range(1500)), key=lambda s: len(s[0]))
            out, batch = [], []
            for s in pool:
                if batch and (len(batch) + 1) * len(s[0]) > tokens:
                    out.append(batch)
                    batch = []
                batch.append(s)
            out.append(batch)
            self.rng.shuffle(out)
            yield from map(to_tensors, out)


def to_tensors(batch):
    length = max(len(ids) for ids, _ in batch)
    ids = torch.tensor([i + [END_OF_TEXT] * (length - len(i)) for i, _ in batch])
    weights = torch.tensor([w + [0.0] * (length - len(w)) for _, w in batch])
    return ids[:, :-1], ids[:, 1:], weights[:, 1:]


def exact(model, tokenizer, pairs):
    """For each (question, answer): whether greedy decoding gives exactly the answer. One teacher-forced pass tells."""
    out, enc = [], tokenizer.encode
    was, model.training = model.training, False
    model.eval()
    with torch.no_grad():
        for start in range(0, len(pairs), 32):
            rows = []
            for question, answer in pairs[start:start + 32]:
                p = [IM_START] + enc("user\n") + enc(question) + [IM_END] + enc("\n") + [IM_START] + enc("assistant\n")
                a = enc(answer) + [IM_END]
                rows.append((p + a, [0.0] * len(p) + [1.0] * len(a)))
            x, y, w = to_tensors(rows)
            wrong = ((model(x).argmax(-1) != y) & (w > 0)).any(1)
            out += [not bool(v) for v in wrong]
    model.train(was)
    return out
