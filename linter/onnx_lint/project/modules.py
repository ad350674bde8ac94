"""One file of the project: its units, and what its top-level names are bound to.

A unit knows its file, a file its units, and what a name is bound to stands in a unit: they are one thing, and one file.
"""

from __future__ import annotations

import symtable
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from onnx_lint.diagnostic import Span
from onnx_lint.project.chunks import ChunkStore, LoweredChunk
from onnx_lint.project.dependencies import Tracker
from onnx_lint.project.edits import Change
from onnx_lint.project.fills import filled_name
from onnx_lint.project.last_good import LastGood
from onnx_lint.source import ir
from onnx_lint.source.split import Chunk, split
from onnx_lint.source.statements import is_docstring, simple_target
from onnx_lint.source.text import SourceText


class Unit:
    """One chunk at its place in a file. In an editor it outlives changes elsewhere in the file, and stands in for its
    chunk while that does not parse."""

    __slots__ = ("_chunk", "dependency", "is_gone", "last_good", "limit", "line", "member", "module", "moves", "text")

    def __init__(self, module: SourceModule, line: int, text: str, member: bool) -> None:
        self.module, self.text, self.member, self.line = module, text, member, line
        self.last_good: LastGood | None = None
        """How the text in the file differs, while that does not parse."""
        self.is_gone = False
        """Whether its file says something else now."""
        self.moves = 0
        """Grows when its places move in the file, or cease."""
        self.limit: str | None = None
        """Why what it says was not analysed in full, though it parses."""
        self.dependency = module.tracker.fact(self)
        """The fact of what the chunk says."""
        self._chunk: LoweredChunk | None = None

    def move(self, line: int, last_good: LastGood | None) -> None:
        """Put it where it stands now."""
        if line != self.line or last_good is not self.last_good:
            self.line, self.last_good = line, last_good
            self.moves += 1

    def leave(self) -> None:
        """Its file says something else now: it has no place any more."""
        self.is_gone = True
        self.moves += 1

    def has_place(self, at: int) -> bool:
        """Whether a node still stands in the file as it was: what is remembered may speak of code that is gone."""
        return not self.is_gone and not self.is_masked(at)

    @property
    def chunk(self) -> LoweredChunk:
        self.module.tracker.visit(self.dependency)
        if self._chunk is None:
            self._chunk = self.module.store.get(self.text, self.member)
        return self._chunk

    @property
    def is_lowered(self) -> bool:
        return self._chunk is not None

    @property
    def is_faulty(self) -> bool:
        """Whether something is known to be wrong with what the file says."""
        if self.last_good is not None or self.limit is not None:
            return True
        return self._chunk is not None and not self._chunk.is_sound

    @property
    def refusal(self) -> str | None:
        """Why what the file says is not analysed in full, though nothing is wrong with it."""
        said = self.last_good.chunk if self.last_good is not None else self._chunk
        return self.limit or (said.refused if said is not None else None)

    @property
    def is_broken(self) -> bool:
        """Whether what the file says is known not to parse."""
        return self.last_good is not None or (
            self._chunk is not None and self._chunk.lowered.fault is not None and self._chunk.refused is None
        )

    def span(self, at: int) -> Span:
        """The place of IR node `at` in the file."""
        line, column, end_line, end_column = self.chunk.place(at)
        if self.last_good is not None:
            line, column, end_line, end_column = self.last_good.place(line, column, end_line, end_column)
        shift, source = self.line - 1, self.module.source
        first, last = line + shift, end_line + shift
        return Span(source.path, first, source.column(first, column) + 1, last, source.column(last, end_column) + 1)

    def is_masked(self, at: int) -> bool:
        """Whether a node stands where the text in the file is another, so that nothing can be said about it."""
        return self.last_good is not None and self.last_good.hides(*self.chunk.place(at))

    def fault_span(self, line: int, column: int) -> Span:
        """The place of a syntax error at `line` and `column` of the chunk: one character, or none at the end of a
        line."""
        source = self.module.source
        first = min(line + self.line - 1, len(source.starts))
        behind = len(source.line(first)) + 1
        start = min(source.column(first, column) + 1, behind)
        return Span(source.path, first, start, first, min(start + 1, behind))


@dataclass(eq=False, slots=True)
class FunctionBinding:
    """A name bound by ``def``."""

    unit: Unit
    function: ir.FunctionDef


@dataclass(eq=False, slots=True)
class ClassBinding:
    """A name bound by ``class``: by a top-level `chunk`, or by a `statement` inside another one."""

    unit: Unit
    chunk: Chunk | None
    statement: ir.ClassDef | None


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
    name: str = ""


@dataclass(eq=False, slots=True)
class Fill:
    """A statement of the top level that changes what a name holds; `always` it runs, once."""

    unit: Unit
    statement: ir.Stmt
    always: bool


STARS = "*"
"""What stands for all names at once that ``from m import *`` binds."""


@dataclass(frozen=True, slots=True)
class BoundNames:
    """What the top level of a text binds: the names, and the modules of which it binds all, with their dots."""

    own: frozenset[str]
    stars: tuple[tuple[str, int], ...]


Binding = FunctionBinding | ClassBinding | ImportBinding | ValueBinding


TEXT = object()
"""What stands for the text of a file as a whole, where facts have names."""


class SourceModule:
    """A file with its chunks. Nothing is parsed before a name is asked for. `resolve` says what a dotted expression at
    the top level of a module stands for."""

    def __init__(
        self,
        source: SourceText,
        name: str,
        is_package: bool,
        store: ChunkStore,
        tracker: Tracker,
        resolve: Callable[[SourceModule, ir.Expr], object],
    ) -> None:
        self.source, self.name, self.is_package = source, name, is_package
        self.store, self.tracker, self.resolve = store, tracker, resolve
        self.path = source.path
        self._chunks: list[Chunk] | None = None
        self._units: dict[int, Unit] = {}
        self._definitions: dict[str, list[Chunk]] | None = None
        self._bindings: dict[str, list[Binding]] | None = None
        self._assigned: dict[str, Chunk] = {}
        """Assignments to one name that have not been lowered yet; where `bindings` has that name, they are behind."""
        self._stars: list[ImportBinding] = []
        self._told: Callable[[], BoundNames | None] | None = None
        """What is known from elsewhere of the names that the file binds."""
        self._fills: dict[str, list[Fill]] = {}
        self.dependency = tracker.fact(self)
        """The fact of which chunks there are, but for what functions say."""
        self._text = tracker.fact((self, TEXT))
        self.names = tracker.facts(self)
        """The facts of what top-level names are bound to."""
        self.changes = 0
        """How often that has changed."""
        self._is_known_to_parse: bool | None = None
        self._numbers: dict[int, tuple[int, bool]] = {}
        """Of chunks, by their identity, and whether they are functions."""
        self._chunk_of_unit: dict[int, int] = {}

    @property
    def chunks(self) -> list[Chunk]:
        self.tracker.visit(self.dependency)
        if self._chunks is None:
            self._chunks = split(self.source.normal)
        return self._chunks

    def mentions(self, words: str) -> bool:
        """Whether something stands anywhere in the file."""
        return words in self.whole_text

    @property
    def whole_text(self) -> str:
        """The text of the file, for an answer that rests on all of it."""
        self.tracker.visit(self._text)
        return self.source.text

    @property
    def package(self) -> str:
        return self.name if self.is_package else self.name.rpartition(".")[0]

    def unit(self, chunk: Chunk, *, member: bool = False, header: bool = False) -> Unit:
        """The unit of a chunk; of a class chunk its header when `header`."""
        unit = self._units.get(id(chunk))
        if unit is None:
            text = chunk.header + " pass" if header else chunk.text
            unit = self._units[id(chunk)] = Unit(self, chunk.line, text, member)
            self._chunk_of_unit[id(unit)] = id(chunk)
        return unit

    def number_of(self, unit: Unit) -> int:
        """Which of the file's chunks a unit stands for, members counted behind the header of their class. Only where
        texts do not change."""
        return self._numbered(unit)[0]

    def chunk_of(self, number: int) -> tuple[Chunk, Chunk | None]:
        """The chunk with a number, and the class whose member it is."""
        order = [(each, chunk if each is not chunk else None) for c in self.chunks for chunk, each in _with_members(c)]
        return order[number]

    def is_function(self, unit: Unit) -> bool:
        """Whether a unit stands for a ``def`` at the top level or in a class. Only where texts do not change."""
        return self._numbered(unit)[1]

    def _numbered(self, unit: Unit) -> tuple[int, bool]:
        if not self._numbers:
            order = [each for chunk in self.chunks for each in (chunk, *chunk.members)]
            self._numbers = {id(chunk): (number, chunk.kind == "def") for number, chunk in enumerate(order)}
        return self._numbers[self._chunk_of_unit[id(unit)]]

    def held_unit(self, chunk: Chunk) -> Unit | None:
        """The unit of a chunk, if it was asked for before."""
        return self._units.get(id(chunk))

    # -------------------------------------------------------------------------------------- an editor's changes
    def retire(self) -> None:
        """The file is no longer part of the project: what was computed from it is stale."""
        self.tracker.invalidate(self.dependency)
        self.names.invalidate_all()
        for unit in self._units.values():
            unit.leave()
            self.tracker.invalidate(unit.dependency)

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
            self._bindings, self._assigned, self._stars, self._fills = None, {}, [], {}
        self.tracker.invalidate(self.dependency)

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

    @property
    def is_known_to_parse(self) -> bool:
        """Whether it was found that nothing in the file is no Python."""
        return self._is_known_to_parse is True

    def take_for_parsed(self) -> None:
        """It is known from elsewhere that the whole file is Python."""
        self._is_known_to_parse = True

    def faulty_units(self) -> list[Unit]:
        """The units that do not parse or are beyond the guards, also among those that nobody has asked for."""
        if self._is_known_to_parse is None:
            self._is_known_to_parse = not self._may_not_parse()
            if not self._is_known_to_parse:
                for unit in self.all_units():
                    _ = unit.chunk
        return [unit for unit in self._units.values() if unit.is_faulty]

    def _may_not_parse(self) -> bool:
        """Whether the file, or in an editor a chunk that was not lowered, may hold a syntax error: Python's own
        symbol-table pass, which neither compiles nor runs anything and costs a twentieth of a parse, does not take
        it. It may also be newer than this Python."""
        # an editor asks with each key; elsewhere the answer must not depend on what was looked at
        text = self._unlowered_text() if self.tracker.is_tracking else self.source.normal
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
        self.tracker.visit(self.dependency)
        told = self._told() if self._told is not None and self._definitions is None else None
        if told is not None and name not in told.own:
            return []
        definitions = self.definitions.get(name)
        if definitions is not None:
            return [self._definition(definitions[-1])]
        bindings = self.bindings
        assigned = self._assigned.pop(name, None)
        if assigned is not None:
            self._bind_assigned(assigned)
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
            return self.class_binding(chunk)
        unit = self.unit(chunk)
        for statement in unit.chunk.lowered.body:
            if isinstance(statement, ir.FunctionDef):
                return FunctionBinding(unit, statement)
        return ValueBinding(unit, ir.Opaque(0), ())

    def class_binding(self, chunk: Chunk) -> ClassBinding:
        """What the name of a top-level class is bound to."""
        return ClassBinding(self.unit(chunk, header=bool(chunk.members)), chunk, None)

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
    def own_names(self) -> list[str]:
        """The names that the top level binds, functions and classes first."""
        return list(dict.fromkeys((*self.definitions, *self.bindings, *self._assigned)))

    @property
    def stars(self) -> list[ImportBinding]:
        """The modules of ``from m import *``."""
        told = self._told() if self._told is not None and self._bindings is None else None
        if told is not None:
            self.tracker.visit(self.dependency)
            return [ImportBinding(module, level, None) for module, level in told.stars]
        _ = self.bindings
        return self._stars

    def assume_names(self, told: Callable[[], BoundNames | None]) -> None:
        """It is known from elsewhere which names the text binds: what is not among them need not be looked for. Only
        where texts do not change."""
        self._told = told

    @property
    def bound_names(self) -> BoundNames | None:
        """Which names the text binds; ``None`` if nobody has asked for one."""
        if self._definitions is None or self._bindings is None:
            return None
        return BoundNames(frozenset(self.own_names), tuple((each.module, each.level) for each in self._stars))

    def fills(self, name: str) -> list[Fill]:
        """The statements of the top level that change what a table holds (``TABLE["key"] = …``), in their order."""
        _ = self.bindings
        return self._fills.get(name, [])

    def note_fill(self, name: str, fill: Fill) -> None:
        """A statement changes what a table holds."""
        self._fills.setdefault(name, []).append(fill)

    def bind_star(self, binding: ImportBinding) -> None:
        """Bind whatever names another module has."""
        self._stars.append(binding)

    def bind(self, name: str, binding: Binding, straight: bool) -> None:
        """Bind a name; a statement that always runs replaces what was bound before."""
        assert self._bindings is not None
        before = self._assigned.pop(name, None)
        if straight:
            self._bindings[name] = [binding]
            return
        if before is not None:
            self._bind_assigned(before)
        self._bindings.setdefault(name, []).append(binding)

    def _bind_assigned(self, chunk: Chunk) -> None:
        """Bind the name that a statement of the top level assigns, which was left for later."""
        unit = self.unit(chunk)
        _Binder(self, unit).block(unit.chunk.lowered.body, straight=True)


def _with_members(chunk: Chunk) -> Iterator[tuple[Chunk, Chunk]]:
    """A chunk and its members, each behind the chunk."""
    yield chunk, chunk
    for member in chunk.members:
        yield chunk, member


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
                module.bind_star(ImportBinding(statement.module, statement.level, None))
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
            module.bind(statement.name, ClassBinding(self.unit, None, statement), straight)
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
        filled = filled_name(statement)
        if filled is not None:
            module.note_fill(filled, Fill(self.unit, statement, straight))

    def target(
        self, target: ir.Expr, value: ir.Expr, path: tuple[int, ...], annotation: ir.Expr | None, straight: bool
    ) -> None:
        if isinstance(target, ir.Name):
            self.module.bind(target.id, ValueBinding(self.unit, value, path, annotation, target.id), straight)
        elif isinstance(target, ir.Sequence):
            for index, element in enumerate(target.elements):
                self.target(element, value, (*path, index), None, straight)
