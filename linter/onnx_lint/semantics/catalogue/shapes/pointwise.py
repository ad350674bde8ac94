"""Elementwise functions whose dtype depends on more than the dtypes of the operands; cumulative ones; softmax."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.shapes import arguments as read
from onnx_lint.semantics.catalogue.shapes.dtype_rules import floated, given, promoted, same, summed
from onnx_lint.semantics.catalogue.shapes.registry import Arguments, Call, NotKnown, result, shape
from onnx_lint.semantics.domain.dtypes import as_complex, category, is_complex
from onnx_lint.semantics.domain.shapes import Number, Shape, TensorType, Value


@shape("torch.softmax", "torch.log_softmax", "torch.special.softmax", "torch.special.log_softmax", dtype=given(same()))
def softmax(call: Call, input: Value, dim: Value = None, dtype: Value = None) -> Shape:
    return read.shape_of(input)


@shape("torch.cumsum", "torch.cumprod", dtype=given(summed()))
def cumsum(call: Call, input: Value, dim: Value, *, dtype: Value = None) -> Shape:
    return read.shape_of(input)


@shape("torch.logcumsumexp", dtype=same())
def logcumsumexp(call: Call, input: Value, dim: Value) -> Shape:
    return read.shape_of(input)


def _squared(bound: Arguments) -> str | None:
    dtype = same()(bound)
    return "int64" if dtype == "bool" else dtype


@shape("torch.square", dtype=_squared)
def square(call: Call, input: Value) -> Shape:
    return read.shape_of(input)


def _divided(bound: Arguments) -> str | None:
    rounded = bound["rounding_mode"] is not None
    return (promoted if rounded else floated)("input", "other")(bound)


@shape("torch.div", "torch.divide", dtype=_divided)
def div(call: Call, input: Value, other: Value, *, rounding_mode: Value = None) -> Shape:
    return call.broadcast(read.shape_of(input), read.shape_of(other))


@shape("torch.Tensor.__rtruediv__", dtype=floated("input", "other"))
def rtruediv(call: Call, input: Value, other: Value) -> Shape:
    return call.broadcast(read.shape_of(input), read.shape_of(other))


def _doubled(bound: Arguments) -> str | None:
    dtype = promoted("input", "exponent")(bound)
    return None if dtype is None else as_complex("float64") if is_complex(dtype) else "float64"


@shape("torch.float_power", dtype=_doubled)
def float_power(call: Call, input: Value, exponent: Value) -> Shape:
    return call.broadcast(read.shape_of(input), read.shape_of(exponent))


def _floating_only(bound: Arguments) -> str | None:
    """Integers stay as they are when there is no element, and become floating point otherwise."""
    dtype = same()(bound)
    return None if dtype is None or category(dtype) < 2 else dtype


@shape("torch.nn.functional.local_response_norm", dtype=_floating_only)
def local_response_norm(
    call: Call, input: Value, size: Value, alpha: Value = 1e-4, beta: Value = 0.75, k: Value = 1.0
) -> Shape:
    return read.shape_of(input)


@result("torch.frexp")
def frexp(call: Call, input: Value) -> Value:
    x = read.tensor(input)
    return x, TensorType(x.shape, "int32")


@result("torch.equal", "torch.allclose")
def equal(call: Call, input: Value, other: Value, rtol: Value = 0, atol: Value = 0, equal_nan: Value = False) -> Value:
    return Number("bool")


@shape("torch.polygamma", "torch.special.polygamma", dtype=floated("input"))
def polygamma(call: Call, n: Value, input: Value) -> Shape:
    return read.shape_of(input)


@shape("torch.Tensor.polygamma", dtype=floated("input"))
def polygamma_method(call: Call, input: Value, n: Value) -> Shape:
    return read.shape_of(input)


@shape("torch.special.multigammaln", "torch.mvlgamma", dtype=floated("input"))
def mvlgamma(call: Call, input: Value, p: Value) -> Shape:
    return read.shape_of(input)


@result("torch.is_floating_point")
def is_floating_point(call: Call, input: Value) -> Value:
    return category(_known_dtype(input)) == 2


@result("torch.is_complex")
def is_complex_tensor(call: Call, input: Value) -> Value:
    return is_complex(_known_dtype(input))


@result("torch.is_signed")
def is_signed(call: Call, input: Value) -> Value:
    return _known_dtype(input) != "bool" and not _known_dtype(input).startswith("uint")


def _known_dtype(input: Value) -> str:
    dtype = read.tensor(input).dtype
    if dtype is None:
        raise NotKnown
    return dtype


@shape("torch.Tensor.resize_", dtype=same())
def resize(call: Call, input: Value, *sizes: Value) -> Shape:
    return read.sizes(sizes)


@shape("torch.Tensor.resize_as_", "torch.resize_as_", dtype=same())
def resize_as(call: Call, input: Value, the_template: Value) -> Shape:
    return read.shape_of(the_template)


@shape("torch.zero_", dtype=same())
def zero(call: Call, input: Value) -> Shape:
    return read.shape_of(input)
