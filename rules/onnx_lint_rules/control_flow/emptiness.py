"""Which branches only ask whether a tensor is empty: hardly a model is exported for empty inputs."""

from __future__ import annotations

from onnx_lint.semantics.domain.sites import Branch
from onnx_lint.semantics.domain.values import Size
from onnx_lint.source import ir

_EMPTINESS = {("==", 0), ("!=", 0), (">", 0), ("<=", 0), ("<", 1), (">=", 1)}
"""Comparisons of a size that only an empty tensor answers otherwise."""


def asks_whether_empty(branch: Branch) -> bool:
    """Whether a branch asks no more of a size than whether there is anything."""
    return _is_bare(branch) or (_asks_whether_empty(branch.node) and not _is_remainder(branch))


def _is_bare(branch: Branch) -> bool:
    """Whether a dimension stands there as it is: it is true where it is not 0. One that was computed with may be 0 for
    some inputs: a padding, a remainder."""
    size = branch.subject
    is_size = isinstance(size, Size) and size.parameter is not None and size.axis is not None and not size.boolean
    return is_size and isinstance(branch.node, (ir.Name, ir.Subscript))


def _is_remainder(branch: Branch) -> bool:
    """Whether a test asks if a named size that was computed, such as a padding, is more than 0: it may well be 0 for
    inputs that are not empty."""
    size, node = branch.subject, branch.node
    if not isinstance(size, Size) or size.parameter is not None or size.axis is not None or size.origin is None:
        return False
    if not isinstance(node, ir.Compare) or not isinstance(node.left, ir.Name) or node.rest[0][0] not in (">", "<="):
        return False
    origin = size.origin
    return "numel" not in origin.unit.module.source.slice(origin.unit.span(origin.at))


def _asks_whether_empty(node: ir.Expr | ir.Stmt) -> bool:
    """Whether all that a test compares with numbers is compared with none or one: ``x.numel() == 0 or x is None``."""
    if isinstance(node, ir.BoolOp):
        compared = [n for n in (node.left, node.right) if not _is_other(n)]
        return bool(compared) and all(_asks_whether_empty(n) for n in compared)
    if isinstance(node, ir.UnaryOp) and node.op == "not":
        return _asks_whether_empty(node.value)
    if isinstance(node, ir.Call):
        return isinstance(node.func, ir.Attribute) and node.func.attr in ("numel", "nelement")
    if not isinstance(node, ir.Compare) or len(node.rest) != 1 or isinstance(node.left, ir.BinOp):
        return False
    op, right = node.rest[0]
    return isinstance(right, ir.Const) and (op, right.value) in _EMPTINESS


def _is_other(node: ir.Expr) -> bool:
    """Whether an operand asks no size: a comparison with a text or ``None``, a call of ``isinstance``."""
    if isinstance(node, ir.Compare):
        return all(isinstance(v, ir.Const) and not isinstance(v.value, (int, float)) for _, v in node.rest)
    return isinstance(node, ir.Call) and ir.dotted(node.func) == "isinstance"
