"""Operators that choose, search, sort or scatter elements."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.shapes import arguments as read
from onnx_lint.semantics.catalogue.shapes.dtype_rules import fixed, floated, promoted, same
from onnx_lint.semantics.catalogue.shapes.registry import Arguments, Call, NotKnown, result, shape
from onnx_lint.semantics.domain.dims import VARYING_SIZE, Dim, equal, maximum
from onnx_lint.semantics.domain.shapes import Repeated, Shape, TensorType, Value, product


@shape("torch.gather", dtype=same())
def gather(call: Call, input: Value, dim: Value, index: Value, *, sparse_grad: Value = False) -> Shape:
    return read.shape_of(index)


@shape("torch.take", dtype=same())
def take(call: Call, input: Value, index: Value) -> Shape:
    return read.shape_of(index)


@shape("torch.take_along_dim", dtype=same())
def take_along_dim(call: Call, input: Value, indices: Value, dim: Value = None) -> Shape:
    x, chosen = read.shape_of(input), read.shape_of(indices)
    if dim is None:
        return (product(chosen),)
    at = read.axis(dim, len(x))
    both = list(call.broadcast(read.replaced(x, at, 1), read.replaced(chosen, at, 1)))
    both[at] = chosen[at]
    return tuple(both)


@shape("torch.index_select", "torch.index_select_copy", dtype=same())
def index_select(call: Call, input: Value, dim: Value, index: Value) -> Shape:
    x, chosen = read.shape_of(input), read.shape_of(index)
    return read.replaced(x, read.axis(dim, len(x)), chosen[0] if chosen else 1) if x else x


@shape("torch.masked_select", dtype=same())
def masked_select(call: Call, input: Value, mask: Value) -> Shape:
    return (VARYING_SIZE,)


@result("torch.nonzero")
def nonzero(call: Call, input: Value, *, as_tuple: Value = False) -> Value:
    x = read.tensor(input)
    if read.flag(as_tuple):
        item = TensorType((VARYING_SIZE,), "int64")
        return Repeated(item) if x.shape is None else (item,) * max(len(x.shape), 1)
    return TensorType(None if x.shape is None else (VARYING_SIZE, len(x.shape)), "int64")


@shape("torch.argwhere", dtype=fixed("int64"))
def argwhere(call: Call, input: Value) -> Shape:
    return VARYING_SIZE, len(read.shape_of(input))


@shape("torch.nonzero_static", dtype=fixed("int64"))
def nonzero_static(call: Call, input: Value, *, size: Value, fill_value: Value = -1) -> Shape:
    return read.size(size), len(read.shape_of(input))


@result("torch.where")
def where(call: Call, condition: Value, input: Value = None, other: Value = None) -> Value:
    if input is None:
        return nonzero(call, condition, as_tuple=True)
    dtype = promoted("a", "b")({"a": input, "b": other})
    try:
        shape = call.broadcast(*(read.shape_of(v) for v in (condition, input, other)))
    except NotKnown:
        return TensorType(None, dtype)
    return TensorType(shape, dtype)


@shape("torch.topk", dtype=(same(), fixed("int64")))
def topk(call: Call, input: Value, k: Value, dim: Value = -1, largest: Value = True, sorted: Value = True) -> Shape:
    x = read.shape_of(input)
    return read.replaced(x, read.axis(dim, len(x)), read.size(k)) if x else x


@shape("torch.sort", dtype=(same(), fixed("int64")))
def sort(call: Call, input: Value, dim: Value = -1, descending: Value = False, stable: Value = False) -> Shape:
    return read.shape_of(input)


@shape("torch.argsort", dtype=fixed("int64"))
def argsort(call: Call, input: Value, dim: Value = -1, descending: Value = False, stable: Value = False) -> Shape:
    return read.shape_of(input)


@shape("torch.msort", dtype=same())
def msort(call: Call, input: Value) -> Shape:
    return read.shape_of(input)


@shape("torch.cummax", "torch.cummin", dtype=(same(), fixed("int64")))
def cummax(call: Call, input: Value, dim: Value) -> Shape:
    return read.shape_of(input)


def _search_dtype(bound: Arguments) -> str | None:
    return "int32" if read.flag(bound["out_int32"]) else "int64"


@shape("torch.searchsorted", dtype=_search_dtype)
def searchsorted(
    call: Call, sorted_sequence: Value, input: Value, *, out_int32: Value = False, right: Value = False,
    side: Value = None, sorter: Value = None,
) -> Shape:  # fmt: skip
    return read.shape_of(input)


@shape("torch.bucketize", dtype=_search_dtype)
def bucketize(call: Call, input: Value, boundaries: Value, *, out_int32: Value = False, right: Value = False) -> Shape:
    return read.shape_of(input)


@shape("torch.histc", dtype=same())
def histc(call: Call, input: Value, bins: Value = 100, min: Value = 0, max: Value = 0) -> Shape:
    return (read.size(bins),)


@shape("torch.bincount", dtype=lambda bound: "int64" if bound["weights"] is None else None)
def bincount(call: Call, input: Value, weights: Value = None, minlength: Value = 0) -> Shape:
    return (VARYING_SIZE,)


@result("torch.unique")
def unique(
    call: Call, input: Value, sorted: Value = True, return_inverse: Value = False, return_counts: Value = False,
    dim: Value = None,
) -> Value:  # fmt: skip
    return _unique(read.tensor(input), return_inverse, return_counts, dim)


@result("torch.unique_consecutive")
def unique_consecutive(
    call: Call, input: Value, return_inverse: Value = False, return_counts: Value = False, dim: Value = None
) -> Value:
    return _unique(read.tensor(input), return_inverse, return_counts, dim)


def _unique(x: TensorType, inverse: Value, counts: Value, dim: Value) -> Value:
    found: Shape | None = (VARYING_SIZE,)
    inverse_shape: Shape | None = x.shape
    if dim is not None:
        found = None
        inverse_shape = None
        if x.shape:
            at = read.axis(dim, len(x.shape))
            found = read.replaced(x.shape, at, VARYING_SIZE)
            inverse_shape = (x.shape[at],)
    results: list[Value] = [TensorType(found, x.dtype)]
    if read.flag(inverse):
        results.append(TensorType(inverse_shape, "int64"))
    if read.flag(counts):
        results.append(TensorType((VARYING_SIZE,), "int64"))
    return tuple(results) if len(results) > 1 else results[0]


@shape("torch.diff", dtype=same())
def diff(call: Call, input: Value, n: Value = 1, dim: Value = -1, prepend: Value = None, append: Value = None) -> Shape:
    x = read.shape_of(input)
    at = read.axis(dim, len(x))
    if read.integer(n) == 0:
        return x
    length: Dim = x[at]
    for more in (prepend, append):
        if more is not None:
            length = length + read.shape_of(more)[at]
    by = read.integer(n)
    return read.replaced(x, at, maximum(length - by, 0))


@shape("torch.trapezoid", "torch.trapz", dtype=floated("y"))
def trapezoid(call: Call, y: Value, x: Value = None, *, dx: Value = None, dim: Value = -1) -> Shape:
    shape = read.shape_of(y)
    if x is not None and len(read.shape_of(x)) > 1:
        raise NotKnown
    return read.replaced(shape, read.axis(dim, len(shape)))


@shape("torch.cumulative_trapezoid", dtype=floated("y"))
def cumulative_trapezoid(call: Call, y: Value, x: Value = None, *, dx: Value = None, dim: Value = -1) -> Shape:
    shape = read.shape_of(y)
    if x is not None and len(read.shape_of(x)) > 1:
        raise NotKnown
    at = read.axis(dim, len(shape))
    return read.replaced(shape, at, shape[at] - 1)


@shape("torch.isin", dtype=fixed("bool"))
def isin(
    call: Call, elements: Value, test_elements: Value, *, assume_unique: Value = False, invert: Value = False
) -> Shape:
    return read.shape_of(elements)


def _cov_dtype(bound: Arguments) -> str | None:
    weighted = bound["fweights"] is not None or bound["aweights"] is not None
    return None if weighted else floated("input")(bound)


@shape("torch.cov", dtype=_cov_dtype)
def cov(call: Call, input: Value, *, correction: Value = 1, fweights: Value = None, aweights: Value = None) -> Shape:
    return _square_of_variables(read.shape_of(input))


def _square_of_variables(x: Shape) -> Shape:
    """One row and column for each variable; none for a single one."""
    if len(x) < 2:
        return ()
    single = equal(x[0], 1)
    if single is None:
        raise NotKnown
    return () if single else (x[0], x[0])


@shape("torch.corrcoef", dtype=floated("input"))
def corrcoef(call: Call, input: Value) -> Shape:
    return _square_of_variables(read.shape_of(input))


@result("torch.gradient")
def gradient(call: Call, input: Value, *, spacing: Value = 1, dim: Value = None, edge_order: Value = 1) -> Value:
    x = read.tensor(input)
    shape = read.shape_of(x)
    count = len(shape) if dim is None else len(read.axes(dim, len(shape)))
    return (TensorType(shape, floated("input")({"input": x})),) * count
