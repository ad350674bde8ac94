"""``torch.linalg`` and its older names in ``torch``."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.shapes import arguments as read
from onnx_lint.semantics.catalogue.shapes.dtype_rules import complex_, fixed, real, same
from onnx_lint.semantics.catalogue.shapes.registry import Call, NotKnown, shape
from onnx_lint.semantics.domain.dims import Dim, minimum
from onnx_lint.semantics.domain.shapes import Shape, ShapeError, Value


def _square(call: Call, value: Value) -> Shape:
    x = read.shape_of(value)
    if len(x) < 2:
        raise ShapeError("a matrix has two dimensions")
    call.equal(x[-2], x[-1], "a square matrix")
    return x


@shape("torch.linalg.inv", "torch.linalg.matrix_exp", "torch.linalg.cholesky", dtype=same("A"))
def inv(call: Call, A: Value, *, upper: Value = False) -> Shape:
    return _square(call, A)


@shape("torch.inverse", "torch.matrix_exp", "torch.cholesky", "torch.cholesky_inverse", dtype=same())
def inverse(call: Call, input: Value, upper: Value = False) -> Shape:
    return _square(call, input)


@shape("torch.linalg.matrix_power", "torch.matrix_power", dtype=same())
def matrix_power(call: Call, input: Value, n: Value) -> Shape:
    return _square(call, input)


@shape("torch.linalg.inv_ex", "torch.linalg.cholesky_ex", dtype=(same("A"), fixed("int32")))
def inv_ex(call: Call, A: Value, *, upper: Value = False) -> list[Shape]:
    x = _square(call, A)
    return [x, x[:-2]]


@shape("torch.linalg.det", dtype=same("A"))
def det(call: Call, A: Value) -> Shape:
    return _square(call, A)[:-2]


@shape("torch.det", "torch.logdet", dtype=same())
def det_of(call: Call, input: Value) -> Shape:
    return _square(call, input)[:-2]


@shape("torch.linalg.slogdet", dtype=(same("A"), real(same("A"))))
def slogdet(call: Call, A: Value) -> Shape:
    return _square(call, A)[:-2]


@shape("torch.slogdet", dtype=(same(), real(same())))
def slogdet_of(call: Call, input: Value) -> Shape:
    return _square(call, input)[:-2]


@shape("torch.linalg.cond", dtype=real(same()))
def cond(call: Call, input: Value, p: Value = None) -> Shape:
    return read.shape_of(input)[:-2]


@shape("torch.linalg.matrix_rank", dtype=fixed("int64"))
def matrix_rank(
    call: Call, input: Value, tol: Value = None, hermitian: Value = False, *, atol: Value = None, rtol: Value = None
) -> Shape:
    kept = read.shape_of(input)[:-2]
    if any(v is not None and not isinstance(v, int | float) for v in (tol, atol, rtol)):
        raise NotKnown
    return kept


@shape("torch.linalg.eig", dtype=(complex_(same("A")), complex_(same("A"))))
def eig(call: Call, A: Value) -> list[Shape]:
    x = _square(call, A)
    return [x[:-1], x]


@shape("torch.linalg.eigh", dtype=(real(same("A")), same("A")))
def eigh(call: Call, A: Value, UPLO: Value = "L") -> list[Shape]:
    x = _square(call, A)
    return [x[:-1], x]


@shape("torch.linalg.eigvals", dtype=complex_(same("A")))
def eigvals(call: Call, A: Value) -> Shape:
    return _square(call, A)[:-1]


@shape("torch.linalg.eigvalsh", dtype=real(same("A")))
def eigvalsh(call: Call, A: Value, UPLO: Value = "L") -> Shape:
    return _square(call, A)[:-1]


def _svd_shapes(x: Shape, full: bool) -> list[Shape]:
    *batch, m, n = x
    k = minimum(m, n)
    return [(*batch, m, m if full else k), (*batch, k), (*batch, n if full else k, n)]


@shape("torch.linalg.svd", dtype=(same("A"), real(same("A")), same("A")))
def svd(call: Call, A: Value, full_matrices: Value = True) -> list[Shape]:
    return _svd_shapes(read.shape_of(A), read.flag(full_matrices))


@shape("torch.svd", dtype=(same(), real(same()), same()))
def svd_of(call: Call, input: Value, some: Value = True, compute_uv: Value = True) -> list[Shape]:
    full = not read.flag(some) or not read.flag(compute_uv)
    u, s, v = _svd_shapes(read.shape_of(input), full)
    return [u, s, (*v[:-2], v[-1], v[-2])]


@shape("torch.linalg.svdvals", dtype=real(same("A")))
def svdvals(call: Call, A: Value) -> Shape:
    x = read.shape_of(A)
    return (*x[:-2], minimum(x[-2], x[-1]))


@shape("torch.svd_lowrank", dtype=(same("A"), real(same("A")), same("A")))
def svd_lowrank(call: Call, A: Value, q: Value = 6, niter: Value = 2, M: Value = None) -> list[Shape]:
    *batch, m, n = read.shape_of(A)
    k = read.size(q)
    return [(*batch, m, k), (*batch, k), (*batch, n, k)]


@shape("torch.pca_lowrank", dtype=(same("A"), real(same("A")), same("A")))
def pca_lowrank(call: Call, A: Value, q: Value = None, center: Value = True, niter: Value = 2) -> list[Shape]:
    *batch, m, n = read.shape_of(A)
    k = minimum(6, m, n) if q is None else read.size(q)
    return [(*batch, m, k), (*batch, k), (*batch, n, k)]


@shape("torch.linalg.qr", dtype=(same("A"), same("A")))
def qr(call: Call, A: Value, mode: Value = "reduced") -> list[Shape]:
    *batch, m, n = read.shape_of(A)
    k = minimum(m, n)
    how = read.text(mode)
    if how == "complete":
        return [(*batch, m, m), (*batch, m, n)]
    return [(0,) if how == "r" else (*batch, m, k), (*batch, k, n)]


@shape("torch.qr", dtype=(same(), same()))
def qr_of(call: Call, input: Value, some: Value = True) -> list[Shape]:
    return qr(call, input, "reduced" if read.flag(some) else "complete")


@shape("torch.geqrf", dtype=(same(), same()))
def geqrf(call: Call, input: Value) -> list[Shape]:
    *batch, m, n = x = read.shape_of(input)
    return [x, (*batch, minimum(m, n))]


@shape("torch.linalg.householder_product", "torch.orgqr", dtype=same())
def householder_product(call: Call, input: Value, tau: Value) -> Shape:
    return read.shape_of(input)


@shape("torch.ormqr", dtype=same())
def ormqr(call: Call, input: Value, tau: Value, other: Value, left: Value = True, transpose: Value = False) -> Shape:
    return read.shape_of(other)


@shape("torch.linalg.lu", dtype=(same("A"), same("A"), same("A")))
def lu(call: Call, A: Value, *, pivot: Value = True) -> list[Shape]:
    *batch, m, n = read.shape_of(A)
    k = minimum(m, n)
    return [(*batch, m, m) if read.flag(pivot) else (0,), (*batch, m, k), (*batch, k, n)]


@shape("torch.linalg.lu_factor", dtype=(same("A"), fixed("int32")))
def lu_factor(call: Call, A: Value, *, pivot: Value = True) -> list[Shape]:
    *batch, m, n = x = read.shape_of(A)
    return [x, (*batch, minimum(m, n))]


@shape("torch.linalg.lu_factor_ex", dtype=(same("A"), fixed("int32"), fixed("int32")))
def lu_factor_ex(call: Call, A: Value, *, pivot: Value = True) -> list[Shape]:
    *batch, m, n = x = read.shape_of(A)
    return [x, (*batch, minimum(m, n)), tuple(batch)]


@shape("torch.linalg.lu_solve", dtype=same("B"))
def lu_solve(call: Call, LU: Value, pivots: Value, B: Value, *, left: Value = True, adjoint: Value = False) -> Shape:
    a, b = read.shape_of(LU), read.shape_of(B)
    return (*call.broadcast(a[:-2], b[:-2]), *b[-2:])


@shape("torch.lu_solve", dtype=same("b"))
def lu_solve_of(call: Call, b: Value, LU_data: Value, LU_pivots: Value) -> Shape:
    return lu_solve(call, LU_data, LU_pivots, b)


@shape("torch.linalg.ldl_factor", dtype=(same("A"), fixed("int32")))
def ldl_factor(call: Call, A: Value, *, hermitian: Value = False) -> list[Shape]:
    x = _square(call, A)
    return [x, x[:-1]]


@shape("torch.linalg.ldl_factor_ex", dtype=(same("A"), fixed("int32"), fixed("int32")))
def ldl_factor_ex(call: Call, A: Value, *, hermitian: Value = False) -> list[Shape]:
    x = _square(call, A)
    return [x, x[:-1], x[:-2]]


def _solved(call: Call, a: Shape, b: Shape, left: Value = True) -> Shape:
    if not read.flag(left):
        raise NotKnown
    # right sides are vectors if there is one dimension, or as many as A has without its last one, of the same batch
    if len(b) == 1 or (len(b) == len(a) - 1 and b == a[:-1]):
        return (*call.broadcast(a[:-2], b[:-1]), b[-1]) if len(b) > 1 else (*a[:-2], b[-1])
    if len(b) == len(a) - 1:
        raise NotKnown
    call.equal(a[-1], b[-2], "right sides of a system")
    return (*call.broadcast(a[:-2], b[:-2]), a[-1], b[-1])


@shape("torch.linalg.solve", dtype=same("A"))
def solve(call: Call, A: Value, B: Value, *, left: Value = True) -> Shape:
    return _solved(call, _square(call, A), read.shape_of(B), left)


@shape("torch.linalg.solve_ex", dtype=(same("A"), fixed("int32")))
def solve_ex(call: Call, A: Value, B: Value, *, left: Value = True) -> list[Shape]:
    a = _square(call, A)
    return [_solved(call, a, read.shape_of(B), left), a[:-2]]


@shape("torch.linalg.solve_triangular", dtype=same("A"))
def solve_triangular(
    call: Call, A: Value, B: Value, *, upper: Value, left: Value = True, unitriangular: Value = False
) -> Shape:
    a, b = read.shape_of(A), read.shape_of(B)
    return (*call.broadcast(a[:-2], b[:-2]), *b[-2:])


@shape("torch.triangular_solve", dtype=(same("A"), same("A")))
def triangular_solve(
    call: Call, b: Value, A: Value, upper: Value = True, transpose: Value = False, unitriangular: Value = False
) -> list[Shape]:
    right, a = read.shape_of(b), read.shape_of(A)
    batch = call.broadcast(a[:-2], right[:-2])
    return [(*batch, *right[-2:]), (*batch, *a[-2:])]


@shape("torch.cholesky_solve", dtype=same())
def cholesky_solve(call: Call, input: Value, L: Value, upper: Value = False) -> Shape:
    b, a = read.shape_of(input), read.shape_of(L)
    return (*call.broadcast(a[:-2], b[:-2]), *b[-2:])


@shape("torch.pinverse", dtype=same())
def pinverse(call: Call, input: Value, rcond: Value = 1e-15) -> Shape:
    *batch, m, n = read.shape_of(input)
    return (*batch, n, m)


@shape("torch.linalg.pinv", dtype=same())
def pinv(
    call: Call, input: Value, rcond: Value = None, hermitian: Value = False, *, atol: Value = None, rtol: Value = None
) -> Shape:
    *batch, m, n = read.shape_of(input)
    return (*batch, n, m)


@shape("torch.linalg.tensorinv", dtype=same("A"))
def tensorinv(call: Call, A: Value, ind: Value = 2) -> Shape:
    x, at = read.shape_of(A), read.integer(ind)
    return (*x[at:], *x[:at])


@shape("torch.linalg.tensorsolve", dtype=same("A"))
def tensorsolve(call: Call, A: Value, B: Value, dims: Value = None) -> Shape:
    x = list(read.shape_of(A))
    moved = [] if dims is None else read.axes(dims, len(x))
    order = [*(d for i, d in enumerate(x) if i not in moved), *(x[i] for i in moved)]
    return tuple(order[len(read.shape_of(B)) :])


@shape("torch.lu_unpack", dtype=(same("LU_data"),) * 3)
def lu_unpack(
    call: Call, LU_data: Value, LU_pivots: Value, unpack_data: Value = True, unpack_pivots: Value = True
) -> list[Shape]:
    *batch, m, n = read.shape_of(LU_data)
    k: Dim = minimum(m, n)
    data, pivots = read.flag(unpack_data), read.flag(unpack_pivots)
    return [
        (*batch, m, m) if pivots else (0,),
        (*batch, m, k) if data else (0,),
        (*batch, k, n) if data else (0,),
    ]
