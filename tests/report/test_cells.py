"""Places of a notebook: every one in the joined source is found again in its cell."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from onnx_lint.diagnostic import Note, Span
from onnx_lint.report.cells import cell_texts, in_cells, span_in_cell
from onnx_lint.source import notebook
from onnx_lint.source.notebook import NotebookText
from onnx_lint.source.text import SourceText

from .conftest import report_of

CELLS = st.lists(
    st.tuples(st.sampled_from(["code", "markdown"]), st.text(alphabet="ab \n\r\u00e9\U0001f600", max_size=12))
)


def book(cells: list[tuple[str, str]]) -> NotebookText:
    document = {"cells": [{"cell_type": kind, "source": text} for kind, text in cells]}
    return notebook.decode("n.ipynb", json.dumps(document).encode())


@given(CELLS)
def test_every_line_is_the_line_of_its_cell(cells: list[tuple[str, str]]) -> None:
    source = book(cells)
    texts = cell_texts({"n.ipynb": source})
    assert set(texts) == {f"n.ipynb:cell {n}" for n, (kind, _) in enumerate(cells, 1) if kind == "code"}
    for number in range(1, len(source.starts) + 1) if source.cells else ():
        line = source.line(number)
        span = span_in_cell(Span("n.ipynb", number, 1, number, len(line) + 1), {"n.ipynb": source})
        assert texts[span.label].line(span.line) == line
        assert texts[span.label].slice(span) == line


@given(CELLS, st.data())
def test_a_span_over_cells_ends_with_its_cell(cells: list[tuple[str, str]], data: st.DataObject) -> None:
    source = book(cells)
    if not source.cells:
        return
    last = len(source.starts)
    start = data.draw(st.integers(1, last))
    end = data.draw(st.integers(start, last))
    span = span_in_cell(Span("n.ipynb", start, 1, end, len(source.line(end)) + 1), {"n.ipynb": source})
    text = cell_texts({"n.ipynb": source})[span.label]
    assert 1 <= span.line <= span.end_line <= len(text.starts)
    assert 1 <= span.end_column <= len(text.line(span.end_line)) + 1


def test_files_stay_as_they_are() -> None:
    source = SourceText.from_text("model.py", "y = x\n")
    report = report_of("y = x\n", "x")
    assert in_cells(report.diagnostics, {"model.py": source}) == report.diagnostics
    assert cell_texts({"model.py": source}) == {"model.py": source}


def test_notes_in_a_notebook_of_a_diagnostic_in_a_file() -> None:
    (diagnostic,) = report_of("y = x\n", "x").diagnostics
    source = book([("code", "a"), ("code", "y = x")])
    note = Span("n.ipynb", 2, 5, 2, 6)
    moved = replace(diagnostic, origin=(Note(note, "from here"),), path=(), fix=None)
    (found,) = in_cells([moved], {"n.ipynb": source})
    assert found.span == diagnostic.span
    assert found.origin[0].span == Span("n.ipynb", 1, 5, 1, 6, 2)
