"""Deep and long source: the whole analysis comes to an end, in the main thread and in a small one, and says where it
gave up."""

from __future__ import annotations

import sys
import threading

import pytest
from robustness.mutations import analysed
from robustness.nesting import FORMS

from onnx_lint.diagnostic import Diagnostic

DEPTHS = (1, 30, 300, 3000)
_MODEL = """
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        return x.data
"""


@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str) -> None:
    before = sys.getrecursionlimit()
    for depth in DEPTHS:
        assert analysed(FORMS[form](depth).encode()) is not None
    assert sys.getrecursionlimit() == before


@pytest.mark.parametrize("form", FORMS)
def test_the_rest_of_the_file_is_analysed_all_the_same(form: str) -> None:
    """A chunk that is too deep costs itself only. A bracket that stays open may swallow what follows."""
    said = analysed(f"{_MODEL}\n{FORMS[form](1000)}\n".encode())
    assert said is not None
    assert "ONX205" in {d.code for d in said}


_TRACED = {
    "sum": lambda n: "x" + " + 1" * n,
    "attributes": lambda n: "x" + ".T" * n,
    "methods": lambda n: "x" + ".sin()" * n,
    "calls": lambda n: "self.layer(" * n + "x" + ")" * n,
    "and": lambda n: "x.ndim" + " and x.ndim" * n,
    "conditional": lambda n: "x if self.training else " * n + "x",
    "parentheses": lambda n: "(" * n + "x" + ")" * n,
    "lists": lambda n: "[" * n + "x" + "]" * n,
    "lambda": lambda n: "(" + "lambda: " * n + "x)" + "()" * n,
}


@pytest.mark.parametrize("form", _TRACED)
def test_traced_values_through_deep_expressions(form: str) -> None:
    """The interpreter goes as deep as the expression, with a traced value in it; what is deeper still is told."""
    for depth, expected in ((30, "ONX205"), (5000, "ONX009")):
        said = analysed(_MODEL.replace("x.data", f"x.data, {_TRACED[form](depth)}").encode())
        assert said is not None
        assert expected in {d.code for d in said}, depth


def test_a_thread_with_a_small_stack() -> None:
    """An editor's worker thread, say: the depth of the analysis does not rest on the stack of its caller."""
    results: dict[str, list[Diagnostic] | None] = {}

    def work() -> None:
        for form in ("parentheses", "sum", "attributes", "methods", "elif", "lambda"):
            results[form] = analysed(f"{_MODEL}\n{FORMS[form](2000)}\n".encode())

    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    assert len(results) == 6
    assert all(said and "ONX205" in {d.code for d in said} for said in results.values())
