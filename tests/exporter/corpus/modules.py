# ruff: noqa: RUF012
"""P17, P18, P22 and whole models."""

import torch
from torch import nn, randn


class Recurrent(nn.Module):
    """Dynamic batch and dynamic length; dynamo keeps the length of the example."""

    result = {"torchscript": "right", "dynamo": "fails 2"}

    def __init__(self):
        super().__init__()
        self.layer = nn.LSTM(5, 3, 2)

    @staticmethod
    def inputs():
        return [(randn(4, 2, 5), (randn(2, 2, 3), randn(2, 2, 3))), (randn(7, 3, 5), (randn(2, 3, 3), randn(2, 3, 3)))]

    def forward(self, x, state):
        return self.layer(x, state)  # dynamo: ONX905


class SmallAlexNet(nn.Module):
    """Any number of images."""

    result = {"torchscript": "right", "dynamo": "right"}

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 11, 4, 2),
            nn.ReLU(True),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(8, 16, 5, padding=2),
            nn.ReLU(True),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(16, 16, 3, padding=1),
            nn.ReLU(True),
            nn.MaxPool2d(3, 2),
        )
        self.pool = nn.AdaptiveAvgPool2d((6, 6))
        self.classify = nn.Sequential(nn.Dropout(), nn.Linear(16 * 36, 32), nn.ReLU(True), nn.Linear(32, 10))

    @staticmethod
    def inputs():
        return [(randn(2, 3, 224, 224),), (randn(3, 3, 224, 224),)]

    def forward(self, x):
        return self.classify(torch.flatten(self.pool(self.features(x)), 1))


class AdaptivePool(nn.Module):
    """torchscript refuses sizes that are no multiple of the output's."""

    result = {"torchscript": "error translate", "dynamo": "right"}

    def __init__(self):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d((6, 6))

    @staticmethod
    def inputs():
        return [(randn(2, 3, 13, 13),), (randn(3, 3, 13, 13),)]

    def forward(self, x):
        return self.pool(x)  # torchscript: ONX903


class ConvNorm(nn.Module):
    """Batch norm in eval mode, fused into the convolution."""

    result = {"torchscript": "right", "dynamo": "right"}

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)

    @staticmethod
    def inputs():
        return [(randn(2, 3, 8, 9),), (randn(3, 3, 10, 11),)]

    def forward(self, x):
        return torch.relu(self.norm(self.conv(x)))


class Mutating(nn.Module):
    """State that changes from call to call."""

    result = {"torchscript": "wrong 1", "dynamo": "wrong searched"}

    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(1))

    @staticmethod
    def inputs():
        return [(randn(4, 6),), (randn(4, 6),)]

    def forward(self, x):
        self.count += 1  # torchscript: ONX906 dynamo: ONX920
        return x + self.count


class ScalarTypes(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(torch.arange(6).reshape(2, 3),), (torch.arange(9).reshape(3, 3),)]

    def forward(self, x):
        return x / 2 + x * 1.5 + (x > 2)


class Attention(nn.Module):
    """Dynamic batch and dynamic length."""

    result = {"torchscript": "right", "dynamo": "right"}

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(8, 24)
        self.norm = nn.LayerNorm(8)

    @staticmethod
    def inputs():
        return [(randn(2, 5, 8),), (randn(3, 7, 8),)]

    def forward(self, x):
        b, s, c = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(b, s, 3, 2, c // 2).permute(2, 0, 3, 1, 4).unbind(0)
        y = torch.nn.functional.scaled_dot_product_attention(q, k, v)
        return x + torch.nn.functional.gelu(y.transpose(1, 2).reshape(b, s, c))
