"""What tells a rank: checks that fail, also in other functions, and shapes that are taken apart."""

from __future__ import annotations

import pytest
from semantics.programs import reports

CHECKED = """
import torch.nn.functional as F
def check(x, names, raises=True):
    if len(names) > 0 and names[0] == "*":
        names, sizes = names[1:], x.shape[-1:]
    else:
        sizes = x.shape
    if len(sizes) != len(names):
        if raises:
            text = f"got {{len(sizes)}}"
            raise ValueError(text)
        return False
    return True
def check_number(x, n):
    if x.ndim != n:
        raise ValueError("rank")
class A(nn.Module):
    def __init__(self, part):
        super().__init__()
        self.part = part
    def forward(self, x):
        y = self.part(x)
        {line}
        if {asks}: x = x + int(x.sum())
        return x
"""


def is_asked(line: str, asks: str) -> bool:
    return bool([r for r in reports(CHECKED.format(line=line, asks=asks)) if r[0] == "ONX201"])


@pytest.mark.parametrize(
    "line",
    [
        'check(x, ["B", "C", "H"])',
        "check_number(x, 3)",
        "if x.dim() == 3: pass\n        else: raise ValueError()",
        "assert len(x.shape) == 3",
        "a, b, c = x.shape",
    ],
)
def test_a_check_demands_the_rank_of_an_input(line: str) -> None:
    assert not is_asked(line, "x.ndim != 3")
    assert is_asked(line, "x.ndim == 3")


@pytest.mark.parametrize(
    "line",
    [
        "a, b, c = y.shape",
        "a, b, c = y.size()",
        "assert y.ndim == 3",
        "if y.dim() != 3: raise ValueError()",
        "if len(y.shape) == 3: pass\n        else: raise ValueError()",
    ],
)
def test_the_rank_of_any_tensor_is_known_from_there_on(line: str) -> None:
    assert not is_asked(line, "y.ndim != 3")
    assert is_asked("y = y + 1", "y.ndim != 3")


@pytest.mark.parametrize("line", ["if y.ndim == 3: y = y + 1", "a, *b = y.shape", 'check(x, ["*", "C"])', "y[0], y[1]"])
def test_what_leaves_the_rank_open_says_nothing(line: str) -> None:
    assert is_asked(line, "y.ndim != 3") and is_asked(line, "x.ndim != 3")


def test_a_shape_without_its_last_dimension_does_not_tell_the_rank() -> None:
    """`a, b = x.shape[:-1]` is the shape of a tensor of three dimensions, not of two."""
    assert is_asked("a, b = x.shape[:-1]", "x.ndim != 2")


def test_padding_of_unknown_width_keeps_the_rank_and_says_no_size() -> None:
    line = "x = F.pad(x.view(2, 3, 8, 8), self.part, mode='reflect')"
    assert not is_asked(line, "x.ndim != 4")
    assert is_asked(line, "x.shape[3] == 8 and x.shape[2] > 3")


def test_a_tensor_of_the_top_level_has_its_shape() -> None:
    program = """
T = torch.tensor([1, 2, 3])
class A(nn.Module):
    def forward(self, x):
        if T.to(x.device).ndim != 1: x = x + int(x.sum())
        return x
"""
    assert not reports(program) and reports(program.replace("!= 1", "== 1"))


STAGES = """
class Stage(nn.Module):
    def __init__(self):
        super().__init__()
        for i in range(3):
            self.add_module(f"b{i}", nn.ReLU())
    def forward(self, x):
        for block in self.children():
            x = block(x)
        return x
def relu(): return nn.ReLU()
def flat(): return nn.Flatten()
def get(name):
    if callable(name): return name
    return globals().get(name)
class A(nn.Module):
    def __init__(self):
        super().__init__()
        self.stage = Stage()
        self.act = get("relu")()
        self.other = get(relu)()
    def forward(self, x):
        y = self.other(self.act(self.stage(x.view(2, 3, 4))))
        if y.ndim != 3: y = y + int(x.sum())
        return y
"""


def test_children_of_a_module_and_names_of_a_file_are_known() -> None:
    assert not reports(STAGES)
    for before, after in [('get("relu")', 'get("flat")'), ("nn.ReLU())", "nn.Flatten())")]:
        assert reports(STAGES.replace(before, after))
