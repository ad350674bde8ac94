"""What a model keeps from one call to the next, and draws."""

from __future__ import annotations

from collections import deque

import torch
from torch import nn

_CALLS = 0
_GRIDS = {}


class StepCounter(nn.Module):
    def __init__(self):
        super().__init__()
        self.step = 0

    def forward(self, x):
        self.step += 1  # wrong
        return x / self.step

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class BufferCounter(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, x):
        self.seen += x.shape[0]  # wrong
        return x.sum(0) / self.seen

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class RunningMean(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(4))

    def forward(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.mean(dim=0)  # wrong
        return x - self.mean

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class MeanInPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(4))

    def forward(self, x):
        self.mean.mul_(0.9).add_(x.mean(dim=0), alpha=0.1)  # wrong
        return x - self.mean

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class FrameDifference(nn.Module):
    def __init__(self):
        super().__init__()
        self.previous = None

    def forward(self, frame):
        difference = frame if self.previous is None else frame - self.previous
        self.previous = frame  # wrong
        return difference

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(2, 4),)


class Memory(nn.Module):
    def __init__(self):
        super().__init__()
        self.memory = deque(maxlen=4)

    def forward(self, x):
        self.memory.append(x.mean(dim=0))  # wrong
        return torch.stack(list(self.memory)).mean(dim=0)

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class CallCount(nn.Module):
    def forward(self, x):
        global _CALLS  # noqa: PLW0603 - what users write
        _CALLS += 1  # wrong
        return x * _CALLS

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class SharedCache(nn.Module):
    def forward(self, x):
        if "grid" not in _GRIDS:
            _GRIDS["grid"] = x.abs().amax()  # wrong
        return x / _GRIDS["grid"]

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class DataDependentInit(nn.Module):
    def __init__(self):
        super().__init__()
        self.ready = False
        self.shift = torch.zeros(4)

    def forward(self, x):
        if not self.ready:
            self.shift = x.mean(dim=0)  # wrong
            self.ready = True
        return x - self.shift

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class LazyTable(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.arange(4.0)

    def forward(self, x):
        if self.table.size(0) < x.size(1):  # wrong
            self.table = torch.arange(float(x.size(1)))
        return x + self.table[: x.size(1)]

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(2, 9),)


class CacheBySize(nn.Module):
    def __init__(self):
        super().__init__()
        self.cached_length = 4
        self.cached = torch.cos(torch.arange(4.0))

    def forward(self, x):
        length = x.shape[1]
        if length != self.cached_length:  # wrong
            self.cached_length = length
            self.cached = torch.cos(torch.arange(length, dtype=x.dtype))
        return x * self.cached

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(2, 6),)


class History(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = []

    def forward(self, x):
        self.tokens.append(x)  # wrong
        return torch.cat(self.tokens, dim=1)

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(2, 3),)


class KeyCache(nn.Module):
    def __init__(self):
        super().__init__()
        self.keys = torch.zeros(2, 0, 4)

    def forward(self, x):
        self.keys = torch.cat([self.keys, x], dim=1)  # wrong
        return x @ self.keys.transpose(1, 2)

    @staticmethod
    def example():
        return (torch.randn(2, 1, 4),), (torch.randn(2, 1, 4),)


class Annealed(nn.Module):
    def __init__(self):
        super().__init__()
        self.temperature = 4.0

    def anneal(self):
        self.temperature = self.temperature * 0.5  # wrong

    def forward(self, x):
        self.anneal()
        return (x / self.temperature).softmax(-1)

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(2, 4),)


class Buffers(nn.Module):
    """Right: state that is only read, and a statistic that only training changes."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.full((4,), 0.5))
        self.last_shape = None

    def forward(self, x):
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * x.mean(dim=0)
        centred = x - self.mean
        out = torch.zeros_like(centred)
        out[:, 1:] = centred[:, :-1]
        return out

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class Attribute(nn.Module):
    """Right: an attribute set anew in each call before it is read."""

    def forward(self, x):
        self.batch = x.shape[0]
        self.features = torch.relu(x)
        return self.features.reshape(self.batch, -1)

    @staticmethod
    def example():
        return (torch.randn(2, 4, 3),), (torch.randn(3, 4, 3),)
