"""Views: places of a joined notebook and of a document with a byte order mark find their documents again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from onnx_lint.diagnostic import Span
from onnx_lint_lsp.documents import Document, Documents
from onnx_lint_lsp.source_view import SourceView
from onnx_lint_lsp.text import Text


def notebook(*cells: str, markdown: frozenset[int] = frozenset()) -> tuple[Documents, SourceView]:
    documents = Documents()
    kinds = [types.NotebookCellKind.Markup if i in markdown else types.NotebookCellKind.Code for i in range(len(cells))]
    opened = documents.open_notebook(
        types.NotebookDocument(
            "file:///w/n.ipynb",
            "jupyter-notebook",
            1,
            [types.NotebookCell(kind, f"cell:{i}") for i, kind in enumerate(kinds)],
        ),
        [
            types.TextDocumentItem(f"cell:{i}", "markdown" if i in markdown else "python", 1, text)
            for i, text in enumerate(cells)
        ],
    )
    return documents, SourceView.of_notebook(opened, documents)


def test_a_place_in_the_joined_source_is_in_its_cell() -> None:
    _, view = notebook("import torch", "# text", "a = 1\nb = 2\n", "c = '\U0001f600'; d = 4", markdown=frozenset({1}))
    assert view.source.text == "import torch\na = 1\nb = 2\n\nc = '\U0001f600'; d = 4"
    located = view.locate(Span(view.path, 5, 10, 5, 11))
    assert located is not None
    part, (start, end) = located
    assert (part.document.uri, start, end) == ("cell:3", (0, 10), (0, 11))


def test_a_span_over_two_cells_ends_with_the_first() -> None:
    _, view = notebook("a = 1", "b = 2")
    located = view.locate(Span(view.path, 1, 1, 2, 3))
    assert located is not None
    assert (located[0].document.uri, *located[1]) == ("cell:0", (0, 0), (0, 5))


@given(st.lists(st.text("a\n\r é\U0001f600", max_size=12), min_size=1, max_size=5), st.data())
def test_places_go_there_and_back(cells: list[str], data: st.DataObject) -> None:
    _, view = notebook(*cells)
    number = data.draw(st.integers(0, len(cells) - 1))
    text = view.parts[number].document.text
    line = data.draw(st.integers(0, len(text.starts) - 1))
    start, end = text.content(line)
    column = text.column(line, data.draw(st.integers(0, end - start)))
    place = view.place(f"cell:{number}", line, column)
    assert place is not None
    located = view.locate(Span(view.path, *place, *place))
    assert located is not None
    assert located[0].document.uri == f"cell:{number}"
    assert located[1][0] == (line, column)


def test_a_byte_order_mark_is_not_analysed_and_counts_in_columns() -> None:
    view = SourceView.of_document(Document("file:///w/a.py", 1, Text("\ufeffx = 1\ny = 2", "utf-16")))
    assert view.source.text == "x = 1\ny = 2"
    located = view.locate(Span(view.path, 1, 1, 1, 2))
    assert located is not None and located[1] == ((0, 1), (0, 2))
    assert view.place("file:///w/a.py", 0, 1) == (1, 1)
    located = view.locate(Span(view.path, 2, 1, 2, 2))
    assert located is not None and located[1] == ((1, 0), (1, 1))


def test_cells_move_and_change() -> None:
    documents, _ = notebook("a", "b", "c")
    structure = types.NotebookDocumentCellChangeStructure(
        array=types.NotebookCellArrayChange(start=0, delete_count=2, cells=[view_cell("cell:1")]),
        did_close=[types.TextDocumentIdentifier("cell:0")],
    )
    text = types.NotebookDocumentCellContentChanges(
        types.VersionedTextDocumentIdentifier(2, "cell:1"), [types.TextDocumentContentChangeWholeDocument("bb")]
    )
    changed = documents.change_notebook(
        "file:///w/n.ipynb",
        types.NotebookDocumentChangeEvent(
            cells=types.NotebookDocumentCellChanges(structure=structure, text_content=[text])
        ),
    )
    assert changed is not None
    assert SourceView.of_notebook(changed, documents).source.text == "bb\nc"
    assert "cell:0" not in documents
    documents.close_notebook("file:///w/n.ipynb")
    assert not list(documents)


def view_cell(uri: str) -> types.NotebookCell:
    return types.NotebookCell(types.NotebookCellKind.Code, uri)
