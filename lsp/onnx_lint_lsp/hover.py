"""Hover and inlay hints: the rule behind a diagnostic, what the analysis knows of an expression, what a line became."""

from __future__ import annotations

from collections import Counter
from typing import Any

from lsprotocol import types

from onnx_lint.diagnostic import Diagnostic, Span
from onnx_lint.semantics import knowledge
from onnx_lint_lsp.client import Json
from onnx_lint_lsp.convert import range_json
from onnx_lint_lsp.evidence import line_in
from onnx_lint_lsp.rule_pages import text_of
from onnx_lint_lsp.session import Session
from onnx_lint_lsp.source_view import SourceView
from onnx_lint_lsp.text import Position
from onnx_lint_lsp.workspace import Workspace

_MOST_OPERATORS = 12
_TYPE = 1


async def hover(session: Session, params: types.HoverParams) -> Json | None:
    """All that is known about a place: the value first, then the operators of its line, then rules."""
    uri, at = params.text_document.uri, params.position
    view = session.view(uri)
    place = view.place(uri, at.line, at.character) if view is not None else None
    if view is None or place is None:
        return None
    line, column = place
    await session.result(uri)  # what is known is known from a check
    sections: list[str] = []
    known = await session.ask(
        uri, lambda workspace, view: knowledge.value_at(workspace.project, view.path, line, column)
    )
    span: Span | None = None
    if known is not None:
        span = known.span
        sections.append(f"{known.text}" + (" (frozen into the exported graph)" if _says_frozen(known) else ""))
    became = operators(session, view, line)
    if became:
        sections.append(became)
    result = session.results.get(view.path)
    seen = result.view.seen_from(uri) if result is not None else None
    if result is not None and seen is not None and seen.same_texts(view):
        here = [d for d in result.diagnostics if _covers(d.span, line, column)]
        sections += _rules(here)
        if here and span is None:
            span = here[0].span
    if not sections:
        return None
    out: Json = {"contents": {"kind": "markdown", "value": "\n\n---\n\n".join(sections)}}
    placed = view.locate(span) if span is not None else None
    if placed is not None and placed[0].document.uri == uri:
        out["range"] = range_json(*placed[1])
    return out


def _says_frozen(known: knowledge.Known) -> bool:
    return known.frozen and "frozen" not in known.text


def _rules(diagnostics: list[Diagnostic]) -> list[str]:
    texts = (text_of(code) for code in dict.fromkeys(d.code for d in diagnostics))
    return [text for text in texts if text]


def _covers(span: Span, line: int, column: int) -> bool:
    return (span.line, span.column) <= (line, column) <= (span.end_line, span.end_column)


def operators(session: Session, view: SourceView, line: int) -> str:
    """The ONNX operators that a line became in the last exports, by engine; empty if no export has shown them."""
    text = view.source.text
    by_engine: dict[str, Counter[str]] = {}
    changed = False
    for evidence in session.evidence.of(view.path):
        exported = line_in(evidence, text, line)
        for engine, operator in evidence.operators.get(exported, ()) if exported is not None else ():
            by_engine.setdefault(engine, Counter())[operator] += 1
            changed |= evidence.text != text
    if not by_engine:
        return ""
    rows = [f"- {engine}: {_counted(found)}" for engine, found in sorted(by_engine.items())]
    when = " (before the last change of the file)" if changed else ""
    return f"ONNX operators of this line{when}:\n\n" + "\n".join(rows)


def _counted(found: Counter[str]) -> str:
    shown = [
        knowledge.inline_code(" ".join(name.split())) + (f" × {count}" if count > 1 else "")
        for name, count in found.items()
    ]
    more = len(shown) - _MOST_OPERATORS
    return ", ".join(shown[:_MOST_OPERATORS]) + (f" and {more} more" if more > 0 else "")


async def inlay_hints(session: Session, params: types.InlayHintParams) -> list[Json]:
    """What is known of the values in a range, behind them."""
    uri = params.text_document.uri
    view = session.view(uri)
    options = session.configuration.options(view.path) if view is not None else None
    if view is None or options is None or not (options.inlay_hints or options.shape_hints):
        return []
    first = view.place(uri, params.range.start.line, params.range.start.character)
    last = view.place(uri, params.range.end.line, params.range.end.character)
    if first is None or last is None:
        return []

    def question(workspace: Workspace, view: SourceView) -> list[Any]:
        project, path = workspace.project, view.path
        frozen = shown(knowledge.values_in(project, path, first[0], last[0])) if options.inlay_hints else []
        return frozen + (knowledge.assigned_in(project, path, first[0], last[0]) if options.shape_hints else [])

    await session.result(uri)  # what is known is known from a check
    out: list[Json] = []
    for known in await session.ask(uri, question) or []:
        placed = view.locate(known.span)
        if placed is not None and placed[0].document.uri == uri:
            out.append(_hint(known, placed[1][1]))
    return out


def shown(found: list[knowledge.Known]) -> list[knowledge.Known]:
    """What is worth a hint: the outermost expressions that an export freezes. A hint behind every name that holds a
    tensor would hide the code; a hover shows the rest."""
    out: list[knowledge.Known] = []
    for known in sorted(found, key=lambda k: (k.span.line, k.span.column, -k.span.end_line, -k.span.end_column)):
        end = (known.span.end_line, known.span.end_column)
        if known.frozen and not (out and (out[-1].span.end_line, out[-1].span.end_column) >= end):
            out.append(known)
    return out


def _hint(known: knowledge.Known, end: Position) -> Json:
    return {
        "position": {"line": end.line, "character": end.character},
        "label": f"{'frozen ' if _says_frozen(known) else ''}{known.text}",
        "kind": _TYPE,
        "paddingLeft": True,
    }
