"""NumPy on tensors and sizes."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class ScaledAttention(nn.Module):
    def forward(self, q, k):
        scores = q @ k.transpose(1, 2) / np.sqrt(q.size(-1))  # wrong
        return scores.softmax(-1)

    @staticmethod
    def example():
        return (torch.randn(2, 3, 4), torch.randn(2, 5, 4)), (torch.randn(2, 3, 16), torch.randn(2, 5, 16))


class Clip(nn.Module):
    def forward(self, x):
        array = x.detach().numpy()  # wrong
        return torch.from_numpy(np.clip(array, -1, 1)) * 2

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(3, 4),)


class FlattenRest(nn.Module):
    def forward(self, x):
        return x.reshape(-1, np.prod(x.shape[1:])).cumsum(1)  # wrong

    @staticmethod
    def example():
        return (torch.randn(2, 3, 4),), (torch.randn(4, 3, 5),)


class PositionColumn(nn.Module):
    def forward(self, x):
        positions = torch.from_numpy(np.arange(x.shape[1], dtype=np.float32))  # wrong
        return x + positions

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(2, 7),)


class Ramp(nn.Module):
    def forward(self, x):
        ramp = np.linspace(0.0, 1.0, x.shape[-1])  # wrong
        return x * torch.as_tensor(ramp, dtype=x.dtype)

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(2, 9),)


class LogLength(nn.Module):
    def forward(self, x):
        return x.sum(1) * np.log(x.shape[1])  # wrong

    @staticmethod
    def example():
        return (torch.randn(2, 4),), (torch.randn(2, 9),)


class Ranked(nn.Module):
    def forward(self, scores, boxes):
        order = np.argsort(scores.cpu().numpy())  # wrong
        return boxes[torch.from_numpy(order)]

    @staticmethod
    def example():
        boxes = torch.rand(3, 4)
        return (torch.tensor([0.1, 0.2, 0.3]), boxes), (torch.tensor([0.9, 0.2, 0.5]), boxes)


class Window(nn.Module):
    def forward(self, frames):
        window = torch.tensor(np.hanning(frames.size(-1)), dtype=frames.dtype)  # wrong
        return frames * window

    @staticmethod
    def example():
        return (torch.randn(2, 8),), (torch.randn(2, 12),)


class Resize(nn.Module):
    def forward(self, image):
        size = np.ceil(np.array(image.shape[2:]) / 3).astype(int)  # wrong
        return F.interpolate(image, size=tuple(size.tolist()))

    @staticmethod
    def example():
        return (torch.randn(1, 2, 6, 6),), (torch.randn(1, 2, 12, 9),)


class Jitter(nn.Module):
    def forward(self, x):
        noise = np.random.rand(x.shape[1])  # wrong
        return x + 0.01 * torch.from_numpy(noise)

    @staticmethod
    def example():
        return (torch.randn(2, 8),), (torch.randn(2, 5),)


class Diagonal(nn.Module):
    def forward(self, x):
        eye = np.eye(x.shape[-1], dtype="float32")  # wrong
        return x * (1 - torch.tensor(eye))

    @staticmethod
    def example():
        return (torch.randn(2, 4, 4),), (torch.randn(2, 6, 6),)


class Percentile(nn.Module):
    def forward(self, x):
        cut = np.percentile(x, 90)  # wrong
        return x.clamp(max=float(cut))

    @staticmethod
    def example():
        return (torch.randn(4, 8),), (torch.randn(4, 8) * 3,)


class Constants(nn.Module):
    """Right: NumPy on what the constructor knows."""

    def __init__(self, kernel=(3, 3), dim=16):
        super().__init__()
        self.kernel, self.dim = kernel, dim

    def forward(self, x):
        weight = torch.from_numpy(np.hanning(int(np.prod(self.kernel))).astype("float32"))
        return x * np.pi / np.sqrt(self.dim) + weight.sum()

    @staticmethod
    def example():
        return (torch.randn(2, 8),), (torch.randn(3, 5),)
