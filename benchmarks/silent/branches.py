"""Branches that the trace takes once and for all."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class CropLong(nn.Module):
    def forward(self, x):
        if x.shape[1] > 16:  # wrong
            x = x[:, :16]
        return x * 2

    @staticmethod
    def example():
        return (torch.randn(2, 8),), (torch.randn(2, 20),)


class PadToFour(nn.Module):
    def forward(self, x):
        width = x.size(-1)
        pad = 0 if width % 4 == 0 else 4 - width % 4  # wrong
        return F.pad(x, (0, pad))

    @staticmethod
    def example():
        return (torch.randn(2, 8),), (torch.randn(2, 10),)


class SignFlip(nn.Module):
    def forward(self, x):
        if x.mean() > 0:  # wrong
            return x
        return -x

    @staticmethod
    def example():
        return (torch.ones(2, 4),), (-torch.ones(3, 4),)


class HasPadding(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(10, 4)

    def forward(self, ids):
        features = self.embed(ids)
        if 0 in ids:  # wrong
            features = features * (ids != 0).unsqueeze(-1)
        return features

    @staticmethod
    def example():
        return (torch.tensor([[1, 2, 3]]),), (torch.tensor([[1, 0, 3, 0]]),)


class MatchSkip(nn.Module):
    def forward(self, x, skip):
        if x.shape[-2:] != skip.shape[-2:]:  # wrong
            x = F.interpolate(x, size=skip.shape[-2:], mode="nearest")
        return torch.cat([x, skip], dim=1)

    @staticmethod
    def example():
        first = torch.randn(1, 2, 8, 8), torch.randn(1, 2, 8, 8)
        return first, (torch.randn(1, 2, 8, 8), torch.randn(1, 2, 9, 9))


class SizeIsNumber(nn.Module):
    def forward(self, x):
        n = x.shape[1]
        scale = 1.0 / n if isinstance(n, int) else 1.0  # wrong
        return x.sum(dim=1) * scale

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(2, 6),)


class MaskIfAny(nn.Module):
    def forward(self, x, mask):
        if mask.any():  # wrong
            x = x.masked_fill(mask, -1e4)
        return x.softmax(-1)

    @staticmethod
    def example():
        some = torch.tensor([[True, False, False], [False, True, True]])
        return (torch.randn(2, 3), torch.zeros(2, 3, dtype=torch.bool)), (torch.randn(2, 3), some)


class SmallInput(nn.Module):
    def forward(self, x):
        return x.double().sum().float() if x.numel() < 64 else x.sum() / x.numel()  # wrong

    @staticmethod
    def example():
        return (torch.randn(4, 4),), (torch.randn(16, 16),)


class SameInputs(nn.Module):
    def forward(self, query, key):
        if torch.equal(query, key):  # wrong
            return query @ query.transpose(-1, -2)
        return query @ key.transpose(-1, -2) * 0.5

    @staticmethod
    def example():
        same = torch.randn(2, 3)
        return (same, same.clone()), (torch.randn(2, 3), torch.randn(2, 3))


class Converged(nn.Module):
    def forward(self, x, y):
        if torch.allclose(x, y, atol=1e-3):  # wrong
            return y
        return (x + y) / 2

    @staticmethod
    def example():
        same = torch.randn(2, 3)
        return (same, same.clone()), (torch.randn(2, 3), torch.randn(2, 3))


class EvenSides(nn.Module):
    def forward(self, x):
        if not all(side % 2 == 0 for side in x.shape[2:]):  # wrong
            x = F.pad(x, (0, 1, 0, 1))
        return F.max_pool2d(x, 2)

    @staticmethod
    def example():
        return (torch.randn(1, 2, 8, 8),), (torch.randn(1, 2, 7, 7),)


class CoarseWhenTraced(nn.Module):
    def forward(self, x):
        if torch.jit.is_tracing():  # wrong
            return x[:, :4]
        return x[:, : x.shape[1] // 2]

    @staticmethod
    def example():
        return (torch.randn(2, 8),), (torch.randn(2, 12),)


class Landscape(nn.Module):
    def forward(self, image):
        height, width = image.shape[2], image.shape[3]
        is_landscape = width > height
        if is_landscape:  # wrong
            image = image.transpose(2, 3)
        return image.flatten(2).cumsum(-1)

    @staticmethod
    def example():
        return (torch.randn(1, 1, 4, 6),), (torch.randn(1, 1, 6, 4),)


class FirstToken(nn.Module):
    def forward(self, ids, x):
        start = 1 if ids[0, 0] == 101 else 0  # wrong
        return x[:, start:]

    @staticmethod
    def example():
        return (torch.tensor([[101, 5, 6]]), torch.randn(1, 3, 2)), (torch.tensor([[7, 5, 6]]), torch.randn(1, 3, 2))


class EmptyDetections(nn.Module):
    def forward(self, boxes, scores):
        keep = (scores > 0.5).nonzero().squeeze(1)
        if len(keep) == 0:  # wrong
            return boxes.new_zeros(1, 4)
        return boxes[keep]

    @staticmethod
    def example():
        boxes = torch.rand(3, 4)
        return (boxes, torch.tensor([0.1, 0.2, 0.3])), (boxes, torch.tensor([0.9, 0.2, 0.8]))


class RankAndType(nn.Module):
    """Right: rank, dtype and device are known while tracing."""

    def forward(self, x):
        if x.dim() == 2:
            x = x.unsqueeze(1)
        if x.dtype == torch.float16 or x.is_cuda:
            x = x.float()
        return x.mean(dim=1)

    @staticmethod
    def example():
        return (torch.randn(2, 8),), (torch.randn(3, 9),)


class OptionalMask(nn.Module):
    """Right: tests what the caller gave and what the constructor built."""

    def __init__(self, project=False):
        super().__init__()
        self.project = nn.Linear(8, 8) if project else None

    def forward(self, x, mask=None):
        if self.project is not None:
            x = self.project(x)
        if mask is not None:
            x = x * mask
        return x if self.training else x.softmax(-1)

    @staticmethod
    def example():
        return (torch.randn(2, 8),), (torch.randn(3, 8),)
