"""Loops that the trace unrolls for the sizes and values of the example."""

from __future__ import annotations

import torch
from torch import nn


class RunningSum(nn.Module):
    def forward(self, x):
        sums = []
        for i in range(x.shape[0]):  # wrong
            sums.append(x[: i + 1].sum(dim=0))
        return torch.stack(sums)

    @staticmethod
    def example():
        return (torch.randn(4, 8),), (torch.randn(6, 8),)


class Recurrence(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(8, 16)

    def forward(self, x):
        batch, steps, _ = x.shape
        hidden = x.new_zeros(batch, 16)
        for t in range(steps):  # wrong
            hidden = self.cell(x[:, t], hidden)
        return hidden

    @staticmethod
    def example():
        return (torch.randn(2, 5, 8),), (torch.randn(3, 7, 8),)


class BackwardRecurrence(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = nn.Linear(8, 8)

    def forward(self, x):
        state = torch.zeros_like(x[:, 0])
        for t in reversed(range(x.size(1))):  # wrong
            state = torch.tanh(self.mix(x[:, t]) + state)
        return state

    @staticmethod
    def example():
        return (torch.randn(2, 4, 8),), (torch.randn(2, 6, 8),)


class PerFrame(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(8, 4)

    def forward(self, video):
        out = []
        for position, frame in enumerate(video):  # wrong
            out.append(self.encoder(frame) + position)
        return torch.stack(out)

    @staticmethod
    def example():
        return (torch.randn(3, 5, 8),), (torch.randn(4, 5, 8),)


class Pairs(nn.Module):
    def forward(self, queries, keys):
        scores = [q @ k.t() for q, k in zip(queries, keys, strict=True)]  # wrong
        return torch.stack(scores)

    @staticmethod
    def example():
        return (torch.randn(2, 3, 4), torch.randn(2, 5, 4)), (torch.randn(4, 3, 4), torch.randn(4, 5, 4))


class SlidingWindow(nn.Module):
    def forward(self, x):
        start, total = 0, x.new_zeros(x.shape[0])
        while start < x.size(1):  # wrong
            total = total + x[:, start : start + 4].amax(dim=1)
            start += 4
        return total

    @staticmethod
    def example():
        return (torch.randn(2, 8),), (torch.randn(2, 16),)


class Tiles(nn.Module):
    def __init__(self, stride=4):
        super().__init__()
        self.stride = stride

    def forward(self, image):
        h = image.shape[-2]
        best = image.new_full(image.shape[:2], -1e9)
        for top in range(0, h, self.stride):  # wrong
            strip = image[..., top : top + self.stride, :]
            best = torch.maximum(best, strip.mean(dim=(-2, -1)))
        return best

    @staticmethod
    def example():
        return (torch.randn(1, 3, 8, 8),), (torch.randn(1, 3, 16, 8),)


class PerSample(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        return torch.stack([self.head(x[i]) for i in range(len(x))])  # wrong

    @staticmethod
    def example():
        return (torch.randn(2, 8),), (torch.randn(5, 8),)


class Slices(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)

    def forward(self, volume):
        planes = [self.conv(plane) for plane in volume.unbind(dim=2)]  # wrong
        return torch.stack(planes, dim=2)

    @staticmethod
    def example():
        return (torch.randn(1, 1, 3, 8, 8),), (torch.randn(1, 1, 5, 8, 8),)


class Segments(nn.Module):
    def __init__(self, window=4):
        super().__init__()
        self.window = window

    def forward(self, audio):
        segments = audio.shape[1] // self.window
        energy = [audio[:, i * self.window : (i + 1) * self.window].pow(2).sum(1) for i in range(segments)]  # wrong
        return torch.stack(energy, dim=1)

    @staticmethod
    def example():
        return (torch.randn(2, 8),), (torch.randn(2, 20),)


class AdaptiveSteps(nn.Module):
    def forward(self, x, steps):
        for _ in range(int(steps.max())):  # wrong
            x = x * 0.5 + 1
        return x

    @staticmethod
    def example():
        return (torch.randn(2, 4), torch.tensor([1, 2])), (torch.randn(2, 4), torch.tensor([5, 3]))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.step = nn.Linear(6, 6)

    def forward(self, memory):
        length = memory.shape[1] - 1
        outputs = torch.zeros_like(memory)
        for i in range(1, length + 1):  # wrong
            outputs[:, i] = self.step(outputs[:, i - 1] + memory[:, i])
        return outputs

    @staticmethod
    def example():
        return (torch.randn(2, 4, 6),), (torch.randn(2, 7, 6),)


class PaddedLengths(nn.Module):
    def forward(self, x, lengths):
        rows = [row[:n].mean(0) for row, n in zip(x, lengths.tolist(), strict=True)]  # wrong
        return torch.stack(rows)

    @staticmethod
    def example():
        return (torch.randn(2, 6, 3), torch.tensor([4, 6])), (torch.randn(2, 6, 3), torch.tensor([2, 3]))


class Stack(nn.Module):
    """Right: the loop runs over modules."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(8, 8) for _ in range(3)])

    def forward(self, x):
        for i, layer in enumerate(self.layers):
            x = torch.relu(layer(x)) + i
        return x

    @staticmethod
    def example():
        return (torch.randn(4, 8),), (torch.randn(6, 8),)


class MeanOverRest(nn.Module):
    """Right: the number of dimensions is no part of the data."""

    def forward(self, x):
        for _ in range(x.dim() - 2):
            x = x.mean(dim=-1)
        return x

    @staticmethod
    def example():
        return (torch.randn(2, 3, 4, 5),), (torch.randn(3, 3, 6, 7),)


class CumulativeSum(nn.Module):
    """Right: an operator where `RunningSum` loops."""

    def forward(self, x):
        return torch.cumsum(x, dim=0) / torch.arange(1, x.shape[0] + 1).unsqueeze(1)

    @staticmethod
    def example():
        return (torch.randn(4, 8),), (torch.randn(6, 8),)
