"""What a guard such as ``torch.jit.is_tracing()`` says of the engines that come by holds beside operands that are not
decided, through names, and through what helper functions are given and return."""

from __future__ import annotations

import pytest

from onnx_lint.testing import check_source

HEAD = """
import torch
from torch import nn

def compiling():
    return torch.compiler.is_compiling()

def exporting(available=None):
    if torch.jit.is_scripting():
        return False
    try:
        return torch.compiler.is_exporting()
    except Exception:
        return False

class Net(nn.Module):
    def __init__(self, f: bool):
        super().__init__()
        self.f = f

"""

TORCHSCRIPT, DYNAMO, BOTH = {"torchscript"}, {"dynamo"}, {"torchscript", "dynamo"}


def engines(*lines: str) -> set[str]:
    """The engines for which ONX101 is told anywhere in a ``forward(self, x, flag)``."""
    body = "".join(f"        {line}\n" for line in lines)
    found = check_source(f"{HEAD}    def forward(self, x, flag: bool):\n{body}")
    return {engine.value for d in found if d.code == "ONX101" for engine in d.engines}


HAZARD = "    if x.sum() > 0: return x + 1"


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("not torch.jit.is_tracing() and self.f", DYNAMO),
        ("not torch.jit.is_tracing() and flag", DYNAMO),
        ("not torch.jit.is_tracing() and x.shape[0] > 2", DYNAMO),
        ("self.f and not torch.compiler.is_exporting()", TORCHSCRIPT),
        ("not torch.compiler.is_exporting() and self.f and flag", TORCHSCRIPT),
        ("torch.jit.is_tracing() and self.f", TORCHSCRIPT),
        ("not (torch.jit.is_tracing() or self.f)", DYNAMO),
        ("torch.jit.is_tracing() or self.f", BOTH),
        ("not exporting() and self.f", TORCHSCRIPT),
        ("self.f", BOTH),
    ],
)
def test_a_guard_beside_an_undecided_operand(test: str, expected: set[str]) -> None:
    assert engines(f"if {test}:", HAZARD, "return x") == expected
    assert engines(f"if not ({test}):", "    return x", HAZARD.strip(), "return x") == expected
    assert engines(f"return (x + 1 if x.sum() > 0 else x) if {test} else x") == expected
    assert engines(f"guard = {test}", "if guard:", HAZARD, "return x") == expected


@pytest.mark.parametrize("early", ["if torch.jit.is_tracing() or self.f:", "if self.f or torch.jit.is_tracing():"])
def test_an_early_return_leaves_the_other_engine(early: str) -> None:
    assert engines(early, "    return x", HAZARD.strip(), "return x") == DYNAMO


def test_a_way_that_ends_deeper_for_one_engine_leaves_the_other_engine() -> None:
    deep = ("if not torch.jit.is_tracing():", "    return x")
    assert engines("if self.f:", *(f"    {line}" for line in deep), "    flag = 1", HAZARD, "return x") == TORCHSCRIPT
    # the way around the outer branch brings both
    assert engines("if self.f:", *(f"    {line}" for line in deep), HAZARD.strip(), "return x") == BOTH


def test_what_leaves_a_loop_for_one_engine_comes_back_behind_it() -> None:
    loop = ("for i in range(3):", "    if torch.jit.is_tracing():", "        break")
    assert engines(*loop, HAZARD.strip(), "return x") == BOTH
    assert engines(*loop, HAZARD, "return x") == DYNAMO


@pytest.mark.parametrize(
    ("test", "codes"),
    [
        ("if a or b:", {("ONX101", "torchscript"), ("ONX102", "dynamo")}),
        ("if b:", {("ONX101", "torchscript")}),
        ("if a:", {("ONX102", "dynamo")}),
        ("if b and x.shape[2] > 1:", {("ONX101", "torchscript")}),
    ],
)
def test_a_guard_is_kept_through_names(test: str, codes: set[tuple[str, str]]) -> None:
    """Of one condition each engine gets the gravest site."""
    source = f"""{HEAD}    def forward(self, x, pos: torch.Tensor):
        a = compiling() and x.shape[1] != 1
        b = not compiling() and pos[0] == 0
        {test}
            return x * 2
        return x + pos
"""
    found = check_source(source)
    assert {(d.code, engine.value) for d in found for engine in d.engines} == codes


def test_a_value_of_one_engine_stays_its_own_behind_the_branch_and_in_calls() -> None:
    source = f"""{HEAD}    def apply(self, x, params):
        pad = None
        if torch.compiler.is_exporting() or torch.compiler.is_compiling():
            pad = None
        elif "k" in params and isinstance(params["k"], torch.Tensor):
            pad = params["k"].unique(dim=0).tolist()
        return self.pre(x, pad)

    def pre(self, x, pad=None):
        if pad is None:
            pad = [0, 0]
        if any(pad):
            x = x + 1
        return x

    def forward(self, x):
        return self.apply(x, {{"k": (x > 0).long()}})
"""
    assert {(d.code, engine.value) for d in check_source(source) for engine in d.engines} == {("ONX203", "torchscript")}
    # dynamo comes here, and follows the numbers
    guarded = "if torch.compiler.is_exporting() or torch.compiler.is_compiling():"
    found = check_source(source.replace(guarded, "if self.f:"))
    assert {(d.code, engine.value) for d in found for engine in d.engines} == {
        ("ONX203", "torchscript"),
        ("ONX101", "dynamo"),
    }


def test_a_helper_gives_each_engine_its_own_value() -> None:
    source = f"""{HEAD}    def count(self, x):
        if torch.jit.is_tracing():
            return 3
        return x.shape[0]

    def forward(self, x):
        if self.count(x) > 2:
            return x + 1
        return x
"""
    assert [(d.code, [engine.value for engine in d.engines]) for d in check_source(source)] == [("ONX102", ["dynamo"])]
