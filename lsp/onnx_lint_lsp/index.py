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
_DEFINITION = re.compile(r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", re.M)
_ALL = "*"
"""Stands for a module as a whole."""
_MAX_FILE = 4 * 1024 * 1024
MAX_RELATED = 40
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
    defines: frozenset[str]
    """Names of its functions and classes."""
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
        self._importers: dict[str, dict[str, set[str]]] | None = None

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
        yield from self._link()
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
        """The files whose traced code may reach into one of `paths`, nearest first up to the limit, and
        those that export models."""
        found: set[str] = set()
        # a package's __init__ hands names on: through it only those count that come from the files we look at
        level = {path: self.entries[path].defines for path in paths if path in self.entries}
        seen = set(level)
        importers = self.importers
        while level and len(found) < MAX_RELATED:
            following: dict[str, frozenset[str]] = {}
            for path, wanted in level.items():
                hands_on = self.entries[path].is_package
                for importer, names in importers.get(path, {}).items():
                    if importer in seen or (hands_on and not names & (wanted | {_ALL})):
                        continue
                    entry = self.entries[importer]
                    following[importer] = wanted if entry.is_package else wanted | entry.defines
            seen |= following.keys()
            for path in sorted(following):
                if self.entries[path].has_forward and len(found) < MAX_RELATED:
                    found.add(path)
            level = following
        exporters = sorted(path for path, entry in self.entries.items() if entry.exports)
        return found | set(exporters[:MAX_EXPORTERS])

    @property
    def importers(self) -> dict[str, dict[str, set[str]]]:
        """For each file those that import it, with the names that they take from it."""
        while self._importers is None:
            for _ in self._link():
                pass
        return self._importers

    def _link(self) -> Iterator[None]:
        """Find out who imports whom; a step a file."""
        names = self._names()
        importers: dict[str, dict[str, set[str]]] = {}
        version = self.version
        for path, entry in list(self.entries.items()):
            for name in entry.imports:
                found = _target(name, entry, names)
                if found is not None and found[0] != path:
                    importers.setdefault(found[0], {}).setdefault(path, set()).add(found[1])
            yield
        if version == self.version:  # else a file has changed meanwhile
            self._importers = importers

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


def _target(name: str, entry: Entry, names: dict[str, str]) -> tuple[str, str] | None:
    """The file that an import reads, and the name that it takes from it."""
    dots = len(name) - len(name.lstrip("."))
    if dots:
        package = entry.module if entry.is_package else entry.module.rpartition(".")[0]
        for _ in range(dots - 1):
            package = package.rpartition(".")[0]
        name = ".".join(part for part in (package, name[dots:]) if part)
    module = names.get(name)
    if module is not None:
        return module, _ALL
    owner, _, last = name.rpartition(".")
    module = names.get(owner)
    return (module, last) if module is not None else None


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
        if not imported:  # `*`
            imports[prefix] = None
        for name in imported:
            imports[f"{prefix}.{name}" if base else f"{prefix}{name}"] = None
    defines = frozenset(map(sys.intern, _DEFINITION.findall(text)))
    return Entry(module, is_package, tuple(map(sys.intern, imports)), has_forward, defines, exports)


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
