"""Which file a dotted module name stands for."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from onnx_lint.project.chunks import ChunkStore
from onnx_lint.project.dependencies import Tracker
from onnx_lint.project.meanings import Module
from onnx_lint.project.modules import ImportBinding, SourceModule
from onnx_lint.source import ir
from onnx_lint.source.text import SourceText

Loader = Callable[[str], "SourceText | None"]
"""Reads a file that was not given but is imported by one that was; ``None`` if there is none."""


class ModuleTable:
    """The project's files by dotted name, counted from the folder above the outermost ``__init__.py``."""

    def __init__(
        self, files: Mapping[str, SourceModule], loader: Loader | None, store: ChunkStore, tracker: Tracker
    ) -> None:
        self._files, self._loader, self._store, self._tracker = files, loader, store, tracker
        self.resolve: Callable[[SourceModule, ir.Expr], object] = lambda module, expression: None
        """What its modules are given to resolve names; of the resolver, which rests on this table."""
        self._by_name: dict[str, SourceModule] | None = None
        self._alike: dict[str, list[SourceModule]] = {}
        """All files of a name that several have."""
        self._prefixes: set[str] = set()
        self._loaded: dict[str, SourceModule | None] = {}
        self._facts = tracker.facts(None)
        """The facts of which module a dotted name stands for."""

    def make(self, source: SourceText) -> SourceModule:
        """The module of a file that is about to be added."""
        name, is_package = _preliminary_name(source.path)
        return SourceModule(source, name, is_package, self._store, self._tracker, self._resolve)

    def _resolve(self, module: SourceModule, expression: ir.Expr) -> object:
        return self.resolve(module, expression)

    @property
    def loaded(self) -> list[SourceModule]:
        """The files that the loader gave."""
        return [module for module in self._loaded.values() if module is not None]

    def refresh(self, path: str) -> tuple[list[SourceModule], bool]:
        """Another file, or none, stands at `path`. Gives the loaded files that it takes the place of, and whether files
        that stay have another name now."""
        names, prefixes, alike, self._by_name = self._by_name, self._prefixes, self._alike, None
        if not self._tracker.is_tracking:
            self._loaded.clear()
            return [], True
        gone = self._loaded.pop(path, None)
        renamed = False
        if names is not None:
            held = {id(module): module.name for module in names.values()}
            now = self.by_name
            for name in (
                *(n for n in names.keys() | now.keys() if names.get(n) is not now.get(n)),
                *(n for n in alike.keys() | self._alike.keys() if alike.get(n) != self._alike.get(n)),
                *(prefixes ^ self._prefixes),
            ):
                self._facts.invalidate(name)
            renamed = any(held.get(id(module), module.name) != module.name for module in now.values())
        return ([gone] if gone is not None else []), renamed

    @property
    def by_name(self) -> dict[str, SourceModule]:
        if self._by_name is None:
            packages = _Packages(self._files, self._loader)
            self._by_name, self._alike, self._prefixes = {}, {}, set()
            for path, module in sorted(
                self._files.items(), key=_path_of
            ):  # of one name, the first path: not whichever came first
                folder, _, file = self._full(path).rpartition("/")
                parts = [] if module.is_package else [file.rpartition(".")[0] or file]
                while folder in packages:
                    folder, _, last = folder.rpartition("/")
                    parts.insert(0, last)
                module.name = ".".join(parts)
                self._note(module.name, module)
                for i in range(1, len(parts)):
                    self._prefixes.add(".".join(parts[:i]))
            self._outer_names(packages)
        return self._by_name

    def _outer_names(self, packages: _Packages) -> None:
        """Files of folders without ``__init__.py`` can be imported from every folder above: ``models.common``."""
        for path, module in sorted(self._files.items(), key=_path_of):
            folder = self._full(path).rpartition("/")[0]
            while folder in packages:
                folder = folder.rpartition("/")[0]
            name = module.name
            for part in reversed([p for p in folder.split("/") if p not in ("", ".", "..")][-3:]):
                name = f"{part}.{name}" if name else part
                self._note(name, module)
                self._prefixes.add(name.rpartition(".")[0])

    def _note(self, name: str, module: SourceModule) -> None:
        assert self._by_name is not None
        first = self._by_name.setdefault(name, module)
        if first is not module:
            self._alike.setdefault(name, [first]).append(module)

    def _full(self, path: str) -> str:
        return _full_path(path, self._loader)

    def nearest(self, name: str, importer: SourceModule | None) -> SourceModule | None:
        """The file of that name which `importer` would get: of several, the innermost below a folder in which
        `importer` lies too; if there is none, the one that shares most folders with it; of equals, the first path."""
        first = self.by_name.get(name)
        alike = self._alike.get(name)
        if alike is None or importer is None:
            return first
        folder = self._folders(importer)

        def order(module: SourceModule) -> tuple[bool, int]:
            root = self._root(module, name)
            shared = next(
                (i for i, (a, b) in enumerate(zip(root, folder, strict=False)) if a != b), min(len(root), len(folder))
            )
            return shared < len(root), -shared

        return min(alike, key=order)

    def _folders(self, module: SourceModule) -> list[str]:
        return self._full(module.path).split("/")[:-1]

    def _root(self, module: SourceModule, name: str) -> list[str]:
        """The folder from which a module has that name, as its parts."""
        folders = self._folders(module)
        depth = name.count(".") + (1 if module.is_package else 0)
        return folders[: len(folders) - depth]

    def module(self, name: str, importer: SourceModule | None = None) -> Module | None:
        """The project's module of that dotted name, if there is one; of several, that which `importer` would get."""
        self._facts.read(name)
        source = self.nearest(name, importer)
        if source is not None or name in self._prefixes:
            return Module(name, source)
        return None

    def is_known(self, name: str) -> bool:
        """Whether a module or a folder of modules has that name."""
        self._facts.read(name)
        return name in self.by_name or name in self._prefixes

    def load(self, importer: SourceModule, name: str) -> Module | None:
        """The module `name` as `importer` sees it; asks the loader when the file was not given."""
        found = self.module(name, importer)
        if self._loader is None or (found is not None and not self._is_elsewhere(found, importer)):
            return found
        for path in _candidates(importer, name):
            if path not in self._loaded:
                text = self._loader(path)
                self._loaded[path] = None
                if text is not None:
                    is_package = path.endswith("__init__.py")
                    self._loaded[path] = SourceModule(text, name, is_package, self._store, self._tracker, self._resolve)
            source = self._loaded[path]
            if source is not None:
                return Module(name, source)
        return found

    def _is_elsewhere(self, found: Module, importer: SourceModule) -> bool:
        """Whether a file that was not given may be nearer to the importer."""
        if found.source is None:
            return False
        root = self._root(found.source, found.name)
        return self._folders(importer)[: len(root)] != root

    def import_of(self, module: SourceModule, binding: ImportBinding) -> str:
        """The absolute dotted name of an import's module."""
        if not binding.level:
            return binding.module
        _ = self.by_name
        package = module.package
        for _step in range(binding.level - 1):
            package = package.rpartition(".")[0]
        return ".".join(p for p in (package, binding.module) if p)


def _preliminary_name(path: str) -> tuple[str, bool]:
    """A name from the path alone, and whether it is that of a package; `ModuleTable.by_name` shortens it to the package
    root."""
    parts = path.replace("\\", "/").split("/")
    stem = parts[-1].rpartition(".")[0] or parts[-1]
    is_package = stem == "__init__"
    return ".".join(p for p in (*parts[:-1], *(() if is_package else (stem,))) if p not in ("", ".")), is_package


def _full_path(path: str, loader: Loader | None) -> str:
    """The path from which a module has its name: of a file on the disk the whole of it, so that the name does not
    depend on the folder in which somebody stands."""
    return (path if loader is None else os.path.abspath(path)).replace("\\", "/")


def _path_of(item: tuple[str, SourceModule]) -> str:
    return item[0]


class _Packages:
    """The folders with an ``__init__.py``: one that was added, or one that the loader finds."""

    def __init__(self, modules: Mapping[str, SourceModule], loader: Loader | None) -> None:
        self._loader = loader
        is_relative = loader is not None and not all(map(os.path.isabs, modules))
        self._here = f"{_full_path('', loader)}/" if is_relative else None
        added = (_full_path(path, loader).rpartition("/")[0] for path, module in modules.items() if module.is_package)
        self._known = dict.fromkeys(added, True)
        self._known[""] = False  # what lies above the relative path of a text without a file is not known

    def _short(self, path: str) -> str:
        """The path as the loader is asked for it: like those of the files that were added."""
        return path if self._here is None else path.removeprefix(self._here)

    def __contains__(self, folder: str) -> bool:
        known = self._known.get(folder)
        if known is None:
            known = self._loader is not None and self._loader(self._short(f"{folder}/__init__.py")) is not None
            self._known[folder] = known
        return known


def _candidates(importer: SourceModule, name: str) -> list[str]:
    """Where a module `name` can be for a file: below the package root of the importer."""
    folder = os.path.abspath(importer.path).replace("\\", "/").rpartition("/")[0]
    depth = importer.name.count(".") + (1 if importer.is_package else 0)
    root = folder
    for _ in range(depth):
        root = root.rpartition("/")[0]
    stem = f"{root}/{name.replace('.', '/')}"
    if not os.path.isabs(importer.path):
        stem = os.path.relpath(stem).replace("\\", "/")
    return [f"{stem}.py", f"{stem}/__init__.py"]
