"""What traced code writes to things that outlive the call: attributes and buffers of modules, containers, globals.

A write is a hazard only where the next call reads what this one left. Whether any traced code does is known when all
calls below an entry point are: `kept` decides then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from onnx_lint.semantics import torch_kinds
from onnx_lint.semantics.domain.lattice import alternatives
from onnx_lint.semantics.domain.sites import Site, StateWrite
from onnx_lint.semantics.domain.values import STATIC, UNKNOWN, Instance, Tensor, Value
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.source import ir

if TYPE_CHECKING:
    from onnx_lint.project.classes import ClassInfo

_MUTATORS = frozenset(
    {"append", "appendleft", "extend", "insert", "add", "update", "setdefault", "pop", "popleft", "remove"}
)
"""Methods of containers that change what they hold."""
_OF_OTHERS = frozenset({"add", "update"})
"""Those of them that other objects have too, and mean something else by."""
_MOVING = frozenset({"to", "cuda", "cpu", "type", "type_as", "float", "half", "double", "contiguous", "detach"})
"""Methods that leave the values as they are."""
_FILLING = frozenset({"normal_", "uniform_", "bernoulli_", "random_", "exponential_"})
"""Methods that draw all elements of a tensor anew; rules about random numbers speak of them."""


# ------------------------------------------------------------------------------------------------------------- writes
def attribute(frame: Frame, target: ir.Attribute, value: Value) -> None:
    """``self.name = value``: noted where what is written depends on the input, or on what the attribute held."""
    function = frame.function
    instance = _module(frame, target.value) if frame.records_sites else None
    if function is None or instance is None:
        return
    if not value.is_traced and target.attr not in _read_for_itself(function):
        return
    if target.attr in _only_moved(function):
        return
    if not _is_made_when_missing(function, target.attr):
        how = "guarded" if target.attr in _guarded(function) else "assigned"
        frame.emit(StateWrite, target, value, kind="attribute", name=target.attr, how=how, owner=instance.cls)


def augmented(frame: Frame, target: ir.Attribute, value: Value) -> None:
    """``self.name += value``."""
    instance = _module(frame, target.value) if frame.records_sites else None
    if instance is not None and not _was_written(frame, instance, target.attr):
        frame.emit(StateWrite, target, value, kind="attribute", name=target.attr, how="augmented")


def content(frame: Frame, node: ir.Expr, target: ir.Expr, value: Value, *, is_augmented: bool = False) -> None:
    """A write into what an attribute or a global holds: ``self.cache[key] = value``, ``self.tokens.append(value)``,
    ``self.mean.mul_(0.9)``."""
    if not frame.records_sites or _fills(node, target):
        return
    root = _root(target)
    if isinstance(root, ir.Attribute):
        instance = _module(frame, root.value)
        if instance is None or _was_written(frame, instance, root.attr):
            return
        kind, name = "content", root.attr
    elif isinstance(root, ir.Name) and _is_global(frame, root.id):
        kind, name = "global", root.id
    else:
        return
    if isinstance(node, ir.Subscript) and not is_augmented and not _is_tensor_or_read(frame, root, node):
        return
    frame.emit(StateWrite, node, value, kind=kind, name=name, how="changed")


def _fills(node: ir.Expr, target: ir.Expr) -> bool:
    """Whether a call replaces all that a tensor held: nothing of another call is in it then."""
    is_whole = not any(isinstance(part, ir.Subscript) for part in ir.walk(target))
    return is_whole and isinstance(node, ir.Call) and isinstance(node.func, ir.Attribute) and node.func.attr in _FILLING


def _is_tensor_or_read(frame: Frame, root: ir.Expr, node: ir.Subscript) -> bool:
    """Whether an item is assigned to a tensor, which keeps the others, or to a container whose items were read before:
    else each call may assign all that it reads."""
    if isinstance(frame.interp.evaluate(frame, root), Tensor):
        return not _is_constant(node.index)  # the same elements in each call: nothing of another call is in them
    name, function = _said(root), frame.function
    if function is None:
        return False
    targets = {id(t) for s in ir.walk(function.body) if isinstance(s, ir.Assign) for t in s.targets}
    readers = [r for part in ir.walk(function.body) if id(part) not in targets for r in _items_read(part)]
    return any(_said(reader) == name and reader.at < node.at for reader in readers)


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


def _is_constant(index: ir.Expr) -> bool:
    """Whether an index is made of literals only."""
    return all(isinstance(n, (ir.Const, ir.Slice, ir.UnaryOp, ir.Sequence)) for n in ir.walk(index))


def _said(node: ir.Expr) -> str | None:
    return node.attr if isinstance(node, ir.Attribute) else node.id if isinstance(node, ir.Name) else None


def method(frame: Frame, node: ir.Call, given: Iterable[Value]) -> None:
    """A method that changes its receiver: of a container given a traced value, or of a tensor in place."""
    function = node.func
    assert isinstance(function, ir.Attribute)
    if function.attr in _MUTATORS:
        value = next((v for v in given if v.is_traced), None)
        if function.attr in _OF_OTHERS and frame.interp.evaluate(frame, function.value) is UNKNOWN:
            return
        if value is not None:
            content(frame, node, function.value, value)
    elif _is_in_place(function.attr) and isinstance(function.value, (ir.Attribute, ir.Subscript, ir.Name)):
        content(frame, node, function.value, next((v for v in given if v.is_traced), STATIC))


def may_change(name: str) -> bool:
    """Whether a method of that name may change its receiver."""
    return name in _MUTATORS or _is_in_place(name)


def name(frame: Frame, target: ir.Name, value: Value) -> None:
    """An assignment to a name that the function declares ``global``, of something that depends on the input or on what
    it held."""
    function = frame.function
    if not frame.records_sites or function is None or not frame.analysis.says_global(function, frame.unit.text):
        return
    if target.id not in _globals(function):
        return
    changes = (s.target for s in ir.walk(function.body) if isinstance(s, ir.AugAssign))
    if value.is_traced or any(_said(t) == target.id for t in changes):
        frame.emit(StateWrite, target, value, kind="global", name=target.id, how="augmented")


def _is_in_place(name: str) -> bool:
    return name.endswith("_") and not name.startswith("_") and torch_kinds.is_in_place(name)


def _root(node: ir.Expr) -> ir.Expr:
    """What a chain of subscripts and in-place calls begins with."""
    while True:
        if isinstance(node, ir.Subscript):
            node = node.value
        elif isinstance(node, ir.Call) and isinstance(node.func, ir.Attribute) and _is_in_place(node.func.attr):
            node = node.func.value
        elif isinstance(node, ir.Attribute) and node.attr == "data":
            node = node.value
        else:
            return node


def _module(frame: Frame, node: ir.Expr) -> Instance | None:
    """The module that a plain name is."""
    if not isinstance(node, ir.Name) or frame.env is None:
        return None
    value = frame.env.get(node.id)
    found = [v for v in alternatives(value) if isinstance(v, Instance)] if value is not None else []
    return found[0] if len(found) == 1 and found[0].cls.is_module else None


def _was_written(frame: Frame, instance: Instance, name: str) -> bool:
    """Whether this run has put something else there before."""
    return frame.env is not None and frame.env.store.field(instance, name) is not None


def _is_global(frame: Frame, name: str) -> bool:
    if frame.env is None or frame.env.get(name) is not None or frame.function is None:
        return False
    return any(getattr(b, "value", None) is not None for b in frame.module.lookup(name))


# ------------------------------------------------------------------------------------------------ what functions say
def _globals(function: ir.FunctionDef) -> frozenset[str]:
    """The names that a function declares ``global``."""
    return frozenset(
        n for s in ir.walk(function.body) if isinstance(s, ir.Scope) and s.kind == "global" for n in s.names
    )


def _attributes(node: ir.Node) -> set[str]:
    return {n.attr for n in ir.walk(node) if isinstance(n, ir.Attribute) and isinstance(n.value, ir.Name)}


def _assigned(body: ir.Block) -> set[str]:
    found = [t for s in ir.walk(body) if isinstance(s, ir.Assign) for t in s.targets]
    return {t.attr for t in found if isinstance(t, ir.Attribute) and isinstance(t.value, ir.Name)}


def _read_for_itself(function: ir.FunctionDef) -> set[str]:
    """Attributes that are computed from what they held, ``self.t = self.t * 0.5``; not those that are only moved to
    another device or type."""
    assigned = [
        (s.targets, s.value) for s in ir.walk(function.body) if isinstance(s, ir.Assign) and not _moves(s.value)
    ]
    return {
        target.attr
        for targets, value in assigned
        for target in targets
        if isinstance(target, ir.Attribute) and target.attr in _attributes(value)
    }


def _only_moved(function: ir.FunctionDef) -> set[str]:
    """Attributes that the function does no more to than move them: ``self.mean = self.mean.type_as(x)``."""
    moved: dict[str, bool] = {}
    for statement in ir.walk(function.body):
        for target in statement.targets if isinstance(statement, ir.Assign) else ():
            if isinstance(target, ir.Attribute) and isinstance(statement, ir.Assign):
                is_move = _moves(statement.value) and target.attr in _attributes(statement.value)
                moved[target.attr] = moved.get(target.attr, True) and is_move
    return {name for name, is_move in moved.items() if is_move}


def _moves(value: ir.Expr) -> bool:
    """Whether an expression, or each element of a comprehension, is something moved to another device or type."""
    if isinstance(value, ir.Comprehension):
        return _moves(value.element)
    while isinstance(value, ir.Call) and isinstance(value.func, ir.Attribute) and value.func.attr in _MOVING:
        value = value.func.value
        if isinstance(value, (ir.Attribute, ir.Name)):
            return True
    return False


def _is_made_when_missing(function: ir.FunctionDef, name: str) -> bool:
    """Whether an attribute is assigned where it is asked for: ``if self.table is None: self.table = …``, or
    ``if self.table is not None: return self.table``. A flag of the first call is none of these."""
    tests = [s for s in ir.walk(function.body) if isinstance(s, ir.If) and name in _attributes(s.test)]
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


def _guarded(function: ir.FunctionDef) -> set[str]:
    """Attributes that are assigned in the first call only: beside a flag that the condition asks for."""
    found: set[str] = set()
    for statement in ir.walk(function.body):
        if isinstance(statement, ir.If):
            flags = _attributes(statement.test) & _assigned(statement.body)
            if any(isinstance(v, ir.Const) for flag in flags for v in _values_assigned(statement.body, flag)):
                found |= _assigned(statement.body) - flags
    return found


# ------------------------------------------------------------------------------------------------- which are kept
def kept(
    sites: Iterable[Site], functions: Iterable[ir.FunctionDef], initial: Iterable[set[tuple[ClassInfo, str]]]
) -> Iterator[Site]:
    """The sites without writes that nobody reads. `functions` are those that were traced; `initial` are the
    attributes of which each of them read what they held at first."""
    loads: set[str] | None = None
    for site in sites:
        if isinstance(site, StateWrite):
            if loads is None:
                loads = {name for function in functions for name in _loads(function)}
            if site.name not in loads:
                continue
            if site.how == "assigned" and not any((site.owner, site.name) in found for found in initial):
                continue
        yield site


def _loads(function: ir.FunctionDef) -> set[str]:
    """The attributes and names that a function reads other than to change them."""
    skipped: set[int] = set()
    found: set[str] = set()
    for node in ir.walk(function.body):
        match node:
            case ir.Call(func=ir.Attribute() as called) if may_change(called.attr):
                skipped.add(id(_root(called.value)))
            case ir.Assign():
                for target in node.targets:
                    skipped.add(id(_root(target)))
                    if isinstance(target, ir.Attribute):
                        skipped.update(
                            id(n) for n in ir.walk(node.value) if isinstance(n, ir.Attribute) and n.attr == target.attr
                        )
            case ir.AugAssign():
                skipped.add(id(_root(node.target)))
            case ir.Attribute() if id(node) not in skipped:
                found.add(node.attr)
            case ir.Name() if id(node) not in skipped:
                found.add(node.id)
    return found
