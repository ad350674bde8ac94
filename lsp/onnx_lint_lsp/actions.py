"""Code actions: the fix of a diagnostic, all safe fixes of a file, suppressions, the rule's documentation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from lsprotocol import types

from onnx_lint.diagnostic import Applicability, Diagnostic, Edit, Fix, Span
from onnx_lint.fixer import FixError, apply
from onnx_lint.suppression_edits import for_file, for_line
from onnx_lint_lsp import lenses
from onnx_lint_lsp.client import Json
from onnx_lint_lsp.convert import range_json
from onnx_lint_lsp.exporting import Exports
from onnx_lint_lsp.session import Session
from onnx_lint_lsp.source_view import SourceView
from onnx_lint_lsp.workspace import Result, Workspace

FIX_ALL = "source.fixAll.onnxLint"
_QUICK_FIX = "quickfix"


async def code_actions(session: Session, exports: Exports, params: types.CodeActionParams) -> list[Json]:
    """What can be done about the diagnostics in the range, and about the whole document."""
    uri = params.text_document.uri
    checked = await session.result(uri)
    seen = checked.view.seen_from(uri) if checked is not None else None
    if checked is None or seen is None:
        return []
    result = replace(checked, view=seen)
    kinds = [str(getattr(kind, "value", kind)) for kind in params.context.only or ()]

    def build(workspace: Workspace, view: SourceView) -> list[Json]:
        if not view.same_texts(seen):
            return []  # edited meanwhile: the client asks again
        maker = _Maker(result, uri, session.document_changes)
        out: list[Json] = []
        if _wanted(_QUICK_FIX, kinds):
            for diagnostic in _inside(result, uri, params.range):
                out += maker.quick_fixes(diagnostic, _sent(session, uri, diagnostic, result))
            out += _repairs(uri, exports.to_repair(view.path))
            if any(_overlaps(seen, uri, span, params.range) for span in lenses.calls(workspace, view)):
                out.append(_script(uri))
        if _wanted(FIX_ALL, kinds):
            out += maker.fix_all()
        return out

    return await session.ask(uri, build) or []


def _script(uri: str) -> Json:
    title, name = lenses.SCRIPT
    command = {"title": title, "command": name, "arguments": [{"uri": uri, "name": ""}]}
    return {"title": title, "kind": _QUICK_FIX, "command": command}


def _repairs(uri: str, models: Iterable[tuple[str, tuple[str, ...]]]) -> Iterator[Json]:
    """Models whose last export was not right can be exported again while a repair is looked for."""
    for name, inputs in models:
        title = f"Repair and verify {name}"
        argument = {"uri": uri, "name": name, "inputs": list(inputs), "repair": True}
        command = {"title": title, "command": "onnx-lint.export", "arguments": [argument]}
        yield {"title": title, "kind": _QUICK_FIX, "command": command}


def _wanted(kind: str, only: Sequence[str]) -> bool:
    """Kinds are hierarchical: ``source.fixAll`` asks for ``source.fixAll.onnxLint`` too."""
    return not only or any(kind == asked or kind.startswith(asked + ".") for asked in only)


def _inside(result: Result, uri: str, wanted: types.Range) -> Iterator[Diagnostic]:
    for diagnostic in result.diagnostics:
        if _overlaps(result.view, uri, diagnostic.span, wanted):
            yield diagnostic


def _overlaps(view: SourceView, uri: str, span: Span, wanted: types.Range) -> bool:
    """Whether a place of the view has something in common with a range of one of its documents."""
    first = (wanted.start.line, wanted.start.character)
    last = (wanted.end.line, wanted.end.character)
    placed = view.locate(span)
    if placed is None or placed[0].document.uri != uri:
        return False
    start, end = placed[1]
    return tuple(start) <= max(first, last) and tuple(end) >= min(first, last)


def _sent(session: Session, uri: str, diagnostic: Diagnostic, result: Result) -> Json | None:
    """The diagnostic as it was sent to the client, which ties the action to it."""
    placed = result.view.locate(diagnostic.span)
    if placed is None:
        return None
    place = range_json(*placed[1])
    return next(
        (item for item in session.wire.get(uri, ()) if item["code"] == diagnostic.code and item["range"] == place), None
    )


class _Maker:
    """Makes the actions of one document."""

    def __init__(self, result: Result, uri: str, document_changes: bool) -> None:
        self._result, self._view, self._uri = result, result.view, uri
        self._document_changes = document_changes

    def quick_fixes(self, diagnostic: Diagnostic, sent: Json | None) -> Iterator[Json]:
        """What can be done about one diagnostic, which was `sent` to the client like this."""
        fix = diagnostic.fix
        if fix is not None and fix.applicability is not Applicability.DISPLAY:
            title = fix.title if fix.applicability is Applicability.SAFE else f"{fix.title} (may change behaviour)"
            yield self._action(title, _QUICK_FIX, fix.edits, sent, fix.applicability is Applicability.SAFE)
        if not diagnostic.code.startswith("ONX0"):
            name = f"{diagnostic.code} ({diagnostic.name})"
            line_edit = for_line(self._view.source, diagnostic)
            if line_edit is not None:
                yield self._action(f"Disable {name} for this line", _QUICK_FIX, [line_edit], sent)
            if not self._view.is_notebook:
                file_edit = for_file(self._view.source, diagnostic)
                yield self._action(f"Disable {name} for this file", _QUICK_FIX, [file_edit], sent)
        yield {
            "title": f"Explain {diagnostic.code} ({diagnostic.name})",
            "kind": _QUICK_FIX,
            "diagnostics": [sent] if sent else [],
            "command": {
                "title": "Explain rule",
                "command": "onnx-lint.explainRule",
                "arguments": [diagnostic.code],
            },
        }

    def fix_all(self) -> Iterator[Json]:
        """One action with all safe fixes; none if nothing is safe, or the result would not parse."""
        safe = [d for d in self._result.diagnostics if d.fix is not None and d.fix.applicability is Applicability.SAFE]
        if not safe:
            return
        try:
            applied = apply(self._view.source, safe, unsafe=False).applied
        except FixError:
            return  # the result would not parse: nothing is offered
        if applied:
            yield self._action("Fix all safe onnx-lint problems", FIX_ALL, _edits(applied), None)

    def _action(self, title: str, kind: str, edits: Iterable[Edit], sent: Json | None, preferred: bool = False) -> Json:
        action: Json = {"title": title, "kind": kind, "edit": self._workspace_edit(edits)}
        if sent is not None:
            action["diagnostics"] = [sent]
        if preferred:
            action["isPreferred"] = True
        return action

    def _workspace_edit(self, edits: Iterable[Edit]) -> Json:
        by_uri: dict[str, tuple[int | None, list[Json]]] = {}
        for edit in edits:
            placed = self._view.locate(edit.span)
            if placed is not None:
                part, place = placed
                entry = by_uri.setdefault(part.document.uri, (part.document.version, []))
                text = edit.text.replace("\n", _newline(part.document.text.text))
                entry[1].append({"range": range_json(*place), "newText": text})
        if self._document_changes:
            return {
                "documentChanges": [
                    {"textDocument": {"uri": uri, "version": version}, "edits": found}
                    for uri, (version, found) in by_uri.items()
                ]
            }
        return {"changes": {uri: found for uri, (_, found) in by_uri.items()}}


def _edits(fixes: Iterable[Fix]) -> Iterator[Edit]:
    """All edits, those that several fixes share once."""
    yield from dict.fromkeys(edit for fix in fixes for edit in fix.edits)


def _newline(text: str) -> str:
    """The newline of a text: that of its first line."""
    at = text.find("\n")
    if at > 0 and text[at - 1] == "\r":
        return "\r\n"
    return "\n" if at >= 0 or "\r" not in text else "\r"
