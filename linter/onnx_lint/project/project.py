"""The project: all files under analysis, and what a dotted name means across them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from onnx_lint.policy import Policy
from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.dependencies import Memo, Node, Tracker
from onnx_lint.project.derived import Derived
from onnx_lint.project.modules import STARS, Binding, FunctionBinding, ImportBinding, SourceModule, ValueBinding
from onnx_lint.project.revision import revise
from onnx_lint.project.unit import ChunkStore
from onnx_lint.source import ir
from onnx_lint.source.text import SourceText


@dataclass(frozen=True, slots=True)
class External:
    """Something outside the project, by its full dotted name (``torch.nn.functional.relu``)."""

    name: str


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the project, or a folder of modules without ``__init__.py``."""

    name: str
    source: SourceModule | None


Meaning = External | Module | ClassInfo | FunctionBinding | ValueBinding
"""What a name stands for."""

Loader = Callable[[str], "SourceText | None"]
"""Reads a file that was not given but is imported by one that was; ``None`` if there is none."""

_MAX_HOPS = 20
"""Re-exports followed for one name; a longer way is a cycle or an attack."""


class Project:
    """Files by path. `add` and `remove` may be called at any time. With a `loader`, imported neighbours that were not
    added are read for what they say (they are not reported on).

    In an `editor`, what was computed is kept over changes: a new text of a file that is there already costs what it
    touches, and a broken function is stood in for by its last valid version. So do files that come and go.
    """

    def __init__(self, loader: Loader | None = None, *, editor: bool = False) -> None:
        self.tracker = Tracker() if editor else None
        self.store = ChunkStore()
        self.modules: dict[str, SourceModule] = {}
        self.version = 0
        """Grows with every change."""
        self.generation = 0
        """Grows when files come and go."""
        self.renamings = 0
        """Grows when files that are there already get another dotted name: then nothing that was computed holds."""
        self.derived = Derived(self)
        """What other rooms keep with the project."""
        self.policy = Policy()
        """Which code is left out as training only, and the configured entry points."""
        self._by_name: dict[str, SourceModule] | None = None
        self._prefixes: set[str] = set()
        self._loader = loader
        self._loaded: dict[str, SourceModule | None] = {}
        self._meanings = Memo(self.tracker)
        self._named: dict[str, Node] = {}
        """The facts of which module a dotted name stands for."""
        self._resolving: set[tuple[str, str]] = set()

    def add(self, source: SourceText) -> SourceModule:
        """Add a file, or replace its text."""
        held = self.modules.get(source.path)
        if held is not None and self.tracker is not None:
            revise(held, source)
            self.version += 1
            return held
        name, is_package = self._name_of(source.path)
        module = SourceModule(self, source, name, is_package)
        self.modules[source.path] = module
        self._changed(source.path, held)
        return module

    def remove(self, path: str) -> None:
        held = self.modules.pop(path, None)
        if held is not None:
            self._changed(path, held)

    def trim(self) -> None:
        """Forget what was parsed and is in no file any more. For a server that lives long, now and then."""
        wanted: set[int] = set()
        loaded = [module for module in self._loaded.values() if module is not None]
        for module in (*self.modules.values(), *loaded):
            for unit in module.lowered_units():
                wanted.add(id(unit.chunk))
                if unit.last_good is not None:
                    wanted.add(id(unit.last_good.chunk))
        self.store.keep_only(wanted)

    def _changed(self, path: str, before: SourceModule | None) -> None:
        """Another file, or none, stands at `path`."""
        self.version += 1
        self.generation += 1
        names, prefixes, self._by_name = self._by_name, self._prefixes, None
        if self.tracker is None:
            self._meanings = Memo(None)
            self._loaded.clear()
            if names is not None:  # somebody has asked for names: classes may know bases of the file as it was
                for module in self.modules.values():
                    module.forget_bases()
            return
        for gone in (before, self._loaded.pop(path, None)):
            if gone is not None:
                gone.retire()
        if names is not None:
            held = {id(module): module.name for module in names.values()}
            now = self.by_name
            others = [n for n in names.keys() | now.keys() if names.get(n) is not now.get(n)]
            for name in (*others, *(prefixes ^ self._prefixes)):
                if name in self._named:
                    self.tracker.invalidate(self._named[name])
            if any(held.get(id(module), module.name) != module.name for module in now.values()):
                self.renamings += 1
                self._meanings = Memo(self.tracker)

    def _read_name(self, name: str) -> None:
        """What is being computed rests on which module a dotted name stands for."""
        if self.tracker is not None:
            dependency = self._named.get(name)
            if dependency is None:
                dependency = self._named[name] = Node()
            self.tracker.read(dependency)

    # -------------------------------------------------------------------------------------------------- modules
    def _name_of(self, path: str) -> tuple[str, bool]:
        """A preliminary name from the path alone; `_names` shortens it to the package root."""
        parts = path.replace("\\", "/").split("/")
        stem = parts[-1].rpartition(".")[0] or parts[-1]
        is_package = stem == "__init__"
        return ".".join(p for p in (*parts[:-1], *(() if is_package else (stem,))) if p not in ("", ".")), is_package

    @property
    def by_name(self) -> dict[str, SourceModule]:
        """Modules by dotted name, counted from the folder above the outermost ``__init__.py``."""
        if self._by_name is None:
            packages = _Packages(self.modules, self._loader)
            self._by_name, self._prefixes = {}, set()
            for path, module in self.modules.items():
                folder, _, file = path.replace("\\", "/").rpartition("/")
                parts = [] if module.is_package else [file.rpartition(".")[0] or file]
                while folder in packages:
                    folder, _, last = folder.rpartition("/")
                    parts.insert(0, last)
                module.name = ".".join(parts)
                self._by_name.setdefault(module.name, module)
                for i in range(1, len(parts)):
                    self._prefixes.add(".".join(parts[:i]))
            self._outer_names(packages)
        return self._by_name

    def _outer_names(self, packages: _Packages) -> None:
        """Files of folders without ``__init__.py`` can be imported from every folder above: ``models.common``."""
        assert self._by_name is not None
        for path, module in self.modules.items():
            folder = path.replace("\\", "/").rpartition("/")[0]
            while folder in packages:
                folder = folder.rpartition("/")[0]
            name = module.name
            for part in reversed([p for p in folder.split("/") if p not in ("", ".", "..")][-3:]):
                name = f"{part}.{name}" if name else part
                self._by_name.setdefault(name, module)
                self._prefixes.add(name.rpartition(".")[0])

    def module(self, name: str) -> Module | None:
        """The project's module of that dotted name, if there is one."""
        self._read_name(name)
        source = self.by_name.get(name)
        if source is not None or name in self._prefixes:
            return Module(name, source)
        return None

    def load(self, importer: SourceModule, name: str) -> Module | None:
        """The module `name` as `importer` sees it; asks the loader when the file was not given."""
        found = self.module(name)
        if found is not None or self._loader is None:
            return found
        for path in _candidates(importer, name):
            if path not in self._loaded:
                text = self._loader(path)
                self._loaded[path] = None
                if text is not None:
                    is_package = path.endswith("__init__.py")
                    self._loaded[path] = SourceModule(self, text, name, is_package)
            source = self._loaded[path]
            if source is not None:
                return Module(name, source)
        return None

    def import_of(self, module: SourceModule, binding: ImportBinding) -> str:
        """The absolute dotted name of an import's module."""
        if not binding.level:
            return binding.module
        _ = self.by_name
        package = module.package
        for _step in range(binding.level - 1):
            package = package.rpartition(".")[0]
        return ".".join(p for p in (package, binding.module) if p)

    # ---------------------------------------------------------------------------------------------------- names
    def resolve(self, module: SourceModule, expression: ir.Expr) -> Meaning | None:
        """What a dotted expression at the top level of `module` stands for."""
        if isinstance(expression, ir.Name):
            return self.resolve_name(module, expression.id)
        if isinstance(expression, ir.Attribute):
            base = self.resolve(module, expression.value)
            return None if base is None else self.attribute(base, expression.attr)
        return None

    def resolve_name(self, module: SourceModule, name: str, hops: int = 0) -> Meaning | None:
        """What a top-level name of `module` stands for, through imports and re-exports."""
        key = (module.path, name)
        held = self._meanings.get(key)
        if held is not None:
            return held[0]  # type: ignore[return-value]
        if key in self._resolving:
            return None  # a cycle ends here
        self._resolving.add(key)
        try:
            found = self._meanings.compute(key, lambda: self._resolve_name(module, name, hops))
        finally:
            self._resolving.discard(key)
        if found is None and hops:
            self._meanings.forget(key)  # it may be so only within the cycle that led here
        return found

    def _resolve_name(self, module: SourceModule, name: str, hops: int) -> Meaning | None:
        if hops > _MAX_HOPS:
            return None
        fallback: Meaning | None = None
        if self.tracker is not None:
            self.tracker.read(module.name_record(name))
        for binding in module.lookup(name):
            meaning = self._follow(module, binding, hops)
            if meaning is None:
                continue
            if isinstance(meaning, ValueBinding) and isinstance(meaning.value, ir.Const):
                fallback = fallback or meaning  # `except ImportError: f = None`
                continue
            return meaning
        if fallback is not None:
            return fallback
        if self.tracker is not None:
            self.tracker.read(module.name_record(STARS))
        for star in module.stars:
            target = self.load(module, self.import_of(module, star))
            if target is not None and target.source is not None and target.source is not module:
                meaning = self.resolve_name(target.source, name, hops + 1)
                if meaning is not None:
                    return meaning
        if module.is_package:
            return self.load(module, f"{module.name}.{name}")
        return None

    def follow(self, module: SourceModule, binding: Binding) -> Meaning | None:
        """What a binding in a module stands for, through imports."""
        return self._follow(module, binding, 0)

    def _follow(self, module: SourceModule, binding: Binding, hops: int) -> Meaning | None:
        if not isinstance(binding, ImportBinding):
            if self.tracker is not None and isinstance(binding, (FunctionBinding, ValueBinding)):
                self.tracker.read(binding.unit.dependency)
            return binding
        target = self.import_of(module, binding)
        source = self.load(module, target)
        if binding.attribute is None:
            return source or External(target)
        if source is None:
            submodule = self.load(module, f"{target}.{binding.attribute}")
            if submodule is not None:
                return submodule
            root = target.partition(".")[0]
            self._read_name(root)
            known = root in self._prefixes or root in self.by_name
            return None if known and not target else External(f"{target}.{binding.attribute}")
        return self.attribute(source, binding.attribute, hops + 1)

    def attribute(self, base: Meaning, name: str, hops: int = 0) -> Meaning | None:
        """The attribute `name` of a module or of something external."""
        if isinstance(base, External):
            return External(f"{base.name}.{name}")
        if isinstance(base, Module):
            if base.source is not None:
                meaning = self.resolve_name(base.source, name, hops)
                if meaning is not None:
                    return meaning
            return self.module(f"{base.name}.{name}")
        return None

    # --------------------------------------------------------------------------------------------------- classes
    def classes(self) -> Iterator[ClassInfo]:
        """All top-level classes of the files that were added, in file order, also those in conditional blocks."""
        for module in list(self.modules.values()):
            for chunk in module.class_chunks():
                yield module.class_of(chunk)


class _Packages:
    """The folders with an ``__init__.py``: one that was added, or one that the loader finds."""

    def __init__(self, modules: Mapping[str, SourceModule], loader: Loader | None) -> None:
        added = (path.replace("\\", "/").rpartition("/")[0] for path, module in modules.items() if module.is_package)
        self._known = dict.fromkeys(added, True)
        self._known[""] = False  # what lies above a relative path is not known
        self._loader = loader

    def __contains__(self, folder: str) -> bool:
        known = self._known.get(folder)
        if known is None:
            known = self._loader is not None and self._loader(f"{folder}/__init__.py") is not None
            self._known[folder] = known
        return known


def _candidates(importer: SourceModule, name: str) -> list[str]:
    """Where a module `name` can be for a file: below the package root of the importer."""
    folder = importer.path.replace("\\", "/").rpartition("/")[0]
    depth = importer.name.count(".") + (1 if importer.is_package else 0)
    root = folder
    for _ in range(depth):
        root = root.rpartition("/")[0]
    stem = "/".join(p for p in (root, name.replace(".", "/")) if p)
    return [f"{stem}.py", f"{stem}/__init__.py"]
