"""NumPy and the libraries around it: they compute outside the graph."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.registry import Call, models, models_method
from onnx_lint.semantics.domain.lattice import hazard_among
from onnx_lint.semantics.domain.origin import StepKind
from onnx_lint.semantics.domain.parts import certain_parts
from onnx_lint.semantics.domain.sites import NumpyCall, TensorFrom
from onnx_lint.semantics.domain.values import (
    STATIC,
    UNKNOWN,
    Array,
    Frozen,
    Size,
    Tensor,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame

LIBRARIES = ("numpy.", "scipy.", "cv2.", "skimage.")


def call(frame: Frame, call: Call) -> Value:
    """Any function of these libraries: what is traced is read, and the result is a constant of the trace."""
    parts = certain_parts(call.args.all())
    live = hazard_among(p for p in parts if not isinstance(p, Array))
    if live is not None and call.node is not None:
        frame.emit(NumpyCall, call.node, live, numpy_function=call.name)
    if parts:
        part = live if live is not None else parts[0]
        origin = part.origin if call.node is None else frame.origin(call.node, StepKind.ARRAY, "", part.origin)
        if all(isinstance(p, Size) or (isinstance(p, Frozen) and not p.from_data) for p in parts):
            return Frozen(False, None, origin)
        return Array(origin)
    return STATIC if not any(a is UNKNOWN for a in call.args.all()) else UNKNOWN


@models("torch.from_numpy")
def _from_numpy(frame: Frame, call: Call) -> Value:
    value = call.first
    if isinstance(value, (Array, Frozen)) and call.node is not None:
        frame.emit(NumpyCall, call.node, value, numpy_function="torch.from_numpy")
        return Tensor(True, False, value.origin)
    if value is not UNKNOWN and call.node is not None:
        frame.emit(TensorFrom, call.node, value, constructor="torch.from_numpy", is_traced=False, elements=())
    return Tensor(False) if value is not UNKNOWN else Tensor(True, True)


@models_method(Array, "item", "tolist")
def _item(frame: Frame, call: Call, array: Array) -> Value:
    return Frozen(True, None, array.origin)


@models_method(Array)
def _method(frame: Frame, call: Call, array: Array) -> Value:
    return array
