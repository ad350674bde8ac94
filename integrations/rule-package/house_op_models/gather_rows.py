"""`house_kernels.gather_rows(x, index)`: rows of `x`, by a tensor of their numbers."""

from __future__ import annotations

from onnx_lint.op_models import Call, Frame, Shape, ShapeCall, ShapeValue, Tensor, Value, models, same, shape, verdict
from onnx_lint.op_models import shape_of as known_shape

NAME = "house_kernels.gather_rows"

# it calls a kernel of our own, for which torchscript has no symbolic function; dynamo follows its decomposition
verdict(NAME, torchscript="fails")


@models(NAME)
def returns(frame: Frame, call: Call) -> Value:
    """A tensor, which depends on the inputs of the model if one of its arguments does."""
    traced = next((value for value in call.args.all() if value.is_traced), None)
    return Tensor(traced is not None, origin=None if traced is None else traced.origin)


@shape(NAME, dtype=same("x"))
def rows(call: ShapeCall, x: ShapeValue, index: ShapeValue) -> Shape:
    """The rows that are asked for, each as it is in `x`."""
    return (*known_shape(index), *known_shape(x)[1:])
