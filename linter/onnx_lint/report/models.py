"""``--models``: which model is clean for which engine, as a table, as JSON, as Markdown, and as a badge."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TextIO

from onnx_lint.exportability import ModelVerdict
from onnx_lint.report.formats.markdown import plain
from onnx_lint.report.report import printable, printable_line
from onnx_lint.report.repository import RepositoryPaths
from onnx_lint.report.summary import counted
from onnx_lint.target import Engine

FORMATS = ("full", "json", "markdown")


def write(name: str, models: Sequence[ModelVerdict], problems: Sequence[str], stream: TextIO, *, quiet: bool) -> None:
    """In the format of that name; one of `FORMATS`."""
    engines = [engine for engine in Engine if any(engine in model.engines for model in models)]
    if name == "json":
        entries = [
            {
                "name": m.name, "path": m.path, "line": m.line, "complete": m.is_complete,
                "engines": {e.value: {"errors": n[0], "warnings": n[1]} for e, n in m.engines.items()},
            }
            for m in models
        ]  # fmt: skip
        stream.write(json.dumps({"version": 1, "models": entries, "errors": list(problems)}, indent=1) + "\n")
    elif name == "markdown":
        paths = RepositoryPaths()
        stream.write(f"| Model | {' | '.join(e.value for e in engines)} |\n|{' --- |' * (len(engines) + 1)}\n")
        for m in models:
            place = plain(f"{m.name} ({paths.of(m.path)}:{m.line})")
            cells = [("✓ " if m.is_clean(e) else "✗ ") + plain(_said(m, e)) for e in engines]
            stream.write(f"| {place} | {' | '.join(cells)} |\n")
    else:
        rows = [
            [f"{printable_line(m.path)}:{m.line} {printable(m.name)}", *(f"{e.value}: {_said(m, e)}" for e in engines)]
            for m in models
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            stream.write("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")
    if name != "json" and not quiet:
        stream.write(("\n" if models else "") + _summary(models, engines) + "\n")


def _said(model: ModelVerdict, engine: Engine) -> str:
    if engine not in model.engines:
        return "-"
    errors, warnings = model.engines[engine]
    said = [counted(n, noun) for n, noun in ((errors, "error"), (warnings, "warning")) if n]
    if not model.is_complete:
        said.append("not analysed in full")
    return ", ".join(said) or "clean"


def _summary(models: Sequence[ModelVerdict], engines: Sequence[Engine]) -> str:
    if not models:
        return "No model found."
    counts = [sum(m.is_clean(e) for m in models) for e in engines]
    said = [f"{n:,} for {e.value}" for n, e in zip(counts, engines, strict=True)]
    return f"Clean of {counted(len(models), 'model')}: {', '.join(said)}."


def badge(models: Sequence[ModelVerdict]) -> str:
    """A picture that says how many models are clean for every engine that was asked for."""
    clean = sum(all(m.is_clean(e) for e in m.engines) for m in models)
    said = f"{clean} of {counted(len(models), 'model')}" if models else "no model"
    share = clean / len(models) if models else 0.0
    colour = "#3a3" if share == 1 else "#b80" if share >= 0.5 else "#c33"
    left, right = 86, 12 + 7 * len(said)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="ONNX export: {said}">
<title>ONNX export: {said}</title>
<rect width="{left}" height="20" fill="#555"/><rect x="{left}" width="{right}" height="20" fill="{colour}"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="{left / 2}" y="14">ONNX export</text><text x="{left + right / 2}" y="14">{said}</text>
</g>
</svg>
"""
