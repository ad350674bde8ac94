"""Hazards in functions, methods and other classes that forward calls."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def window_partition(x, window):
    batch, height, width, channels = x.shape
    x = x.view(batch, height // window, window, width // window, window, channels)
    return x.permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, window, window, channels)


def window_reverse(windows, window, height, width):
    batch = int(windows.shape[0] / (height * width / window / window))  # wrong
    x = windows.view(batch, height // window, width // window, window, window, -1)
    return x.permute(0, 1, 3, 2, 4, 5).contiguous().view(batch, height, width, -1)


class Windows(nn.Module):
    def forward(self, x):
        _, height, width, _ = x.shape
        return window_reverse(window_partition(x, 2) * 2, 2, height, width)

    @staticmethod
    def example():
        return (torch.randn(1, 4, 4, 3),), (torch.randn(2, 4, 8, 3),)


def pad_up(x, multiple):
    wanted = math.ceil(x.shape[-1] / multiple) * multiple  # wrong
    return F.pad(x, (0, wanted - x.shape[-1]))


class PadUp(nn.Module):
    def forward(self, x):
        return pad_up(x, 4)

    @staticmethod
    def example():
        return (torch.randn(2, 6),), (torch.randn(2, 9),)


def sequence_mask(lengths, longest=None):
    longest = longest or int(lengths.max())  # wrong
    return torch.arange(longest)[None, :] < lengths[:, None]


class Masked(nn.Module):
    def forward(self, x, lengths):
        return sequence_mask(lengths).float() + x.sum()

    @staticmethod
    def example():
        return (torch.randn(2, 4), torch.tensor([2, 4])), (torch.randn(2, 4), torch.tensor([7, 3]))


def make_grid(height, width):
    rows = np.linspace(-1, 1, height)  # wrong
    columns = torch.linspace(-1, 1, width)
    return torch.from_numpy(rows).float()[:, None] * columns[None, :]


class Grid(nn.Module):
    def forward(self, image):
        height, width = image.shape[-2:]
        return image * make_grid(height, width)

    @staticmethod
    def example():
        return (torch.randn(1, 2, 4, 6),), (torch.randn(1, 2, 8, 5),)


def split_rows(x, count):
    return [x[i : i + 1].softmax(-1) for i in range(count)]  # wrong


class SplitRows(nn.Module):
    def forward(self, x):
        return torch.cat(split_rows(x, x.shape[0]))

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(5, 4),)


class MapRows(nn.Module):
    def forward(self, x):
        rows = map(lambda i: x[i] * i, range(x.shape[0]))  # noqa: C417 # wrong
        return torch.stack(list(rows))

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(5, 4),)


def without_gradient(x):
    return x.data.clamp(min=0)  # wrong


class Gate(nn.Module):
    def forward(self, x):
        return x * without_gradient(x)

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


def length_of(x):
    return x.shape[1]


def block_starts(length, size=4):
    return range(0, length, size)  # wrong


class Blocks(nn.Module):
    def forward(self, x):
        parts = []
        for start in block_starts(length_of(x)):  # wrong
            parts.append(x[:, start : start + 4].mean(1))
        return torch.stack(parts, dim=1)

    @staticmethod
    def example():
        return (torch.randn(2, 8),), (torch.randn(2, 16),)


class Tokens:
    def __init__(self, tensor):
        self.tensor = tensor

    def count(self):
        return self.tensor.shape[1]

    def at(self, index):
        return self.tensor[:, index]


class Folded(nn.Module):
    def forward(self, x):
        tokens = Tokens(x)
        total = tokens.at(0)
        for index in range(1, tokens.count()):  # wrong
            total = total * 0.5 + tokens.at(index)
        return total

    @staticmethod
    def example():
        return (torch.randn(2, 3, 4),), (torch.randn(2, 6, 4),)


class OddPad(nn.Module):
    def forward(self, x):
        if x.shape[-1] % 2:  # wrong
            x = F.pad(x, (0, 1))
        return x


class Downsample(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Tanh(), OddPad(), nn.AvgPool1d(2))

    def forward(self, x):
        return self.body(x)

    @staticmethod
    def example():
        return (torch.randn(1, 2, 8),), (torch.randn(1, 2, 9),)


class Pooled(nn.Module):
    def pool(self, x):
        raise NotImplementedError

    def forward(self, x):
        return torch.relu(self.pool(x))


class MeanPooled(Pooled):
    def pool(self, x):
        return x.sum(dim=1) / len(x[0])  # wrong

    @staticmethod
    def example():
        return (torch.randn(2, 3, 4),), (torch.randn(2, 6, 4),)


def resize(image, scale):
    height, width = image.shape[-2:]
    return F.interpolate(image, size=(int(height * scale), int(width * scale)))  # wrong


class Pyramid(nn.Module):
    def __init__(self):
        super().__init__()
        self.half = partial(resize, scale=0.5)

    def forward(self, image):
        return self.half(image)

    @staticmethod
    def example():
        return (torch.randn(1, 1, 8, 8),), (torch.randn(1, 1, 12, 16),)


def nearest(length, choices):
    return min(choices, key=lambda choice: abs(choice - length))  # wrong


class Bucketed(nn.Module):
    def forward(self, x):
        bucket = nearest(x.shape[1], [4, 8, 16])
        return F.pad(x, (0, bucket))

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(2, 14),)


class CropLike(nn.Module):
    @staticmethod
    def crop(x, height, width):
        top = (x.shape[-2] - height) // 2
        return x[..., top : top + height, :width]

    def _target(self, x):
        return [int(side) // 2 for side in x.shape[-2:]]  # wrong

    def forward(self, x):
        return self.crop(x, *self._target(x))

    @staticmethod
    def example():
        return (torch.randn(1, 1, 8, 8),), (torch.randn(1, 1, 12, 16),)


class Attend(nn.Module):
    @property
    def scale(self):
        return self.width**-0.5

    def forward(self, q, k):
        def positions(length):
            return torch.tensor([float(i) for i in range(length)])  # wrong

        self.width = 4
        return (q @ k.transpose(1, 2) * self.scale + positions(k.shape[1])).softmax(-1)

    @staticmethod
    def example():
        return (torch.randn(2, 3, 4), torch.randn(2, 5, 4)), (torch.randn(2, 3, 4), torch.randn(2, 8, 4))


def causal_mask(length):
    return torch.tril(torch.ones(length, length)).bool()


def pad_by_arithmetic(x, multiple):
    return F.pad(x, (0, (multiple - x.shape[-1] % multiple) % multiple))


class RecordedHelpers(nn.Module):
    """Right: helpers whose arithmetic is recorded."""

    def forward(self, x):
        scores = x @ x.transpose(1, 2)
        scores = scores.masked_fill(~causal_mask(x.shape[1]), -1e4)
        return pad_by_arithmetic(scores.softmax(-1), 4)

    @staticmethod
    def example():
        return (torch.randn(2, 3, 4),), (torch.randn(2, 6, 4),)


class TwoPaths(nn.Module):
    """Right: the rounding helper is given numbers of the constructor."""

    def __init__(self):
        super().__init__()
        self.hidden = self.divisible(8 * 0.6, 4)

    @staticmethod
    def divisible(value, divisor):
        return max(divisor, int(value + divisor / 2) // divisor * divisor)

    def forward(self, x):
        wide = self.divisible(self.hidden * 2, 4)
        return x.repeat(1, wide // self.hidden)

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(5, 4),)
