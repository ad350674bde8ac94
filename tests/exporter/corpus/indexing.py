# ruff: noqa: RUF012
"""P10–P13: reading and writing with tensor indices."""

import torch
from torch import nn, randn, tensor


class ReadNegative(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(4, 6), tensor([0, -1])), (randn(4, 6), tensor([-2, 1]))]

    def forward(self, x, i):
        return x[i]


class ReadTwoNegative(nn.Module):
    """Silently wrong in torchscript, by the converter's fault."""

    result = {"torchscript": "wrong 1", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(4, 6), tensor([0, -1]), tensor([-2, 3])), (randn(4, 6), tensor([-2, 1]), tensor([0, -3]))]

    def forward(self, x, i, j):
        y = x * 2
        return y[i, j]  # torchscript: ONX906


class ReadMask(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(4, 6),), (randn(4, 6),)]

    def forward(self, x):
        return x[x > 0]


class ReadApart(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(2, 2, 2, 3),), (randn(2, 2, 2, 3),)]

    def forward(self, x):
        return x[:, torch.tensor([0, 1]), :, torch.tensor([0, 2])]


class WriteRankTwo(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(3, 4), randn(2, 2)), (randn(3, 4), randn(2, 2))]

    def forward(self, x, new):
        x[torch.tensor([[0, 2], [1, 1]]), torch.tensor([[1, 1], [0, 2]])] = new
        return x


class WriteNegative(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(5, 2), randn(4, 2)), (randn(5, 2), randn(4, 2))]

    def forward(self, x, new):
        x[torch.tensor([1, 2, -2, -1])] = new
        return x


class WriteApart(nn.Module):
    result = {"torchscript": "error translate", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(4, 3, 4), randn(2, 3)), (randn(4, 3, 4), randn(2, 3))]

    def forward(self, x, new):
        x[torch.tensor([2, 3]), :, torch.tensor([1, 2])] = new  # torchscript: ONX903
        return x


class WriteBroadcast(nn.Module):
    result = {"torchscript": "fails 1", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(3, 4, 5), randn(1, 5)), (randn(3, 4, 5), randn(1, 5))]

    def forward(self, x, new):
        x[torch.tensor([[0, 2], [1, 1]])] = new  # torchscript: ONX905
        return x


class WriteExpanded(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(3, 4, 5), randn(1, 5)), (randn(3, 4, 5), randn(1, 5))]

    def forward(self, x, new):
        x[torch.tensor([[0, 2], [1, 1]])] = new.expand(2, 2, 4, 5)
        return x


class WriteMask(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(4, 6),), (randn(4, 6),)]

    def forward(self, x):
        x[x < 0] = 0
        return x


class WriteSlice(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(4, 6), randn(2)), (randn(4, 6), randn(2))]

    def forward(self, x, new):
        x[1:3, 0] = new
        y = x.clone()
        y[0][1] = new[0]
        return y
