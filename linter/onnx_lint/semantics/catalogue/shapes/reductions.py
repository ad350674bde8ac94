"""Operators that fold dimensions away."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.shapes import arguments as read
from onnx_lint.semantics.catalogue.shapes.dtype_rules import (
    dtype_of,
    fixed,
    floated,
    given,
    promoted,
    real,
    same,
    summed,
)  # fmt: skip
from onnx_lint.semantics.catalogue.shapes.registry import Arguments, Call, NotKnown, result, shape
from onnx_lint.semantics.domain.shapes import Shape, TensorType, Value


def reduced(x: Shape, dim: Value, keepdim: Value, empty_is_all: bool = True) -> Shape:
    """The shape without the dimensions of `dim`, all of them for None; or with 1 in their place."""
    if dim is None or (dim == () and empty_is_all):
        gone = set(range(len(x)))
    else:
        gone = set(read.axes(dim, len(x)))
    if read.flag(keepdim):
        return tuple(1 if i in gone else d for i, d in enumerate(x))
    return tuple(d for i, d in enumerate(x) if i not in gone)


def reduced_of(input: Value, dim: Value, keepdim: Value) -> Shape:
    """`reduced`; a full reduction without `keepdim` is known for any rank."""
    if (dim is None or dim == ()) and not read.flag(keepdim):
        read.tensor(input)
        return ()
    return reduced(read.shape_of(input), dim, keepdim)


@shape("torch.sum", "torch.nansum", dtype=given(summed()))
def sum_(call: Call, input: Value, dim: Value = None, keepdim: Value = False, *, dtype: Value = None) -> Shape:
    return reduced_of(input, dim, keepdim)


@shape("torch.prod", dtype=given(summed()))
def prod(call: Call, input: Value, dim: Value = None, keepdim: Value = False, *, dtype: Value = None) -> Shape:
    return reduced_of(input, dim, keepdim)


@shape("torch.mean", "torch.nanmean", dtype=given(same()))
def mean(call: Call, input: Value, dim: Value = None, keepdim: Value = False, *, dtype: Value = None) -> Shape:
    return reduced_of(input, dim, keepdim)


@shape("torch.amax", "torch.amin", dtype=same())
def amax(call: Call, input: Value, dim: Value = None, keepdim: Value = False) -> Shape:
    return reduced_of(input, dim, keepdim)


@shape("torch.aminmax", dtype=(same(), same()))
def aminmax(call: Call, input: Value, *, dim: Value = None, keepdim: Value = False) -> Shape:
    return reduced_of(input, dim, keepdim)


def _truth(bound: Arguments) -> str | None:
    dtype = dtype_of(bound["input"])
    return "uint8" if dtype == "uint8" else None if dtype is None else "bool"


@shape("torch.any", "torch.all", dtype=_truth)
def any_(call: Call, input: Value, dim: Value = None, keepdim: Value = False) -> Shape:
    return reduced_of(input, dim, keepdim)


@shape("torch.count_nonzero", dtype=fixed("int64"))
def count_nonzero(call: Call, input: Value, dim: Value = None) -> Shape:
    return reduced_of(input, dim, False)


@shape("torch.argmax", "torch.argmin", dtype=fixed("int64"))
def argmax(call: Call, input: Value, dim: Value = None, keepdim: Value = False) -> Shape:
    return reduced_of(input, dim, keepdim)


@shape("torch.logsumexp", "torch.special.logsumexp", dtype=floated("input"))
def logsumexp(call: Call, input: Value, dim: Value, keepdim: Value = False) -> Shape:
    return reduced(read.shape_of(input), dim, keepdim)


def _std_shape(input: Value, dim: Value, unbiased: Value, keepdim: Value) -> Shape:
    if isinstance(dim, bool):  # std(input, unbiased)
        return reduced_of(input, None, False)
    return reduced_of(input, dim, keepdim)


@shape("torch.std", "torch.var", dtype=real(same()))
def std(
    call: Call,
    input: Value,
    dim: Value = None,
    unbiased: Value = True,
    keepdim: Value = False,
    *,
    correction: Value = 1,
) -> Shape:
    return _std_shape(input, dim, unbiased, keepdim)


@shape("torch.std_mean", "torch.var_mean", dtype=(real(same()), same()))
def std_mean(
    call: Call,
    input: Value,
    dim: Value = None,
    unbiased: Value = True,
    keepdim: Value = False,
    *,
    correction: Value = 1,
) -> Shape:
    return _std_shape(input, dim, unbiased, keepdim)


@result("torch.max", "torch.min")
def max_(call: Call, input: Value, dim: Value = None, keepdim: Value = False, *, other: Value = None) -> Value:
    x = read.tensor(input)
    second = other if dim is None else dim
    if isinstance(second, TensorType):
        both: Shape | None = None
        if x.shape is not None and second.shape is not None:
            both = call.broadcast(x.shape, second.shape)
        return TensorType(both, promoted("a", "b")({"a": x, "b": second}))
    if second is None:
        return TensorType((), x.dtype)
    return _with_indices(x, second, keepdim)


def _with_indices(x: TensorType, dim: Value, keepdim: Value) -> tuple[Value, ...]:
    try:
        found: Shape | None = reduced(read.shape_of(x), read.integer(dim), keepdim)
    except NotKnown:
        found = None
    return TensorType(found, x.dtype), TensorType(found, "int64")


@result("torch.median", "torch.nanmedian")
def median(call: Call, input: Value, dim: Value = None, keepdim: Value = False) -> Value:
    x = read.tensor(input)
    return TensorType((), x.dtype) if dim is None else _with_indices(x, dim, keepdim)


@result("torch.mode")
def mode(call: Call, input: Value, dim: Value = -1, keepdim: Value = False) -> Value:
    return _with_indices(read.tensor(input), dim, keepdim)


@result("torch.kthvalue")
def kthvalue(call: Call, input: Value, k: Value, dim: Value = -1, keepdim: Value = False) -> Value:
    return _with_indices(read.tensor(input), dim, keepdim)


@shape("torch.quantile", "torch.nanquantile", dtype=same())
def quantile(
    call: Call, input: Value, q: Value, dim: Value = None, keepdim: Value = False, *, interpolation: Value = "linear"
) -> Shape:
    return (*read.shape_of(q), *reduced_of(input, dim, keepdim))


@shape("torch.norm", dtype=real(given(same())))
def norm(
    call: Call, input: Value, p: Value = "fro", dim: Value = None, keepdim: Value = False, dtype: Value = None
) -> Shape:
    return reduced_of(input, dim, keepdim)


@shape("torch.linalg.vector_norm", dtype=real(given(same("x"))))
def vector_norm(
    call: Call, x: Value, ord: Value = 2, dim: Value = None, keepdim: Value = False, *, dtype: Value = None
) -> Shape:
    return reduced_of(x, dim, keepdim)


@shape("torch.linalg.matrix_norm", dtype=real(given(same("A"))))
def matrix_norm(
    call: Call, A: Value, ord: Value = "fro", dim: Value = (-2, -1), keepdim: Value = False, *, dtype: Value = None
) -> Shape:
    return reduced(read.shape_of(A), dim, keepdim)


@shape("torch.linalg.norm", dtype=real(given(same("A"))))
def linalg_norm(
    call: Call, A: Value, ord: Value = None, dim: Value = None, keepdim: Value = False, *, dtype: Value = None
) -> Shape:
    return reduced_of(A, dim, keepdim)


@shape("torch.dist", dtype=real(floated("input", "other")))
def dist(call: Call, input: Value, other: Value, p: Value = 2) -> Shape:
    return ()


@shape("torch.trace", dtype=summed())
def trace(call: Call, input: Value) -> Shape:
    return ()
