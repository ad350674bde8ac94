# ruff: noqa: RUF012
"""P7–P9, P19, P20: what goes in and out."""

import torch
from torch import nn, randn


def one():
    return [(randn(4, 6),), (randn(4, 6),)]


class DictOutput(nn.Module):
    """The keys are lost, the values right."""

    result = {"torchscript": "right", "dynamo": "right"}
    inputs = staticmethod(one)

    def forward(self, x):
        return {"a": x + 1, "b": x - 1}


class DictInput(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [({"a": randn(4, 6), "b": randn(4, 6)}, {}), ({"a": randn(4, 6), "b": randn(4, 6)}, {})]

    def forward(self, d):
        return d["a"] + d["b"] * 2


class StringOutput(nn.Module):
    result = {"torchscript": "right", "dynamo": "error translate"}
    inputs = staticmethod(one)

    def forward(self, x):
        return x + 1, "hello"  # torchscript: ONX402 dynamo: ONX402


class NoneOutput(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}
    inputs = staticmethod(one)

    def forward(self, x):
        return x + 1, None


class IntOutput(nn.Module):
    result = {"torchscript": "error capture", "dynamo": "error translate"}
    inputs = staticmethod(one)

    def forward(self, x):
        return x + 1, 5  # torchscript: ONX402 dynamo: ONX402


class NestedOutput(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}
    inputs = staticmethod(one)

    def forward(self, x):
        return x + 1, (x * 2, [x * 3, x * 4])


class ListOutput(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}
    inputs = staticmethod(one)

    def forward(self, x):
        return [x, x + 1, x * 2]


class SplitOutput(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}
    inputs = staticmethod(one)

    def forward(self, x):
        return torch.split(x, 2)


class OptionalInput(nn.Module):
    result = {"torchscript": "right", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(4, 6), None), (randn(4, 6), None)]

    def forward(self, x, y: torch.Tensor | None = None):
        return x * 2 if y is None else x + y


class StringInput(nn.Module):
    """Frozen without a word; right as long as the argument stays."""

    result = {"torchscript": "right", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(4, 6), "add"), (randn(4, 6), "add")]

    def forward(self, x, mode: str):
        return x + 1 if mode == "add" else x - 1


class NumberInput(nn.Module):
    """A number is an input of the graph in torchscript, a constant in dynamo."""

    result = {"torchscript": "right", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(4, 6), 3), (randn(4, 6), 3)]

    def forward(self, x, k: int):
        return x * k


class KeywordInput(nn.Module):
    """torchscript passes every argument by position, so it cannot have keyword-only ones."""

    result = {"torchscript": "error capture", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [((randn(4, 6),), {"bias": randn(4, 6)}), ((randn(5, 6),), {"bias": randn(5, 6)})]

    def forward(self, x, scale=2.0, *, bias):  # torchscript: ONX902
        return x * scale + bias


class DefaultNumber(nn.Module):
    """torchscript makes an input of the default."""

    result = {"torchscript": "right", "dynamo": "right"}

    @staticmethod
    def inputs():
        return [(randn(4, 6),), (randn(5, 6),)]

    def forward(self, x, scale=2.0, bias=None):
        return x * scale if bias is None else x * scale + bias


class ListScripted(nn.Module):
    def forward(self, x):  # dynamo: ONX918
        rows = []
        for i in range(x.size(0)):
            rows.append(x[i] * i)
        return rows


def scripted_list():
    return torch.jit.script(ListScripted())


scripted_list.inputs = lambda: [(randn(4, 6),), (randn(5, 6),)]
scripted_list.result = {"torchscript": "right", "dynamo": "error capture"}


class DictScripted(nn.Module):
    def forward(self, x):  # dynamo: ONX918
        return {"a": x + 1, "b": x - 1}  # torchscript: ONX910


def scripted_dict():
    return torch.jit.script(DictScripted())


scripted_dict.inputs = one
scripted_dict.result = {"torchscript": "error translate", "dynamo": "error capture"}


class TuplesScripted(nn.Module):
    def forward(self, x):  # dynamo: ONX918
        rows: list[tuple[torch.Tensor, torch.Tensor]] = []
        for i in range(x.size(0)):
            rows.append((x[i], x[i] * 2))  # torchscript: ONX903
        return rows[0][0]


def scripted_tuples():
    return torch.jit.script(TuplesScripted())


scripted_tuples.inputs = lambda: [(randn(4, 6),), (randn(5, 6),)]
scripted_tuples.result = {"torchscript": "error translate", "dynamo": "error capture"}
