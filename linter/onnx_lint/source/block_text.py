"""What the text of a block says of the names, attributes and items that it reads and writes.

Each is asked for at every write of a function, and worked out once, so that many writes cost what few do.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property, lru_cache

from onnx_lint.source import ir

_MOVING = frozenset({"to", "cuda", "cpu", "type", "type_as", "float", "half", "double", "contiguous", "detach"})
"""Methods that leave the values as they are."""


class BlockText:
    """The body of a function or of a chunk, by what its statements look like. Places are those of nodes (``at``), in
    the order of the text."""

    def __init__(self, body: ir.Block) -> None:
        self._body = body
        self._made: dict[str, bool] = {}

    @staticmethod
    @lru_cache(maxsize=64)
    def of(body: ir.Block) -> BlockText:
        return BlockText(body)

    # ------------------------------------------------------------------------------------------------------ globals
    @cached_property
    def globals(self) -> frozenset[str]:
        """The names that it declares ``global``."""
        scopes = (s for s in ir.walk(self._body) if isinstance(s, ir.Scope) and s.kind == "global")
        return frozenset(name for scope in scopes for name in scope.names)

    @cached_property
    def augmented(self) -> frozenset[str]:
        """The names that ``+=`` and the like change."""
        changes = (s.target for s in ir.walk(self._body) if isinstance(s, ir.AugAssign))
        return frozenset(target.id for target in changes if isinstance(target, ir.Name))

    # -------------------------------------------------------------------------------------------------------- items
    @cached_property
    def first_items(self) -> dict[str | None, int]:
        """Of names and attributes, where an item of what they hold is read first."""
        targets = {id(t) for s in ir.walk(self._body) if isinstance(s, ir.Assign) for t in s.targets}
        found: dict[str | None, int] = {}
        for node in ir.walk(self._body):
            for reader in () if id(node) in targets else _items_read(node):
                name = said(reader)
                found[name] = min(reader.at, found.get(name, reader.at))
        return found

    # --------------------------------------------------------------------------------------------------- attributes
    @cached_property
    def read_for_itself(self) -> set[str]:
        """Attributes that are computed from what they held, ``self.t = self.t * 0.5``; not those that are only moved to
        another device or type."""
        return {
            target.attr
            for s in ir.walk(self._body)
            if isinstance(s, ir.Assign) and not _moves(s.value)
            for target in s.targets
            if isinstance(target, ir.Attribute) and target.attr in _attributes(s.value)
        }

    @cached_property
    def only_moved(self) -> set[str]:
        """Attributes that it does no more to than move them: ``self.mean = self.mean.type_as(x)``."""
        moved: dict[str, bool] = {}
        for statement in ir.walk(self._body):
            for target in statement.targets if isinstance(statement, ir.Assign) else ():
                if isinstance(target, ir.Attribute) and isinstance(statement, ir.Assign):
                    is_move = _moves(statement.value) and target.attr in _attributes(statement.value)
                    moved[target.attr] = moved.get(target.attr, True) and is_move
        return {name for name, is_move in moved.items() if is_move}

    @cached_property
    def guarded(self) -> set[str]:
        """Attributes that are assigned in the first call only: beside a flag that the condition asks for."""
        found: set[str] = set()
        for statement in ir.walk(self._body):
            if isinstance(statement, ir.If):
                flags = _attributes(statement.test) & _assigned(statement.body)
                if any(isinstance(v, ir.Const) for flag in flags for v in _values_assigned(statement.body, flag)):
                    found |= _assigned(statement.body) - flags
        return found

    def is_made_when_missing(self, name: str) -> bool:
        """Whether an attribute is assigned where it is asked for: ``if self.table is None: self.table = …``, or
        ``if self.table is not None: return self.table``. A flag of the first call is none of these."""
        found = self._made.get(name)
        if found is None:
            found = self._made[name] = _is_made(self._tests.get(name, ()), name)
        return found

    @cached_property
    def _tests(self) -> dict[str, list[ir.If]]:
        found: defaultdict[str, list[ir.If]] = defaultdict(list)
        for statement in ir.walk(self._body):
            if isinstance(statement, ir.If):
                for name in _attributes(statement.test):
                    found[name].append(statement)
        return found

    # -------------------------------------------------------------------------------------------------------- names
    @cached_property
    def assignments(self) -> dict[str, list[tuple[ir.Expr, ir.Assign]]]:
        """The assignments to each name, with the target: the name by itself, or a sequence that it is a part of."""
        found: defaultdict[str, list[tuple[ir.Expr, ir.Assign]]] = defaultdict(list)
        for statement in ir.walk(self._body):
            for target in statement.targets if isinstance(statement, ir.Assign) else ():
                parts = target.elements if isinstance(target, ir.Sequence) else (target,)
                for name in dict.fromkeys(part.id for part in parts if isinstance(part, ir.Name)):
                    assert isinstance(statement, ir.Assign)
                    found[name].append((target, statement))
        return found

    def assigned(self, name: str) -> list[ir.Expr]:
        """What is assigned to a name by itself."""
        return [s.value for target, s in self.assignments.get(name, ()) if isinstance(target, ir.Name)]

    @cached_property
    def names(self) -> dict[str, list[ir.Name]]:
        """Where each name stands."""
        found: defaultdict[str, list[ir.Name]] = defaultdict(list)
        for node in ir.walk(self._body):
            if isinstance(node, ir.Name):
                found[node.id].append(node)
        return found

    @cached_property
    def members(self) -> frozenset[tuple[str, str]]:
        """The attributes that are asked of names: ``name.attribute``."""
        read = (n for n in ir.walk(self._body) if isinstance(n, ir.Attribute))
        return frozenset((n.value.id, n.attr) for n in read if isinstance(n.value, ir.Name))

    def is_read_after(self, name: str, place: int) -> bool:
        """Whether a name is read behind a place before it is bound again, in the order in which it is written."""
        read = _behind(self._places[False].get(name, ()), place)
        bound = _behind(self._places[True].get(name, ()), place)
        if read is None or bound is None or read < bound:
            return read is not None
        statement = self._binding.get(bound)  # `y = f(y)`: the target may stand in front of what it is made of
        return statement is not None and any(isinstance(n, ir.Name) and n.id == name for n in ir.walk(statement.value))

    @cached_property
    def _binding(self) -> dict[int, ir.Assign]:
        """The assignment by which a name is bound at a place."""
        found: dict[int, ir.Assign] = {}
        for statement in ir.walk(self._body):
            if isinstance(statement, ir.Assign):
                for target in _targets(statement):
                    found.setdefault(target.at, statement)
        return found

    @cached_property
    def _places(self) -> dict[bool, dict[str, list[int]]]:
        """Where names stand, in order: those that are bound there, and the others."""
        bound = {id(t) for s in ir.walk(self._body) for t in _targets(s)}
        found: dict[bool, dict[str, list[int]]] = {True: defaultdict(list), False: defaultdict(list)}
        for node in ir.walk(self._body):
            if isinstance(node, ir.Name):
                found[id(node) in bound][node.id].append(node.at)
        for places in (*found[True].values(), *found[False].values()):
            places.sort()
        return found


def said(node: ir.Expr) -> str | None:
    """The name of a name or an attribute."""
    return node.attr if isinstance(node, ir.Attribute) else node.id if isinstance(node, ir.Name) else None


def _behind(places: list[int] | tuple[()], place: int) -> int | None:
    """The first of the places behind one."""
    number = bisect_right(places, place)
    return places[number] if number < len(places) else None


def _items_read(node: ir.Node) -> tuple[ir.Expr, ...]:
    """The containers of which a node reads items."""
    match node:
        case ir.Subscript():
            return (node.value,)
        case ir.Compare():
            return tuple([right for op, right in node.rest if op in ("in", "not in")])
        case ir.Call(func=ir.Attribute(attr="get" | "setdefault") as called):
            return (called.value,)
    return ()


def _attributes(node: ir.Node) -> set[str]:
    return {n.attr for n in ir.walk(node) if isinstance(n, ir.Attribute) and isinstance(n.value, ir.Name)}


def _assigned(body: ir.Block) -> set[str]:
    found = [t for s in ir.walk(body) if isinstance(s, ir.Assign) for t in s.targets]
    return {t.attr for t in found if isinstance(t, ir.Attribute) and isinstance(t.value, ir.Name)}


def _moves(value: ir.Expr) -> bool:
    """Whether an expression, or each element of a comprehension, is something moved to another device or type."""
    if isinstance(value, ir.Comprehension):
        return _moves(value.element)
    while isinstance(value, ir.Call) and isinstance(value.func, ir.Attribute) and value.func.attr in _MOVING:
        value = value.func.value
        if isinstance(value, (ir.Attribute, ir.Name)):
            return True
    return False


def _is_made(tests: list[ir.If] | tuple[()], name: str) -> bool:
    flags = (v for s in tests for v in _values_assigned(s.body, name))
    if any(isinstance(v, ir.Const) and isinstance(v.value, bool) for v in flags):
        return False
    return any(
        name in _assigned(s.body) | _assigned(s.orelse) or any(isinstance(r, ir.Return) for r in s.body) for s in tests
    )


def _values_assigned(body: ir.Block, name: str) -> Iterator[ir.Expr]:
    for statement in ir.walk(body):
        if isinstance(statement, ir.Assign):
            if any(isinstance(t, ir.Attribute) and t.attr == name for t in statement.targets):
                yield statement.value


def _targets(statement: ir.Node) -> list[ir.Name]:
    targets: list[ir.Expr] = []
    if isinstance(statement, ir.Assign):
        targets = list(statement.targets)
    elif isinstance(statement, (ir.For, ir.Generator)):
        targets = [statement.target]
    found = [e for t in targets for e in (t.elements if isinstance(t, ir.Sequence) else (t,))]
    return [t for t in found if isinstance(t, ir.Name)]
