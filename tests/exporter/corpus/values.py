# ruff: noqa: RUF012
"""P1–P4: NumPy, Python built-ins, ``.item()``, ``.data``.

In every file of this folder a case is a Module with ``inputs`` (of the list, the second is the second input; sizes
that differ are dynamic axes), ``result`` per engine, and ``# engine: CODE`` on each line that must be reported.
"""

import math

import numpy as np
import torch
from torch import nn, randn, tensor


class NumpyConcat(nn.Module):
    result = {"torchscript": "wrong 2", "dynamo": "right strict"}

    @staticmethod
    def inputs():
        return [(randn(2, 3), randn(2, 3)), (randn(2, 3), randn(2, 3))]

    def forward(self, x, y):
        x = x.numpy()  # torchscript: ONX204
        y = y.numpy()  # torchscript: ONX204
        joined = np.concatenate((x, y))
        return torch.from_numpy(joined)  # torchscript: ONX204


class NumpyMixed(nn.Module):
    result = {"torchscript": "wrong 2", "dynamo": "right strict"}

    @staticmethod
    def inputs():
        return [(randn(2, 3), randn(2, 3)), (randn(2, 3), randn(2, 3))]

    def forward(self, x, y):
        doubled = np.sin(x.numpy())  # torchscript: ONX204
        return torch.from_numpy(doubled) + y  # torchscript: ONX204


class TorchConcat(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(2, 3), randn(2, 3)), (randn(5, 3), randn(5, 3))]

    def forward(self, x, y):
        return torch.cat((x, y))


class ItemReshape(nn.Module):
    result = {"torchscript": "wrong 2", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(4, 6), tensor(2)), (randn(4, 6), tensor(3))]

    def forward(self, x, y):
        return x.reshape(y.item(), -1)  # torchscript: ONX202


class TensorReshape(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(4, 6), tensor(2)), (randn(4, 6), tensor(3))]

    def forward(self, x, y):
        return x.reshape(y, -1)


class ItemScale(nn.Module):
    result = {"torchscript": "wrong 2", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(4, 6),), (randn(4, 6) * 3,)]

    def forward(self, x):
        largest = x.max()
        scale = largest.item()  # torchscript: ONX202
        return x * scale


class FloatScale(nn.Module):
    result = {"torchscript": "wrong 2", "dynamo": "right strict"}

    @staticmethod
    def inputs():
        return [(randn(4, 6),), (randn(4, 6) * 3,)]

    def forward(self, x):
        return x * float(x.max())  # torchscript: ONX201


class BoolFactor(nn.Module):
    """torchscript has no product of a tensor and a bool, and says so without a place."""

    result = {"torchscript": "error translate", "dynamo": "right strict"}

    @staticmethod
    def inputs():
        return [(torch.ones(4, 6),), (-torch.ones(4, 6),)]

    def forward(self, x):
        positive = bool(x.sum() > 0)
        return x * positive  # torchscript: ONX903


class IntSlice(nn.Module):
    result = {"torchscript": "wrong 2", "dynamo": "right strict"}

    @staticmethod
    def inputs():
        return [(randn(6, 2), tensor(2)), (randn(6, 2), tensor(3))]

    def forward(self, x, n):
        return x[: int(n)]  # torchscript: ONX201


class ListScale(nn.Module):
    result = {"torchscript": "wrong 2", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(4, 2), tensor([2.0, 3.0])), (randn(4, 2), tensor([5.0, 7.0]))]

    def forward(self, x, s):
        first, second = s.tolist()  # torchscript: ONX203
        return x * first + second


class MathSqrt(nn.Module):
    result = {"torchscript": "wrong 2", "dynamo": "error capture"}

    @staticmethod
    def inputs():
        return [(randn(4, 6),), (randn(4, 6) * 3,)]

    def forward(self, x):
        norm = (x * x).sum()
        return x / math.sqrt(norm)  # torchscript: ONX201 dynamo: ONX201


class DataOnly(nn.Module):
    result = {"torchscript": "wrong 2", "dynamo": "error capture"}

    @staticmethod
    def inputs():
        return [(randn(4, 6),), (randn(4, 6),)]

    def forward(self, x):
        return x.data * 2  # torchscript: ONX205 dynamo: ONX205|ONX911


class DataMixed(nn.Module):
    result = {"torchscript": "wrong 2", "dynamo": "error capture"}

    @staticmethod
    def inputs():
        return [(randn(4, 6),), (randn(4, 6),)]

    def forward(self, x):
        frozen = x.data  # torchscript: ONX205 dynamo: ONX205|ONX911
        doubled = frozen * 2
        return doubled + x


class Detach(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(4, 6),), (randn(4, 6),)]

    def forward(self, x):
        return x.detach() * 2
