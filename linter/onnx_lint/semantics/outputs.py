"""What a model returns: the parts of the result of ``forward`` that are no tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.modules import Unit
from onnx_lint.semantics.domain.engines import ALL_ENGINES, DYNAMO
from onnx_lint.semantics.domain.environment import Environment
from onnx_lint.semantics.domain.lattice import alternatives
from onnx_lint.semantics.domain.renaming import Renaming
from onnx_lint.semantics.domain.sites import Output
from onnx_lint.semantics.domain.values import (
    Const,
    Dict,
    ExternalInstance,
    Frozen,
    Function,
    Instance,
    Seq,
    Static,
    Tensor,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.evaluation.state import Analysis, Summary
from onnx_lint.semantics.reach import Reached
from onnx_lint.source import ir

_MAX_DEPTH = 3
"""How deep parts of parts are looked at."""
_MAX_DECORATORS = 8
"""How many decorators on one ``forward`` are looked through."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of what is returned that is no tensor."""

    kind: str
    where: str
    value: Value
    node: ir.Expr


def report(
    analysis: Analysis, entry: Summary, function: Function, info: ClassInfo, unit: Unit, statement: ir.FunctionDef
) -> None:
    """Report non-tensor outputs of an entry point, at its ``return`` statements.

    `function` is what is called, and `statement` the ``forward`` as it is written: where a decorator stands in its
    place and hands on what it returns, that is told in ``forward``, and not in the file of the decorator.
    """
    calls = [Reached(entry, None, entry.inputs).call(c, Renaming()) for c in entry.calls]
    returned = [part for call in calls for part in _parts_of(call)]
    if returned and function.function is not statement:
        kinds = {(p.kind, p.where) for p in returned}
        written = [p for call in _calls_of(statement, calls) for p in _parts_of(call) if (p.kind, p.where) in kinds]
        _emit(analysis, entry, unit, info, written, takes_numbers=_takes_numbers(statement))
        handed_on = {(p.kind, p.where) for p in written}
        returned = [p for p in returned if (p.kind, p.where) not in handed_on]
    _emit(analysis, entry, function.unit, info, returned, takes_numbers=_takes_numbers(function.function))


def _calls_of(statement: ir.FunctionDef, wrapping: list[Reached]) -> list[Reached]:
    """The calls of a function that decorators wrap, below the calls of what stands in its place."""
    for _ in range(_MAX_DECORATORS):
        renamings = [(call, call.renaming()) for call in wrapping]
        wrapping = [call.call(c, renaming) for call, renaming in renamings for c in call.summary.calls]
        found = [c for c in wrapping if c.summary.traced is not None and c.summary.traced[1] is statement]
        if found:
            return found
    return []


def _parts_of(call: Reached) -> list[_Part]:
    renaming = call.renaming()
    returned = summary_returns(call.summary)
    return [part for value, node in returned for part in _parts(renaming.value(value), node, "output", _MAX_DEPTH)]


def _emit(
    analysis: Analysis, entry: Summary, unit: Unit, info: ClassInfo, parts: list[_Part], *, takes_numbers: bool
) -> None:
    name = f"{info.name}.forward"
    frame = Frame(analysis, unit, Environment({}), qualified=name, engines=ALL_ENGINES, summary=entry)
    for part in parts:
        is_made_tensor = takes_numbers and isinstance(part.value, Static)
        with frame.on_way(DYNAMO if is_made_tensor else frame.engines):
            frame.emit(Output, part.node, part.value, kind=part.kind, where=part.where)


def summary_returns(summary: Summary) -> list[tuple[Value, ir.Expr]]:
    """The values that a function returned, with their expressions; a bare ``return`` has none."""
    return [(value, node) for value, node in summary.returned if node is not None]


def _takes_numbers(function: ir.FunctionDef) -> bool:
    """Whether numbers are inputs: torchscript makes tensors of them, and so of what is computed with them."""
    params = [p for p in function.params.positional[1:] if p.default is None]
    annotations = [p.annotation for p in params if p.annotation is not None]
    names = {n.id for annotation in annotations for n in ir.walk(annotation) if isinstance(n, ir.Name)}
    return bool(names & {"int", "float", "bool"})


def _parts(value: Value, node: ir.Expr, where: str, depth: int) -> Iterator[_Part]:
    ways = alternatives(value)
    may_be_tensor = any(isinstance(one, Tensor) for one in ways)
    for one in ways:
        kind = _kind(one)
        if kind == "number" and may_be_tensor and isinstance(one, (Const, Static)):
            continue  # a sum begins with 0, which is what a loop without a turn leaves
        if kind is not None:
            yield _Part(kind, where, one, _unpacked(node))
            return
        if isinstance(one, Seq) and one.elements is not None and depth:
            nodes = node.elements if isinstance(node, ir.Sequence) and len(node.elements) == len(one.elements) else ()
            for index, element in enumerate(one.elements):
                inner = nodes[index] if nodes else node
                yield from _parts(element, inner, f"element {index} of the {where}", depth - 1)
            return


def _unpacked(node: ir.Expr) -> ir.Expr:
    return node.value if isinstance(node, ir.Starred) else node


def _kind(value: Value) -> str | None:
    if isinstance(value, Dict):
        return "dict"
    if isinstance(value, Const):
        if value.value is None:
            return "none"
        if isinstance(value.value, str):
            return "str"
        return "number" if isinstance(value.value, (int, float, bool)) else None
    if isinstance(value, Static):
        return {"str": "str", "int": "number", "float": "number", "bool": "number"}.get(value.type or "")
    if isinstance(value, Frozen):
        return "number"
    if isinstance(value, Instance) and not value.cls.is_module:
        return _kind_of_object(value.cls)
    if isinstance(value, (Tensor, ExternalInstance)):
        return None
    return None


_PLAIN_BASES = frozenset({"object", "builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol"})
_DICT_BASES = ("dict", "OrderedDict", "TypedDict", "UserDict", "ModelOutput")


def _kind_of_object(info: ClassInfo) -> str | None:
    """A named tuple is a tuple, a subclass of dict a dict; of other bases outside the project nothing is known (they
    may be registered with torch's pytrees)."""
    classes = [c for c in info.mro if isinstance(c, ClassInfo)]
    outside = [c.name for c in info.mro if not isinstance(c, ClassInfo)]
    outside += [name for c in classes for name in c.unresolved_bases]
    bases = [name for name in outside if name not in _PLAIN_BASES]
    if any(name.rpartition(".")[2] in _DICT_BASES for name in bases):
        return "dict"
    return None if bases else "object"
