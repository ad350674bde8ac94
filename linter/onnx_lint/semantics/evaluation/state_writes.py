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
from onnx_lint.source.block_text import BlockText, said

if TYPE_CHECKING:
    from onnx_lint.project.classes import ClassInfo

_MUTATORS = frozenset(
    {"append", "appendleft", "extend", "insert", "add", "update", "setdefault", "pop", "popleft", "remove"}
)
"""Methods of containers that change what they hold."""
_OF_OTHERS = frozenset({"add", "update"})
"""Those of them that other objects have too, and mean something else by."""
_FILLING = frozenset({"normal_", "uniform_", "bernoulli_", "random_", "exponential_"})
"""Methods that draw all elements of a tensor anew; rules about random numbers speak of them."""


# ------------------------------------------------------------------------------------------------------------- writes
def attribute(frame: Frame, target: ir.Attribute, value: Value) -> None:
    """``self.name = value``: noted where what is written depends on the input, or on what the attribute held."""
    function = frame.function
    instance = _module(frame, target.value) if frame.records_sites else None
    if function is None or instance is None:
        return
    text = BlockText.of(function.body)
    if not value.is_traced and target.attr not in text.read_for_itself:
        return
    if target.attr in text.only_moved:
        return
    if not text.is_made_when_missing(target.attr):
        how = "guarded" if target.attr in text.guarded else "assigned"
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
    if frame.function is None:
        return False
    first = BlockText.of(frame.function.body).first_items.get(said(root))
    return first is not None and first < node.at


def _is_constant(index: ir.Expr) -> bool:
    """Whether an index is made of literals only."""
    return all(isinstance(n, (ir.Const, ir.Slice, ir.UnaryOp, ir.Sequence)) for n in ir.walk(index))


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
    text = BlockText.of(function.body)
    if target.id in text.globals and (value.is_traced or target.id in text.augmented):
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
