"""The inputs of a model: arguments for a ``forward`` that nobody was seen calling."""

from __future__ import annotations

from onnx_lint.project.classes import ClassInfo
from onnx_lint.semantics.domain.lattice import alternatives, join, map_parts, type_name
from onnx_lint.semantics.domain.origin import Origin, StepKind
from onnx_lint.semantics.domain.values import (
    NONE,
    STATIC,
    UNKNOWN,
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
from onnx_lint.semantics.evaluation.parameters import default_value
from onnx_lint.semantics.evaluation.state import Analysis
from onnx_lint.semantics.evaluation.usage import Usage
from onnx_lint.semantics.purpose_signs import TARGETS
from onnx_lint.source import ir


def model_inputs(frame: Frame, function: Function, receiver: Value) -> Arguments:
    """Arguments for a ``forward`` that nobody was seen calling: the inputs of the model."""
    params = function.function.params
    use = _use_of(frame.analysis, function.function)
    positional: list[Value] = [receiver]
    for param in params.positional[1:]:
        positional.append(_input(frame, function, param, use))
    keyword = {p.name: _input(frame, function, p, use) for p in params.keyword}
    if params.vararg is not None:
        positional.append(Tensor(True, True, frame.origin(params.vararg, StepKind.INPUT, params.vararg.name)))
    rest = STATIC if params.kwarg is not None and _reads(function.function, params.kwarg.name) else None
    if params.kwarg is not None:
        keyword = {**_flags_in(function.function, params.kwarg.name), **keyword}
    return Arguments(tuple(positional), keyword, None, rest)


def _flags_in(function: ir.FunctionDef, name: str) -> dict[str, Value]:
    """What a function reads of its ``**kwargs`` with a flag, a number or a text as default, ``kwargs.get("keep",
    False)``: that default, as of a parameter. A name that it reads with two defaults is not known."""
    found: dict[str, Value] = {}
    unsure: set[str] = set()
    for node in ir.walk(function.body):
        if not isinstance(node, ir.Call) or ir.dotted(node.func) not in (f"{name}.get", f"{name}.pop"):
            continue
        match node.args:
            case (ir.Const(value=str(key)), ir.Const(value=bool() | int() | float() | str() as default)):
                if key in found and found[key].key() != Const(default).key():
                    unsure.add(key)
                found[key] = Const(default)
            case (ir.Const(value=str(key)), *_):
                unsure.add(key)
    return {key: value for key, value in found.items() if key not in unsure}


def _reads(function: ir.FunctionDef, name: str) -> bool:
    """Whether a function looks into its ``**kwargs``. What it only hands on is empty: an export passes none."""
    handed_on = {id(v) for n in ir.walk(function.body) if isinstance(n, ir.Call) for k, v in n.keywords if k is None}
    return any(isinstance(n, ir.Name) and n.id == name and id(n) not in handed_on for n in ir.walk(function.body))


def _input(frame: Frame, function: Function, param: ir.Param, use: Usage) -> Value:
    origin = frame.origin(param, StepKind.INPUT, param.name)
    fixed = _of_default(frame, function, param)
    if fixed is not None:
        return fixed
    if param.annotation is not None:
        value = frame.interp.annotated(frame.analysis, function.unit.module, param.annotation)
        if value is not None:
            default = param.default
            is_optional = isinstance(default, ir.Const) and default.value is None
            if is_optional and not _may_hold_tensor(frame, value):
                return NONE
            value = frame.owned(_with_origin(value, param.name, origin))
            return join(value, NONE) if is_optional else value
    if param.default is not None:
        default_is = default_value(frame, function, param)
        if isinstance(default_is, Const):
            if default_is.value is None:
                return join(_by_use(param.name, origin, use, optional=True), NONE)
            return Static(type_name(default_is))
        return default_is if default_is is not UNKNOWN else STATIC
    if param.annotation is not None:
        return UNKNOWN
    return _by_use(param.name, origin, use, optional=False)


def _of_default(frame: Frame, function: Function, param: ir.Param) -> Value | None:
    """What an input surely is by its default: a text, a number or a flag, which no export passes as a tensor; ``None``
    for the targets, since a model is exported without them."""
    if not isinstance(param.default, ir.Const):
        return None
    if isinstance(param.default.value, (str, bool, int, float)):
        return default_value(frame, function, param)
    return NONE if param.default.value is None and param.name in TARGETS else None


def _may_hold_tensor(frame: Frame, value: Value) -> bool:
    """Whether an annotated input may bring tensors. A number, a text, a group of processes or a dataclass of such is
    left out of an export where its default is ``None``."""
    parts = alternatives(value)
    if len(parts) > 1:
        return any(_may_hold_tensor(frame, part) for part in parts)
    if isinstance(value, (Seq, Dict)):
        inside = value.items() if isinstance(value, Seq) else value.values()
        return not inside or any(_may_hold_tensor(frame, part) for part in inside)
    if isinstance(value, Instance):
        return not _is_configuration(frame, value.cls)
    return not isinstance(value, (Static, Const))


def _is_configuration(frame: Frame, info: ClassInfo) -> bool:
    """Whether a class is a dataclass whose fields are numbers, texts and flags."""
    header = info.header
    marks = [] if header is None else [m.func if isinstance(m, ir.Call) else m for m in header.decorators]
    if (
        not any(ir.dotted(mark).rpartition(".")[2] == "dataclass" for mark in marks)
        or info.bases
        or info.unresolved_bases
    ):
        return False
    fields = [member for found in info.statements.values() for member in found]
    for unit, statement in fields:
        annotation = statement.annotation if isinstance(statement, (ir.Declare, ir.Assign)) else None
        kind = None if annotation is None else frame.interp.annotated(frame.analysis, unit.module, annotation)
        if kind is None or _may_hold_tensor(frame, kind):
            return False
    return bool(fields)


def _with_origin(value: Value, name: str, origin: Origin) -> Value:
    """An annotated input: the tensors in it are inputs of the model."""
    if isinstance(value, Tensor):
        return Tensor(value.traced, value.presumed, origin, name)
    return map_parts(value, lambda part: _with_origin(part, name, origin))


def _by_use(name: str, origin: Origin, use: Usage, *, optional: bool) -> Value:
    """An input without annotation: a tensor, unless it is used like a list, a dict or a number."""
    kind = use.kind_of(name)
    presumed = Tensor(True, True, origin, name)
    if kind == "list":
        return Seq("list", None, presumed)
    if kind == "dict":
        return Dict({}, presumed)
    if kind == "object":
        return UNKNOWN
    if kind == "number":
        return STATIC
    return Tensor(True, optional and kind is None, origin, name)


def _use_of(analysis: Analysis, function: ir.FunctionDef) -> Usage:
    found = analysis.uses.get(function)
    if found is None:
        found = analysis.uses[function] = Usage(function)
    return found
