"""What stands around a node of the IR."""

from __future__ import annotations

from onnx_lint.source import ir


def enclosing(body: ir.Block, node: object) -> tuple[object, ...]:
    """The nodes around `node` in a block, outermost first; empty when it is not in the block, or stands by itself."""
    stack: list[tuple[object, tuple[object, ...]]] = [(body, ())]
    while stack:
        current, around = stack.pop()
        if current is node:
            return around
        if isinstance(current, tuple):
            stack.extend((part, around) for part in current)
        elif not isinstance(current, ir.Const):  # its value is no node
            inside = (*around, current)
            stack.extend((getattr(current, slot), inside) for slot in getattr(current, "__slots__", ()))
    return ()
