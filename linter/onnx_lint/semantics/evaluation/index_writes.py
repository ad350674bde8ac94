"""Writes into a tensor by an index, and which of their forms they are."""

from __future__ import annotations

from onnx_lint.semantics.domain.lattice import alternatives
from onnx_lint.semantics.domain.sites import IndexWrite
from onnx_lint.semantics.domain.values import Const, Seq, Tensor, Value
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.source import ir
from onnx_lint.source.block_text import BlockText

_REDUCTIONS = frozenset({"sum", "mean", "any", "all", "amax", "amin", "norm", "prod", "argmax", "argmin", "std", "var"})


def note(frame: Frame, target: ir.Subscript, container: Value, index: Value, value: Value) -> None:
    """Record a write, if it has a form of interest."""
    tensor = next((v for v in alternatives(container) if isinstance(v, Tensor) and not v.presumed), None)
    if not frame.records_sites or tensor is None or not (tensor.traced or value.is_traced):
        return
    if isinstance(index, Seq) and index.elements is not None and isinstance(target.index, ir.Sequence):
        if _stand_apart(index.elements, target.index):
            frame.emit(IndexWrite, target, tensor, form="apart")
    elif isinstance(index, Tensor) and tensor.traced and _is_spread(frame, target.index, index, tensor, value):
        frame.emit(IndexWrite, target, tensor, form="mask of rows")


def _is_spread(frame: Frame, node: ir.Expr, index: Tensor, tensor: Tensor, value: Value) -> bool:
    """Whether one value is written to all rows that a mask chooses: a number, or a tensor that is too small."""
    known, chosen = tensor.type.rank, index.type.rank
    if known is None or chosen is None or index.type.dtype is None:
        is_of_rows = _is_of_rows(frame, node)
    else:
        is_of_rows = index.type.dtype == "bool" and chosen < known
    if not is_of_rows or not isinstance(value, Tensor) or value.presumed:
        return is_of_rows and isinstance(value, Const)
    given = value.type.rank
    if given is None or known is None or chosen is None:
        return given in (0, 1) and not value.traced
    return given < 1 + known - chosen


def _stand_apart(values: tuple[Value, ...], nodes: ir.Sequence) -> bool:
    """Whether a slice stands between two tensors; a slice whose bounds are tensors is none of these."""
    if len(nodes.elements) != len(values):
        return False
    is_slice = [isinstance(n, ir.Slice) for n in nodes.elements]
    places = [i for i, v in enumerate(values) if isinstance(v, Tensor) and not v.presumed and not is_slice[i]]
    return len(places) > 1 and any(is_slice[places[0] + 1 : places[-1]])


def _is_of_rows(frame: Frame, node: ir.Expr) -> bool:
    """Whether an index is a comparison of something that was reduced along a dimension: ``x.sum(1) > 0``."""
    if isinstance(node, ir.Name) and frame.function is not None:
        bound = BlockText.of(frame.function.body).assigned(node.id)
        node = bound[0] if len(bound) == 1 else node
    while isinstance(node, ir.UnaryOp):
        node = node.value
    if not isinstance(node, ir.Compare) or not isinstance(call := node.left, ir.Call):
        return False
    keeps = any(name == "keepdim" for name, _ in call.keywords)
    has_dimension = bool(call.args) or any(name == "dim" for name, _ in call.keywords)
    return isinstance(call.func, ir.Attribute) and call.func.attr in _REDUCTIONS and has_dimension and not keeps
