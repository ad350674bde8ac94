"""Views of tensors by name, and writes that one name sees and the other should."""

from __future__ import annotations

from onnx_lint.semantics import torch_kinds
from onnx_lint.semantics.domain.sites import ViewWrite
from onnx_lint.semantics.domain.values import Tensor
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.source import ir
from onnx_lint.source.block_text import BlockText
from onnx_lint.source.enclosing import enclosing

_VIEWS = frozenset(
    {"view", "reshape", "transpose", "permute", "t", "swapaxes", "movedim", "unsqueeze", "squeeze", "flatten", "chunk",
     "split", "unbind", "narrow", "select", "diagonal", "detach", "expand", "view_as", "unflatten"}
)  # fmt: skip
"""Methods that give views; ``reshape`` and ``flatten`` do where they can."""
_VIEW_ATTRIBUTES = frozenset({"T", "mT", "data"})


def bind(frame: Frame, target: ir.Expr, source: ir.Expr) -> None:
    """``target = source``: remember whose view each name is now, and forget what it was."""
    names = [target] if not isinstance(target, ir.Sequence) else list(target.elements)
    base = _base(source)
    for one in names:
        if isinstance(one, ir.Name):
            for key in [k for k, held in frame.views.items() if one.id in (k, held)]:
                del frame.views[key]
            if base is not None and base.id != one.id:
                frame.views[one.id] = base.id


def method(frame: Frame, node: ir.Call, receiver: ir.Expr) -> None:
    """``receiver.add_(…)`` and the like."""
    if isinstance(receiver, ir.Name):
        changed(frame, node, receiver)
        return
    base = _base(receiver)
    value = None if base is None or isinstance(receiver, ir.Subscript) else _tensor(frame, base)
    if base is not None and value is not None and _is_read_after(frame, base.id, node):
        frame.emit(ViewWrite, node, value, name="", other=base.id, is_view=True)


def changed(frame: Frame, node: ir.Expr | ir.Stmt, target: ir.Name) -> None:
    """The tensor that a name stands for is changed in place, or in part."""
    value = _tensor(frame, target) if frame.records_sites else None
    if value is None:
        return
    base = frame.views.get(target.id)
    if base is not None and _is_read_after(frame, base, node):
        frame.emit(ViewWrite, node, value, name=target.id, other=base, is_view=True)
        return
    for view, held in frame.views.items():
        if held == target.id and _is_read_after(frame, view, node):
            frame.emit(ViewWrite, node, value, name=target.id, other=view, is_view=False)
            return


def is_in_place(name: str) -> bool:
    """Whether a method of that name changes the tensor."""
    return torch_kinds.is_in_place(name) and name not in ("requires_grad_", "retain_grad_")


def _tensor(frame: Frame, name: ir.Name) -> Tensor | None:
    """The tensor that a name surely stands for."""
    value = None if frame.env is None else frame.env.get(name.id)
    is_known = isinstance(value, Tensor) and not value.presumed and not value.is_shape
    return value if is_known and isinstance(value, Tensor) else None


def _base(node: ir.Expr) -> ir.Name | None:
    """The name whose view an expression is, through any number of views."""
    is_view = False
    while True:
        if isinstance(node, ir.Call) and isinstance(node.func, ir.Attribute) and node.func.attr in _VIEWS:
            is_function = ir.dotted(node.func.value) == "torch"
            if is_function and not node.args:
                return None
            node = node.args[0] if is_function else node.func.value
        elif (isinstance(node, ir.Attribute) and node.attr in _VIEW_ATTRIBUTES) or (
            isinstance(node, ir.Subscript) and _is_basic(node.index)
        ):
            node = node.value
        else:
            return node if is_view and isinstance(node, ir.Name) else None
        is_view = True


def _is_basic(index: ir.Expr) -> bool:
    """Whether an index is made of slices, numbers and ``None`` only: then it gives a view."""
    parts = index.elements if isinstance(index, ir.Sequence) and index.kind == "tuple" else (index,)
    for part in parts:
        number = part.value if isinstance(part, ir.UnaryOp) else part
        if isinstance(number, ir.Const) and isinstance(number.value, bool):
            return False
        if not isinstance(number, (ir.Const, ir.Slice)):
            return False
    return True


def _is_read_after(frame: Frame, name: str, node: ir.Expr | ir.Stmt) -> bool:
    """Whether a name is read behind a node before it is bound again, in the order in which it is written."""
    if frame.function is None:
        return False
    around = enclosing(frame.function.body, node)
    statement = around[-1] if around and isinstance(around[-1], (ir.Assign, ir.AugAssign)) else node
    # what is written is read before the write: `part[:, 0] = part[:, 0] + 1`
    last = max((n.at for n in ir.walk(statement) if hasattr(n, "at")), default=node.at)
    return BlockText.of(frame.function.body).is_read_after(name, last)
