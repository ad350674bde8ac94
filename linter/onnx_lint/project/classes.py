"""Classes: bases across files, members, and whether a class is an ``nn.Module``."""

from __future__ import annotations

import re
from collections.abc import Callable

from onnx_lint.project.dependencies import Cell
from onnx_lint.project.linearise import MAX_ORDER, Order, depth_first, linearise
from onnx_lint.project.meanings import External
from onnx_lint.project.modules import ClassBinding, SourceModule, Unit
from onnx_lint.source import ir
from onnx_lint.source.split import Chunk
from onnx_lint.source.statements import is_docstring, simple_target

Member = tuple[Unit, ir.Stmt]
"""A statement of a class body, and the unit in which it stands."""

Resolve = Callable[[SourceModule, ir.Expr], object]
"""What a dotted expression at the top level of a file stands for; ``None`` if that is not known."""

_WORD = re.compile(r"[^\W\d]\w*")
_TOO_MANY_BASES = f"more than {MAX_ORDER} base classes, one below the other"

_MODULE_ROOTS = frozenset(
    {
        "torch.nn.Module", "torch.nn.modules.module.Module", "torch.jit.ScriptModule",
        "lightning.LightningModule", "lightning.pytorch.LightningModule", "pytorch_lightning.LightningModule",
        "transformers.PreTrainedModel",
    }
)  # fmt: skip


class ClassInfo:
    """A class of the project. Members are lowered one by one, when asked for."""

    def __init__(self, module: SourceModule, name: str, binding: ClassBinding, resolve: Resolve) -> None:
        self.module, self.name, self.header_unit = module, name, binding.unit
        self._chunk, self._header, self._resolve = binding.chunk, binding.statement, resolve
        self._index: _Index | None = None
        self._members: dict[str, list[Member]] = {}
        self._statements: dict[str, list[Member]] | None = None
        self._bases: Cell[tuple[list[ClassInfo | External], list[str]]] = Cell(module.tracker)
        self._order: Cell[Order[ClassInfo | External]] = Cell(module.tracker)
        self._is_module: Cell[bool] = Cell(module.tracker)
        self.dependency = module.tracker.fact(module)
        """The fact of which members it has, but for what functions say."""

    def move(self, chunk: Chunk) -> None:
        """The class stands in another chunk now, with the same members but for what is in functions."""
        self._chunk = chunk
        self._index = None
        self._members.clear()
        self._statements = None

    def _read(self) -> None:
        """What is being computed rests on the names of this class."""
        self.module.tracker.read(self.dependency)
        self.module.tracker.read(self.header_unit.dependency)

    def __repr__(self) -> str:
        return f"<class {self.module.name}.{self.name}>"

    @property
    def qualified(self) -> str:
        return f"{self.module.name}.{self.name}"

    @property
    def header(self) -> ir.ClassDef | None:
        """The lowered header; ``None`` when it does not parse."""
        if self._header is None:
            for statement in self.header_unit.chunk.lowered.body:
                if isinstance(statement, ir.ClassDef):
                    self._header = statement
        return self._header

    # -------------------------------------------------------------------------------------------------- members
    def own(self, name: str) -> Member | None:
        """The statement of this class's body that binds `name` last, if any."""
        found = self.own_all(name)
        return found[-1] if found else None

    def own_all(self, name: str) -> list[Member]:
        """All statements of the body that bind `name` (a property and its setter, overloads)."""
        found = self._members.get(name)
        if found is None:
            found = self._members[name] = self._find(name)
        self._read()
        tracker = self.module.tracker
        if tracker.is_noting:
            for unit, _ in found:
                tracker.read(unit.dependency)
            for chunk in self._indexed.definitions.get(name, ()):  # also one that does not parse: it binds nothing yet
                tracker.read(self.module.unit(chunk, member=True).dependency)
        return found

    def _find(self, name: str) -> list[Member]:
        if self._chunk is None or not self._chunk.members:
            return self.statements.get(name, [])
        found: list[Member] = []
        for chunk in self._indexed.definitions.get(name, ()):
            unit = self.module.unit(chunk, member=True)
            found += [(unit, s) for s in unit.chunk.lowered.body]
        if not found:
            for chunk in self._indexed.statements.get(name, ()):
                unit = self.module.unit(chunk, member=True)
                for statement in unit.chunk.lowered.body:
                    found += [(unit, s) for s in _binding(statement, name)]
        return found

    @property
    def _indexed(self) -> _Index:
        if self._index is None:
            self._index = _Index(self._chunk.members if self._chunk is not None else ())
        return self._index

    @property
    def statements(self) -> dict[str, list[Member]]:
        """Names bound by members that are no ``def``, with their statements."""
        self._read()
        if self._statements is None:
            self._statements = {}
            if self._chunk is not None and self._chunk.members:
                for chunk in self._chunk.members:
                    if chunk.kind == "statement" and not is_docstring(chunk.text):
                        unit = self.module.unit(chunk, member=True)
                        self._collect(unit, unit.chunk.lowered.body)
            elif self.header is not None:
                self._collect(self.header_unit, self.header.body)
        return self._statements

    def _collect(self, unit: Unit, body: ir.Block) -> None:
        assert self._statements is not None
        for statement in body:
            for name in _names_bound(statement):
                self._statements.setdefault(name, []).extend((unit, s) for s in _binding(statement, name))

    def has_own(self, name: str) -> bool:
        """Whether the body defines a function `name`; needs no parse of a split class."""
        self._read()
        if self._chunk is not None and self._chunk.members:
            return any(c.kind == "def" for c in self._indexed.definitions.get(name, ()))
        return self.own(name) is not None

    def member_names(self) -> list[str]:
        """Names of the functions of the body, in order."""
        self._read()
        if self._chunk is not None and self._chunk.members:
            return [c.name for c in self._chunk.members if c.kind == "def"]
        return [s.name for s in (self.header.body if self.header else ()) if isinstance(s, ir.FunctionDef)]

    # ---------------------------------------------------------------------------------------------------- bases
    @property
    def bases(self) -> list[ClassInfo | External]:
        """The resolved bases; one that cannot be resolved is left out (see `unresolved_bases`)."""
        return self._resolved_bases[0]

    @property
    def unresolved_bases(self) -> list[str]:
        """The bases of which is not known what they are, as they are written."""
        return self._resolved_bases[1]

    @property
    def _resolved_bases(self) -> tuple[list[ClassInfo | External], list[str]]:
        return self._bases.get(self._resolve_bases)

    def _resolve_bases(self) -> tuple[list[ClassInfo | External], list[str]]:
        self._read()
        out: list[ClassInfo | External] = []
        unresolved: list[str] = []
        for base in self.header.bases if self.header else ():
            expression = base.value if isinstance(base, ir.Subscript) else base  # Generic[T]
            resolved = self._resolve(self.module, expression)
            if isinstance(resolved, (ClassInfo, External)) and resolved is not self:
                out.append(resolved)
            else:
                unresolved.append(ir.dotted(expression))
        return out, unresolved

    @property
    def mro(self) -> tuple[ClassInfo | External, ...]:
        """This class and its bases, in method resolution order; see `linearise` for what has none."""
        return self.order.classes

    @property
    def order(self) -> Order[ClassInfo | External]:
        """The method resolution order, and whether it is all of it."""
        return self._order.get(self._find_order)

    def _find_order(self) -> Order[ClassInfo | External]:
        order = self._linearise()
        if order.is_cut:
            self.header_unit.limit = _TOO_MANY_BASES
            self.module.store.has_faults = True
        elif self._chunk is not None and self.header_unit.limit == _TOO_MANY_BASES:
            self.header_unit.limit = None  # an editor's change has shortened it
        return order

    def _linearise(self) -> Order[ClassInfo | External]:
        # bases first, so that each of them is one step and nothing recurses
        stack = [(self, iter(self.bases))]
        active = {self}
        while stack:
            current, rest = stack[-1]
            for base in rest:
                if not isinstance(base, ClassInfo) or base._order.is_held:
                    continue
                if base in active or len(stack) > MAX_ORDER:
                    return depth_first(self, _bases_of)
                active.add(base)
                stack.append((base, iter(base.bases)))
                break
            else:
                stack.pop()
                active.discard(current)
                if current is not self:
                    _ = current.order
        return linearise(self, _bases_of, lambda base: base.order if isinstance(base, ClassInfo) else Order((base,)))

    def find(self, name: str, *, after: ClassInfo | None = None) -> tuple[ClassInfo, Member] | None:
        """The class that defines `name` and the member; with `after`, the search starts behind that class (super)."""
        order = self.mro
        if after is not None and after in order:
            order = order[order.index(after) + 1 :]
        for info in order:
            if isinstance(info, ClassInfo):
                member = info.own(name)
                if member is not None:
                    return info, member
        return None

    def find_method(self, name: str) -> tuple[ClassInfo, Unit, ir.FunctionDef] | None:
        """The method `name`: the class that defines it, the unit and the definition; ``None`` if it is no function."""
        found = self.find(name)
        if found is None:
            return None
        owner, (unit, statement) = found
        return (owner, unit, statement) if isinstance(statement, ir.FunctionDef) else None

    def is_subclass(self, qualified: str) -> bool:
        return any((info.qualified if isinstance(info, ClassInfo) else info.name) == qualified for info in self.mro)

    @property
    def torch_base(self) -> str | None:
        """The class of ``torch.nn`` from which it derives, other than ``Module`` itself, by its full name."""
        for base in self.mro:
            if not isinstance(base, ClassInfo) and base.name != "torch.nn.Module":
                return base.name if base.name.startswith("torch.nn.") else None
        return None

    @property
    def is_module(self) -> bool:
        """Whether the class is an ``nn.Module``, as far as can be seen.

        A base outside the project counts as a module when its name says so and the class has a ``forward``.
        """
        return self._is_module.get(self._judge_module)

    def _judge_module(self) -> bool:
        for info in self.mro:
            if not isinstance(info, ClassInfo):
                if info.name in _MODULE_ROOTS or info.name.startswith("torch.nn."):
                    return not info.name.startswith("torch.nn.utils")
                if info.name.startswith("torch.autograd"):
                    return False
        outside = [i.name for i in self.mro if not isinstance(i, ClassInfo) and i.name not in ("object", "abc.ABC")]
        for info in self.mro:
            if isinstance(info, ClassInfo):
                outside += info.unresolved_bases
        outside = [o for o in outside if not o.startswith(("typing.", "builtins.", "abc.", "enum.", "collections."))]
        return bool(outside) and any(isinstance(i, ClassInfo) and i.has_own("forward") for i in self.mro)


class _Index:
    """The members of a split class by the names that they bind or may bind, in order."""

    def __init__(self, members: tuple[Chunk, ...]) -> None:
        self.definitions: dict[str, list[Chunk]] = {}
        self.statements: dict[str, list[Chunk]] = {}
        for chunk in members:
            if chunk.kind != "statement":
                self.definitions.setdefault(chunk.name, []).append(chunk)
            elif not is_docstring(chunk.text):
                target = simple_target(chunk.text)
                for name in (target,) if target is not None else set(_WORD.findall(chunk.text)):
                    self.statements.setdefault(name, []).append(chunk)


def _bases_of(info: ClassInfo | External) -> list[ClassInfo | External]:
    return info.bases if isinstance(info, ClassInfo) else []


def _names_bound(statement: ir.Stmt) -> list[str]:
    """The names that a statement of a class body binds."""
    if isinstance(statement, (ir.FunctionDef, ir.ClassDef)):
        return [statement.name]
    if isinstance(statement, ir.Assign):
        return [t.id for t in statement.targets if isinstance(t, ir.Name)]
    if isinstance(statement, ir.Declare) and isinstance(statement.target, ir.Name):
        return [statement.target.id]
    if isinstance(statement, (ir.If, ir.Try)):
        return list(dict.fromkeys(n for s in (*statement.body, *statement.orelse) for n in _names_bound(s)))
    return []


def _binding(statement: ir.Stmt, name: str) -> list[ir.Stmt]:
    """The statements that bind `name`, inside conditional ones too."""
    if isinstance(statement, (ir.If, ir.Try)):
        return [b for s in (*statement.body, *statement.orelse) for b in _binding(s, name)]
    return [statement] if name in _names_bound(statement) else []


class Classes:
    """The classes of all files; for each class always the same object."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._held: dict[SourceModule, dict[tuple[int, int], ClassInfo]] = {}
        """By file; by the identities of the unit and of the statement, or of the chunk and 0."""

    def of(self, binding: ClassBinding) -> ClassInfo:
        """The class that a name is bound to."""
        if binding.chunk is not None:
            return self.of_chunk(binding.unit.module, binding.chunk)
        assert binding.statement is not None, "a class stands in a chunk or in a statement"
        return self.of_statement(binding.unit, binding.statement)

    def of_chunk(self, module: SourceModule, chunk: Chunk) -> ClassInfo:
        """The class of a top-level class chunk."""
        held = self._held.setdefault(module, {})
        info = held.get((id(chunk), 0))
        if info is None:
            info = held[(id(chunk), 0)] = ClassInfo(module, chunk.name, module.class_binding(chunk), self._resolve)
        return info

    def of_statement(self, unit: Unit, statement: ir.ClassDef) -> ClassInfo:
        """The class of a ``class`` statement inside another statement or function."""
        held = self._held.setdefault(unit.module, {})
        key = (id(unit), id(statement))  # chunks with the same text share their statements
        info = held.get(key)
        if info is None:
            binding = ClassBinding(unit, None, statement)
            info = held[key] = ClassInfo(unit.module, statement.name, binding, self._resolve)
        return info

    # -------------------------------------------------------------------------------------- an editor's changes
    def move(self, module: SourceModule, before: Chunk, after: Chunk) -> None:
        """The class of a chunk stands in another one, with the same members but for what is in functions."""
        held = self._held.get(module, {})
        info = held.pop((id(before), 0), None)
        if info is not None:
            info.move(after)
            held[(id(after), 0)] = info

    def drop(self, module: SourceModule, chunks: set[int], units: set[int]) -> None:
        """The classes of these chunks and units, by identity, are gone."""
        held = self._held.get(module, {})
        for key, info in list(held.items()):
            if key[0] in chunks or id(info.header_unit) in units:
                del held[key]
                module.tracker.invalidate(info.dependency)

    def retire(self, module: SourceModule) -> None:
        """A file is no longer part of the project."""
        for info in self._held.pop(module, {}).values():
            module.tracker.invalidate(info.dependency)
