"""The index of a workspace folder: which file imports which, read off the texts and kept without them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from onnx_lint.source.files import Found, discover
from onnx_lint.source.text import SourceError, read

_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(\.*)[ \t]*([\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)|import[ \t]+([^\n]+))", re.M
)
_NAME = re.compile(r"([A-Za-z_][\w.]*)(?:\s+as\s+\w+)?")
_MAX_FILE = 4 * 1024 * 1024
MAX_RELATED = 120
"""Files besides the open ones that are analysed with them: the nearest importers."""
MAX_EXPORTERS = 20
_OUTER = 3
"""Folders above a file from which it can be imported by name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index keeps of a file."""

    module: str
    is_package: bool
    imports: tuple[str, ...]
    """Absolute dotted names, or relative ones with their dots."""
    has_forward: bool
    exports: bool
    """Whether it may call the exporter, which says for what engine and dynamic axes the project is written."""


class Index:
    """Entries by path. Built on the analysis thread in slices; `is_ready` when the folder was walked once."""

    def __init__(self, folder: str, excluded: Callable[[str], bool] = lambda path: False) -> None:
        self.folder = folder
        self.version = 0
        self.is_ready = False
        self.entries: dict[str, Entry] = {}
        self._excluded = excluded
        self._importers: dict[str, set[str]] | None = None

    def build(self, progress: Callable[[int, int], None] | None = None) -> Iterator[None]:
        """Walk the folder and read every file; a step a file."""
        paths: list[str] = []
        for found in discover([self.folder], excluded=self._excluded):
            if isinstance(found, Found):
                paths.append(os.path.join(self.folder, found.path))
            yield
        for done, path in enumerate(paths):
            self.update(path)
            if progress is not None:
                progress(done, len(paths))
            yield
        self.is_ready = True
        self.version += 1

    def update(self, path: str, text: str | None = None) -> None:
        """Read a file anew (or take `text` for its content), or forget it when it is gone."""
        entry = None if text is None else _entry(path, text)
        if text is None:
            try:
                if os.path.isfile(path) and os.path.getsize(path) <= _MAX_FILE:
                    entry = _entry(path, read(path).text)
            except (SourceError, OSError, ValueError):
                entry = None  # what cannot be read says nothing
        before = self.entries.pop(path, None)
        if entry is not None:
            self.entries[path] = entry
        if entry != before:
            self._importers = None
            self.version += 1

    def related(self, paths: Iterable[str]) -> set[str]:
        """The files whose traced code may reach into one of `paths`, nearest first as far as the limit allows, and
        those that export models."""
        found: set[str] = set()
        level = set(paths)
        seen = set(level)
        importers = self.importers
        while level and len(found) < MAX_RELATED:
            following = {i for path in level for i in importers.get(path, ()) if i not in seen}
            seen |= following
            for path in sorted(following):
                if self.entries[path].has_forward and len(found) < MAX_RELATED:
                    found.add(path)
            level = following
        exporters = sorted(path for path, entry in self.entries.items() if entry.exports)
        return found | set(exporters[:MAX_EXPORTERS])

    @property
    def importers(self) -> dict[str, set[str]]:
        """For each file those that import it."""
        if self._importers is None:
            names = self._names()
            self._importers = {}
            for path, entry in self.entries.items():
                for name in entry.imports:
                    for target in _targets(name, entry, names):
                        if target != path:
                            self._importers.setdefault(target, set()).add(path)
        return self._importers

    def _names(self) -> dict[str, str]:
        """Paths by the dotted names under which they can be imported."""
        names: dict[str, str] = {}
        for path, entry in self.entries.items():
            names.setdefault(entry.module, path)
        for path, entry in self.entries.items():
            depth = entry.module.count(".") + (1 if entry.is_package else 0)
            above = os.path.dirname(path)
            for _ in range(depth):
                above = os.path.dirname(above)
            name = entry.module
            for part in reversed([p for p in above.split(os.sep) if p][-_OUTER:]):
                name = f"{part}.{name}" if name else part
                names.setdefault(name, path)
        return names


def _targets(name: str, entry: Entry, names: dict[str, str]) -> Iterator[str]:
    """The files that an import reads: the module, or the packages on the way to a name in it."""
    dots = len(name) - len(name.lstrip("."))
    if dots:
        package = entry.module if entry.is_package else entry.module.rpartition(".")[0]
        for _ in range(dots - 1):
            package = package.rpartition(".")[0]
        name = ".".join(part for part in (package, name[dots:]) if part)
    found = names.get(name)
    if found is not None:
        yield found
        return
    found = names.get(name.rpartition(".")[0])  # a name inside a module
    if found is not None:
        yield found


def _entry(path: str, text: str) -> Entry:
    module, is_package = _module(path)
    has_forward = "forward" in text
    exports = "onnx" in text and "export(" in text
    imports: dict[str, None] = {}
    for dots, base, names, plain in _IMPORT.findall(text):
        if plain:
            for name in _NAME.findall(plain.partition("#")[0]):
                imports[name] = None
            continue
        prefix = dots + base
        imported = _NAME.findall(names if names.startswith("(") else names.partition("#")[0])
        if not imported:
            imports[prefix] = None
        for name in imported:
            imports[f"{prefix}.{name}" if base else f"{prefix}{name}"] = None
    return Entry(module, is_package, tuple(sys.intern(name) for name in imports), has_forward, exports)


def _module(path: str) -> tuple[str, bool]:
    """The dotted name of a file, counted from the folder above the outermost ``__init__.py``."""
    folder, file = os.path.split(path)
    stem = file.rpartition(".")[0] or file
    is_package = stem == "__init__"
    parts = [] if is_package else [stem]
    while folder and os.path.isfile(os.path.join(folder, "__init__.py")):
        folder, last = os.path.split(folder)
        if not last:
            break
        parts.insert(0, last)
    return ".".join(parts), is_package
