"""Matrix products, contractions and attention."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.shapes import arguments as read
from onnx_lint.semantics.catalogue.shapes.dtype_rules import floated, promoted, same
from onnx_lint.semantics.catalogue.shapes.registry import Call, NotKnown, shape
from onnx_lint.semantics.domain.dims import Dim
from onnx_lint.semantics.domain.shapes import Shape, ShapeError, Value


def multiplied(call: Call, left: Shape, right: Shape) -> Shape:
    """The shape of ``left @ right``."""
    if not left or not right:
        raise ShapeError("a matrix product of tensors without dimensions")
    rows: tuple[Dim, ...] = left[-2:-1]
    columns: tuple[Dim, ...] = right[-1:] if len(right) > 1 else ()
    call.equal(left[-1], right[-2] if len(right) > 1 else right[-1], "inner sizes of a matrix product")
    return (*call.broadcast(left[:-2], right[:-2]), *rows, *columns)


@shape("torch.matmul", "torch.linalg.matmul", "torch.Tensor.__matmul__", dtype=same())
def matmul(call: Call, input: Value, other: Value) -> Shape:
    return multiplied(call, read.shape_of(input), read.shape_of(other))


@shape("torch.Tensor.__rmatmul__", dtype=same())
def rmatmul(call: Call, input: Value, other: Value) -> Shape:
    return multiplied(call, read.shape_of(other), read.shape_of(input))


@shape("torch.mm", "torch.mv", "torch.hspmm", dtype=same())
def mm(call: Call, input: Value, mat2: Value) -> Shape:
    return multiplied(call, read.shape_of(input), read.shape_of(mat2))


@shape("torch.bmm", dtype=same())
def bmm(call: Call, input: Value, mat2: Value) -> Shape:
    left, right = read.shape_of(input), read.shape_of(mat2)
    if len(left) != 3 or len(right) != 3:
        raise ShapeError("bmm wants three dimensions")
    batch = call.equal(left[0], right[0], "batch of a matrix product")
    call.equal(left[2], right[1], "inner sizes of a matrix product")
    return batch, left[1], right[2]


@shape("torch.dot", "torch.vdot", dtype=same())
def dot(call: Call, input: Value, other: Value) -> Shape:
    return ()


@shape("torch.linalg.vecdot", dtype=promoted("x", "y"))
def vecdot(call: Call, x: Value, y: Value, *, dim: Value = -1) -> Shape:
    both = call.broadcast(read.shape_of(x), read.shape_of(y))
    return read.replaced(both, read.axis(dim, len(both)))


@shape("torch.inner", dtype=same())
def inner(call: Call, input: Value, other: Value) -> Shape:
    left, right = read.shape_of(input), read.shape_of(other)
    if not left or not right:
        return left or right
    call.equal(left[-1], right[-1], "inner sizes of a product")
    return (*left[:-1], *right[:-1])


@shape("torch.outer", "torch.ger", dtype=promoted("input", "vec2"))
def outer(call: Call, input: Value, vec2: Value) -> Shape:
    return (*read.shape_of(input), *read.shape_of(vec2))


@shape("torch.addmm", dtype=same())
def addmm(call: Call, input: Value, mat1: Value, mat2: Value, *, beta: Value = 1, alpha: Value = 1) -> Shape:
    return multiplied(call, read.shape_of(mat1), read.shape_of(mat2))


@shape("torch.addmv", dtype=same())
def addmv(call: Call, input: Value, mat: Value, vec: Value, *, beta: Value = 1, alpha: Value = 1) -> Shape:
    return multiplied(call, read.shape_of(mat), read.shape_of(vec))


@shape("torch.addr", dtype=promoted("input", "vec1", "vec2"))
def addr(call: Call, input: Value, vec1: Value, vec2: Value, *, beta: Value = 1, alpha: Value = 1) -> Shape:
    return (*read.shape_of(vec1), *read.shape_of(vec2))


@shape("torch.baddbmm", dtype=same())
def baddbmm(call: Call, input: Value, batch1: Value, batch2: Value, *, beta: Value = 1, alpha: Value = 1) -> Shape:
    return bmm(call, batch1, batch2)


@shape("torch.addbmm", dtype=same())
def addbmm(call: Call, input: Value, batch1: Value, batch2: Value, *, beta: Value = 1, alpha: Value = 1) -> Shape:
    return bmm(call, batch1, batch2)[1:]


@shape("torch.chain_matmul", dtype=promoted("matrices"))
def chain_matmul(call: Call, *matrices: Value) -> Shape:
    shapes = [read.shape_of(m) for m in matrices]
    total = shapes[0]
    for other in shapes[1:]:
        total = multiplied(call, total, other)
    return total


@shape("torch.linalg.multi_dot", dtype=promoted("tensors"))
def multi_dot(call: Call, tensors: Value) -> Shape:
    return chain_matmul(call, *read.items(tensors))


@shape("torch.nn.functional.linear", dtype=same())
def linear(call: Call, input: Value, weight: Value, bias: Value = None) -> Shape:
    x, w = read.shape_of(input), read.shape_of(weight)
    if not x:
        raise ShapeError("linear of a tensor without dimensions")
    call.equal(x[-1], w[-1], "features of a linear layer")
    return (*x[:-1], *w[:-1])


@shape("torch.nn.functional.bilinear", "torch.bilinear", dtype=same("input1"))
def bilinear(call: Call, input1: Value, input2: Value, weight: Value, bias: Value = None) -> Shape:
    x, y, w = read.shape_of(input1), read.shape_of(input2), read.shape_of(weight)
    call.equal(x[-1], w[1], "features of the first input")
    call.equal(y[-1], w[2], "features of the second input")
    return (*x[:-1], w[0])


@shape("torch.kron", dtype=promoted("input", "other"))
def kron(call: Call, input: Value, other: Value) -> Shape:
    x, y = read.shape_of(input), read.shape_of(other)
    rank = max(len(x), len(y))
    x, y = (1,) * (rank - len(x)) + x, (1,) * (rank - len(y)) + y
    return tuple(a * b for a, b in zip(x, y, strict=True))


@shape("torch.cross", "torch.linalg.cross", dtype=promoted("input", "other"))
def cross(call: Call, input: Value, other: Value, dim: Value = None) -> Shape:
    return call.broadcast(read.shape_of(input), read.shape_of(other))


@shape("torch.tensordot", dtype=same("a"))
def tensordot(call: Call, a: Value, b: Value, dims: Value = 2) -> Shape:
    x, y = read.shape_of(a), read.shape_of(b)
    if isinstance(dims, tuple):
        first, second = (read.axes(v, len(s)) for v, s in zip(read.items(dims), (x, y), strict=True))
    else:
        count = read.integer(dims)
        first, second = tuple(range(len(x) - count, len(x))), tuple(range(count))
    for i, j in zip(first, second, strict=True):
        if x[i] != 1 and y[j] != 1:  # a size of 1 is broadcast
            call.equal(x[i], y[j], "contracted sizes")
    return (*(d for i, d in enumerate(x) if i not in first), *(d for j, d in enumerate(y) if j not in second))


@shape("torch.cdist", dtype=floated("x1", "x2"))
def cdist(call: Call, x1: Value, x2: Value, p: Value = 2.0, compute_mode: Value = None) -> Shape:
    x, y = read.shape_of(x1), read.shape_of(x2)
    call.equal(x[-1], y[-1], "length of vectors")
    return (*call.broadcast(x[:-2], y[:-2]), x[-2], y[-2])


@shape("torch.pdist", "torch.nn.functional.pdist", dtype=same())
def pdist(call: Call, input: Value, p: Value = 2) -> Shape:
    n = read.shape_of(input)[0]
    return (n * (n - 1) // 2,)


@shape("torch.nn.functional.scaled_dot_product_attention", dtype=same("query"))
def scaled_dot_product_attention(
    call: Call, query: Value, key: Value, value: Value, attn_mask: Value = None, dropout_p: Value = 0.0,
    is_causal: Value = False, scale: Value = None, enable_gqa: Value = False,
) -> Shape:  # fmt: skip
    q, k, v = read.shape_of(query), read.shape_of(key), read.shape_of(value)
    call.equal(q[-1], k[-1], "features of query and key")
    call.equal(k[-2], v[-2], "length of key and value")
    if read.flag(enable_gqa):
        return (*q[:-1], v[-1])
    return (*call.broadcast(q[:-2], k[:-2], v[:-2]), q[-2], v[-1])


@shape("torch.einsum", dtype=promoted("operands"))
def einsum(call: Call, equation: Value, *operands: Value) -> Shape:
    tensors = operands[0] if len(operands) == 1 and isinstance(operands[0], tuple) else operands
    shapes = [read.shape_of(v) for v in read.items(tuple(tensors))]
    if not isinstance(equation, str):
        raise NotKnown
    return einsum_shape(call, equation, shapes)


def einsum_shape(call: Call, equation: str, shapes: list[Shape]) -> Shape:
    """The shape of an einsum with letters and ``...``.

    Raises:
        ShapeError: operands do not fit the equation.
    """
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        raise ShapeError(f"{len(shapes)} operands for {len(terms)} terms")
    sizes: dict[str, Dim] = {}
    batch: Shape = ()
    for term, dims in zip(terms, shapes, strict=True):
        before, dots, after = term.partition("...")
        if len(dims) < len(before) + len(after) or (not dots and len(dims) != len(before)):
            raise ShapeError(f"{len(dims)} dimensions for {term!r}")
        end = len(dims) - len(after)
        if dots:
            batch = call.broadcast(batch, dims[len(before) : end])
        for letter, dim in zip(before + after, dims[: len(before)] + dims[end:], strict=True):
            known = sizes.get(letter, 1)
            sizes[letter] = dim if known == 1 else known if dim == 1 else call.equal(known, dim, f"sizes of {letter}")
    if not arrow:
        once = sorted(c for c in set(left) - set(",.") if left.count(c) == 1)
        return (*batch, *(sizes[c] for c in once))
    before, dots, after = right.partition("...")
    return (*(sizes[c] for c in before), *(batch if dots else ()), *(sizes[c] for c in after))
