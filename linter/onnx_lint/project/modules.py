"""One file of the project: its units, and what its top-level names mean."""

from __future__ import annotations

import symtable
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

from onnx_lint.project.dependencies import Node
from onnx_lint.project.unit import Unit
from onnx_lint.source import ir
from onnx_lint.source.split import Chunk, split
from onnx_lint.source.statements import is_docstring, simple_target
from onnx_lint.source.text import SourceText

if TYPE_CHECKING:
    from onnx_lint.project.classes import ClassInfo
    from onnx_lint.project.project import Project
    from onnx_lint.project.revision import Change


@dataclass(eq=False, slots=True)
class FunctionBinding:
    """A name bound by ``def``."""

    unit: Unit
    function: ir.FunctionDef


@dataclass(eq=False, slots=True)
class ImportBinding:
    """A name bound by an import: a module, or an attribute of one."""

    module: str
    level: int
    attribute: str | None


@dataclass(eq=False, slots=True)
class ValueBinding:
    """A name bound by an assignment; `path` are the indices to unpack with (``a, (b, c) = …``)."""

    unit: Unit
    value: ir.Expr
    path: tuple[int, ...]
    annotation: ir.Expr | None = None


STARS = "*"
"""What stands for all names at once that ``from m import *`` binds."""

Binding = Union[FunctionBinding, "ClassInfo", ImportBinding, ValueBinding]


class SourceModule:
    """A file with its chunks. Nothing is parsed before a name is asked for."""

    def __init__(self, project: Project, source: SourceText, name: str, is_package: bool) -> None:
        self.project, self.source, self.name, self.is_package = project, source, name, is_package
        self.path = source.path
        self._chunks: list[Chunk] | None = None
        self._units: dict[int, Unit] = {}
        self._definitions: dict[str, list[Chunk]] | None = None
        self._classes: dict[int, ClassInfo] = {}
        self._bindings: dict[str, list[Binding]] | None = None
        self._assigned: dict[str, Chunk] = {}
        """Assignments to one name that have not been lowered yet; where `bindings` has that name, they are behind."""
        self._stars: list[ImportBinding] = []
        self.dependency = Node()
        """The fact of which chunks there are, but for what functions say."""
        self.changes = 0
        """How often that has changed."""
        self._names: dict[str, Node] = {}
        self._is_known_to_parse: bool | None = None

    @property
    def chunks(self) -> list[Chunk]:
        if self._chunks is None:
            self._chunks = split(self.source.normal)
        return self._chunks

    @property
    def package(self) -> str:
        return self.name if self.is_package else self.name.rpartition(".")[0]

    def unit(self, chunk: Chunk, *, member: bool = False, header: bool = False) -> Unit:
        """The unit of a chunk; of a class chunk its header when `header`."""
        unit = self._units.get(id(chunk))
        if unit is None:
            text = chunk.header + " pass" if header else chunk.text
            unit = self._units[id(chunk)] = Unit(self, chunk.line, text, member)
        return unit

    def held_unit(self, chunk: Chunk) -> Unit | None:
        """The unit of a chunk, if it was asked for before."""
        return self._units.get(id(chunk))

    # -------------------------------------------------------------------------------------- an editor's changes
    def name_record(self, name: str) -> Node:
        """The fact of what a top-level name is bound to."""
        dependency = self._names.get(name)
        if dependency is None:
            dependency = self._names[name] = Node()
        return dependency

    def invalidate(self, dependency: Node) -> None:
        if self.project.tracker is not None:
            self.project.tracker.invalidate(dependency)

    def spoil_name(self, name: str) -> None:
        """A name is bound to something else."""
        if name in self._names:
            self.invalidate(self._names[name])

    def retire(self) -> None:
        """The file is no longer part of the project: what was computed from it is stale."""
        for dependency in (self.dependency, *self._names.values()):
            self.invalidate(dependency)
        for unit in self._units.values():
            unit.is_gone = True
            self.invalidate(unit.dependency)
        for info in self._classes.values():
            self.invalidate(info.dependency)

    def forget_bases(self) -> None:
        """The classes of other files may be others now."""
        for info in self._classes.values():
            info.forget_bases()

    def take_units(self, chunks: list[Chunk]) -> dict[int, Unit]:
        """The units of chunks that go, by the identity of the chunk; they are not held here any more."""
        taken: dict[int, Unit] = {}
        for chunk in chunks:
            for each in (chunk, *chunk.members):
                unit = self._units.pop(id(each), None)
                if unit is not None:
                    taken[id(each)] = unit
        return taken

    def hold(self, chunk: Chunk, unit: Unit) -> None:
        """`unit` is that of a chunk from now on."""
        self._units[id(chunk)] = unit

    def move_class(self, before: Chunk, after: Chunk) -> None:
        """The class of a chunk stands in another one, with the same members but for what is in functions."""
        info = self._classes.pop(id(before), None)
        if info is not None:
            info.move(after)
            self._classes[id(after)] = info

    def drop_classes(self, chunks: set[int], units: set[int]) -> None:
        """Classes of these chunks and units, by identity, are no more."""
        for key, info in list(self._classes.items()):
            if key in chunks or id(info.header_unit) in units:
                del self._classes[key]
                self.invalidate(info.dependency)

    def replace(self, change: Change, *, is_other: bool, rebinds: bool) -> None:
        """Put chunks in the place of others; `is_other` says that other code can see it, `rebinds` that statements
        have come or gone."""
        chunks = self.chunks
        if change.shift:
            for chunk in chunks[change.last :]:
                chunk.move(change.shift)
                for each in (chunk, *chunk.members):
                    unit = self._units.get(id(each))
                    if unit is not None:
                        unit.move(each.line, unit.last_good)
        self._definitions = None
        if not is_other:
            chunks[change.first : change.last] = change.chunks
            return
        self._chunks = [*chunks[: change.first], *change.chunks, *chunks[change.last :]]
        self.changes += 1
        if rebinds:
            self._bindings, self._assigned, self._stars = None, {}, []
        self.invalidate(self.dependency)

    def units(self) -> Iterable[Unit]:
        """The units that there are so far."""
        return self._units.values()

    def lowered_units(self) -> Iterator[Unit]:
        for unit in self._units.values():
            if unit.is_lowered:
                yield unit

    def all_units(self) -> Iterator[Unit]:
        """Every chunk of the file, members of classes one by one."""
        for chunk in self.chunks:
            yield self.unit(chunk, header=bool(chunk.members))
            for member in chunk.members:
                yield self.unit(member, member=True)

    def faulty_units(self) -> list[Unit]:
        """The units that do not parse or are beyond the guards, also among those that nobody has asked for."""
        if self._is_known_to_parse is None or self.project.tracker is None:
            self._is_known_to_parse = not self._may_not_parse()
            if not self._is_known_to_parse:
                for unit in self.all_units():
                    _ = unit.chunk
        return [unit for unit in self._units.values() if unit.is_faulty]

    def _may_not_parse(self) -> bool:
        """Whether a chunk that was not lowered may hold a syntax error: Python's own symbol-table pass, which neither
        compiles nor runs anything and costs a twentieth of a parse, does not take them together. They may also be
        newer than this Python."""
        text = self._unlowered_text()
        if not text:
            return False
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                symtable.symtable(text, "source", "exec")
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            return True
        return False

    def _unlowered_text(self) -> str:
        """The chunks that were not lowered, as one source."""
        parts: list[str] = []

        def is_pending(chunk: Chunk) -> bool:
            unit = self._units.get(id(chunk))
            return unit is None or not unit.is_lowered

        for chunk in self.chunks:
            if chunk.members:
                pending = [m.text for m in chunk.members if is_pending(m)]
                if is_pending(chunk):
                    parts.append(chunk.header + " pass")
                if pending:
                    parts += ["class _:", *pending]
            elif is_pending(chunk) and not chunk.text.startswith("from __future__"):
                parts.append(chunk.text)
        return "\n".join(parts) + "\n" if parts else ""

    # ---------------------------------------------------------------------------------------------------- names
    def lookup(self, name: str) -> list[Binding]:
        """What a top-level name is bound to, likeliest first; empty if the file does not bind it."""
        definitions = self.definitions.get(name)
        if definitions is not None:
            return [self._definition(definitions[-1])]
        bindings = self.bindings
        assigned = self._assigned.pop(name, None)
        if assigned is not None:
            unit = self.unit(assigned)
            _Binder(self, unit).block(unit.chunk.lowered.body, straight=True)
        return bindings.get(name, [])

    @property
    def definitions(self) -> dict[str, list[Chunk]]:
        """Top-level ``def`` and ``class`` chunks by name; known without parsing."""
        if self._definitions is None:
            self._definitions = {}
            for chunk in self.chunks:
                if chunk.kind != "statement":
                    self._definitions.setdefault(chunk.name, []).append(chunk)
        return self._definitions

    def _definition(self, chunk: Chunk) -> Binding:
        if chunk.kind == "class":
            return self.class_of(chunk)
        unit = self.unit(chunk)
        for statement in unit.chunk.lowered.body:
            if isinstance(statement, ir.FunctionDef):
                return FunctionBinding(unit, statement)
        return ValueBinding(unit, ir.Opaque(0), ())

    def class_of(self, chunk: Chunk) -> ClassInfo:
        """The class of a top-level class chunk."""
        info = self._classes.get(id(chunk))
        if info is None:
            from onnx_lint.project.classes import ClassInfo

            info = self._classes[id(chunk)] = ClassInfo.of_chunk(self, chunk)
        return info

    def class_of_statement(self, unit: Unit, statement: ir.ClassDef) -> ClassInfo:
        """The class of a nested ``class`` statement; always the same object."""
        info = self._classes.get(id(statement))
        if info is None or info.header_unit is not unit:
            from onnx_lint.project.classes import ClassInfo

            info = self._classes[id(statement)] = ClassInfo.of_statement(self, unit, statement)
        return info

    def class_chunks(self) -> list[Chunk]:
        return [c for c in self.chunks if c.kind == "class"]

    @property
    def bindings(self) -> dict[str, list[Binding]]:
        """Names bound by top-level statements that are neither ``def`` nor ``class`` chunks."""
        if self._bindings is None:
            self._bindings = {}
            for chunk in self.chunks:
                if chunk.kind == "statement" and not is_docstring(chunk.text):
                    name = simple_target(chunk.text)
                    if name is not None:
                        self._assigned[name] = chunk  # a table of 5,000 lines that nobody asks for is not parsed
                        self._bindings.pop(name, None)
                        continue
                    unit = self.unit(chunk)
                    _Binder(self, unit).block(unit.chunk.lowered.body, straight=True)
        return self._bindings

    @property
    def stars(self) -> list[ImportBinding]:
        """The modules of ``from m import *``."""
        _ = self.bindings
        return self._stars

    def bind(self, name: str, binding: Binding, straight: bool) -> None:
        """Bind a name; a statement that always runs replaces what was bound before."""
        assert self._bindings is not None
        if straight:
            self._bindings[name] = [binding]
        else:
            self._bindings.setdefault(name, []).append(binding)

    def imports(self) -> Iterator[ImportBinding]:
        """All top-level imports."""
        for bindings in self.bindings.values():
            for binding in bindings:
                if isinstance(binding, ImportBinding):
                    yield binding
        yield from self._stars


class _Binder:
    """Collects what the statements of a block bind."""

    def __init__(self, module: SourceModule, unit: Unit) -> None:
        self.module, self.unit = module, unit

    def block(self, body: ir.Block, straight: bool) -> None:
        for statement in body:
            self.statement(statement, straight)

    def statement(self, statement: ir.Stmt, straight: bool) -> None:
        module = self.module
        if isinstance(statement, ir.ImportFrom):
            if statement.names is None:
                module._stars.append(ImportBinding(statement.module, statement.level, None))
                return
            for name, alias in statement.names:
                module.bind(alias or name, ImportBinding(statement.module, statement.level, name), straight)
        elif isinstance(statement, ir.Import):
            for name, alias in statement.names:
                bound = ImportBinding(name if alias else name.partition(".")[0], 0, None)
                module.bind(alias or bound.module, bound, straight)
        elif isinstance(statement, ir.Assign):
            for target in statement.targets:
                self.target(target, statement.value, (), statement.annotation, straight)
        elif isinstance(statement, ir.FunctionDef):
            module.bind(statement.name, FunctionBinding(self.unit, statement), straight)
        elif isinstance(statement, ir.ClassDef):
            module.bind(statement.name, module.class_of_statement(self.unit, statement), straight)
        elif isinstance(statement, ir.If):
            self.block(statement.body, False)
            self.block(statement.orelse, False)
        elif isinstance(statement, ir.Try):
            self.block(statement.body, False)
            self.block(statement.orelse, False)
            for handler in statement.handlers:
                self.block(handler.body, False)
            self.block(statement.final, straight)
        elif isinstance(statement, (ir.With, ir.For, ir.While)):
            self.block(statement.body, False)

    def target(
        self, target: ir.Expr, value: ir.Expr, path: tuple[int, ...], annotation: ir.Expr | None, straight: bool
    ) -> None:
        if isinstance(target, ir.Name):
            self.module.bind(target.id, ValueBinding(self.unit, value, path, annotation), straight)
        elif isinstance(target, ir.Sequence):
            for index, element in enumerate(target.elements):
                self.target(element, value, (*path, index), None, straight)
