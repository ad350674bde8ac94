"""Operators that make tensors."""

from __future__ import annotations

import math

from onnx_lint.semantics.catalogue.shapes import arguments as read
from onnx_lint.semantics.catalogue.shapes.dtype_rules import (
    complex_,
    default_float,
    fixed,
    given,
    named,
    promoted,
    same,
)  # fmt: skip
from onnx_lint.semantics.catalogue.shapes.registry import Arguments, Call, NotKnown, shape
from onnx_lint.semantics.domain.dims import Dim, ceil_div, maximum
from onnx_lint.semantics.domain.dtypes import DEFAULT_FLOAT, is_integral
from onnx_lint.semantics.domain.shapes import Shape, TensorType, Value, number_type, size_like


@shape("torch.zeros", "torch.ones", "torch.empty", "torch.rand", "torch.randn", dtype=given(default_float))
def zeros(call: Call, *size: Value, dtype: Value = None, names: Value = None) -> Shape:
    return read.sizes(size)


@shape("torch.empty_strided", dtype=given(default_float))
def empty_strided(call: Call, size: Value, stride: Value, *, dtype: Value = None) -> Shape:
    return read.sizes(size)


@shape("torch.empty_permuted", dtype=given(default_float))
def empty_permuted(call: Call, size: Value, physical_layout: Value, *, dtype: Value = None) -> Shape:
    return read.sizes(size)


def _fill_dtype(bound: Arguments) -> str | None:
    kinds = {"bool": "bool", "int": "int64", "float": DEFAULT_FLOAT, "complex": "complex64"}
    value = bound["fill_value"]
    kind = number_type(value)
    return kinds[kind] if kind is not None else value.dtype if isinstance(value, TensorType) else None


@shape("torch.full", dtype=given(_fill_dtype))
def full(call: Call, size: Value, fill_value: Value, *, dtype: Value = None, names: Value = None) -> Shape:
    return read.sizes(size)


@shape(
    "torch.zeros_like",
    "torch.ones_like",
    "torch.empty_like",
    "torch.rand_like",
    "torch.randn_like",
    dtype=given(same()),
)
def zeros_like(call: Call, input: Value, *, dtype: Value = None) -> Shape:
    return read.shape_of(input)


@shape("torch.full_like", dtype=given(same()))
def full_like(call: Call, input: Value, fill_value: Value, *, dtype: Value = None) -> Shape:
    return read.shape_of(input)


@shape("torch.randint_like", dtype=given(same()))
def randint_like(call: Call, input: Value, low: Value, high: Value = None, *, dtype: Value = None) -> Shape:
    return read.shape_of(input)


@shape("torch.randint", dtype=given(fixed("int64")))
def randint(call: Call, low: Value, high: Value = None, size: Value = None, *, dtype: Value = None) -> Shape:
    if size is None:  # randint(high, size)
        size = high
    return read.sizes(size)


@shape("torch.randperm", dtype=given(fixed("int64")))
def randperm(call: Call, n: Value, *, dtype: Value = None) -> Shape:
    return (read.size(n),)


@shape("torch.Tensor.new_zeros", "torch.Tensor.new_ones", "torch.Tensor.new_empty", dtype=given(same()))
def new_zeros(call: Call, input: Value, *size: Value, dtype: Value = None) -> Shape:
    return read.sizes(size)


@shape("torch.Tensor.new_full", dtype=given(same()))
def new_full(call: Call, input: Value, size: Value, fill_value: Value, dtype: Value = None) -> Shape:
    return read.sizes(size)


@shape("torch.Tensor.new_empty_strided", dtype=given(same()))
def new_empty_strided(call: Call, input: Value, size: Value, stride: Value, dtype: Value = None) -> Shape:
    return read.sizes(size)


def nested_shape(data: Value) -> Shape:
    """The shape of a tensor made of nested lists, numbers or another tensor.

    Raises:
        NotKnown: an item is not known.
    """
    if not isinstance(data, tuple):
        return read.shape_of(data)
    return (len(data), *nested_shape(data[0])) if data else (0,)


def _data_dtype(bound: Arguments) -> str | None:
    data = bound["data"]
    if isinstance(data, TensorType):
        return data.dtype
    kinds = _number_types(data)
    for kind, dtype in (("complex", "complex64"), ("float", DEFAULT_FLOAT), ("int", "int64"), ("bool", "bool")):
        if kind in kinds:
            return dtype
    return DEFAULT_FLOAT


def _number_types(data: Value) -> set[str]:
    if isinstance(data, tuple):
        return set().union(*map(_number_types, data))
    kind = number_type(data)
    if kind is None:
        raise NotKnown
    return {kind}


@shape("torch.tensor", "torch.as_tensor", "torch.asarray", dtype=given(_data_dtype))
def tensor(call: Call, data: Value, dtype: Value = None) -> Shape:
    return nested_shape(data)


@shape("torch.scalar_tensor", dtype=given(default_float))
def scalar_tensor(call: Call, s: Value, *, dtype: Value = None) -> Shape:
    return ()


@shape("torch.Tensor.new_tensor", dtype=given(same()))
def new_tensor(call: Call, input: Value, data: Value, *, dtype: Value = None) -> Shape:
    return nested_shape(data)


def _arange_dtype(bound: Arguments) -> str | None:
    kinds = {number_type(bound[n]) for n in ("start", "end", "step") if bound[n] is not None}
    if None in kinds:
        return None
    return "int64" if kinds <= {"int", "bool"} else DEFAULT_FLOAT


@shape("torch.arange", dtype=given(_arange_dtype))
def arange(call: Call, start: Value, end: Value = None, step: Value = 1, *, dtype: Value = None) -> Shape:
    if end is None:
        start, end = 0, start
    target = None if dtype is None else named(dtype)
    if target is not None and is_integral(target):  # torch makes integers of the numbers first
        start, end, step = (int(v) if isinstance(v, float) else v for v in (start, end, step))
    if all(isinstance(v, int | float) for v in (start, end, step)):
        assert isinstance(start, int | float) and isinstance(end, int | float) and isinstance(step, int | float)
        return (max(math.ceil((end - start) / step), 0),)
    by = read.integer(step)
    first, last = (read.size(start), read.size(end)) if by > 0 else (read.size(end), read.size(start))
    length = ceil_div(last - first, abs(by))
    return (length if isinstance(first, int) and first == 0 else maximum(length, 0),)


def _linspace_dtype(bound: Arguments) -> str | None:
    kinds = {number_type(bound[n]) for n in ("start", "end")}
    tensors = [v for v in (bound["start"], bound["end"]) if isinstance(v, TensorType)]
    if "complex" in kinds or any(v.dtype is None or v.dtype.startswith("complex") for v in tensors):
        return None
    return DEFAULT_FLOAT


@shape("torch.linspace", "torch.logspace", dtype=given(_linspace_dtype))
def linspace(
    call: Call, start: Value, end: Value, steps: Value = 100, base: Value = 10.0, *, dtype: Value = None
) -> Shape:
    return (read.size(steps),)


@shape("torch.eye", dtype=given(default_float))
def eye(call: Call, n: Value, m: Value = None, *, dtype: Value = None) -> Shape:
    return read.size(n), read.size(n if m is None else m)


def _triangle(rows: Dim, columns: Dim, offset: int, upper: bool) -> Dim:
    if not isinstance(rows, int) or not isinstance(columns, int) or rows > read.MOST_ITEMS:
        return size_like(rows, columns)
    below = sum(min(max(r + offset + (0 if upper else 1), 0), columns) for r in range(rows))
    return rows * columns - below if upper else below


@shape("torch.tril_indices", dtype=given(fixed("int64")))
def tril_indices(call: Call, row: Value, col: Value, offset: Value = 0, *, dtype: Value = None) -> Shape:
    return 2, _triangle(read.size(row), read.size(col), read.integer(offset), upper=False)


@shape("torch.triu_indices", dtype=given(fixed("int64")))
def triu_indices(call: Call, row: Value, col: Value, offset: Value = 0, *, dtype: Value = None) -> Shape:
    return 2, _triangle(read.size(row), read.size(col), read.integer(offset), upper=True)


@shape("torch.complex", dtype=complex_(promoted("real", "imag")))
def complex_tensor(call: Call, real: Value, imag: Value) -> Shape:
    return call.broadcast(read.shape_of(real), read.shape_of(imag))


@shape("torch.polar", dtype=complex_(promoted("abs", "angle")))
def polar(call: Call, abs: Value, angle: Value) -> Shape:
    return call.broadcast(read.shape_of(abs), read.shape_of(angle))


@shape("torch.vander", dtype=same("x"))
def vander(call: Call, x: Value, N: Value = None, increasing: Value = False) -> Shape:
    (n,) = read.shape_of(x)
    return n, n if N is None else read.size(N)


@shape("torch.linalg.vander", dtype=same("x"))
def linalg_vander(call: Call, x: Value, *, N: Value = None) -> Shape:
    shape = read.shape_of(x) or (1,)
    return (*shape, shape[-1] if N is None else read.size(N))


def _normal_dtype(bound: Arguments) -> str | None:
    tensors = [n for n in ("mean", "std") if isinstance(bound[n], TensorType)]
    return promoted(*tensors)(bound) if tensors else DEFAULT_FLOAT


@shape("torch.normal", dtype=_normal_dtype)
def normal(call: Call, mean: Value, std: Value = 1.0, size: Value = None) -> Shape:
    if size is not None:
        return read.sizes(size)
    return call.broadcast(read.shape_of(mean), read.shape_of(std))


@shape("torch.multinomial", dtype=fixed("int64"))
def multinomial(call: Call, input: Value, num_samples: Value, replacement: Value = False) -> Shape:
    return (*read.shape_of(input)[:-1], read.size(num_samples))


@shape("torch.hann_window", "torch.hamming_window", "torch.blackman_window", "torch.bartlett_window",
       "torch.kaiser_window", dtype=given(default_float))  # fmt: skip
def window(
    call: Call,
    window_length: Value,
    periodic: Value = True,
    alpha: Value = None,
    beta: Value = None,
    *,
    dtype: Value = None,
) -> Shape:
    return (read.size(window_length),)


@shape("torch.signal.windows.hann", "torch.signal.windows.hamming", "torch.signal.windows.blackman",
       "torch.signal.windows.bartlett", "torch.signal.windows.cosine", "torch.signal.windows.nuttall",
       dtype=given(default_float))  # fmt: skip
def signal_window(call: Call, M: Value, *, sym: Value = True, dtype: Value = None) -> Shape:
    return (read.size(M),)


@shape("torch.signal.windows.gaussian", "torch.signal.windows.exponential", "torch.signal.windows.kaiser",
       "torch.signal.windows.general_hamming", "torch.signal.windows.general_cosine",
       dtype=given(default_float))  # fmt: skip
def signal_window_of(
    call: Call, M: Value, *, std: Value = 1.0, tau: Value = 1.0, center: Value = None, beta: Value = 12.0,
    alpha: Value = 0.54, a: Value = None, sym: Value = True, dtype: Value = None,
) -> Shape:  # fmt: skip
    return (read.size(M),)
