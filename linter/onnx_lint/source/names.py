"""Which names a piece of code reads."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.source import ir


def reads(node: object) -> Iterator[ir.Name]:
    """The names in a piece of code, those that it binds included, in no particular order."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, tuple):
            stack.extend(current)
        elif isinstance(current, ir.Name):
            yield current
        elif not isinstance(current, ir.Const):
            stack.extend(getattr(current, slot) for slot in getattr(current, "__slots__", ()))


def last_reads(body: ir.Block) -> dict[str, int]:
    """The names in a block, each with the highest number of a node that names it."""
    last: dict[str, int] = {}
    for name in reads(body):
        last[name.id] = max(last.get(name.id, -1), name.at)
    return last
