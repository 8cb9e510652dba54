"""Trains the operator adapter on top of the base that train.py left, and writes it as a GGUF adapter.

    OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=2 python3 train_lora.py --out demo-3m-operator-lora.gguf

The base stays as it is; half of the questions are the base's own, with the base's answers, so that the adapter adds
and does not replace.
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
from chats import Chats, exact
from model import CONFIG, Linear, Llama
from textdata import Questions, read_facts, read_held_out, read_out_of_scope

p = argparse.ArgumentParser()
p.add_argument("--minutes", type=float, default=2)
p.add_argument("--work", default="/tmp/demo-train")
p.add_argument("--out", default="")
p.add_argument("--rank", type=int, default=8)
p.add_argument("--alpha", type=float, default=16)
p.add_argument("--lr", type=float, default=3e-3)
p.add_argument("--float32", action="store_true", help="no bfloat16 products")
p.add_argument("--threads", type=int, default=2)
args = p.parse_args()

torch.set_num_threads(args.threads)
torch.manual_seed(3)
with open(os.path.join(args.work, "tokenizer.json")) as f:
    saved = json.load(f)
tokenizer = bpe.Tokenizer(saved["tokens"], saved["merges"])
model = Llama()
model.load_state_dict(torch.load(os.path.join(args.work, "model.pt")))
for q in model.parameters():
    q.requires_grad_(False)
adapted = {name: m for name, m in model.named_modules() if isinstance(m, Linear)}
for m in adapted.values():
    m.add_lora(args.rank, args.alpha)
model.dropout = 0.05

# The referral gives way to the operator's facts; everything else stays.
operator = read_facts("operator.txt")
base = [f for f in read_facts("facts.txt") if f.name != "operator-manual"]
questions = Questions(operator + base, read_out_of_scope(), read_held_out(), False)
questions.assert_no_leak()


class Mixed(Chats):
    def index(self):
        return self.rng.randrange(len(operator)) if self.rng.random() < 0.5 else super().index()


batches = Mixed(questions, tokenizer, 3, 0.4).batches(2560)
weights = [w for m in adapted.values() for w in m.lora]
optimiser = torch.optim.AdamW(weights, lr=args.lr, weight_decay=0.01, betas=(0.9, 0.98))
start, budget, shown, step, average = time.time(), args.minutes * 60, 0.0, 0, None
while (elapsed := time.time() - start) < budget:
    for group in optimiser.param_groups:
        group["lr"] = args.lr * min(1, (step + 1) / 20) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * elapsed / budget)))
    x, y, w = next(batches)
    model.train()
    w = w * (w > 0.2)                                     # answers only
    with torch.autocast("cpu", torch.bfloat16, enabled=not args.float32):
        logits = model(x)
    losses = F.cross_entropy(logits.float().reshape(-1, CONFIG["vocab"]), y.reshape(-1), reduction="none")
    loss = (losses * w.reshape(-1)).sum() / w.sum()
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(weights, 1.0)
    optimiser.step()
    step += 1
    average = loss.item() if average is None else 0.95 * average + 0.05 * loss.item()
    if elapsed - shown > 30:
        shown = elapsed
        print("%4.0f s  step %d  loss %.4f" % (elapsed, step, average), flush=True)

known = [(q, f.answer) for f in operator for q in [patterns.first() for patterns in questions.pools[operator.index(f)][0]]]
kept = [(questions.pools[len(operator) + i][0][0].first(), f.answer) for i, f in enumerate(base)]
summary = {"minutes": round((time.time() - start) / 60, 1), "steps": step, "loss": round(average, 4), "rank": args.rank, "alpha": args.alpha,
           "operatorTrained": sum(exact(model, tokenizer, known)) / len(known), "baseKept": sum(exact(model, tokenizer, kept)) / len(kept)}
print(json.dumps(summary), flush=True)
with open(os.path.join(args.work, "lora.json"), "w") as f:
    json.dump(summary, f, indent=2)
if args.out:
    gguf.write_adapter(args.out, "demo-3m-operator", args.alpha,
                       [(name + ".weight", m.lora[0].detach().numpy(), m.lora[1].detach().numpy()) for name, m in adapted.items()])
