"""Code lenses: above each model one that exports it, and one with the last result; the same above calls of the exporter
in a script, which is then run."""

from __future__ import annotations

from dataclasses import dataclass

from onnx_lint.diagnostic import Span
from onnx_lint.semantics import export_calls
from onnx_lint_lsp.client import Json
from onnx_lint_lsp.convert import range_json
from onnx_lint_lsp.exporting import Exports
from onnx_lint_lsp.session import Session
from onnx_lint_lsp.source_view import SourceView
from onnx_lint_lsp.workspace import Workspace

_EXPORT = ("Export to ONNX and verify", "onnx-lint.export")
_REPAIR = ("Repair and verify", "onnx-lint.export")
SCRIPT = ("Export with my script", "onnx-lint.exportScript")
_CANCEL = ("Cancel the export", "onnx-lint.cancelExport")


@dataclass(frozen=True)
class Model:
    """A top-level ``nn.Module`` with a ``forward``, and the place of its ``class`` line."""

    name: str
    span: Span


def models(workspace: Workspace, view: SourceView) -> list[Model]:
    """The models of a file, on the analysis thread."""
    module = workspace.project.modules.get(view.path)
    if module is None or "forward" not in view.source.text:
        return []
    found: list[Model] = []
    for chunk in module.class_chunks():
        info = workspace.project.class_of(module, chunk)
        if info.has_own("forward") and info.is_module:
            lines = (chunk.header or chunk.text).split("\n")
            offset = next((n for n, text in enumerate(lines) if text.startswith("class ")), 0)
            line = chunk.line + offset
            found.append(Model(chunk.name, Span(view.path, line, 1, line, len(view.source.line(line)) + 1)))
    return found


def calls(workspace: Workspace, view: SourceView) -> list[Span]:
    """The calls of the exporter that running a file may come by, on the analysis thread."""
    module = workspace.project.modules.get(view.path)
    if module is None or view.is_notebook or "export(" not in view.source.text:
        return []
    return export_calls.in_script(workspace.project, module)


async def code_lenses(session: Session, exports: Exports, uri: str) -> list[Json]:
    """The lenses of a document; none in a notebook, whose classes no file holds."""
    view = session.view(uri)
    if view is None or view.is_notebook or not session.configuration.options(view.path).code_lens:
        return []
    out: list[Json] = []
    to_repair = dict(exports.to_repair(view.path))
    for model in await session.ask(uri, models) or []:
        placed = view.locate(model.span)
        if placed is None:
            continue
        target = {"uri": uri, "name": model.name}
        place = range_json(*placed[1])
        running = exports.is_running(uri, model.name)
        first = _CANCEL if running else _EXPORT
        out.append(_lens(place, *first, target))
        summary = exports.summary(uri, model.name)
        if summary:
            out.append(_lens(place, summary, "onnx-lint.showReport", target))
        if model.name in to_repair and not running:
            out.append(_lens(place, *_REPAIR, {**target, "inputs": to_repair[model.name], "repair": True}))
    script = {"uri": uri, "name": ""}
    running, summary = exports.is_running(uri, ""), exports.summary(uri, "")
    for span in await session.ask(uri, calls) or []:
        placed = view.locate(span)
        if placed is not None:
            place = range_json(*placed[1])
            out.append(_lens(place, *(_CANCEL if running else SCRIPT), script))
            if summary:
                out.append(_lens(place, summary, "onnx-lint.showReport", script))
    return out


def _lens(place: Json, title: str, command: str, target: Json) -> Json:
    return {"range": place, "command": {"title": title, "command": command, "arguments": [target]}}
