"""Hovers: nothing that stands in the linted file becomes Markdown of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lsp_wire import connect, profile

from onnx_lint.semantics.knowledge import inline_code

HOSTILE = """\
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        n = ({inside}
             ).shape[1]
        return x * n
"""
INSIDE = (
    "x#`![a](https://h/b)`",
    "x#``![a](https://h/b)",
    "x#`` ` ![a](https://h/b)",
    "x# ![a](https://h/b)",
    "x#`<img src=//h/b>`",
)


def code_spans(markdown: str) -> list[str]:
    """The code spans of one line, as CommonMark reads them: from a run of backticks to the next run of that length."""
    spans: list[str] = []
    at = 0
    while begin := re.compile("`+").search(markdown, at):
        fence = re.escape(begin.group())
        end = re.compile(rf"(?<!`){fence}(?!`)").search(markdown, begin.end())
        at = begin.end()
        if end is not None:
            spans.append(markdown[begin.end() : end.start()])
            at = end.end()
    return spans


@given(st.text("`a !]()[<", min_size=1, max_size=30))
@example("`")
@example("a`")
@example("``` `` `")
def test_code_is_one_code_span_whatever_is_in_it(text: str) -> None:
    (inside,) = code_spans(inline_code(text))
    assert inside.strip(" ") == text.strip(" ")


@pytest.mark.parametrize("inside", INSIDE)
def test_source_in_a_hover_is_code(inside: str, tmp_path: Path) -> None:
    text = HOSTILE.format(inside=inside)
    with connect(tmp_path / "stderr") as wire:
        wire.initialize(profile("visual-studio-code"), options={"trusted": False})
        uri = wire.open(tmp_path / "model.py", text)
        place = {"textDocument": {"uri": uri}, "position": {"line": 7, "character": 19}}
        answer = wire.ask("textDocument/hover", place)
        shown = answer["contents"]["value"].split("\n")[0]
        assert "size" in shown
        outside = shown
        for span in code_spans(shown):
            outside = outside.replace(span, "")
        assert not re.search(r"!\[|\]\(|<", outside), shown
        assert wire.end() == 0
