"""Trains demo-3m and writes it as GGUF.

    OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=2 python3 train.py --final --out demo-3m.gguf

Without --final the development questions are kept out of training and scored as it goes; with it they are trained
too. Held-out questions are never in the training text, which is checked, and are scored by eval.ts alone.
"""
import argparse
import json
import math
import os
import random
import time

import torch
from torch.nn import functional as F

import bpe
import gguf
from chats import SYSTEM_PROMPTS, Chats, exact
from model import CONFIG, Llama
from muon import Muon
from textdata import Questions, read_facts, read_held_out, read_out_of_scope

p = argparse.ArgumentParser()
p.add_argument("--minutes", type=float, default=25)
p.add_argument("--work", default="/tmp/demo-train", help="where checkpoints go")
p.add_argument("--out", default="", help="the GGUF file to write")
p.add_argument("--final", action="store_true", help="train on the development questions too")
p.add_argument("--resume", action="store_true", help="go on from the checkpoint in --work, with its tokenizer")
p.add_argument("--lr", type=float, default=3e-3)
p.add_argument("--tokens", type=int, default=2560, help="tokens in a batch")
p.add_argument("--dropout", type=float, default=0.05)
p.add_argument("--oos", type=float, default=0.3, help="share of out-of-scope questions")
p.add_argument("--float32", action="store_true", help="no bfloat16 products (for processors without AVX512-BF16)")
p.add_argument("--threads", type=int, default=2)
p.add_argument("--seed", type=int, default=1)
args = p.parse_args()

torch.set_num_threads(args.threads)
torch.manual_seed(args.seed)
os.makedirs(args.work, exist_ok=True)
facts, oos = read_facts("facts.txt"), read_out_of_scope()
questions = Questions(facts, oos, read_held_out(), args.final)
questions.assert_no_leak()

checkpoint, vocabulary = os.path.join(args.work, "model.pt"), os.path.join(args.work, "tokenizer.json")
if args.resume:
    with open(vocabulary) as f:
        saved = json.load(f)
    tokens, merges = saved["tokens"], [tuple(m) for m in saved["merges"]]
else:
    rng = random.Random(args.seed)
    texts = ["user\n" + questions.draw(rng, rng.randrange(questions.oos)) for _ in range(12000)]
    texts += ["user\n" + questions.draw(rng, questions.oos) for _ in range(4000)]
    texts += [f.answer for f in questions.facts] * 60 + ["assistant\n", "system\n"] * 300 + SYSTEM_PROMPTS * 10
    tokens, merges = bpe.learn(texts, CONFIG["vocab"])
    with open(vocabulary, "w") as f:
        json.dump({"tokens": tokens, "merges": merges}, f)
tokenizer = bpe.Tokenizer(tokens, merges)
model = Llama()
model.dropout = args.dropout
if args.resume:
    model.load_state_dict(torch.load(checkpoint))
print("parameters", sum(q.numel() for q in model.parameters()), "facts", len(facts), flush=True)

dev = [(q, f.answer) for f in questions.facts for q in f.dev]
dev_oos = len(oos.dev)
matrices = [q for q in model.blk.parameters() if q.dim() == 2]
others = [q for q in model.parameters() if all(q is not m for m in matrices)]
optimisers = [Muon(matrices, lr=args.lr), torch.optim.AdamW(others, lr=args.lr, betas=(0.9, 0.98), weight_decay=0.0)]
batches = Chats(questions, tokenizer, args.seed, args.oos).batches(args.tokens)
start, budget, shown, step, seen, average = time.time(), args.minutes * 60, 0.0, 0, 0, None
while (elapsed := time.time() - start) < budget:
    rate = args.lr * min(1, (step + 1) / (20 if args.resume else 100)) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * elapsed / budget)))
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = rate
    x, y, w = next(batches)
    model.train()
    with torch.autocast("cpu", torch.bfloat16, enabled=not args.float32):
        logits = model(x)
    losses = F.cross_entropy(logits.float().reshape(-1, CONFIG["vocab"]), y.reshape(-1), reduction="none")
    loss = (losses * w.reshape(-1)).sum() / w.sum()
    model.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimiser in optimisers:
        optimiser.step()
    step, seen = step + 1, seen + x.numel()
    average = loss.item() if average is None else 0.98 * average + 0.02 * loss.item()
    if elapsed - shown > 120:
        shown = elapsed
        right = exact(model, tokenizer, dev)
        print("%5.0f s  step %d  loss %.4f  rate %.1e  tokens/s %.0f  development %d/%d  out of scope %d/%d" % (
            elapsed, step, average, rate, seen / elapsed, sum(right[:-dev_oos]), len(dev) - dev_oos, sum(right[-dev_oos:]), dev_oos), flush=True)
        torch.save(model.state_dict(), checkpoint)

torch.save(model.state_dict(), checkpoint)
right = exact(model, tokenizer, dev)
misses = [q for (q, _), ok in zip(dev, right) if not ok]
plain = [(q.first(), f.answer) for f, (patterns, _) in zip(questions.facts, questions.pools) for q in patterns]
summary = {"minutes": round((time.time() - start) / 60, 1), "steps": step, "tokens": seen, "loss": round(average, 4), "skipped": questions.skipped,
           "development": sum(right) / len(right), "trained": sum(exact(model, tokenizer, plain)) / len(plain), "final": args.final}
print(json.dumps(summary), "\n" + "\n".join(misses), flush=True)
with open(os.path.join(args.work, "training.json"), "w") as f:
    json.dump(summary, f, indent=2)
if args.out:
    gguf.write_base(args.out, "demo-3m", CONFIG, tokens, merges, {n: t.numpy() for n, t in model.state_dict().items()})
