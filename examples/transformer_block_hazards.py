"""A transformer block with what one finds in real ones. Compare `transformer_block_repaired.py`."""
from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SelfAttention(nn.Module):
    def __init__(self, dim: int = 32, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, dim * 3)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        batch, steps, dim = x.shape
        head_dim = int(dim / self.heads)
        q, k, v = self.qkv(x).reshape(batch, steps, 3, self.heads, head_dim).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) / math.sqrt(head_dim)
        mask = torch.zeros(batch, steps, dtype=torch.bool)
        for i in range(batch):
            mask[i, lengths[i].item() :] = True
        scores = scores.masked_fill(mask[:, None, None, :], -1e4)
        mixed = (scores.softmax(-1) @ v).transpose(1, 2)
        return self.out(mixed.reshape(batch, steps, dim))


class Positions(nn.Module):
    def __init__(self, dim: int = 32, longest: int = 64) -> None:
        super().__init__()
        self.longest = longest
        self.table = nn.Parameter(torch.randn(longest, dim))

    def forward(self, x: Tensor) -> Tensor:
        steps = x.size(1)
        if steps > self.longest // 2:
            x = x / 2
        return x + self.table[: min(steps, self.longest)]


class TransformerBlock(nn.Module):
    def __init__(self, dim: int = 32) -> None:
        super().__init__()
        self.positions = Positions(dim)
        self.attention = SelfAttention(dim)
        self.norm = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))

    def forward(self, x: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        assert x.shape[0] == len(lengths), "one length for each sequence"
        x = self.positions(x)
        residual = x.data
        x = residual + self.attention(self.norm(x), lengths)
        if x.abs().max() > 100:
            x = x / x.abs().max()
        return {"hidden": x + self.mlp(x), "pooled": F.normalize(x.mean(1), dim=-1)}
