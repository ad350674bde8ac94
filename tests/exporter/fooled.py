"""Models whose exported file is wrong, and right on the two inputs that an export is usually tried on.

Each has its hazard on the line marked ``# hazard``. `CASES` says how each is exported, and what has to be told of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Case:
    """How a model is exported, and what the search has to find of it in each engine."""

    name: str
    arguments: tuple[str, ...]
    torchscript: str
    """``wrong`` when the search has to show an input, ``untested`` when it has to say that nothing was shown, ``right``
    when the engine keeps what the other freezes, or ``fails`` when there is no file."""
    dynamo: str


class RareMaximum(nn.Module):
    def forward(self, x):
        if x.max() > 8:  # hazard
            return x * 2
        return x + 1


class RareScale(nn.Module):
    def forward(self, x):
        scale = 3.0 if float(x.abs().max()) < 5 else 6.0  # hazard
        return x * scale


class RareId(nn.Module):
    def forward(self, ids):
        if (ids == 49).any():  # hazard
            return ids.float() * 2
        return ids.float() + 1


class EvenHalf(nn.Module):
    def forward(self, x):
        half = int(x.shape[1] / 2)  # hazard
        return x[:, :half] * 2


class LargeBatch(nn.Module):
    def forward(self, x):
        if x.shape[0] > 16:  # hazard
            return x * 2
        return x + 1


class SmallerSize(nn.Module):
    def forward(self, x):
        n = min(x.shape[0], 10)  # hazard
        return x[:n] * 2


class Window(nn.Module):
    def forward(self, x):
        height, width = x.shape[-2:]
        new_height = math.ceil(height / 4) * 4
        if new_height != height:  # hazard
            x = nn.functional.pad(x, (0, 0, 0, new_height - height))
        return x.reshape(x.shape[0], x.shape[1], -1, 4, width).mean(3)


class OddSizes(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 3, 3, 2, 1)

    def forward(self, x):
        forward_size = x.shape[-1] % 2 != 0 or x.shape[-2] % 2 != 0  # hazard
        y = self.down(x)
        if forward_size:
            y = nn.functional.interpolate(y, size=x.shape[2:])
        else:
            y = nn.functional.interpolate(y, scale_factor=2.0)
        return y + x


class LongestLength(nn.Module):
    def forward(self, x, lengths):
        longest = int(lengths.max())  # hazard
        return x[:, :longest].sum(1)


class MaskCount(nn.Module):
    def forward(self, x, mask):
        count = mask.sum().item()  # hazard
        return x * mask / (count + 1)


class CountOfAll(nn.Module):
    def forward(self, x, counts):
        total = int(counts.sum())  # hazard
        return x * total


def one_length():
    return [(torch.arange(24.0).reshape(3, 8), torch.tensor([2, 5, 3]))]


def one_mask():
    return [(torch.arange(8.0), torch.tensor([1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0]))]


def one_count():
    return [(torch.arange(8.0), torch.tensor([1, 2, 3]))]


class NarrowSum(nn.Module):
    def forward(self, x):
        return x.cumsum(0)  # hazard


class SingleSize(nn.Module):
    def forward(self, x):
        if x.shape[0] == 1:  # hazard
            return x * 5
        return x + 1


class NegativePair(nn.Module):
    def forward(self, x, i, j):
        return x[i, j] * 2  # hazard


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return x * self.calls  # hazard


class Masked(nn.Module):
    def forward(self, x):
        scale = 1.0 if float(x.abs().mean()) < 3 else 1.2  # hazard
        scores = x * scale
        return torch.cat([scores, torch.full_like(scores[:1], -1e9)])


class ZeroLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 2)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, x):
        return self.last(x * x.max().item())  # hazard


class NothingButNan(nn.Module):
    def forward(self, x):
        return torch.sqrt(-1 - (x * x.max().item()) ** 2)  # hazard


class Winner(nn.Module):
    def forward(self, x):
        return (x * (x.abs().max().item() + 1)).argmax(-1)  # hazard


class HalfRandom(nn.Module):
    def forward(self, x):
        return torch.rand_like(x), x * float(x.max())  # hazard


class FirstCallCache(nn.Module):
    def __init__(self):
        super().__init__()
        self.middle = None

    def forward(self, x):
        if self.middle is None:
            self.middle = x.mean(0, keepdim=True)
        return x - self.middle  # hazard


class GrowingTable(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = None

    def forward(self, x):
        if self.table is None or self.table.shape[0] < x.shape[0]:
            self.table = torch.arange(2.0 * x.shape[0])
        return x + self.table.max()  # hazard


class NumberOfComparison(nn.Module):
    def __init__(self):
        super().__init__()
        self.most = 57

    def forward(self, x):
        one = int(x.shape[0] == self.most)  # hazard
        return x * (1 + one)


class CountOfId(nn.Module):
    def __init__(self):
        super().__init__()
        self.padding = 30521

    def forward(self, ids):
        count = int((ids == self.padding).sum())  # hazard
        return ids.float() + count


class LookedUp(nn.Module):
    def __init__(self):
        super().__init__()
        self.factors = {51: 2.0}

    def forward(self, x):
        return x * self.factors.get(x.shape[0], 1.0)  # hazard


class OneOf(nn.Module):
    def __init__(self):
        super().__init__()
        self.special = (19, 41)

    def forward(self, x):
        if x.shape[0] in self.special:  # hazard
            return x * 2
        return x + 1


class Sides(nn.Module):
    def forward(self, x):
        if x.shape[-1] == x.shape[-2]:  # hazard
            return x.transpose(-1, -2)
        return x.transpose(-1, -2) * 2


class AttributeLimit(nn.Module):
    def __init__(self):
        super().__init__()
        self.limit = 500.0

    def forward(self, x):
        if x.max() > self.limit:  # hazard
            return x * 2
        return x


_X = "x:float32[n=4,3]"
CASES = (
    Case("RareMaximum", ("--input", _X), "wrong", "fails"),
    Case("RareScale", ("--input", _X), "wrong", "fails"),
    Case("RareId", ("--input", "ids:int64[b,s]"), "wrong", "fails"),
    Case("EvenHalf", ("--input", "x:float32[n=3,s=4]"), "wrong", "wrong"),
    Case("LargeBatch", ("--input", _X), "wrong", "wrong"),
    Case("SmallerSize", ("--input", _X), "wrong", "right"),
    Case("Window", ("--input", "x:float32[n=2,3,h=8|16,5]"), "wrong", "wrong"),
    Case("OddSizes", ("--input", "x:float32[n=2,3,h=16|32,w=12|24]"), "wrong", "wrong"),
    Case("LongestLength", ("--inputs-from", "fooled.py:one_length"), "wrong", "right"),
    Case("MaskCount", ("--inputs-from", "fooled.py:one_mask"), "wrong", "right"),
    Case("CountOfAll", ("--inputs-from", "fooled.py:one_count"), "wrong", "right"),
    Case("LongestLength", ("--input", "x:float32[b,8]", "--input", "lengths:int64[b]=1..4"), "wrong", "right"),
    Case("NarrowSum", ("--input", "x:int32[n=4]=100"), "wrong", "right"),
    Case("SingleSize", ("--input", _X), "wrong", "wrong"),
    Case(
        "NegativePair",
        ("--input", "x:float32[5,6]", "--input", "i:int64[k]", "--input", "j:int64[k]"),
        "wrong",
        "right",
    ),
    Case("Counting", ("--input", _X), "wrong", "wrong"),
    Case("Masked", ("--input", _X), "wrong", "fails"),
    Case("ZeroLayer", ("--input", _X), "untested", "right"),
    Case("NothingButNan", ("--input", _X), "untested", "right"),
    Case("Winner", ("--input", _X), "untested", "right"),
    Case("HalfRandom", ("--input", _X), "wrong", "right"),
    Case("FirstCallCache", ("--input", _X), "wrong", "wrong"),
    Case("GrowingTable", ("--input", _X), "wrong", "wrong"),
    Case("NumberOfComparison", ("--input", _X), "wrong", "wrong"),
    Case("CountOfId", ("--input", "ids:int64[b=2,s=5]"), "wrong", "right"),
    Case("LookedUp", ("--input", _X), "untested", "fails"),
    Case("OneOf", ("--input", _X), "wrong", "wrong"),
    Case("Sides", ("--input", "x:float32[2,h=5,w=7]"), "wrong", "wrong"),
    Case("AttributeLimit", ("--input", _X), "wrong", "fails"),
)
