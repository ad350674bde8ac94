"""Open documents: what the client says, never what the disk says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lsprotocol import types

from onnx_lint_lsp.text import Encoding, Text
from onnx_lint_lsp.uris import key_of


@dataclass(frozen=True)
class Document:
    """One version of an open text document, or of a cell of a notebook. A change makes a new one."""

    uri: str
    version: int | None
    text: Text
    language: str = "python"

    def changed(self, changes: Sequence[types.TextDocumentContentChangeEvent], version: int | None) -> Document:
        """The document after the changes of one notification, applied one after the other."""
        text = self.text
        for change in changes:
            if isinstance(change, types.TextDocumentContentChangePartial):
                start = text.offset(change.range.start.line, change.range.start.character)
                end = text.offset(change.range.end.line, change.range.end.character)
                text = text.replaced(min(start, end), max(start, end), change.text)
            else:
                text = Text(change.text, text.encoding)
        return Document(self.uri, version, text, self.language)


@dataclass
class Notebook:
    """An open notebook: its cells in order. Their texts are documents."""

    uri: str
    cells: list[tuple[str, bool]] = field(default_factory=list)
    """URI of each cell's document, and whether it is code."""


class Documents:
    """All open documents by URI, and the notebooks whose cells some of them are."""

    def __init__(self) -> None:
        self.encoding: Encoding = "utf-16"
        self._documents: dict[str, Document] = {}
        self._notebooks: dict[str, Notebook] = {}
        self._notebook_of: dict[str, str] = {}

    def __contains__(self, uri: str) -> bool:
        return uri in self._documents

    def get(self, uri: str) -> Document | None:
        """The present version of a document; ``None`` when it is not open."""
        return self._documents.get(uri)

    def __iter__(self) -> Iterator[Document]:
        return iter(list(self._documents.values()))

    def open(self, item: types.TextDocumentItem) -> Document:
        """Take up a document, or its text anew."""
        document = Document(item.uri, item.version, Text(item.text, self.encoding), item.language_id)
        self._documents[item.uri] = document
        return document

    def change(
        self, uri: str, version: int | None, changes: Sequence[types.TextDocumentContentChangeEvent]
    ) -> Document | None:
        """The new version; ``None`` when the document is not open."""
        document = self._documents.get(uri)
        if document is None:
            return None
        changed = self._documents[uri] = document.changed(changes, version)
        return changed

    def aliases(self, document: Document) -> tuple[Document, ...]:
        """The other open documents of the same file: clients spell one URI in several ways."""
        key = key_of(document.uri)
        return tuple(d for d in self._documents.values() if d.uri != document.uri and key_of(d.uri) == key)

    def close(self, uri: str) -> None:
        """Forget a document."""
        self._documents.pop(uri, None)

    # -------------------------------------------------------------------------------------------------- notebooks
    def notebook_of(self, cell: str) -> Notebook | None:
        """The notebook that a document is a cell of."""
        return self._notebooks.get(self._notebook_of.get(cell, ""))

    def notebook(self, uri: str) -> Notebook | None:
        """An open notebook."""
        return self._notebooks.get(uri)

    def open_notebook(self, notebook: types.NotebookDocument, cells: Sequence[types.TextDocumentItem]) -> Notebook:
        """Take up a notebook with the texts of its cells."""
        opened = self._notebooks[notebook.uri] = Notebook(notebook.uri)
        for item in cells:
            self.open(item)
        self._splice(opened, 0, 0, notebook.cells)
        return opened

    def change_notebook(self, uri: str, change: types.NotebookDocumentChangeEvent) -> Notebook | None:
        """Apply a change of cells or of their texts; ``None`` when the notebook is not open."""
        notebook = self._notebooks.get(uri)
        if notebook is None or change.cells is None:
            return notebook
        structure = change.cells.structure
        if structure is not None:
            for item in structure.did_open or ():
                self.open(item)
            array = structure.array
            self._splice(notebook, array.start, array.delete_count, array.cells or ())
            for identifier in structure.did_close or ():
                self.close(identifier.uri)
        kinds = {cell.document: cell.kind for cell in change.cells.data or ()}
        notebook.cells = [
            (cell, kinds[cell] is types.NotebookCellKind.Code if cell in kinds else code)
            for cell, code in notebook.cells
        ]
        for content in change.cells.text_content or ():
            self.change(content.document.uri, content.document.version, content.changes)
        return notebook

    def close_notebook(self, uri: str) -> Notebook | None:
        """Forget a notebook and its cells; ``None`` when it is not open."""
        notebook = self._notebooks.pop(uri, None)
        for cell, _ in notebook.cells if notebook is not None else ():
            self._notebook_of.pop(cell, None)
            self.close(cell)
        return notebook

    def _splice(self, notebook: Notebook, start: int, count: int, cells: Sequence[types.NotebookCell]) -> None:
        for cell, _ in notebook.cells[start : start + count]:
            self._notebook_of.pop(cell, None)
        added = [(cell.document, cell.kind is types.NotebookCellKind.Code) for cell in cells]
        notebook.cells[start : start + count] = added
        for cell, _ in added:
            self._notebook_of[cell] = notebook.uri

    def key(self, uri: str) -> str:
        """The name under which the analysis knows a document: its own, or that of its notebook."""
        return key_of(self._notebook_of.get(uri, uri))
