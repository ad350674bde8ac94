"""Which values get a hint behind them."""

from __future__ import annotations

from onnx_lint.diagnostic import Span
from onnx_lint.semantics.knowledge import Known
from onnx_lint_lsp.hover import shown


def known(line: int, column: int, end: int, frozen: bool) -> Known:
    return Known(Span("net.py", line, column, line, end), "number", frozen)


def test_only_the_outermost_frozen_expressions_are_shown() -> None:
    whole, part, live = known(3, 5, 30, True), known(3, 9, 20, True), known(3, 9, 12, False)
    other = known(4, 1, 4, True)
    assert shown([live, part, other, whole]) == [whole, other]


def test_live_values_get_no_hint() -> None:
    assert shown([known(1, 1, 9, False)]) == []
