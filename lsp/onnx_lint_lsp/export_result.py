"""What an export's JSON document says: a summary, the files that were made, the evidence for each source file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from onnx_lint.diagnostic import Diagnostic
from onnx_lint.source import json_text
from onnx_lint.source.text import SourceError, read
from onnx_lint_lsp.client import Json
from onnx_lint_lsp.evidence import FileEvidence, read_diagnostic

_MAX_MAP = 64 * 1024 * 1024
"""Bytes of the largest map that is read."""


def describe(exports: Iterable[Json]) -> str:
    """One line for the code lens: what became of it, by engine."""
    return ", ".join(f"{export.get('engine')}: {_one(export)}" for export in exports)


def _one(export: Json) -> str:
    states = [(export.get(key) or {}).get("state") for key in ("input1", "input2")]
    if export.get("ok"):
        if states == ["right", "right"]:
            return "right on both inputs"
        return "right" if states[0] == "right" else "exported, not compared"
    if "wrong" in states:
        return "wrong on the second input" if states[0] == "right" else "wrong"
    if "failed" in states:
        return "fails when run"
    return f"failed in {export.get('stage')}"


def outputs_of(exports: Iterable[Json], folder: str) -> list[str]:
    """Absolute paths of the models that were written."""
    return [os.path.join(folder, str(export["output"])) for export in exports if export.get("output")]


def evidence_of(
    document: Json, exports: Sequence[Json], folder: str, texts: Mapping[str, str]
) -> dict[str, FileEvidence]:
    """The evidence by absolute path. `texts` are the texts of open documents; those of others are read."""

    def path_of(shown: str) -> str:
        return os.path.normpath(os.path.join(folder, shown))

    diagnostics: dict[str, list[Diagnostic]] = {}
    for data in document.get("diagnostics") or ():
        try:
            diagnostic = read_diagnostic(data, path_of)
        except (KeyError, TypeError, ValueError):
            continue  # of an exporter that is newer than this server
        diagnostics.setdefault(diagnostic.span.path, []).append(diagnostic)
    operators: dict[str, dict[int, list[tuple[str, str]]]] = {}
    for export in exports:
        if export.get("map"):
            _add_operators(operators, os.path.join(folder, str(export["map"])), str(export.get("engine")))
    out: dict[str, FileEvidence] = {}
    for path in {*diagnostics, *operators}:
        text = texts.get(path) if path in texts else _text(path)
        if text is not None:
            lines = {line: tuple(found) for line, found in operators.get(path, {}).items()}
            out[path] = FileEvidence(text, tuple(diagnostics.get(path, ())), lines)
    return out


def _text(path: str) -> str | None:
    try:
        return read(path).text
    except SourceError:
        return None  # gone meanwhile: nothing to show it on


def _add_operators(operators: dict[str, dict[int, list[tuple[str, str]]]], path: str, engine: str) -> None:
    """Add the nodes of a map to each line of their stacks. A map that cannot be read adds nothing."""
    try:
        if os.path.getsize(path) > _MAX_MAP:
            return
        with open(path, encoding="utf-8") as file:
            nodes = json_text.loads(file.read())["nodes"]
        folder = os.path.dirname(os.path.realpath(path))
        for node in nodes:
            places = {(os.path.normpath(os.path.join(folder, f["file"])), int(f["line"])) for f in node["stack"]}
            for source, line in places:
                operators.setdefault(source, {}).setdefault(line, []).append((engine, str(node["op"])))
    except (OSError, ValueError, KeyError, TypeError):
        return
