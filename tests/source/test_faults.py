"""What is said of a chunk that does not parse, and where."""

from __future__ import annotations

import libcst as cst
import pytest

from onnx_lint.checker import check
from onnx_lint.diagnostic import Diagnostic
from onnx_lint.project.project import Project
from onnx_lint.settings import Settings
from onnx_lint.source import parse as parse_file
from onnx_lint.source.lower import lower
from onnx_lint.source.text import SourceText
from onnx_lint.testing import check_source


def said(text: str) -> list[Diagnostic]:
    project = Project()
    project.add(SourceText.from_text("model.py", text))
    return check(project, Settings())


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("x = = 1", 1, 5),
        ("y = 0\n\n(é, x) = = 1\n", 3, 10),
        ("x = (1\n", 1, 5),
        ("x = 'abc", 1, 5),
        ("x = '''\nabc\n", 1, 5),
        ("y = 0\n)\n", 2, 1),
        ("x = $", 1, 5),
        ("if x:\npass\n", 1, 6),
        ("class A:\n    x = 1\n    y = = 2\n", 3, 9),
        ("class A:\n    def f(self):\n        return = 1\n", 3, 16),
        ("class A(:\n    x = 1\n", 1, 9),
        ("   x = 1\n", 1, 3),
        ("\fx = = 1\n", 1, 6),
        ("x = 1\r\ny = = 1\rz = 1\n", 2, 5),
    ],
)
def test_a_syntax_error_is_told_where_it_stands(text: str, line: int, column: int) -> None:
    told = [(d.span.line, d.span.column) for d in said(text) if d.code == "ONX000"]
    assert told == [(line, column)]


@pytest.mark.parametrize(
    "text", ["x = (", "x = 1 +", "def f():", "x = '", "class A:\n    def f(self):", "x = 1 \\", "if", "@a", "x\0"]
)
def test_an_error_at_the_end_stands_in_the_file(text: str) -> None:
    (told,) = said(text)
    lines = text.split("\n")
    assert told.code == "ONX000" and told.span.end_line == told.span.line <= len(lines)
    assert 1 <= told.span.column <= told.span.end_column <= len(lines[told.span.line - 1]) + 1


def test_an_error_costs_its_statement_only() -> None:
    text = """
        import torch
        from torch import nn

        x = = 1

        class Net(nn.Module):
            y = = 2

            def helper(self):
                return (

            def forward(self, x):
                if x.sum() > 0:
                    return x
                return -x

        z = 3 3
    """
    assert [(d.code, d.span.line) for d in check_source(text)] == [
        ("ONX000", 5),
        ("ONX000", 8),
        ("ONX000", 11),
        ("ONX101", 14),
        ("ONX000", 18),
    ]


def test_the_message_has_no_line_numbers_of_its_own() -> None:
    """They would be counted in the chunk."""
    for text in ("x = 'abc", "x = [\n1)\n", "if x:\npass\n", "x = '''abc\n"):
        fault = lower(text).fault
        assert fault is not None and fault.message and not any(c.isdigit() for c in fault.message), fault


def test_what_only_this_parser_refuses_is_no_error_of_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(text: str) -> None:
        raise cst.ParserSyntaxError("no", lines=[text], raw_line=1, raw_column=0)

    monkeypatch.setattr(parse_file, "parse_module", refuse)
    told = said("class Net(Module):\n    def forward(self, x):\n        return x\n")
    assert {(d.code, d.severity, d.message) for d in told} == {
        ("ONX009", "warning", "not analysed: the parser rejects it (no)")
    }
