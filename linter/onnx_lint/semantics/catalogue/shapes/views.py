"""Operators that give the same elements in another arrangement."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.shapes import arguments as read
from onnx_lint.semantics.catalogue.shapes.dtype_rules import complex_, named, real, same
from onnx_lint.semantics.catalogue.shapes.registry import Call, NotKnown, result, shape
from onnx_lint.semantics.domain.dims import (
    UNKNOWN_SIZE,
    Dim,
    UnknownSize,
    bounds,
    ceil_div,
    equal,
    less,
    maximum,
    minimum,
)
from onnx_lint.semantics.domain.shapes import (
    Repeated,
    Shape,
    ShapeError,
    TensorType,
    Value,
    product,
    size_like,
)  # fmt: skip


def reshaped(call: Call, old: Shape, wanted: Shape) -> Shape:
    """The shape that ``view`` gives: one ``-1`` is what is left of the elements."""
    inferred = [i for i, d in enumerate(wanted) if d == -1]
    if len(inferred) > 1:
        raise ShapeError("only one dimension can be inferred")
    known = [d for i, d in enumerate(wanted) if i not in inferred]
    total, rest = product(old), product(known)
    if not inferred:
        call.equal(total, rest, "view keeps the number of elements")
        return wanted
    if rest == 0:
        raise NotKnown
    # sizes that stand on both sides cancel even when nothing is known of the others
    left, over = list(old), []
    for dim in known:
        if dim in left and not isinstance(dim, UnknownSize):
            left.remove(dim)
        else:
            over.append(dim)
    total, rest = product(left), product(over)
    call.multiple(total, rest, "view keeps the number of elements")
    return read.replaced(wanted, inferred[0], total // rest)


@result("torch.Tensor.view")
def view(call: Call, input: Value, *shape: Value) -> Value:
    x = read.tensor(input)
    if len(shape) == 1 and isinstance(shape[0], str):
        return _viewed_as(x, named(shape[0]))
    if x.shape is None:
        return TensorType(_declared(read.sizes(shape)), x.dtype)
    return TensorType(reshaped(call, x.shape, read.sizes(shape)), x.dtype)


def _declared(wanted: Shape) -> Shape:
    return tuple(UNKNOWN_SIZE if d == -1 else d for d in wanted)


_BYTES = {
    "bool": 1, "uint8": 1, "int8": 1, "int16": 2, "float16": 2, "bfloat16": 2, "int32": 4, "float32": 4, "int64": 8,
    "float64": 8, "complex32": 4, "complex64": 8, "complex128": 16,
}  # fmt: skip


def _viewed_as(x: TensorType, dtype: str | None) -> TensorType:
    if x.shape is None or x.dtype not in _BYTES or dtype not in _BYTES:
        return TensorType(None, dtype)
    old, new = _BYTES[x.dtype], _BYTES[dtype]
    if old == new or not x.shape:
        return TensorType(x.shape, dtype)
    return TensorType((*x.shape[:-1], x.shape[-1] * old // new), dtype)


@result("torch.reshape")
def reshape(call: Call, input: Value, *shape: Value) -> Value:
    x = read.tensor(input)
    wanted = read.sizes(shape)
    return TensorType(_declared(wanted) if x.shape is None else reshaped(call, x.shape, wanted), x.dtype)


@result("torch.Tensor.view_as", "torch.Tensor.reshape_as")
def view_as(call: Call, input: Value, other: Value) -> Value:
    x, wanted = read.tensor(input), read.shape_of(other)
    return TensorType(wanted if x.shape is None else reshaped(call, x.shape, wanted), x.dtype)


@shape("torch.flatten", dtype=same())
def flatten(call: Call, input: Value, start_dim: Value = 0, end_dim: Value = -1) -> Shape:
    x = read.shape_of(input)
    if not x:
        return (1,)
    first, last = read.axis(start_dim, len(x)), read.axis(end_dim, len(x))
    return (*x[:first], product(x[first : last + 1]), *x[last + 1 :])


@shape("torch.ravel", dtype=same())
def ravel(call: Call, input: Value) -> Shape:
    return (product(read.shape_of(input)),)


@shape("torch.unflatten", dtype=same())
def unflatten(call: Call, input: Value, dim: Value, sizes: Value) -> Shape:
    x = read.shape_of(input)
    at = read.axis(dim, len(x))
    return read.replaced(x, at, *reshaped(call, (x[at],), read.sizes(sizes)))


@shape("torch.permute", "torch.permute_copy", dtype=same())
def permute(call: Call, input: Value, *dims: Value) -> Shape:
    x = read.shape_of(input)
    order = read.axes(tuple(dims), len(x))
    if len(order) != len(x) or len(set(order)) != len(order):
        if not x and not order:
            return ()
        raise ShapeError("permute names each dimension once")
    return tuple(x[i] for i in order)


@shape(
    "torch.transpose", "torch.swapaxes", "torch.swapdims", "torch.transpose_copy", dtype=same()
)  # fmt: skip
def transpose(call: Call, input: Value, dim0: Value, dim1: Value) -> Shape:
    x = list(read.shape_of(input))
    a, b = read.axis(dim0, len(x)), read.axis(dim1, len(x))
    if x:
        x[a], x[b] = x[b], x[a]
    return tuple(x)


@shape("torch.t", "torch.t_copy", dtype=same())
def t(call: Call, input: Value) -> Shape:
    x = read.shape_of(input)
    if len(x) > 2:
        raise ShapeError("t() wants at most two dimensions")
    return x[::-1]


@shape("torch.adjoint", dtype=same())
def adjoint(call: Call, input: Value) -> Shape:
    x = read.shape_of(input)
    return (*x[:-2], *x[-2:][::-1])


@shape("torch.movedim", "torch.moveaxis", dtype=same())
def movedim(call: Call, input: Value, source: Value, destination: Value) -> Shape:
    x = read.shape_of(input)
    if not x:
        return x
    taken, put = read.axes(source, len(x)), read.axes(destination, len(x))
    rest = iter([i for i in range(len(x)) if i not in taken])
    order = [taken[put.index(i)] if i in put else next(rest) for i in range(len(x))]
    return tuple(x[i] for i in order)


@shape("torch.squeeze", "torch.squeeze_copy", dtype=same())
def squeeze(call: Call, input: Value, *dim: Value) -> Shape:
    x = read.shape_of(input)
    chosen = range(len(x)) if not dim else read.axes(tuple(dim), len(x))
    kept = []
    for i, d in enumerate(x):
        is_one = equal(d, 1) if i in chosen else False
        if is_one is None:
            raise NotKnown
        if not is_one:
            kept.append(d)
    return tuple(kept)


@shape("torch.unsqueeze", "torch.unsqueeze_copy", dtype=same())
def unsqueeze(call: Call, input: Value, dim: Value) -> Shape:
    x = read.shape_of(input)
    at = read.axis(dim, len(x) + 1)
    return (*x[:at], 1, *x[at:])


def expanded(call: Call, old: Shape, wanted: Shape) -> Shape:
    """The shape that ``expand`` gives: ``-1`` keeps a size, only 1 becomes another one."""
    new = len(wanted) - len(old)
    if new < 0:
        raise ShapeError("expand to fewer dimensions")
    found: list[Dim] = list(wanted[:new])
    for have, want in zip(old, wanted[new:], strict=True):
        if want == -1:
            found.append(have)
        elif have != 1:
            low, _ = bounds(have)
            same_size = equal(have, want)
            if same_size is False and low is not None and low > 1:
                raise ShapeError(f"expand of {have} to {want}")
            found.append(want)
        else:
            found.append(want)
    return tuple(found)


@result("torch.Tensor.expand", "torch.broadcast_to", "torch.expand_copy")
def expand(call: Call, input: Value, *size: Value, implicit: Value = None) -> Value:
    x, wanted = read.tensor(input), read.sizes(size)
    return TensorType(_declared(wanted) if x.shape is None else expanded(call, x.shape, wanted), x.dtype)


@result("torch.Tensor.expand_as")
def expand_as(call: Call, input: Value, other: Value) -> Value:
    return TensorType(read.shape_of(other), read.tensor(input).dtype)


@shape("torch.Tensor.repeat", "torch.tile", dtype=same())
def repeat(call: Call, input: Value, *dims: Value) -> Shape:
    x, times = read.shape_of(input), read.sizes(tuple(dims))
    rank = max(len(x), len(times))
    x = (1,) * (rank - len(x)) + x
    times = (1,) * (rank - len(times)) + times
    return tuple(a * b for a, b in zip(x, times, strict=True))


@shape("torch.narrow", "torch.narrow_copy", dtype=same())
def narrow(call: Call, input: Value, dim: Value, start: Value, length: Value) -> Shape:
    x = read.shape_of(input)
    return read.replaced(x, read.axis(dim, len(x)), read.size(length))


@shape("torch.select", "torch.select_copy", dtype=same())
def select(call: Call, input: Value, dim: Value, index: Value) -> Shape:
    x = read.shape_of(input)
    if not x:
        raise ShapeError("select of a tensor without dimensions")
    return read.replaced(x, read.axis(dim, len(x)))


@result("torch.unbind", "torch.unbind_copy")
def unbind(call: Call, input: Value, dim: Value = 0) -> Value:
    x = read.tensor(input)
    if x.shape is None:
        return Repeated(TensorType(None, x.dtype))
    at = read.axis(dim, len(x.shape))
    item = TensorType(read.replaced(x.shape, at), x.dtype)
    count = x.shape[at]
    return (item,) * count if isinstance(count, int) and count <= read.MOST_ITEMS else Repeated(item)


def pieces(x: TensorType, at: int, lengths: list[Dim]) -> tuple[Value, ...]:
    """A tensor cut along a dimension into pieces of these lengths."""
    assert x.shape is not None
    return tuple(TensorType(read.replaced(x.shape, at, n), x.dtype) for n in lengths)


@result("torch.split", "torch.Tensor.split", "torch.split_with_sizes", "torch.Tensor.split_with_sizes",
        "torch.split_copy", "torch.split_with_sizes_copy", "torch.functional.split", "torch.unsafe_split")  # fmt: skip
def split(call: Call, tensor: Value, split_size_or_sections: Value, dim: Value = 0) -> Value:
    x = read.tensor(tensor)
    if isinstance(split_size_or_sections, tuple):
        lengths = [read.size(v) for v in split_size_or_sections]
        if x.shape is None:
            return (TensorType(None, x.dtype),) * len(lengths)
        at = read.axis(dim, len(x.shape))
        call.equal(x.shape[at], sum(lengths[1:], lengths[0]) if lengths else 0, "split sizes add up")
        return pieces(x, at, lengths)
    if x.shape is None:
        return Repeated(TensorType(None, x.dtype))
    at = read.axis(dim, len(x.shape))
    return _chunked(x, at, read.size(split_size_or_sections))


def _chunked(x: TensorType, at: int, length: Dim, most: int | None = None) -> Value:
    """Pieces of one length, the last one with what is left."""
    assert x.shape is not None
    whole = x.shape[at]
    if isinstance(whole, int) and whole == 0:
        return (x,) * (most if most is not None else 1)
    if length == 0:
        raise NotKnown
    count = ceil_div(whole, length)
    if isinstance(count, int) and not isinstance(whole, UnknownSize):
        if count > read.MOST_ITEMS:
            raise NotKnown
        return pieces(x, at, [length] * (count - 1) + [whole - length * (count - 1)])
    even = equal(whole % length, 0)
    return Repeated(TensorType(read.replaced(x.shape, at, length if even else size_like(whole, length)), x.dtype))


@result("torch.chunk", "torch.unsafe_chunk")
def chunk(call: Call, input: Value, chunks: Value, dim: Value = 0) -> Value:
    x, count = read.tensor(input), read.count(chunks)
    if x.shape is None:
        return Repeated(TensorType(None, x.dtype))
    at = read.axis(dim, len(x.shape))
    whole = x.shape[at]
    each = ceil_div(whole, count)
    if isinstance(whole, int):
        return _chunked(x, at, each, count)
    if equal(whole % count, 0):
        return pieces(x, at, [each] * count)
    if count == 2 and less(whole, 2) is False:
        return pieces(x, at, [each, whole - each])
    # for a size that is large enough there are `count` pieces; a small one gives fewer
    item = TensorType(read.replaced(x.shape, at, size_like(whole)), x.dtype)
    return Repeated(item)


@result("torch.tensor_split", "torch.Tensor.tensor_split")
def tensor_split(call: Call, input: Value, indices_or_sections: Value, dim: Value = 0) -> Value:
    x = read.tensor(input)
    if x.shape is None:
        raise NotKnown
    return _tensor_split(x, indices_or_sections, read.axis(dim, len(x.shape)))


def _tensor_split(x: TensorType, how: Value, at: int) -> Value:
    assert x.shape is not None
    whole = x.shape[at]
    if isinstance(how, tuple):
        marks = [read.size(v) for v in how]
        return pieces(x, at, [slice_length(whole, a, b, 1) for a, b in zip([0, *marks], [*marks, None], strict=True)])
    count = read.count(how)
    return pieces(x, at, [(whole + (count - 1 - i)) // count for i in range(count)])


@result("torch.hsplit", "torch.Tensor.hsplit")
def hsplit(call: Call, input: Value, indices_or_sections: Value) -> Value:
    return _tensor_split(read.tensor(input), indices_or_sections, 0 if len(read.shape_of(input)) == 1 else 1)


@result("torch.vsplit", "torch.Tensor.vsplit")
def vsplit(call: Call, input: Value, indices_or_sections: Value) -> Value:
    read.shape_of(input)
    return _tensor_split(read.tensor(input), indices_or_sections, 0)


@result("torch.dsplit", "torch.Tensor.dsplit")
def dsplit(call: Call, input: Value, indices_or_sections: Value) -> Value:
    read.shape_of(input)
    return _tensor_split(read.tensor(input), indices_or_sections, 2)


def _clamped(at: Dim, whole: Dim) -> Dim:
    """An index of a slice counted from the front, between 0 and the size."""
    if isinstance(at, int):
        return minimum(at, whole) if at >= 0 else maximum(whole + at, 0)
    if bounds(at)[0] is None or (bounds(at)[0] or 0) < 0:  # it may count from the end
        return size_like(at, whole)
    return minimum(at, whole)


def slice_length(whole: Dim, start: Dim | None, stop: Dim | None, step: Dim) -> Dim:
    """The number of elements in ``[start:stop:step]`` of a dimension; steps are positive."""
    # a start beyond the end gives nothing, as one at the end does: only what counts from the end is clamped
    at_front = start is not None and bounds(start)[0] is not None and (bounds(start)[0] or 0) >= 0
    first = 0 if start is None else start if at_front else _clamped(start, whole)
    last = whole if stop is None else _clamped(stop, whole)
    length = last - first
    if bounds(length)[0] is None or (bounds(length)[0] or 0) < 0:
        length = maximum(length, 0)
    return ceil_div(length, step)


@shape("torch.diagonal", "torch.diagonal_copy", dtype=same())
def diagonal_(call: Call, input: Value, offset: Value = 0, dim1: Value = 0, dim2: Value = 1) -> Shape:
    x = read.shape_of(input)
    a, b, by = read.axis(dim1, len(x)), read.axis(dim2, len(x)), read.size(offset)
    rows, columns = x[a], x[b]
    low, high = bounds(by)
    if low is not None and low >= 0:
        columns = maximum(columns - by, 0)
    elif high is not None and high <= 0:
        rows = maximum(rows + by, 0)
    else:
        raise NotKnown
    return (*(d for i, d in enumerate(x) if i not in (a, b)), minimum(rows, columns))


@shape("torch.linalg.diagonal", dtype=same("A"))
def linalg_diagonal(call: Call, A: Value, *, offset: Value = 0, dim1: Value = -2, dim2: Value = -1) -> Shape:
    return diagonal_(call, A, offset, dim1, dim2)


@shape("torch.diag", dtype=same())
def diag(call: Call, input: Value, diagonal: Value = 0) -> Shape:
    x = read.shape_of(input)
    if len(x) == 1:
        by = read.integer(diagonal)
        return (x[0] + abs(by),) * 2
    return diagonal_(call, input, diagonal)


@shape("torch.diagflat", dtype=same())
def diagflat(call: Call, input: Value, offset: Value = 0) -> Shape:
    return (product(read.shape_of(input)) + abs(read.integer(offset)),) * 2


@shape("torch.diag_embed", dtype=same())
def diag_embed(call: Call, input: Value, offset: Value = 0, dim1: Value = -2, dim2: Value = -1) -> Shape:
    x = read.shape_of(input)
    a, b = read.axis(dim1, len(x) + 1), read.axis(dim2, len(x) + 1)
    side = x[-1] + abs(read.integer(offset))
    rest = iter(x[:-1])
    return tuple(side if i in (a, b) else next(rest) for i in range(len(x) + 1))


@shape("torch.Tensor.unfold", "torch.unfold_copy", dtype=same())
def unfold(call: Call, input: Value, dimension: Value, size: Value, step: Value) -> Shape:
    x = read.shape_of(input)
    if not x:
        return (read.size(size),)
    at, width = read.axis(dimension, len(x)), read.size(size)
    return (*read.replaced(x, at, (x[at] - width) // read.size(step) + 1), width)


@shape("torch.as_strided", "torch.as_strided_copy", dtype=same())
def as_strided(call: Call, input: Value, size: Value, stride: Value, storage_offset: Value = 0) -> Shape:
    return read.sizes(size)


def _at_least(count: int, value: Value) -> Value:
    x = read.tensor(value)
    if x.shape is None:
        return x
    s = x.shape
    if count == 3 and len(s) == 2:
        s = (*s, 1)
    elif count == 3 and len(s) == 1:
        s = (1, *s, 1)
    else:
        s = (1,) * (count - len(s)) + s
    return TensorType(s, x.dtype)


def _each_at_least(count: int, tensors: tuple[Value, ...]) -> Value:
    if len(tensors) == 1 and not isinstance(tensors[0], tuple):
        return _at_least(count, tensors[0])
    given = read.items(tensors[0]) if len(tensors) == 1 else tensors
    return tuple(_at_least(count, v) for v in given)


@result("torch.atleast_1d")
def atleast_1d(call: Call, *tensors: Value) -> Value:
    return _each_at_least(1, tensors)


@result("torch.atleast_2d")
def atleast_2d(call: Call, *tensors: Value) -> Value:
    return _each_at_least(2, tensors)


@result("torch.atleast_3d")
def atleast_3d(call: Call, *tensors: Value) -> Value:
    return _each_at_least(3, tensors)


@shape("torch.rot90", dtype=same())
def rot90(call: Call, input: Value, k: Value = 1, dims: Value = (0, 1)) -> Shape:
    x = list(read.shape_of(input))
    a, b = read.axes(dims, len(x))
    if read.integer(k) % 2:
        x[a], x[b] = x[b], x[a]
    return tuple(x)


@shape("torch.view_as_real", "torch.view_as_real_copy", dtype=real(same()))
def view_as_real(call: Call, input: Value) -> Shape:
    return (*read.shape_of(input), 2)


@shape("torch.view_as_complex", "torch.view_as_complex_copy", dtype=complex_(same()))
def view_as_complex(call: Call, input: Value) -> Shape:
    x = read.shape_of(input)
    call.equal(x[-1], 2, "the last dimension holds the two parts")
    return x[:-1]
