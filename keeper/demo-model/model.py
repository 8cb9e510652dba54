"""A small Llama: RMSNorm, interleaved rotary positions, SwiGLU, tied embeddings; the tensors carry llama.cpp's names."""
import math

import torch
from torch import nn
from torch.nn import functional as F

CONFIG = {"vocab": 1536, "width": 256, "layers": 4, "heads": 4, "hidden": 704, "context": 1024, "rope_base": 10000.0, "eps": 1e-5}


def drop(x, rate, training):
    """Dropout of whole features of a sequence: one draw per sequence and feature is enough, and cheap."""
    if not training or rate == 0:
        return x
    keep = (torch.rand(x.shape[0], 1, x.shape[2]) >= rate).to(x.dtype) / (1 - rate)
    return x * keep


class Norm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


class Linear(nn.Linear):
    """A linear map that can carry a low-rank adapter."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs, bias=False)
        self.lora = None

    def add_lora(self, rank, alpha):
        self.lora = nn.ParameterList([nn.Parameter(torch.randn(rank, self.in_features) / math.sqrt(self.in_features)),
                                      nn.Parameter(torch.zeros(self.out_features, rank))])
        self.scale = alpha / rank

    def forward(self, x):
        y = F.linear(x, self.weight)
        return y if self.lora is None else y + F.linear(F.linear(x, self.lora[0]), self.lora[1]) * self.scale


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, f = c["width"], c["hidden"]
        self.heads = c["heads"]
        self.attn_norm, self.ffn_norm = Norm(d, c["eps"]), Norm(d, c["eps"])
        self.attn_q, self.attn_k, self.attn_v, self.attn_output = (Linear(d, d) for _ in range(4))
        self.ffn_gate, self.ffn_up, self.ffn_down = Linear(d, f), Linear(d, f), Linear(f, d)

    def rotate(self, x, cos, sin):
        b, t, d = x.shape
        x = x.view(b, t, self.heads, d // self.heads)
        even, odd = x[..., 0::2], x[..., 1::2]
        cos, sin = cos[:t, None], sin[:t, None]
        return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2).transpose(1, 2)

    def forward(self, x, cos, sin, mask, dropout):
        b, t, d = x.shape
        h = self.attn_norm(x)
        q, k = self.rotate(self.attn_q(h), cos, sin), self.rotate(self.attn_k(h), cos, sin)
        v = self.attn_v(h).view(b, t, self.heads, -1).transpose(1, 2)
        scores = (q @ k.transpose(-1, -2)) * (d // self.heads) ** -0.5 + mask[:t, :t]
        h = self.attn_output((scores.float().softmax(-1) @ v).transpose(1, 2).reshape(b, t, d))
        x = x + drop(h, dropout, self.training)
        h = self.ffn_norm(x)
        return x + drop(self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h)), dropout, self.training)


class Llama(nn.Module):
    def __init__(self, c=CONFIG):
        super().__init__()
        self.config, self.dropout = c, 0.0
        self.token_embd = nn.Embedding(c["vocab"], c["width"])
        self.blk = nn.ModuleList(Block(c) for _ in range(c["layers"]))
        self.output_norm = Norm(c["width"], c["eps"])
        size = c["width"] // c["heads"]
        angles = torch.arange(c["context"])[:, None] * c["rope_base"] ** (-torch.arange(0, size, 2) / size)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        self.register_buffer("mask", torch.full((c["context"], c["context"]), float("-inf")).triu(1), persistent=False)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                into_residual = name.endswith(("attn_output.weight", "ffn_down.weight"))
                nn.init.normal_(p, 0, 0.02 / (math.sqrt(2 * c["layers"]) if into_residual else 1))

    def forward(self, ids):
        x = drop(self.token_embd(ids), self.dropout, self.training)
        for block in self.blk:
            x = block(x, self.cos, self.sin, self.mask, self.dropout)
        return self.output_norm(x) @ self.token_embd.weight.t()
