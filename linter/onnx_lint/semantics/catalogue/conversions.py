"""Where a traced value becomes a Python value: what is reported, and what comes of it."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.registry import Call
from onnx_lint.semantics.domain.dims import UNKNOWN_SIZE
from onnx_lint.semantics.domain.engines import DYNAMO
from onnx_lint.semantics.domain.lattice import alternatives, engines_of_part, hazard_among, is_certain
from onnx_lint.semantics.domain.origin import StepKind
from onnx_lint.semantics.domain.sites import Conversion, NumpyCall, TensorCall
from onnx_lint.semantics.domain.sizes import dim_of
from onnx_lint.semantics.domain.values import (
    STATIC,
    UNKNOWN,
    Array,
    Const,
    Frozen,
    Seq,
    Size,
    Static,
    Tensor,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame

_MAX_EXACT = 1e15
"""Constants up to that size are converted exactly."""


def emit_conversion(frame: Frame, call: Call, converter: str, value: Value) -> None:
    """Report that a function asks for the Python value of `value`."""
    if call.node is not None:
        frame.emit(Conversion, call.node, value, converter=converter, argument=None)


def convert(frame: Frame, call: Call, converter: str, value: Value, result: str | None, position: int = 0) -> Value:
    """A Python number from one value: reported when traced; ``int(x.shape[0])`` and the like. `result` is the name of
    its Python type, `position` the place of the value among the arguments."""
    parts = [v for v in alternatives(value) if is_certain(v)]
    live = hazard_among(parts)
    if live is not None and call.node is not None:
        with frame.only_under(engines_of_part(value, live)):
            frame.emit(Conversion, call.node, live, converter=converter, argument=call.argument_node(position))
    if parts:
        part = live if live is not None else parts[0]
        data = isinstance(part, (Tensor, Array)) or (isinstance(part, Frozen) and part.from_data)
        origin = part.origin if call.node is None else frame.origin(call.node, StepKind.READ, "", part.origin)
        dim = dim_of(part) if converter in ("int", "operator.index") else None
        return Frozen(data, result, origin, _live_after(frame, converter, part), UNKNOWN_SIZE if dim is None else dim)
    if isinstance(value, Const) and isinstance(value.value, (int, float, bool)) and result in ("int", "float", "bool"):
        if abs(value.value) < _MAX_EXACT:
            return Const({"int": int, "float": float, "bool": bool}[result](value.value))
    return UNKNOWN if value is UNKNOWN else Static(result)


_FOLLOWED = frozenset(
    {"int", "float", "bool", "operator.index", "math.ceil", "math.floor", "math.trunc", "math.pow", "math.radians"}
)
"""Conversions whose result dynamo goes on computing with (torch 2.13; ``operator.index`` fails for a size, which is
reported there)."""


def _live_after(frame: Frame, converter: str, value: Value) -> int:
    """The engines under which a number that was made of a traced value is still a value of the graph."""
    if converter not in _FOLLOWED:
        return 0
    if isinstance(value, Frozen):
        return value.live
    if isinstance(value, Tensor):
        return DYNAMO & frame.engines if converter in ("int", "float") else 0
    if not isinstance(value, Size) or converter in ("bool", "operator.index"):
        return 0
    return DYNAMO & frame.engines if converter != "int" or value.is_dimension else 0


def read(frame: Frame, call: Call, value: Value) -> Value:
    """``item``, ``tolist``, ``numpy``: a traced value leaves the graph."""
    if not value.is_traced:
        return STATIC
    name = call.short
    if call.node is not None:
        if name == "numpy":
            frame.emit(NumpyCall, call.node, value, numpy_function="torch.Tensor.numpy")
        else:
            count = len(call.args.positional)
            frame.emit(TensorCall, call.node, value, method=name, receiver=call.receiver_node, argument_count=count)
    kind = StepKind.ARRAY if name == "numpy" else StepKind.READ
    origin = value.origin if call.node is None else frame.origin(call.node, kind, "", value.origin)
    if name == "numpy":
        return Array(origin)
    number = Frozen(not isinstance(value, Size), None, origin, DYNAMO & frame.engines)  # dynamo follows it (torch 2.13)
    return Seq("list", None, number) if name == "tolist" else number
