"""``--show-values``: the files with what is known at each assignment."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TextIO

from onnx_lint.arguments import CheckOptions
from onnx_lint.inputs import Inputs
from onnx_lint.progress import progress
from onnx_lint.project.project import Project
from onnx_lint.report.report import printable_line
from onnx_lint.semantics.shown import ShownValue, as_json, values
from onnx_lint.source.text import SourceText


def show(options: CheckOptions, inputs: Inputs, stream: TextIO) -> None:
    """Write what names hold in the files given: each file with a note behind each assignment, or one JSON object."""
    project = Project(inputs.neighbour)
    for source in inputs.sources.values():
        project.add(source)
    with progress("analysing models", wanted=not options.quiet) as step:
        found = values(project, set(inputs.sources), progress=step)
    if options.output_format == "json":
        json.dump({"values": [_as_json(value) for value in found]}, stream, indent=1)
        stream.write("\n")
        return
    by_path: dict[str, list[ShownValue]] = defaultdict(list)
    for value in found:
        by_path[value.path].append(value)
    for path, source in inputs.sources.items():
        if by_path[path]:
            _annotate(path, source, by_path[path], stream)


def _as_json(value: ShownValue) -> dict[str, object]:
    shape = None if value.shape is None else [as_json(dim) for dim in value.shape]
    said: dict[str, object] = {
        "path": value.path, "line": value.line, "column": value.column, "name": value.name, "kind": value.kind,
        "shape": shape, "dtype": value.dtype,
    }  # fmt: skip
    return {**said, "needs": list(value.needs)} if value.kind == "input" else said


def _annotate(path: str, source: SourceText, found: list[ShownValue], stream: TextIO) -> None:
    notes: dict[int, list[str]] = defaultdict(list)
    for value in found:
        notes[value.line].append(f"{value.name}: {text_of(value)}")
    stream.write(f"# {printable_line(path)}\n")
    for number, line in enumerate(source.text.splitlines(), 1):
        text = printable_line(line)
        stream.write(f"{text}  # {'; '.join(notes[number])}\n" if number in notes else f"{text}\n")


def text_of(value: ShownValue) -> str:
    """A value in one line: ``float32[B, 64, H // 2]``, ``size H``."""
    shape = "…" if value.shape is None else ", ".join(map(str, value.shape))
    if value.kind == "size":
        return f"size {shape}"
    return ", ".join((f"{value.dtype or 'tensor'}[{shape}]", *value.needs))
