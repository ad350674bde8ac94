"""`transformer_block_hazards.py`, repaired: same results, and right for every batch and length after export."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SelfAttention(nn.Module):
    def __init__(self, dim: int = 32, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.head_dim = dim // heads
        self.scale = self.head_dim**-0.5
        self.qkv = nn.Linear(dim, dim * 3)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        batch, steps, dim = x.shape
        qkv = self.qkv(x).reshape(batch, steps, 3, self.heads, self.head_dim).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        scores = q @ k.transpose(-2, -1) * self.scale
        mask = torch.arange(steps)[None, :] >= lengths[:, None]
        scores = scores.masked_fill(mask[:, None, None, :], -1e4)
        mixed = (scores.softmax(-1) @ v).transpose(1, 2)
        return self.out(mixed.reshape(batch, steps, dim))


class Positions(nn.Module):
    def __init__(self, dim: int = 32, longest: int = 64) -> None:
        super().__init__()
        self.longest = longest
        self.table = nn.Parameter(torch.randn(longest, dim))

    def forward(self, x: Tensor) -> Tensor:
        steps = torch.full((), x.size(1))
        x = torch.where(steps > self.longest // 2, x / 2, x)
        return x + self.table[: x.size(1)]


class TransformerBlock(nn.Module):
    def __init__(self, dim: int = 32) -> None:
        super().__init__()
        self.positions = Positions(dim)
        self.attention = SelfAttention(dim)
        self.norm = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        x = self.positions(x)
        x = x.detach() + self.attention(self.norm(x), lengths)
        peak = x.abs().max()
        x = torch.where(peak > 100, x / peak, x)
        return x + self.mlp(x), F.normalize(x.mean(1), dim=-1)
