"""Notebooks as source: cells joined, IPython blanked, places kept."""

from __future__ import annotations

import ast
import json

import pytest

from onnx_lint.source import notebook
from onnx_lint.source.notebook import OtherLanguage, python_of
from onnx_lint.source.text import SourceError

MAGICS = (
    "%matplotlib inline\nx = 1",
    "!pip install torch\n?x\nx??",
    "files = !ls\nt = %time f()",
    "%%bash\necho 'hello' | (",
    "%%time\nx = 1",
    "if x:\n    %cd ..\n",
    "y = (1\n  % 2)",
)


@pytest.mark.parametrize("cell", MAGICS)
def test_magics_leave_python_that_parses_with_the_same_lines(cell: str) -> None:
    python = python_of(cell)
    ast.parse(python)
    assert python.count("\n") == cell.count("\n")


def document(*cells: object, **more: object) -> bytes:
    return json.dumps({"cells": list(cells), "nbformat": 4, **more}).encode()


def code(source: object) -> dict[str, object]:
    return {"cell_type": "code", "source": source}


def test_cells_are_one_source_in_order() -> None:
    text = notebook.decode("n.ipynb", document(code("a = 1\n"), {"cell_type": "markdown", "source": "# b"}, code("c")))
    assert text.text == "a = 1\n\nc"
    assert [(c.number, c.first) for c in text.cells] == [(1, 1), (3, 3)]
    places = [(line, text.cell_at(line)) for line in (1, 2, 3, 4)]
    assert [(line, cell.number if cell else None) for line, cell in places] == [(1, 1), (2, 1), (3, 3), (4, 3)]


@pytest.mark.parametrize("source", ["a\nb", ["a\n", "b"], "a\r\nb", "a\rb"])
def test_every_form_of_source(source: object) -> None:
    text = notebook.decode("n.ipynb", document(code(source), code("c")))
    assert text.text == "a\nb\nc"
    assert [c.first for c in text.cells] == [1, 3]


def test_empty_cells_have_their_line() -> None:
    text = notebook.decode("n.ipynb", document(code(""), code([]), code("x"), {"cell_type": "code"}))
    assert text.text == "\n\nx\n"
    cell = text.cell_at(3)
    assert cell is not None and cell.number == 3


def test_no_code_at_all() -> None:
    text = notebook.decode("n.ipynb", document())
    assert text.text == "" and text.cell_at(1) is None


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        None,
        {"kernelspec": {"language": "python"}},
        {"language_info": {"name": "ipython"}},
        {"language_info": 3},
        {"kernelspec": {"language": "Python3"}},
    ],
)
def test_python_by_what_the_notebook_says(metadata: object) -> None:
    assert notebook.decode("n.ipynb", document(code("x"), metadata=metadata)).text == "x"


def test_another_language_is_named() -> None:
    data = document(code("x <- 1"), metadata={"kernelspec": {"language": "R"}})
    with pytest.raises(OtherLanguage, match="a notebook in r, not in Python"):
        notebook.decode("n.ipynb", data)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"{}", b'{"cells": {}}', b"\xff\xfe", b"[" * 100_000, b'{"worksheets": []}', b"1" * 5000],
)
def test_what_is_not_a_notebook_is_one_line(data: bytes) -> None:
    with pytest.raises(SourceError) as raised:
        notebook.decode("n.ipynb", data)
    assert str(raised.value).startswith("n.ipynb: cannot be read as a notebook: ") and "\n" not in str(raised.value)


def test_odd_cells_are_passed_over() -> None:
    text = notebook.decode("n.ipynb", document(1, None, {"cell_type": 3}, code(3), code([1, "x"])))
    assert text.text == "\nx"
    assert [c.number for c in text.cells] == [4, 5]


def test_a_byte_order_mark() -> None:
    assert notebook.decode("n.ipynb", b"\xef\xbb\xbf" + document(code("x"))).text == "x"
