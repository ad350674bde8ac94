# ruff: noqa: RUF012
"""P5, P6, E15: sizes, branches, loops."""

import numpy as np
import torch
from torch import nn, ones, randn


def batch():
    return [(randn(4, 6),), (randn(5, 6),)]


class PlainSizeSum(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}
    inputs = staticmethod(batch)

    def forward(self, x):
        n = x.shape[0]
        n += 2
        return torch.zeros(n, 3) + x.sum()


class AliasedSize(nn.Module):
    """Wrong even on the example: the other name of the size changes with it."""

    result = {"torchscript": "wrong 1", "dynamo": "right"}
    inputs = staticmethod(batch)

    def forward(self, x):
        n = x.shape[0]
        before = n
        n += 2  # torchscript: ONX906
        return torch.zeros(n, 3) + before


class MinOfSizes(nn.Module):
    """The same one is the smaller for both inputs, and the other one for larger inputs."""

    result = {"torchscript": "wrong searched", "dynamo": "right"}
    inputs = staticmethod(batch)

    def forward(self, x):
        k = min(x.shape[0], 10)  # torchscript: ONX206
        return x[:k] * k


class TensorOfShape(nn.Module):
    """Wrong even on the example: the in-place sum is recorded twice."""

    result = {"torchscript": "wrong 1", "dynamo": "right"}
    inputs = staticmethod(batch)

    def forward(self, x):
        a = torch.tensor(x.shape)  # torchscript: ONX209|ONX906
        a += 2  # torchscript: ONX906
        return x.reshape(-1)[: a[0]]


class IntShape(nn.Module):
    result = {"torchscript": "fails 2", "dynamo": "right strict"}
    inputs = staticmethod(batch)

    def forward(self, x):
        n = int(x.shape[0])  # torchscript: ONX201
        return x.reshape(n, -1)


class LenOfTensor(nn.Module):
    result = {"torchscript": "fails 2", "dynamo": "right strict"}
    inputs = staticmethod(batch)

    def forward(self, x):
        return x.reshape(len(x), -1)  # torchscript: ONX207


class NumpyProd(nn.Module):
    result = {"torchscript": "wrong 2", "dynamo": "right"}
    inputs = staticmethod(batch)

    def forward(self, x):
        return x * np.prod(x.shape)  # torchscript: ONX204


class RoundSize(nn.Module):
    result = {"torchscript": "error capture", "dynamo": "error translate"}
    inputs = staticmethod(batch)

    def forward(self, x):
        return x[: round(x.shape[0] * 0.5)]  # torchscript: ONX201|ONX902 dynamo: ONX201|ONX903


class TensorOfSize(nn.Module):
    """Warned about, and right."""

    result = {"torchscript": "right", "dynamo": "right"}
    inputs = staticmethod(batch)

    def forward(self, x):
        return x * torch.tensor(x.shape[0])


class ValueBranch(nn.Module):
    result = {"torchscript": "wrong 2", "dynamo": "error capture"}

    @staticmethod
    def inputs():
        return [(ones(4, 6),), (-ones(4, 6),)]

    def forward(self, x):
        if x.sum() > 0:  # torchscript: ONX101 dynamo: ONX101
            return x + 1
        return x - 1


class ValueTernary(nn.Module):
    result = {"torchscript": "wrong 2", "dynamo": "error capture"}

    @staticmethod
    def inputs():
        return [(ones(4, 6),), (-ones(4, 6),)]

    def forward(self, x):
        return x + 1 if x.sum() > 0 else x - 1  # torchscript: ONX101 dynamo: ONX101


class ValueWhile(nn.Module):
    result = {"torchscript": "wrong 2", "dynamo": "error capture"}

    @staticmethod
    def inputs():
        return [(ones(4),), (ones(4) * 9,)]

    def forward(self, x):
        while x.sum() < 100:  # torchscript: ONX101 dynamo: ONX101
            x = x * 2
        return x


class ValueAnd(nn.Module):
    result = {"torchscript": "wrong 2", "dynamo": "error capture"}

    @staticmethod
    def inputs():
        return [(ones(4, 6),), (-ones(4, 6),)]

    def forward(self, x):
        largest = (x.sum() > 0) and x.max()  # torchscript: ONX101 dynamo: ONX101
        return x * largest


class ThreeValues(nn.Module):
    """All places that need a value while exporting, at once; the last names of dynamo are those of draft_export."""

    result = {"torchscript": "wrong 2", "dynamo": "error capture"}

    @staticmethod
    def inputs():
        return [(ones(4, 6), torch.tensor([2, 3])), (-ones(4, 6), torch.tensor([5, 0]))]

    def forward(self, x, y):
        if x.sum() > 0:  # torchscript: ONX101 dynamo: ONX101
            x = x + 1
        n = int(y.max())  # torchscript: ONX201 dynamo: ONX201
        if n > 3:
            x = x * 2
        while y.min() < 1:  # torchscript: ONX101 dynamo: ONX101
            y = y + 1
        return x[:n] + y.sum()


class ShapeBranch(nn.Module):
    result = {"torchscript": "wrong 2", "dynamo": "wrong 2"}
    inputs = staticmethod(batch)

    def forward(self, x):
        if x.shape[0] > 4:  # torchscript: ONX102 dynamo: ONX102
            return x + 1
        return x - 1


class ShapeEqual(nn.Module):
    result = {"torchscript": "wrong 2", "dynamo": "error capture"}
    inputs = staticmethod(batch)

    def forward(self, x):
        if x.shape[0] == 4:  # torchscript: ONX102 dynamo: ONX102
            return x + 1
        return x - 1


class RangeLoop(nn.Module):
    """Silent in torchscript: no warning at all."""

    result = {"torchscript": "wrong 2", "dynamo": "error capture"}
    inputs = staticmethod(batch)

    def forward(self, x):
        total = torch.zeros(6)
        for i in range(x.shape[0]):  # torchscript: ONX105 dynamo: ONX105
            total = total + x[i]
        return total


class WriteLoop(nn.Module):
    result = {"torchscript": "wrong 2", "dynamo": "error capture"}
    inputs = staticmethod(batch)

    def forward(self, x):
        y = torch.zeros_like(x)
        for i in range(x.shape[0]):  # torchscript: ONX105 dynamo: ONX105
            y[i] = x[i] * i
        return y


class IterateTensor(nn.Module):
    result = {"torchscript": "fails 2", "dynamo": "error capture"}
    inputs = staticmethod(batch)

    def forward(self, x):
        return torch.stack([row * 2 for row in x])  # torchscript: ONX104 dynamo: ONX104


class ScriptedLoop(nn.Module):
    def forward(self, x):  # dynamo: ONX918
        rows = []
        for i in range(x.size(0)):
            rows.append(x[i] * i)
        return torch.stack(rows)


class ScriptedBranch(nn.Module):
    def forward(self, x):  # dynamo: ONX918
        if bool(x.sum() > 0):
            return x + 1
        return x - 1


def scripted_loop():
    return torch.jit.script(ScriptedLoop())


scripted_loop.inputs = batch
scripted_loop.result = {"torchscript": "right", "dynamo": "error capture"}


def scripted_branch():
    return torch.jit.script(ScriptedBranch())


scripted_branch.inputs = lambda: [(ones(4, 6),), (-ones(4, 6),)]
scripted_branch.result = {"torchscript": "right", "dynamo": "error capture"}


class Cond(nn.Module):
    result = {"torchscript": "error capture", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(ones(4, 6),), (-ones(4, 6),)]

    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda t: t + 1, lambda t: t - 1, (x,))  # torchscript: ONX902


class Asserts(nn.Module):
    """A statement that only checks is worth knowing, not more."""

    result = {"torchscript": "right", "dynamo": "right"}
    inputs = staticmethod(batch)

    def forward(self, x):
        assert x.shape[0] > 2, "too small"
        return x + 1


class CleanSizes(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}
    inputs = staticmethod(batch)

    def forward(self, x):
        n, c = x.shape
        y = x.view(x.size(0), 2, 3).reshape(n, c)
        return y + torch.arange(x.shape[0]).unsqueeze(1) + x.sum() / x.numel()
