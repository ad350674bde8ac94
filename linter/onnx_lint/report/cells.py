"""Notebooks in a report: the analysis sees one source for all cells; people are shown the cell and the line in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from onnx_lint.diagnostic import Applicability, Diagnostic, Edit, Note, Span
from onnx_lint.source.notebook import NotebookText
from onnx_lint.source.text import SourceText


def in_cells(diagnostics: Iterable[Diagnostic], sources: Mapping[str, SourceText]) -> list[Diagnostic]:
    """The diagnostics with places in the cells of notebooks, in the same order."""
    notebooks = {path: source for path, source in sources.items() if isinstance(source, NotebookText)}
    return [_localised(d, notebooks) for d in diagnostics] if notebooks else list(diagnostics)


def span_in_cell(span: Span, sources: Mapping[str, SourceText]) -> Span:
    """A span with its place in the cell, if it is in a notebook. What goes past the end of a cell ends there."""
    source = sources.get(span.path)
    cell = source.cell_at(span.line) if isinstance(source, NotebookText) else None
    if cell is None:
        return span
    text = SourceText.from_text("", cell.text)
    end_line, end_column = span.end_line - cell.first + 1, span.end_column
    if end_line > len(text.starts):
        end_line = len(text.starts)
        end_column = len(text.line(end_line)) + 1
    return Span(span.path, span.line - cell.first + 1, span.column, end_line, end_column, cell.number)


def cell_texts(sources: Mapping[str, SourceText]) -> dict[str, SourceText]:
    """The texts by label: of a file as it is, of a notebook those of its cells."""
    out: dict[str, SourceText] = {}
    for path, source in sources.items():
        if isinstance(source, NotebookText):
            for cell in source.cells:
                label = Span(path, 1, 1, 1, 1, cell.number).label
                out[label] = SourceText.from_text(label, cell.text)
        else:
            out[path] = source
    return out


def without_fixes(diagnostics: Iterable[Diagnostic], sources: Mapping[str, SourceText]) -> list[Diagnostic]:
    """The diagnostics with the fixes in notebooks as hints: writing into cells is left to the editor."""
    return [_hint_only(d) if isinstance(sources.get(d.span.path), NotebookText) else d for d in diagnostics]


def fixes_left_out(diagnostics: Iterable[Diagnostic], sources: Mapping[str, SourceText]) -> dict[str, int]:
    """For each notebook, how many safe and unsafe fixes `without_fixes` makes hints."""
    counts: dict[str, int] = {}
    for d in diagnostics:
        applicable = d.fix is not None and d.fix.applicability is not Applicability.DISPLAY
        if applicable and isinstance(sources.get(d.span.path), NotebookText):
            counts[d.span.path] = counts.get(d.span.path, 0) + 1
    return counts


def _hint_only(d: Diagnostic) -> Diagnostic:
    return d if d.fix is None else replace(d, fix=replace(d.fix, applicability=Applicability.DISPLAY))


def _localised(d: Diagnostic, notebooks: Mapping[str, SourceText]) -> Diagnostic:
    paths = {d.span.path, *(n.span.path for n in (*d.origin, *d.path))}
    if paths.isdisjoint(notebooks):
        return d

    def notes(given: tuple[Note, ...]) -> tuple[Note, ...]:
        return tuple(Note(span_in_cell(n.span, notebooks), n.text) for n in given)

    fix = d.fix
    if fix is not None:
        fix = replace(fix, edits=tuple(_edit(e, notebooks) for e in fix.edits))
    return replace(d, span=span_in_cell(d.span, notebooks), origin=notes(d.origin), path=notes(d.path), fix=fix)


def _edit(edit: Edit, notebooks: Mapping[str, SourceText]) -> Edit:
    return replace(edit, span=span_in_cell(edit.span, notebooks))
