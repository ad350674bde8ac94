"""What the analysis knows of the parameters of one model's ``forward``: what an example input has to be like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from onnx_lint.deep_stack import with_deep_stack
from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.modules import SourceModule, Unit
from onnx_lint.project.project import Project
from onnx_lint.semantics import constructions, entry, input_shapes, model_inputs, shape_hints
from onnx_lint.semantics.domain.demands import Demand, Enough
from onnx_lint.semantics.domain.dims import Dim
from onnx_lint.semantics.domain.environment import Environment
from onnx_lint.semantics.domain.lattice import alternatives
from onnx_lint.semantics.domain.values import (
    NONE,
    Arguments,
    Const,
    Dict,
    Function,
    Instance,
    Seq,
    Static,
    Tensor,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.evaluation.state import Analysis
from onnx_lint.semantics.interpreter import INTERPRETER
from onnx_lint.semantics.size_names import named
from onnx_lint.source import ir

MAX_STEPS = 3_000
"""Statements that are interpreted to find out about the inputs of one model."""
NAMING_STEPS = 100
"""Statements that are interpreted for the names of sizes."""


@dataclass(frozen=True, slots=True)
class KnownInput:
    """One parameter of ``forward``.

    `kind` is ``tensor``, ``list``, ``dict``, ``number`` (a plain number or truth value) or ``unknown``. `is_needed`: it
    has no default. `is_given`: it is one of those that the other fields are known for, the needed ones, or the first
    tensor where none is needed. `shape` and `dtype` are ``None`` where nothing is known of them; a dimension that is
    not an integer varies, is fixed by a setting of the model, or is unknown, see ``dims.varies``.
    """

    name: str
    kind: str
    is_needed: bool
    is_given: bool
    shape: tuple[Dim, ...] | None = None
    dtype: str | None = None


def known_inputs(project: Project, module: SourceModule, class_name: str) -> list[KnownInput] | None:
    """What is known of the inputs of a class that a file defines; ``None`` if it defines no such model."""
    info = next((c for c in entry.classes_of(project, module) if c.name == class_name), None)
    if info is None:
        found = (project.class_of(module, chunk) for chunk in module.class_chunks())
        info = next((c for c in found if c.name == class_name), None)
    return None if info is None else with_deep_stack(lambda: _known(project, info))


def _known(project: Project, info: ClassInfo) -> list[KnownInput] | None:
    found = info.find("forward")
    if found is None or not isinstance(found[1][1], ir.FunctionDef):
        return None
    owner, (unit, statement) = found
    assert isinstance(statement, ir.FunctionDef)
    analysis = Analysis(project, INTERPRETER, skips_decorators=True)
    analysis.begin()
    first = _made_with(analysis, info, unit, Function(unit, statement, None, owner), None)
    if first is None or all(item.shape is not None for item in first if item.is_given):
        return first
    for args in constructions.of(analysis, info)[:1]:  # factories cost more than the model: asked when it needs them
        return _made_with(analysis, info, unit, Function(unit, statement, None, owner), args) or first
    return first


def _made_with(
    analysis: Analysis, info: ClassInfo, unit: Unit, function: Function, args: Arguments | None
) -> list[KnownInput] | None:
    """What is known of the inputs of a model that is made with these arguments, or with unknown ones."""
    frame = Frame(analysis, unit, Environment({}), qualified=f"{info.name}.forward")
    instance = frame.interp.make(frame, info, args)
    if not isinstance(instance, Instance):
        return None
    try:
        return _inputs(frame, function, instance)
    except Enough:  # met outside the search, where a bound of it still counted
        return None


def _inputs(frame: Frame, function: Function, instance: Instance) -> list[KnownInput]:
    params = function.function.params
    args = model_inputs.model_inputs(frame, function, instance)
    pairs = [*zip(params.positional[1:], args.positional[1:], strict=False)]
    pairs += [(param, args.keyword[param.name]) for param in params.keyword]
    needed = {param.name for param, _ in pairs if param.default is None}
    given = needed or {param.name for param, value in pairs if _tensor(value) is not None and param.default is not None}
    if not needed:
        given = set(list(dict.fromkeys(p.name for p, _ in pairs if p.name in given))[:1])
    chosen = {param.name: _chosen(param, value, given) for param, value in pairs}
    positional = [instance, *(chosen[param.name] for param in params.positional[1:])]
    asked = Arguments(
        tuple(positional),
        {param.name: chosen[param.name] for param in params.keyword},
        args.star,
        args.double_star,
        args.nodes,
    )
    wanted = {name for name in given if isinstance(chosen[name], Tensor)}
    demands: Mapping[str, Demand] = {}
    if wanted:
        args = input_shapes.as_inputs(asked)
        look = partial(input_shapes.search, frame.analysis, frame.unit, function, qualified=frame.qualified)
        demands = look(args=args, wanted=wanted, steps=MAX_STEPS, wants_dtypes=True)
        demands = shape_hints.unified(demands, shape_hints.of_parameters(frame.analysis, function))
        # once more with what was found: the code names sizes only where it is known of which tensor they are
        look(args=input_shapes.with_demands(asked, demands), wanted={""}, steps=NAMING_STEPS)
    return [
        _described(frame.analysis, frame.unit, param, chosen[param.name], param.name in needed, demands, given)
        for param, _ in pairs
    ]


def _tensor(value: Value) -> Tensor | None:
    return next((one for one in alternatives(value) if isinstance(one, Tensor)), None)


def _chosen(param: ir.Param, value: Value, given: set[str]) -> Value:
    """The value of a parameter in the call that is looked at: of an optional one ``None``, unless it is given."""
    if param.name in given:
        return _tensor(value) or value
    return NONE if NONE in alternatives(value) else value


def _described(
    analysis: Analysis,
    unit: Unit,
    param: ir.Param,
    value: Value,
    is_needed: bool,
    demands: Mapping[str, Demand],
    given: set[str],
) -> KnownInput:
    is_given = param.name in given
    if not isinstance(value, Tensor):
        return KnownInput(param.name, _kind(value), is_needed, is_given)
    demand = demands.get(param.name, Demand())
    type = value.type if value.type.shape is not None else demand.type_of(param.name)
    dtype = value.type.dtype or demand.dtype or _annotated_dtype(param)
    shape = None if type.shape is None else tuple([named(dim, analysis, unit) for dim in type.shape])
    return KnownInput(param.name, "tensor", is_needed, is_given, shape, dtype)


_LEGACY = {"LongTensor": "int64", "IntTensor": "int32", "BoolTensor": "bool", "FloatTensor": "float32"}
"""The classes of tensors by dtype. Annotations that name them are documentation, so that they count last."""


def _annotated_dtype(param: ir.Param) -> str | None:
    if param.annotation is None:
        return None
    names = {node.attr for node in ir.walk(param.annotation) if isinstance(node, ir.Attribute)}
    dtypes = {_LEGACY[name] for name in names if name in _LEGACY}
    return dtypes.pop() if len(dtypes) == 1 else None


def _kind(value: Value) -> str:
    kinds = set()
    for one in alternatives(value):
        if isinstance(one, Seq):
            kinds.add("list")
        elif isinstance(one, Dict):
            kinds.add("dict")
        elif isinstance(one, Static) or (isinstance(one, Const) and one.value is not None):
            kinds.add("number")
        elif isinstance(one, Tensor):
            kinds.add("tensor")
        elif one is not NONE:
            kinds.add("unknown")
    return kinds.pop() if len(kinds) == 1 else "unknown"
