"""Python numbers made of tensors and sizes."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn


class HalfSize(nn.Module):
    def forward(self, image):
        height, width = image.shape[-2:]
        size = (int(height * 0.5), int(width * 0.5))  # wrong
        return F.interpolate(image, size=size, mode="nearest")

    @staticmethod
    def example():
        return (torch.randn(1, 3, 8, 8),), (torch.randn(1, 3, 12, 16),)


class ScaleByMax(nn.Module):
    def forward(self, x):
        return x / float(x.abs().max())  # wrong

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(2, 4) * 5,)


class Threshold(nn.Module):
    def forward(self, x):
        limit = x.median().item()  # wrong
        return torch.where(x > limit, x, torch.zeros_like(x))

    @staticmethod
    def example():
        return (torch.randn(2, 5),), (torch.randn(2, 5) + 3,)


class Attention(nn.Module):
    def forward(self, q, k):
        return (q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))).softmax(-1)  # wrong

    @staticmethod
    def example():
        return (torch.randn(2, 3, 4), torch.randn(2, 5, 4)), (torch.randn(2, 3, 16), torch.randn(2, 5, 16))


class CeilPad(nn.Module):
    def forward(self, x):
        padded = math.ceil(x.shape[-1] / 8) * 8  # wrong
        return F.pad(x, (0, padded - x.shape[-1]))

    @staticmethod
    def example():
        return (torch.randn(2, 6),), (torch.randn(2, 13),)


class Square(nn.Module):
    def forward(self, image):
        height, width = image.shape[2:]
        side = max(height, width)  # wrong
        return F.pad(image, (0, side - width, 0, side - height))

    @staticmethod
    def example():
        return (torch.randn(1, 1, 4, 6),), (torch.randn(1, 1, 9, 5),)


class Positions(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(32, 4)

    def forward(self, x):
        length = min(x.size(1), 6)  # wrong
        return x[:, :length] + self.table(torch.arange(length))

    @staticmethod
    def example():
        return (torch.randn(2, 4, 4),), (torch.randn(2, 9, 4),)


class AverageOfBatch(nn.Module):
    def forward(self, x):
        return x.sum(dim=0) / len(x)  # wrong

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(5, 4),)


class PowerOfTwo(nn.Module):
    def forward(self, x):
        length = 2 ** math.floor(math.log2(x.shape[-1]))  # wrong
        return x[..., :length]

    @staticmethod
    def example():
        return (torch.randn(2, 9),), (torch.randn(2, 20),)


class TopHalf(nn.Module):
    def forward(self, scores):
        k = max(1, int(0.5 * scores.numel()))  # wrong
        return torch.topk(scores.flatten(), k).values

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(4, 5),)


class Flag(nn.Module):
    def forward(self, x, flag):
        reverse = bool(flag)  # wrong
        return x.flip(0) if reverse else x

    @staticmethod
    def example():
        return (torch.randn(3, 2), torch.tensor(True)), (torch.randn(3, 2), torch.tensor(False))


class MaxLength(nn.Module):
    def forward(self, lengths):
        longest = lengths.max().item()  # wrong
        return torch.arange(longest).unsqueeze(0) < lengths.unsqueeze(1)

    @staticmethod
    def example():
        return (torch.tensor([2, 4]),), (torch.tensor([7, 3]),)


class Sides(nn.Module):
    def forward(self, image):
        longest = sorted(image.shape[-2:])[-1]  # wrong
        return image.sum(dim=(2, 3)) / longest

    @staticmethod
    def example():
        return (torch.randn(1, 2, 4, 6),), (torch.randn(1, 2, 9, 5),)


class IntegerArithmetic(nn.Module):
    """Right: arithmetic on sizes is recorded."""

    def forward(self, x):
        half = x.shape[1] // 2
        batch = x.size(0)
        return x[:, :half].reshape(batch, -1) * (x.shape[1] ** -0.5)

    @staticmethod
    def example():
        return (torch.randn(2, 8, 3),), (torch.randn(4, 12, 3),)


class SumOfSizes(nn.Module):
    """Right: `sum` only adds."""

    def forward(self, a, b):
        total = sum([a.shape[1], b.shape[1]])
        return torch.cat([a, b], dim=1).sum(dim=1) / total

    @staticmethod
    def example():
        return (torch.randn(2, 3), torch.randn(2, 4)), (torch.randn(2, 6), torch.randn(2, 5))


class ConstructorNumbers(nn.Module):
    """Right: numbers of the constructor."""

    def __init__(self, dim=8, ratio=0.5):
        super().__init__()
        self.dim, self.ratio = dim, ratio
        self.down = nn.Linear(dim, int(dim * ratio))

    def forward(self, x):
        hidden = max(1, int(self.dim * self.ratio))
        return self.down(x)[..., :hidden] / math.sqrt(self.dim)

    @staticmethod
    def example():
        return (torch.randn(2, 8),), (torch.randn(3, 8),)
