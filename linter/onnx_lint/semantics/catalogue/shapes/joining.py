"""Operators that put tensors together, or the same one several times."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.shapes import arguments as read
from onnx_lint.semantics.catalogue.shapes.dtype_rules import fixed, promoted, same
from onnx_lint.semantics.catalogue.shapes.registry import Call, NotKnown, result, shape
from onnx_lint.semantics.domain.dims import UNKNOWN_SIZE, VARYING_SIZE, Dim, maximum, varies
from onnx_lint.semantics.domain.shapes import Repeated, Shape, ShapeError, TensorType, Value, product


def _joined(call: Call, shapes: list[Shape], at: int) -> Shape:
    """Tensors one after the other along a dimension; the others are equal."""
    first = list(shapes[0])
    for other in shapes[1:]:
        if len(other) != len(first):
            raise ShapeError("tensors to join have different numbers of dimensions")
        for i, dim in enumerate(other):
            first[i] = first[i] + dim if i == at else call.equal(first[i], dim, "tensors to join are equal elsewhere")
    return tuple(first)


@shape("torch.cat", "torch.concat", "torch.concatenate", dtype=promoted("tensors"))
def cat(call: Call, tensors: Value, dim: Value = 0) -> Shape:
    if isinstance(tensors, Repeated):
        return _joined_with_others(call, [read.shape_of(tensors.item)], dim)
    given = [read.tensor(v) for v in _all_but_empty(read.items(tensors))]
    if not given:
        return (0,)
    shapes = [t.shape for t in given if t.shape is not None]
    if len(shapes) < len(given):
        return _joined_with_others(call, shapes, dim)
    return _joined(call, shapes, read.axis(dim, len(shapes[0])))


def _joined_with_others(call: Call, shapes: list[Shape], dim: Value) -> Shape:
    """What is known of tensors joined with others that are not known: these have as many dimensions, and the same
    sizes in all but one."""
    if not shapes:
        raise NotKnown
    at = read.axis(dim, len(shapes[0]))
    joined = _joined(call, shapes, at)
    return read.replaced(joined, at, VARYING_SIZE if varies(joined[at]) else UNKNOWN_SIZE)


def _all_but_empty(values: tuple[Value, ...]) -> list[Value]:
    """cat() leaves out tensors of shape ``[0]``, whatever the others are."""
    return [v for v in values if not (isinstance(v, TensorType) and v.shape == (0,))]


def _stacked(call: Call, shapes: list[Shape], at: int) -> Shape:
    dims = list(shapes[0])
    for other in shapes[1:]:
        if len(other) != len(dims):
            raise ShapeError("tensors to stack have different numbers of dimensions")
        dims = [call.equal(a, b, "tensors to stack are equal") for a, b in zip(dims, other, strict=True)]
    return (*dims[:at], len(shapes), *dims[at:])


@result("torch.stack")
def stack(call: Call, tensors: Value, dim: Value = 0) -> Value:
    if isinstance(tensors, Repeated):
        item = read.tensor(tensors.item)
        shape = read.shape_of(item)
        at = read.axis(dim, len(shape) + 1)
        return TensorType((*shape[:at], UNKNOWN_SIZE, *shape[at:]), item.dtype)
    values = read.items(tensors)
    dtype = promoted("tensors")({"tensors": values})
    if any(isinstance(v, TensorType) and v.shape is None for v in values):
        return TensorType(None, dtype)
    shapes = [read.shape_of(v) for v in values]
    return TensorType(_stacked(call, shapes, read.axis(dim, len(shapes[0]) + 1)), dtype)


def _at_least(shape: Shape, rank: int) -> Shape:
    if rank == 3 and len(shape) == 2:
        return (*shape, 1)
    if rank == 3 and len(shape) == 1:
        return (1, *shape, 1)
    return (1,) * (rank - len(shape)) + shape


@shape("torch.hstack", dtype=promoted("tensors"))
def hstack(call: Call, tensors: Value) -> Shape:
    shapes = [_at_least(read.shape_of(v), 1) for v in read.items(tensors)]
    return _joined(call, shapes, 0 if len(shapes[0]) == 1 else 1)


@shape("torch.vstack", "torch.row_stack", dtype=promoted("tensors"))
def vstack(call: Call, tensors: Value) -> Shape:
    return _joined(call, [_at_least(read.shape_of(v), 2) for v in read.items(tensors)], 0)


@shape("torch.dstack", dtype=promoted("tensors"))
def dstack(call: Call, tensors: Value) -> Shape:
    return _joined(call, [_at_least(read.shape_of(v), 3) for v in read.items(tensors)], 2)


@shape("torch.column_stack", dtype=promoted("tensors"))
def column_stack(call: Call, tensors: Value) -> Shape:
    shapes = [read.shape_of(v) for v in read.items(tensors)]
    return _joined(call, [s if len(s) > 1 else (product(s), 1) for s in shapes], 1)


@shape("torch.block_diag", dtype=promoted("tensors"))
def block_diag(call: Call, *tensors: Value) -> Shape:
    shapes = [_at_least(read.shape_of(v), 2) for v in tensors]
    rows: Dim = 0
    columns: Dim = 0
    for r, c in shapes:
        rows, columns = rows + r, columns + c
    return rows, columns


def _given(tensors: tuple[Value, ...]) -> tuple[Value, ...]:
    return read.items(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], tuple) else tensors


@result("torch.meshgrid")
def meshgrid(call: Call, *tensors: Value, indexing: Value = "ij") -> Value:
    given = [read.tensor(v) for v in _given(tensors)]
    lengths: list[Dim] = [product(read.shape_of(v)) for v in given]
    if read.text(indexing) == "xy" and len(lengths) > 1:
        lengths[:2] = lengths[1], lengths[0]
    return tuple(TensorType(tuple(lengths), v.dtype) for v in given)


@shape("torch.cartesian_prod", dtype=promoted("tensors"))
def cartesian_prod(call: Call, *tensors: Value) -> Shape:
    shapes = [read.shape_of(v) for v in tensors]
    return shapes[0] if len(shapes) == 1 else (product(s[0] for s in shapes), len(shapes))


@shape("torch.combinations", dtype=same())
def combinations(call: Call, input: Value, r: Value = 2, with_replacement: Value = False) -> Shape:
    (n,) = read.shape_of(input)
    count, again = read.count(r), read.flag(with_replacement)
    if count == 0:
        return (0,)
    if isinstance(n, int) and not again and n < count:
        return (0, count)
    total: Dim = 1
    divisor = 1
    for i in range(count):
        total = total * (n + i if again else n - i)
        divisor *= i + 1
    return total // divisor, count


@result("torch.broadcast_tensors")
def broadcast_tensors(call: Call, *tensors: Value) -> Value:
    given = [read.tensor(v) for v in _given(tensors)]
    shape = call.broadcast(*(read.shape_of(v) for v in given))
    return tuple(TensorType(shape, v.dtype) for v in given)


@result("torch.broadcast_shapes")
def broadcast_shapes(call: Call, *shapes: Value) -> Value:
    return call.broadcast(*(read.sizes(s) for s in shapes))


@shape("torch.repeat_interleave", dtype=same())
def repeat_interleave(
    call: Call, input: Value, repeats: Value = None, dim: Value = None, *, output_size: Value = None
) -> Shape:
    x = read.shape_of(input)
    if repeats is None:
        return (VARYING_SIZE if output_size is None else read.size(output_size),)
    if dim is None:
        x, at = (product(x),), 0
    else:
        at = read.axis(dim, len(x))
        x = x or (1,)
    if output_size is not None:
        return read.replaced(x, at, read.size(output_size))
    if isinstance(repeats, TensorType):
        return read.replaced(x, at, VARYING_SIZE)
    return read.replaced(x, at, x[at] * read.size(repeats))


@shape("torch.nn.functional.pad", dtype=same())
def pad(call: Call, input: Value, pad: Value, mode: Value = "constant", value: Value = None) -> Shape:
    x = list(read.shape_of(input))
    if not isinstance(pad, tuple):  # which dimensions are padded is not known; only zeros are put around the first
        first = 1 if isinstance(mode, str) and mode != "constant" else 0
        return (*x[:first], *[dim + UNKNOWN_SIZE for dim in x[first:]])
    amounts = read.sizes(pad)
    for i in range(0, len(amounts) - 1, 2):
        at = len(x) - 1 - i // 2
        x[at] = x[at] + amounts[i] + amounts[i + 1]
    return tuple(x)


@shape("torch.constant_pad_nd", dtype=same())
def constant_pad_nd(call: Call, input: Value, pad_: Value, value: Value = 0) -> Shape:
    return pad(call, input, pad_)


@shape("torch.nn.functional.one_hot", dtype=fixed("int64"))
def one_hot(call: Call, input: Value, num_classes: Value = -1) -> Shape:
    count = read.size(num_classes)
    return (*read.shape_of(input), VARYING_SIZE if count == -1 else count)


@shape("torch.nn.utils.rnn.pad_sequence", dtype=promoted("sequences"))
def pad_sequence(
    call: Call, sequences: Value, batch_first: Value = False, padding_value: Value = 0.0, padding_side: Value = "right"
) -> Shape:
    shapes = [read.shape_of(v) for v in read.items(sequences)]
    longest = maximum(*(s[0] for s in shapes))
    count = len(shapes)
    return (count, longest, *shapes[0][1:]) if read.flag(batch_first) else (longest, count, *shapes[0][1:])
