"""Which file imports which, read off the text: for the order of the analysis, and for what an edit may concern."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from onnx_lint.project.derived import ChunkMemo, FileIndex

if TYPE_CHECKING:
    from onnx_lint.project.modules import SourceModule
    from onnx_lint.project.project import Project

_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+([^\n#]*)|import[ \t]+([\w.]+))", re.M)
_NAME = re.compile(r"\w+")

Statement = tuple[str, str, str, str]
"""Dots, module and names of a ``from … import …``; module of an ``import``."""


class ImportGraph:
    """The imports of a project's files. A file is read once for each text that it has."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._files: FileIndex[list[Statement]] = FileIndex(project, self._read)
        self._in_chunks: ChunkMemo[list[Statement]] = ChunkMemo(_IMPORT.findall)
        self._imported: dict[str, tuple[list[Statement], int, list[SourceModule]]] = {}
        self.changes = 0
        """How often the import statements of a file were found to be others than before."""
        self._importers: dict[str, set[str]] | None = None
        self._generation = -1

    def scan(self, module: SourceModule) -> list[Statement]:
        """The import statements of a file; the same list for as long as they are the same."""
        return self._files.of(module)

    def _read(self, module: SourceModule) -> list[Statement]:
        if not self._project.is_editor:
            found: list[Statement] = _IMPORT.findall(module.source.text)
        else:
            texts = [m.text for c in module.chunks for m in (c.members or (c,)) if "import" in m.text]
            by_text = self._in_chunks.of(module.path, texts)
            found = [statement for text in texts for statement in by_text[text]]
        before = self._files.last(module.path)
        if before == found:
            return before
        self._importers = None
        self.changes += 1
        return found

    def refresh(self) -> None:
        """Read the files that have changed."""
        for module in self._project.modules.values():
            self.scan(module)

    def imported(self, module: SourceModule) -> list[SourceModule]:
        """The project's files that a file imports."""
        project = self._project
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
                found = project.nearest(candidate, module)
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
