"""Elementwise functions: the shape to which the operands broadcast, and a dtype by rule.

The functions are data (``catalogue/data/elementwise.json``, made by ``tools/generate_elementwise.py`` from
PyTorch's own samples). Those that follow no rule of this kind stand in `pointwise`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from onnx_lint.semantics.catalogue.shapes.arguments import shape_of
from onnx_lint.semantics.catalogue.shapes.registry import MODELS, Call, Model, NotKnown, Parameter, register
from onnx_lint.semantics.domain import dtypes
from onnx_lint.semantics.domain.dtypes import result_type
from onnx_lint.semantics.domain.shapes import UNKNOWN, Shape, TensorType, Value, number_type, operand

_DATA = Path(__file__).parents[1] / "data/elementwise.json"


def _promoted(operands: Sequence[Value]) -> str | None:
    known = [o for o in map(operand, operands) if o is not None]
    return result_type(known) if len(known) == len(operands) and known else None


def _first(operands: Sequence[Value]) -> str | None:
    return operands[0].dtype if isinstance(operands[0], TensorType) else None


def _mapped(rule: Callable[[Sequence[Value]], str | None], function: Callable[[str], str | None]) -> DtypeOf:
    def mapped(operands: Sequence[Value]) -> str | None:
        dtype = rule(operands)
        return None if dtype is None else function(dtype)

    return mapped


DtypeOf = Callable[[Sequence[Value]], str | None]

RULES: dict[str, DtypeOf] = {
    "first": _first,
    "promoted": _promoted,
    "floated": _mapped(_promoted, dtypes.as_float),
    "real": _mapped(_promoted, dtypes.as_real),
    "real floated": _mapped(_mapped(_promoted, dtypes.as_float), dtypes.as_real),
    "bool": lambda operands: "bool",
    "int64": lambda operands: "int64",
    "unknown": lambda operands: None,
}
"""How the dtype follows from those of the operands; "unknown" is for functions that follow none of the others."""


def elementwise(names: Sequence[str], rule: str) -> Model:
    """The model of a function with these operands; its other arguments change nothing."""
    dtype_of = RULES[rule]

    def run(call: Call, bound: dict[str, Value]) -> Value:
        operands = [bound[n] for n in names if bound[n] is not None]
        tensors = [v for v in operands if isinstance(v, TensorType)]
        if not tensors or len(tensors) + sum(number_type(v) is not None for v in operands) < len(operands):
            if not tensors:
                raise NotKnown
            return TensorType(None, None)
        return TensorType(_broadcast(call, tensors), dtype_of(operands))

    def run_known(call: Call, bound: dict[str, Value]) -> Value:
        try:
            return run(call, bound)
        except NotKnown:
            return UNKNOWN

    parameters = tuple(Parameter(n, None, required=i == 0) for i, n in enumerate(names))
    return Model((*parameters, Parameter("rest", (), required=False, variadic=True)), run_known, is_generated=True)


def _broadcast(call: Call, tensors: Sequence[TensorType]) -> Shape | None:
    try:
        return call.broadcast(*map(shape_of, tensors))
    except NotKnown:
        return None


_ALSO = {
    **{f"torch.{n}": f"torch.nn.functional.{n}" for n in (
        "relu", "selu", "celu", "rrelu", "prelu", "dropout", "alpha_dropout", "feature_alpha_dropout", "hardshrink",
        "threshold", "layer_norm",
    )},
    "torch.nn.functional.sigmoid": "torch.sigmoid",
    "torch.nn.functional.tanh": "torch.tanh",
}  # fmt: skip
"""Names of the same function that OpInfo does not have."""


def register_generated() -> None:
    """Adds the functions of the data file, but for those that have a model already, and other names of functions."""
    data = json.loads(_DATA.read_text(encoding="utf-8"))
    for name, row in data["functions"].items():
        if name not in MODELS:
            register(name, elementwise(row["operands"], row["dtype"]))
    for name, target in {**data["aliases"], **_ALSO}.items():
        if name not in MODELS and target in MODELS:
            register(name, replace(MODELS[target], is_generated=True))
