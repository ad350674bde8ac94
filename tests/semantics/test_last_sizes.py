"""The last dimension of a tensor of which the number of dimensions is not known."""

import pytest

from onnx_lint.diagnostic import Severity
from onnx_lint.testing import check_source

SOURCE = """
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self, hidden: int, part: nn.Module):
        super().__init__()
        self.part = part
        self.linear = nn.Linear(8, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.table = nn.Embedding(100, 12)
        self.scale = nn.Parameter(torch.ones(hidden))

    def forward(self, x):
        x = self.part(x)
        {statement}
        if {size} > 3:
            x = x + 1
        return x
"""

FIXED = {
    "a layer": ("x = self.linear(x)", "x.shape[-1]"),
    "a norm": ("x = self.norm(x)", "x.size(-1)"),
    "a table": ("x = self.table(x.long())", "x.shape[-1]"),
    "element by element": ("x = torch.relu(self.linear(x)) * 2", "x.shape[-1]"),
    "a parameter beside it": ("x = self.linear(x) * self.scale", "x.shape[-1]"),
    "another tensor beside it": ("x = self.linear(x) + self.part(x)", "x.shape[-1]"),
    "a weight": ("x = F.linear(x, self.linear.weight)", "x.shape[-1]"),
    "a product": ("x = x @ torch.ones(8, 4)", "x.shape[-1]"),
    "unpacked behind a star": ("*lead, c = self.linear(x).shape", "c"),
    "unpacked": ("a, b, c = self.linear(x).shape", "c"),
    "of the end of a shape": ("c = self.linear(x).shape[-2:]", "c[1]"),
    "of one of two": ("x = self.linear(x) if self.training else self.norm(x)", "x.shape[-1]"),
}
FREE = {
    "what a part returns": ("pass", "x.shape[-1]"),
    "another dimension": ("x = self.linear(x)", "x.shape[-2]"),
    "turned": ("x = self.linear(x).transpose(1, 2)", "x.shape[-1]"),
    "cut": ("x = self.linear(x)[..., : x.shape[0]]", "x.shape[-1]"),
    "joined": ("x = torch.cat([self.linear(x), x], -1)", "x.shape[-1]"),
    "of one of two, one of them free": ("x = self.linear(x) if self.training else x.abs()", "x.shape[-1]"),
    "unpacked, in the middle": ("a, b, c = self.linear(x).shape", "b"),
}


def _severities(statement: str, size: str) -> set[Severity]:
    found = check_source(SOURCE.replace("{statement}", statement).replace("{size}", size))
    return {d.severity for d in found if d.code == "ONX102"}


@pytest.mark.parametrize("name", FIXED)
def test_a_size_that_the_model_fixes_is_information(name: str) -> None:
    assert _severities(*FIXED[name]) <= {Severity.INFO}


@pytest.mark.parametrize("name", FREE)
def test_a_size_that_may_change_is_a_warning(name: str) -> None:
    assert _severities(*FREE[name]) == {Severity.WARNING}
