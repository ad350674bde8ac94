"""Sizes as Python sees them: ``x.shape`` of a tensor, arithmetic on its parts, comparisons that shapes decide."""

from __future__ import annotations

from onnx_lint.semantics.domain import dims
from onnx_lint.semantics.domain.dims import UNKNOWN_SIZE, Dim, UnknownSize
from onnx_lint.semantics.domain.origin import Origin
from onnx_lint.semantics.domain.shapes import join_dims
from onnx_lint.semantics.domain.values import Const, Frozen, Seq, Size, Static, Tensor, Value


def shape_value(tensor: Tensor, origin: Origin | None) -> Seq:
    """``x.shape``: sizes when the tensor is traced, plain numbers when it is a constant."""
    known = tensor.type.shape
    if not tensor.traced:
        if known is None:
            return Seq("shape", None, Static("int"))
        return Seq("shape", tuple([Const(d) if isinstance(d, int) else Static("int") for d in known]))
    if known is None:
        return Seq("shape", None, Size(origin), origin, tensor.parameter, last=tensor.type.last)
    parts = [Size(origin, parameter=tensor.parameter, axis=axis, dim=dim) for axis, dim in enumerate(known)]
    return Seq("shape", tuple(parts), None, origin, tensor.parameter)


def part_of_shape(shape: Seq, index: int, origin: Origin | None) -> Size:
    """``shape[index]`` of a traced tensor, read at `origin`."""
    if shape.elements is not None and -len(shape.elements) <= index < len(shape.elements):
        part = shape.elements[index]
        if isinstance(part, Size):
            return Size(origin, False, part.parameter, part.axis, dim=part.dim)
        return Size(origin, dim=dim_of(part) or UNKNOWN_SIZE)
    if index >= 0:
        return Size(origin, parameter=shape.parameter, axis=shape.first_axis + index)
    axis = index if shape.first_axis == 0 else None
    dim = shape.last if index == -1 and shape.last is not None else UNKNOWN_SIZE
    return Size(origin, parameter=shape.parameter, axis=axis, dim=dim)


def may_be_ranked(value: Tensor) -> bool:
    """Whether what a program asks of a tensor may tell its rank: it is not known, nor that of an input of the model,
    which is searched for."""
    return value.type.shape is None and value.type.like is None and not value.addresses


def dim_of(value: Value) -> Dim | None:
    """An integer as a size; ``None`` for anything else."""
    match value:
        case Const() if isinstance(value.value, int) and not isinstance(value.value, bool):
            return value.value
        case Size() if not value.boolean:
            return value.dim
        case Static() if value.type in (None, "int"):
            return dims.FIXED_SIZE
        case Frozen() if value.type == "int":
            return value.dim
    return None


def calculated(op: str, left: Value, right: Value) -> Dim:
    """What is known of the result of arithmetic on sizes."""
    a, b = dim_of(left), dim_of(right)
    if a is None or b is None:
        return UNKNOWN_SIZE
    try:
        match op:
            case "+":
                return a + b
            case "-":
                return a - b
            case "*":
                return a * b
            case "//":
                return a // b
            case "%":
                return a % b
    except ZeroDivisionError:
        return UNKNOWN_SIZE
    return UnknownSize(dims.varies(join_dims(a, b)))


def compared(op: str, left: Value, right: Value) -> Dim:
    """The truth of a comparison of sizes: 1 or 0 where it is decided, else whether it may change."""
    a, b = dim_of(left), dim_of(right)
    if a is None or b is None:
        return UNKNOWN_SIZE
    result = _decided(op, a, b)
    if result is not None:
        return int(result)
    return UnknownSize(dims.varies(join_dims(a, b)))


def _decided(op: str, a: Dim, b: Dim) -> bool | None:
    match op:
        case "==":
            return dims.equal(a, b)
        case "!=":
            same = dims.equal(a, b)
            return None if same is None else not same
        case "<":
            return dims.less(a, b)
        case "<=":
            return dims.less_equal(a, b)
        case ">":
            return dims.less(b, a)
        case ">=":
            return dims.less_equal(b, a)
    return None


def join_of(parts: tuple[Value, ...] | None) -> Dim:
    """What is known of any one of several sizes."""
    found: Dim | None = None
    for part in parts or ():
        dim = dim_of(part)
        if dim is None:
            return UNKNOWN_SIZE
        found = dim if found is None else join_dims(found, dim)
    return UNKNOWN_SIZE if found is None else found
