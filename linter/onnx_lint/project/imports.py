"""Which file imports which, read off the text: for the order of the analysis, and for what an edit may concern."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from onnx_lint.source.text import SourceText

if TYPE_CHECKING:
    from onnx_lint.project.modules import SourceModule
    from onnx_lint.project.project import Project

_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+([^\n#]*)|import[ \t]+([\w.]+))", re.M)
_NAME = re.compile(r"\w+")

Statement = tuple[str, str, str, str]
"""Dots, module and names of a ``from … import …``; module of an ``import``."""


class ImportGraph:
    """The imports of a project's files, kept with it. A file is read once for each text that it has."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._statements: dict[str, tuple[SourceText, list[Statement]]] = {}
        self._imported: dict[str, tuple[list[Statement], int, list[SourceModule]]] = {}
        self.changes = 0
        """How often the import statements of a file were found to be others than before."""
        self._in_chunks: dict[str, dict[str, list[Statement]]] = {}
        """By path, what chunks with these texts say."""
        self._importers: dict[str, set[str]] | None = None
        self._generation = -1

    def scan(self, module: SourceModule) -> list[Statement]:
        """Read the import statements of a file; later questions about it cost nothing then."""
        held = self._statements.get(module.path)
        if held is None or held[0] is not module.source:
            found: list[Statement] = []
            if not self._project.is_editor:
                found = _IMPORT.findall(module.source.text)
            else:  # most chunks are the same as before the last key was pressed
                before, now = self._in_chunks.get(module.path, {}), dict[str, list[Statement]]()
                for chunk in module.chunks:
                    for text in [m.text for m in chunk.members] or [chunk.text]:
                        if "import" in text:
                            found += now.setdefault(text, before.get(text) or _IMPORT.findall(text))
                self._in_chunks[module.path] = now
            if held is None or held[1] != found:
                self._importers = None
                self.changes += 1
            else:
                found = held[1]
            held = self._statements[module.path] = (module.source, found)
        return held[1]

    def refresh(self) -> None:
        """Read the files that have changed."""
        for module in self._project.modules.values():
            self.scan(module)

    def imported(self, module: SourceModule) -> list[SourceModule]:
        """The project's files that a file imports."""
        project = self._project
        by_name = project.by_name
        held = self._imported.get(module.path)
        statements = self.scan(module)
        if held is not None and held[0] is statements and held[1] == project.generation:
            return held[2]
        out: dict[str, SourceModule] = {}
        for dots, name, names, plain in statements:
            target = plain or name
            if dots:
                package = module.package
                for _ in range(len(dots) - 1):
                    package = package.rpartition(".")[0]
                target = ".".join(p for p in (package, name) if p)
            candidates = [target, *(f"{target}.{n}" for n in _NAME.findall(names) if target)]
            for candidate in candidates:
                found = by_name.get(candidate)
                if found is not None and found is not module:
                    out[found.path] = found
        modules = list(out.values())
        self._imported[module.path] = (statements, project.generation, modules)
        return modules

    def importers(self, paths: Collection[str], among: Iterable[SourceModule], limit: int) -> list[SourceModule]:
        """The files `among` these that import one of `paths`, also indirectly: the nearest, at most `limit`."""
        if self._importers is None or self._generation != self._project.generation:
            self._generation = self._project.generation
            importers: dict[str, set[str]] = {}
            for module in among:
                for target in self.imported(module):
                    importers.setdefault(target.path, set()).add(module.path)
            self._importers = importers
        found: dict[str, None] = {}
        level = sorted(paths)
        while level and len(found) < limit:
            above = sorted({p for path in level for p in self._importers.get(path, ())} - set(found) - set(paths))
            found.update(dict.fromkeys(above[: limit - len(found)]))
            level = above
        return [self._project.modules[p] for p in found if p in self._project.modules]


def import_graph(project: Project) -> ImportGraph:
    """The import graph of a project."""
    held = project.derived.get("imports")
    if isinstance(held, ImportGraph):
        return held
    made = ImportGraph(project)
    project.derived["imports"] = made
    return made
