"""Entry points that name no class of what is linted: a slip of the pen there would pass for "nothing found"."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile

from onnx_lint.arguments import CheckOptions
from onnx_lint.config import Config
from onnx_lint.policy import EntryPoint
from onnx_lint.report.summary import counted
from onnx_lint.source.text import SourceText

_CLASS = re.compile(r"^[ \t]*class[ \t]+(\w+)", re.MULTILINE)


def problems(options: CheckOptions, sources: Mapping[str, SourceText], configs: Iterable[Config]) -> list[str]:
    """A line for each entry point that names no class in these files. Those of a configuration are looked for where all
    that it speaks of is linted: a class of another folder is no mistake."""
    given = [EntryPoint.parse(text) for text in options.entry]
    asked = [("--entry", entry) for entry in given]
    paths = [os.path.realpath(path) for path in options.paths or ["."]]
    for config in {id(each): each for each in configs}.values():
        if config.path is not None and (options.whole_project or _holds(paths, config.settings.root)):
            asked += [(f"{config.path}: entry", entry) for entry in config.settings.entry if entry not in given]
    if not asked:
        return []
    classes = [(_dotted(path), name) for path, source in sources.items() for name in _CLASS.findall(source.text)]
    out = [
        f"{where} {entry} names no class in {counted(len(sources), 'file')}{_nearest(entry, classes)}"
        for where, entry in asked
        if not any(entry.names(module, name) for module, name in classes)
    ]
    return list(dict.fromkeys(out))


def _holds(paths: Sequence[str], root: str) -> bool:
    folder = os.path.join(os.path.realpath(root), "")
    return any(folder.startswith(os.path.join(path, "")) for path in paths)


def _dotted(path: str) -> str:
    """The parts of a path as a dotted name: as much of it as any entry point says."""
    parts = path.replace("\\", "/").rpartition(".")[0].split("/")
    return ".".join(part for part in parts if part not in ("", ".", "..", "__init__"))


def _nearest(entry: EntryPoint, classes: list[tuple[str, str]]) -> str:
    """The class that may be meant: of the same name elsewhere, or of a similar one."""
    from difflib import get_close_matches  # only where something is wrong

    close = get_close_matches(entry.name, dict.fromkeys(name for _, name in classes), n=1)
    found = [(module, name) for module, name in classes if name in close]
    if not found:
        return ""
    module, name = max(found, key=lambda each: _shared_end(each[0], entry.module))
    return f"; did you mean {module}:{name}?"


def _shared_end(first: str, second: str) -> int:
    """How many of the last parts of two dotted names are the same."""
    pairs = zip(reversed(first.split(".")), reversed(second.split(".")), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
