# ruff: noqa: RUF012
"""P14–P16, E6–E10: operators without a translation, and the ways to give them one."""

import numpy as np
import torch
from torch import nn, randn


def one():
    return [(randn(4, 6),), (randn(4, 6),)]


class Unsupported(nn.Module):
    """Three uses of two operators, all of them to be told at once."""

    result = {"torchscript": "error translate", "dynamo": "error translate"}
    inputs = staticmethod(one)

    def forward(self, x):
        y = torch.special.airy_ai(x)  # torchscript: ONX903 dynamo: ONX903
        z = torch.special.bessel_j0(y)  # torchscript: ONX903 dynamo: ONX903
        return torch.special.airy_ai(z)  # torchscript: ONX903 dynamo: ONX903


class Elu(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}
    inputs = staticmethod(one)

    def forward(self, x):
        return torch.nn.functional.elu(x, 1.3)


class ReluFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, given):
        return given.clamp(min=0)

    @staticmethod
    def symbolic(g, given):
        return g.op("Clip", given, g.op("Constant", value_t=torch.tensor(0, dtype=torch.float)))


class ReluWithSymbolic(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}
    inputs = staticmethod(one)

    def forward(self, x):
        return ReluFunction.apply(x)


class LogExpFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, given):
        return given.exp().log()


class LogExpInlined(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}
    inputs = staticmethod(one)

    def forward(self, x):
        return LogExpFunction.apply(x)


class NumpyFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, given):
        return torch.from_numpy(np.sin(given.numpy()))  # torchscript: ONX204


class NumpyInFunction(nn.Module):
    result = {"torchscript": "wrong 2", "dynamo": "right strict"}
    inputs = staticmethod(one)

    def forward(self, x):
        return NumpyFunction.apply(x) + x


class Mismatched(nn.Module):
    """Dropout without ``training=``: random in every run, so nothing can be compared."""

    result = {"torchscript": "random", "dynamo": "random"}
    inputs = staticmethod(one)

    def forward(self, x):
        return torch.nn.functional.dropout(x, 0.5)  # torchscript: ONX914 dynamo: ONX914
