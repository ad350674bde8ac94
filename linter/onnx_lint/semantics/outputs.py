"""What a model returns: the parts of the result of ``forward`` that are no tensors."""

from __future__ import annotations

from onnx_lint.project.classes import ClassInfo
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
from onnx_lint.source import ir


def report(analysis: Analysis, entry: Summary, function: Function, info: ClassInfo) -> None:
    """Report non-tensor outputs of an entry point, at its ``return`` statements."""
    takes_numbers = _takes_numbers(function)
    for call in entry.calls:
        renaming = Renaming.between(call.summary.inputs, call.inputs)
        for value, node in summary_returns(call.summary):
            frame = Frame(
                analysis, function.unit, Environment({}), qualified=f"{info.name}.forward",
                engines=ALL_ENGINES, summary=entry,
            )  # fmt: skip
            _report_value(frame, renaming.value(value), node, "output", 3, takes_numbers)


def summary_returns(summary: Summary) -> list[tuple[Value, ir.Expr]]:
    """The values that a function returned, with their expressions; a bare ``return`` has none."""
    return [(value, node) for value, node in summary.returned if node is not None]


def _takes_numbers(function: Function) -> bool:
    """Whether numbers are inputs: torchscript makes tensors of them, and so of what is computed with them."""
    params = [p for p in function.function.params.positional[1:] if p.default is None]
    annotations = [p.annotation for p in params if p.annotation is not None]
    names = {n.id for annotation in annotations for n in ir.walk(annotation) if isinstance(n, ir.Name)}
    return bool(names & {"int", "float", "bool"})


def _report_value(frame: Frame, value: Value, node: ir.Expr, where: str, depth: int, takes_numbers: bool) -> None:
    ways = alternatives(value)
    may_be_tensor = any(isinstance(one, Tensor) for one in ways)
    for one in ways:
        kind = _kind(one)
        if kind == "number" and may_be_tensor and isinstance(one, (Const, Static)):
            continue  # a sum begins with 0, which is what a loop without a turn leaves
        if kind is not None:
            is_made_tensor = takes_numbers and isinstance(one, Static)
            with frame.on_way(DYNAMO if is_made_tensor else frame.engines):
                frame.emit(Output, _part(node), one, kind=kind, where=where)
            return
        if isinstance(one, Seq) and one.elements is not None and depth:
            nodes = node.elements if isinstance(node, ir.Sequence) and len(node.elements) == len(one.elements) else ()
            for index, element in enumerate(one.elements):
                inner = nodes[index] if nodes else node
                _report_value(frame, element, inner, f"element {index} of the {where}", depth - 1, takes_numbers)
            return


def _part(node: ir.Expr) -> ir.Expr:
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
