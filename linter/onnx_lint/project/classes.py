"""Classes: bases across files, members, and whether a class is an ``nn.Module``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnx_lint.project.dependencies import Memo, Node
from onnx_lint.project.unit import Unit
from onnx_lint.source import ir
from onnx_lint.source.split import Chunk
from onnx_lint.source.statements import is_docstring, simple_target

if TYPE_CHECKING:
    from onnx_lint.project.modules import SourceModule
    from onnx_lint.project.project import External

Member = tuple[Unit, ir.Stmt]
"""A statement of a class body, and the unit in which it stands."""

_MODULE_ROOTS = frozenset(
    {
        "torch.nn.Module", "torch.nn.modules.module.Module", "torch.jit.ScriptModule",
        "lightning.LightningModule", "lightning.pytorch.LightningModule", "pytorch_lightning.LightningModule",
        "transformers.PreTrainedModel",
    }
)  # fmt: skip


class ClassInfo:
    """A class of the project. Members are lowered one by one, when asked for."""

    def __init__(self, module: SourceModule, name: str, header_unit: Unit, line_chunk: Chunk | None) -> None:
        self.module, self.name, self.header_unit = module, name, header_unit
        self._chunk = line_chunk
        self._header: ir.ClassDef | None = None
        self._members: dict[str, list[Member]] = {}
        self._statements: dict[str, list[Member]] | None = None
        self._derived = Memo(module.project.tracker)
        self.dependency = Node()
        """The fact of which members it has, but for what functions say."""
        self._order: list[ClassInfo | External] | None = None

    def move(self, chunk: Chunk) -> None:
        """The class stands in another chunk now, with the same members but for what is in functions."""
        self._chunk = chunk
        self._members.clear()
        self._statements = None

    def forget_bases(self) -> None:
        """What was found out about its bases does not count any more."""
        self._derived = Memo(self.module.project.tracker)
        self._order = None

    def _read(self) -> None:
        """What is being computed rests on the names of this class."""
        tracker = self.module.project.tracker
        if tracker is not None:
            tracker.read(self.dependency)
            tracker.read(self.header_unit.dependency)

    @classmethod
    def of_chunk(cls, module: SourceModule, chunk: Chunk) -> ClassInfo:
        """The class of a class chunk that was split into members."""
        return cls(module, chunk.name, module.unit(chunk, header=bool(chunk.members)), chunk)

    @classmethod
    def of_statement(cls, module: SourceModule, unit: Unit, statement: ir.ClassDef) -> ClassInfo:
        """The class of a ``class`` statement inside another statement or function."""
        info = cls(module, statement.name, unit, None)
        info._header = statement
        return info

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
        found = self._own_all(name)
        tracker = self.module.project.tracker
        if tracker is not None:
            tracker.read(self.dependency)
            tracker.read(self.header_unit.dependency)
            for unit, _ in found:
                tracker.read(unit.dependency)
            for chunk in self._chunk.members if self._chunk is not None else ():
                if chunk.name == name:  # also when it does not parse, and so says nothing yet
                    tracker.read(self.module.unit(chunk, member=True).dependency)
        return found

    def _own_all(self, name: str) -> list[Member]:
        cached = self._members.get(name)
        if cached is not None:
            return cached
        found: list[Member] = []
        if self._chunk is not None and self._chunk.members:
            for chunk in self._chunk.members:
                if chunk.name == name and chunk.kind != "statement":
                    unit = self.module.unit(chunk, member=True)
                    found += [(unit, s) for s in unit.chunk.lowered.body]
        if not found:
            found = self._bound_by_statements(name)
        self._members[name] = found
        return found

    def _bound_by_statements(self, name: str) -> list[Member]:
        if self._chunk is None or not self._chunk.members:
            return self.statements.get(name, [])
        found: list[Member] = []
        for chunk in self._chunk.members:
            if chunk.kind != "statement" or is_docstring(chunk.text) or name not in chunk.text:
                continue
            target = simple_target(chunk.text)
            if target is None or target == name:
                unit = self.module.unit(chunk, member=True)
                for statement in unit.chunk.lowered.body:
                    found += [(unit, s) for s in _binding(statement, name)]
        return found

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
            return any(c.name == name and c.kind == "def" for c in self._chunk.members)
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
        held = self._derived.get("bases")
        if held is not None:
            return held[0]  # type: ignore[return-value]
        return self._derived.compute("bases", self._resolve_bases)

    def _resolve_bases(self) -> tuple[list[ClassInfo | External], list[str]]:
        from onnx_lint.project.project import External

        self._read()
        out: list[ClassInfo | External] = []
        unresolved: list[str] = []
        for base in self.header.bases if self.header else ():
            expression = base.value if isinstance(base, ir.Subscript) else base  # Generic[T]
            resolved = self.module.project.resolve(self.module, expression)
            if isinstance(resolved, (ClassInfo, External)) and resolved is not self:
                out.append(resolved)
            else:
                unresolved.append(_name_of(expression))
        return out, unresolved

    @property
    def mro(self) -> list[ClassInfo | External]:
        """This class and its bases, in method resolution order (C3 where it exists, else depth first)."""
        if self._order is not None and self.module.project.tracker is None:
            return self._order
        held = self._derived.get("mro")
        if held is not None:
            return held[0]  # type: ignore[return-value]
        self._order = self._derived.compute("mro", lambda: _linearise(self, set()))
        return self._order

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
    def is_module(self) -> bool:
        """Whether the class is an ``nn.Module``, as far as can be seen.

        A base outside the project counts as a module when its name says so and the class has a ``forward``.
        """
        held = self._derived.get("is_module")
        return bool(held[0]) if held is not None else self._derived.compute("is_module", self._is_module)

    def _is_module(self) -> bool:
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


def _name_of(expression: ir.Expr) -> str:
    if isinstance(expression, ir.Name):
        return expression.id
    if isinstance(expression, ir.Attribute):
        return f"{_name_of(expression.value)}.{expression.attr}"
    return "?"


def _linearise(info: ClassInfo, active: set[int]) -> list[ClassInfo | External]:
    if id(info) in active:
        return [info]  # a cycle in the source
    active.add(id(info))
    sequences: list[list[ClassInfo | External]] = []
    for base in info.bases:
        sequences.append(_linearise(base, active) if isinstance(base, ClassInfo) else [base])
    sequences.append(list(info.bases))
    active.discard(id(info))
    out: list[ClassInfo | External] = [info]
    pending = [s for s in sequences if s]
    while pending:
        head = next((s[0] for s in pending if not any(s[0] in other[1:] for other in pending)), pending[0][0])
        if head not in out:
            out.append(head)
        pending = [[c for c in s if c is not head and c != head] for s in pending]
        pending = [s for s in pending if s]
    return out
