"""What the analysis sees under one path: a document, or the code cells of a notebook joined to one source."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property

from onnx_lint.diagnostic import Span
from onnx_lint.source.notebook import python_of
from onnx_lint.source.text import SourceText
from onnx_lint_lsp.documents import Document, Documents, Notebook
from onnx_lint_lsp.text import Position
from onnx_lint_lsp.uris import key_of

Range = tuple[Position, Position]


@dataclass(frozen=True)
class Part:
    """A document that makes up a view, from line `first` (from 0) of the view's source on."""

    document: Document
    first: int


@dataclass(frozen=True)
class SourceView:
    """One source for the analysis, and the way back from its places to those of the documents."""

    path: str
    parts: tuple[Part, ...]
    is_notebook: bool = False
    aliases: tuple[Document, ...] = ()
    """Other open documents of the same file, under other spellings of its URI."""

    @classmethod
    def of_document(cls, document: Document, aliases: tuple[Document, ...] = ()) -> SourceView:
        """The view of a document. `aliases`: what else is open of the same file."""
        return cls(key_of(document.uri), (Part(document, 0),), aliases=aliases)

    @classmethod
    def of_notebook(cls, notebook: Notebook, documents: Documents) -> SourceView:
        """The code cells of a notebook, joined."""
        parts: list[Part] = []
        line = 0
        for uri, code in notebook.cells:
            document = documents.get(uri)
            if document is not None and code and document.language == "python":
                parts.append(Part(document, line))
                line += len(document.text.starts)
        return cls(key_of(notebook.uri), tuple(parts), is_notebook=True)

    @property
    def versions(self) -> dict[str, int | None]:
        """The version of each document whose diagnostics this view gives, by URI."""
        return {document.uri: document.version for document in self._documents()}

    def _documents(self) -> tuple[Document, ...]:
        return (*(part.document for part in self.parts), *self.aliases)

    def same_texts(self, other: SourceView) -> bool:
        """Whether both show the same documents in the same state."""
        own, others = self._documents(), other._documents()
        return len(own) == len(others) and all(a is b for a, b in zip(own, others, strict=True))

    def seen_from(self, uri: str) -> SourceView | None:
        """The view whose places are those of the document `uri`; ``None`` if it is not part of it, or an alias with
        another text than the one that is analysed."""
        if self.part(uri) is not None:
            return self
        for alias in self.aliases:
            if alias.uri == uri and alias.text.text == self.parts[0].document.text.text:
                return replace(self, parts=(Part(alias, 0),))
        return None

    def same_source(self, other: SourceView) -> bool:
        """Whether the analysis sees the same text in both."""
        return self.same_texts(other) or self.source.text == other.source.text

    @cached_property
    def source(self) -> SourceText:
        """The text that is analysed."""
        if self.is_notebook:
            text = "\n".join(python_of(part.document.text.text) for part in self.parts)
            return SourceText.from_text(self.path, text)
        whole = self.parts[0].document.text
        if self._mark:
            return SourceText.from_text(self.path, whole.text[1:])
        return SourceText.from_text(self.path, whole.text, whole.starts)

    @cached_property
    def _mark(self) -> int:
        """Whether the document begins with a byte order mark, which the analysis does not see."""
        return int(not self.is_notebook and self.parts[0].document.text.text.startswith("\ufeff"))

    def part(self, uri: str) -> Part | None:
        """The part that a document is; ``None`` if it is not one."""
        return next((part for part in self.parts if part.document.uri == uri), None)

    def _at(self, line: int) -> Part | None:
        if not self.parts:
            return None
        if len(self.parts) == 1:
            return self.parts[0]
        return self.parts[max(bisect_right([part.first for part in self.parts], line) - 1, 0)]

    def locate(self, span: Span) -> tuple[Part, Range] | None:
        """The document and range of a place. What goes past a cell's end ends there."""
        part = self._at(span.line - 1)
        if part is None:
            return None
        text = part.document.text
        last = len(text.starts) - 1
        start = self._position(part, span.line, span.column)
        if span.end_line - 1 - part.first > last:
            begin, end = text.content(last)
            return part, (start, Position(last, text.column(last, end - begin)))
        end_ = self._position(part, span.end_line, span.end_column)
        return part, (start, max(start, end_))

    def _position(self, part: Part, line: int, column: int) -> Position:
        inside = min(line - 1 - part.first, len(part.document.text.starts) - 1)
        characters = column - 1 + (self._mark if line == 1 else 0)
        return Position(inside, part.document.text.column(inside, characters))

    def place(self, uri: str, line: int, character: int) -> tuple[int, int] | None:
        """Line and column in the source, both from 1, of a position in one of the documents."""
        part = self.part(uri)
        if part is None:
            return None
        text = part.document.text
        offset = text.offset(line, character)
        inside = bisect_right(text.starts, offset) - 1
        mark = self._mark if inside == 0 else 0
        return part.first + inside + 1, max(offset - text.starts[inside] - mark, 0) + 1
