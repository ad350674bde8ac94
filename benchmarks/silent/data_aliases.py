"""`.data`, copies, views and other names of the same thing."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import nn


class DataTwice(nn.Module):
    def forward(self, x):
        return x.data * 2 + x  # wrong

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class StopGradient(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(4, 4)

    def forward(self, x):
        target = self.project(x).data  # wrong
        return F.cosine_similarity(self.project(x), target + x, dim=-1)

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class ZeroThroughData(nn.Module):
    def forward(self, x):
        y = x * 2
        y.data[y < 0] = 0  # wrong
        return y

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class Normalise(nn.Module):
    def forward(self, x):
        norm = x.data.norm(dim=-1, keepdim=True)  # wrong
        return x / norm

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class GrowAliased(nn.Module):
    def forward(self, x):
        n = x.shape[1]
        padded = n
        padded += 2  # wrong
        return torch.arange(n) + torch.zeros(x.shape[0], 1), torch.arange(padded)

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(2, 7),)


class GrowInTuple(nn.Module):
    def forward(self, x):
        length = x.size(1)
        sizes = (x.size(0), length)
        length *= 2  # wrong
        return x.new_zeros(sizes), torch.arange(length)

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 5),)


class ShapeTensor(nn.Module):
    def forward(self, x):
        size = torch.tensor(x.shape)  # wrong
        size += 2
        return size * 2

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 5),)


class ScaleBoxes(nn.Module):
    def forward(self, boxes, image):
        h, w = image.shape[-2:]
        scale = torch.tensor([w, h, w, h], dtype=boxes.dtype)  # wrong
        return boxes * scale

    @staticmethod
    def example():
        return (torch.rand(3, 4), torch.randn(1, 3, 8, 6)), (torch.rand(5, 4), torch.randn(1, 3, 12, 10))


class FromShape(nn.Module):
    def forward(self, x):
        sizes = torch.as_tensor([x.shape[0], x.shape[1]])  # wrong
        return x.sum() / sizes.prod()

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 5),)


class DeepCopy(nn.Module):
    def forward(self, x):
        features = torch.relu(x)
        kept = copy.deepcopy(features)  # wrong
        return features * 2 + kept

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class FirstColumn(nn.Module):
    def forward(self, x):
        y = x * 3
        first = y[:, 0]
        first.add_(10)  # wrong
        return y

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class Halves(nn.Module):
    def forward(self, x):
        y = torch.relu(x)
        left, right = y.chunk(2, dim=1)
        left *= 2  # wrong
        return y + right.mean()

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class FlatView(nn.Module):
    def forward(self, x):
        y = x + 1
        flat = y.view(-1)
        flat.clamp_(min=0.5)  # wrong
        return y

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class Transposed(nn.Module):
    def forward(self, x):
        y = x.exp()
        swapped = y.transpose(1, 2)
        swapped.mul_(2)  # wrong
        return y

    @staticmethod
    def example():
        return (torch.randn(2, 4, 3),), (torch.randn(3, 4, 5),)


class OldConstructor(nn.Module):
    def forward(self, x):
        weights = torch.FloatTensor([1.0 / x.shape[1]])  # wrong
        return x.sum(1) * weights

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(2, 7),)


class Detached(nn.Module):
    """Right: `detach` is recorded."""

    def forward(self, x):
        scale = x.detach().norm(dim=-1, keepdim=True)
        return x.clone() / scale

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class GrowAlone(nn.Module):
    """Right: no other name holds the size; slices are written to in place."""

    def forward(self, x):
        n = x.shape[1]
        n += 2
        y = x.new_zeros(x.shape[0], n)
        y[:, : x.shape[1]] = x
        y[:, 0] += 1
        return y

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 6),)
