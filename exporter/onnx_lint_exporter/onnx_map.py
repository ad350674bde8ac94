"""``FILE.onnxmap.json``: for every ONNX node the lines of the user's code it came from, innermost first.

The model itself holds no paths of the machine it was made on; the map holds them relative to its own folder.
"""

from __future__ import annotations

import json
import os

from onnx_lint_exporter import targets
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.paths import relative, with_slashes
from onnx_lint_exporter.worker.wire import plain
from onnx_lint_exporter.writer import write_text

VERSION = 1


def map_path(model: str) -> str:
    """``net.onnx`` → ``net.onnxmap.json``."""
    return f"{model.removesuffix('.onnx')}.onnxmap.json"


def build(outcome: Outcome, folder: str) -> dict[str, object]:
    """The map as plain data; files are relative to `folder`, columns count from 1 and are ``null`` where unknown."""
    nodes: list[dict[str, object]] = []
    for row in outcome.result.node_map:
        stack = [
            {
                "file": with_slashes(relative(frame.file, folder)),
                "line": frame.line,
                "column": frame.column,
                "function": frame.function,
            }
            for frame in row.stack
        ]
        nodes.append({"name": row.name, "op": row.op, "outputs": plain(row.outputs), "stack": stack})
    target = _relative(outcome.target, folder)
    return {"version": VERSION, "engine": outcome.engine.value, "target": target, "nodes": nodes}


def _relative(target: str, folder: str) -> str:
    """A target whose file was given by its absolute path, relative to the map as all other files are."""
    where, name = targets.split(target)
    if not os.path.isabs(where):
        return target
    return with_slashes(relative(where, folder)) + (f":{name}" if name else "")


def write_map(outcome: Outcome, path: str) -> None:
    """Write the map of an outcome. Raises `WriteError`."""
    folder = os.path.dirname(os.path.realpath(path))
    write_text(path, lambda: json.dumps(build(outcome, folder), indent=1) + "\n")
