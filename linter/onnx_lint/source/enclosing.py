"""What stands around a node of the IR."""

from __future__ import annotations

from functools import lru_cache

from onnx_lint.source import ir


def enclosing(body: ir.Block, node: object) -> tuple[object, ...]:
    """The nodes around `node` in a block, outermost first; empty when it is not in the block, or stands by itself."""
    parents = _parents(body)
    around: list[object] = []
    parent = parents.get(id(node))
    while parent is not None:
        around.append(parent)
        parent = parents.get(id(parent))
    return tuple(reversed(around))


@lru_cache(maxsize=64)
def _parents(body: ir.Block) -> dict[int, object]:
    """The node around each node of a block, by the identity of the node; who asks about one asks about many."""
    found: dict[int, object] = {}
    stack: list[object] = list(body)
    while stack:
        current = stack.pop()
        for child in ir.children(current) if ir.is_node(current) else ():
            found[id(child)] = current
            stack.append(child)
    return found
