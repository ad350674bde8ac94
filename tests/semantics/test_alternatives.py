"""A value that may be one of several: one of them that is traced for certain is a hazard wherever Python asks."""

from __future__ import annotations

import pytest
from semantics.programs import reported_lines, reports

MODEL = """
class A(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.k = k
        self.layers = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])
    def forward(self, x):
        size, number = (x.shape[0], x.argmax()) if self.k is None else (self.k, self.k)
        {line}
        return x
"""
LINES = [
    ("n = [1, 2, 3][number]", "ONX210"),
    ("n = [1, 2, 3][size:]", "ONX210"),
    ("n = self.layers[size](x)", "ONX210"),
    ("n = {4: 1, 8: 2}[size]", "ONX210"),
    ("n = {4: 1, 8: 2}.get(size)", "ONX210"),
    ('n = f"batch of {size}"', "ONX208"),
    ("n = size in (4, 8)", "ONX206"),
    ("n = bool(number)", "ONX201"),
]


@pytest.mark.parametrize(("line", "code"), LINES)
def test_one_of_several_is_reported_as_it_would_be_alone(line: str, code: str) -> None:
    alone = MODEL.replace(" if self.k is None else (self.k, self.k)", "")
    assert [(c, at) for c, _, at in reports(alone.format(line=line))] == [(code, line)]
    assert [(c, at) for c, _, at in reports(MODEL.format(line=line))] == [(code, line)]


def test_what_is_unknown_hides_no_traced_operand() -> None:
    found = reports(
        """
class A(nn.Module):
    def forward(self, x, cache):
        is_first = x[0] == 0 or cache.length() == 0
        if is_first: x = x + 1
        return x
"""
    )
    assert [at for code, _, at in found if code == "ONX101"] == [
        "is_first = x[0] == 0 or cache.length() == 0",
        "if is_first: x = x + 1",
    ]


def test_a_size_compared_with_what_may_be_a_tensor_is_traced() -> None:
    found = reports(
        """
class A(nn.Module):
    def __init__(self, head):
        super().__init__()
        self.head = head
    def forward(self, x):
        total = self.head(x)
        if total != x.shape[1]: x = x + 1
        return x
"""
    )
    assert [(code, at) for code, _, at in found] == [("ONX102", "if total != x.shape[1]: x = x + 1")]


def test_a_key_that_is_one_of_two_texts_takes_nothing_else() -> None:
    code = (
        "class Model(nn.Module):\n"
        "    def forward(self, x):\n"
        "        parts = dict(a=[x, x], b=[x], c=x)\n"
        "        return x * len(parts['a' if self.k else {}])\n"
    )
    assert reported_lines(code.format("'b'")) == []
    assert reported_lines(code.format("'c'")) == ["return x * len(parts['a' if self.k else 'c'])"]


def test_the_shape_of_a_tensor_or_dict_is_the_tensor_s() -> None:
    code = (
        "from typing import Dict, Union\n"
        "class Model(nn.Module):\n"
        "    def forward(self, x: Union[torch.Tensor, Dict[str, torch.Tensor]]):\n"
        "        n = tuple(x.shape[2:4])\n"
        "        if n == (3, 4):\n"
        "            return 1\n"
        "        return x\n"
    )
    assert [(code, line) for code, _, line in reports(code) if code < "ONX4"] == [("ONX102", "if n == (3, 4):")]
