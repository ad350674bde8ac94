"""The project: all files under analysis, and what a dotted name means across them."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.policy import Policy
from onnx_lint.project.chunks import ChunkStore
from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.dependencies import UNTRACKED, Tracker
from onnx_lint.project.derived import Derived
from onnx_lint.project.meanings import Module
from onnx_lint.project.module_table import Loader, ModuleTable
from onnx_lint.project.modules import ClassBinding, ImportBinding, SourceModule, Unit
from onnx_lint.project.recording import Recorder
from onnx_lint.project.resolution import Meaning, Resolver
from onnx_lint.project.revision import revise
from onnx_lint.source import ir
from onnx_lint.source.split import Chunk
from onnx_lint.source.text import SourceText


class Project:
    """Files by path. `add` and `remove` may be called at any time. With a `loader`, imported neighbours that were not
    added are read for what they say (they are not reported on).

    In an `editor`, what was computed is kept over changes: a new text of a file that is there already costs what it
    touches, and a broken function is stood in for by its last valid version. So do files that come and go. `recording`
    notes what results rest on.
    """

    def __init__(self, loader: Loader | None = None, *, editor: bool = False, recording: bool = False) -> None:
        self.is_editor = editor
        self.tracker: Tracker = Tracker() if editor else Recorder() if recording else UNTRACKED
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
        self._table = ModuleTable(self.modules, loader, self.store, self.tracker)
        self._resolver = Resolver(self._table, self.tracker)
        self._table.resolve = self._resolver.resolve

    # ------------------------------------------------------------------------------------------------------- files
    def add(self, source: SourceText) -> SourceModule:
        """Add a file, or replace its text."""
        held = self.modules.get(source.path)
        if held is not None and self.is_editor:
            revise(held, self._resolver.classes, source)
            self.version += 1
            return held
        module = self.modules[source.path] = self._table.make(source)
        self._changed(source.path, held)
        return module

    def remove(self, path: str) -> None:
        held = self.modules.pop(path, None)
        if held is not None:
            self._changed(path, held)

    def _changed(self, path: str, before: SourceModule | None) -> None:
        """Another file, or none, stands at `path`."""
        self.version += 1
        self.generation += 1
        gone, is_renamed = self._table.refresh(path)
        for module in gone if before is None else (before, *gone):
            module.retire()
            self._resolver.classes.retire(module)
        if is_renamed:
            self.renamings += 1
            self._resolver.forget()

    def trim(self) -> None:
        """Forget what was parsed and is in no file any more. For a server that lives long, now and then."""
        wanted: set[int] = set()
        for module in (*self.modules.values(), *self._table.loaded):
            for unit in module.lowered_units():
                wanted.add(id(unit.chunk))
                if unit.last_good is not None:
                    wanted.add(id(unit.last_good.chunk))
        self.store.keep_only(wanted)
        self.prune()

    def prune(self) -> None:
        """Let go of what names stood for in texts that were typed over."""
        self._resolver.prune()

    # ----------------------------------------------------------------------------------------------------- modules
    def nearest(self, name: str, importer: SourceModule) -> SourceModule | None:
        """The file of that dotted name, if one was given; of several, the one that `importer` would get. What
        asks does not come to rest on it."""
        return self._table.nearest(name, importer)

    def module(self, name: str, importer: SourceModule | None) -> Module | None:
        """The project's module of that dotted name, if there is one; of several, that which `importer` would get."""
        return self._table.module(name, importer)

    def load(self, importer: SourceModule, name: str) -> Module | None:
        """The module `name` as `importer` sees it; asks the loader when the file was not given."""
        return self._table.load(importer, name)

    # ------------------------------------------------------------------------------------------------------- names
    def resolve(self, module: SourceModule, expression: ir.Expr) -> Meaning | None:
        """What a dotted expression at the top level of `module` stands for."""
        return self._resolver.resolve(module, expression)

    def resolve_name(self, module: SourceModule, name: str) -> Meaning | None:
        """What a top-level name of `module` stands for, through imports and re-exports."""
        return self._resolver.resolve_name(module, name)

    def resolve_import(self, module: SourceModule, binding: ImportBinding) -> Meaning | None:
        """What an import that stands anywhere in `module` binds."""
        return self._resolver.resolve_import(module, binding)

    # ----------------------------------------------------------------------------------------------------- classes
    def class_of(self, module: SourceModule, chunk: Chunk) -> ClassInfo:
        """The class of a top-level class chunk of `module`; always the same object."""
        return self._resolver.classes.of_chunk(module, chunk)

    def class_of_binding(self, binding: ClassBinding) -> ClassInfo:
        """The class that a name is bound to; always the same object."""
        return self._resolver.classes.of(binding)

    def class_of_statement(self, unit: Unit, statement: ir.ClassDef) -> ClassInfo:
        """The class of a ``class`` statement inside another statement or function; always the same object."""
        return self._resolver.classes.of_statement(unit, statement)

    def classes(self) -> Iterator[ClassInfo]:
        """All top-level classes of the files that were added, in file order, except those inside other statements."""
        for module in list(self.modules.values()):
            for chunk in module.class_chunks():
                yield self.class_of(module, chunk)
