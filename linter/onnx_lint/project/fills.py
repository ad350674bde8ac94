"""Statements that change what a table of the top level holds."""

from __future__ import annotations

from onnx_lint.source import ir

_FILLING = frozenset({"update", "append", "extend", "setdefault", "add", "insert", "pop", "popitem", "clear", "remove"})


def filled_name(statement: ir.Stmt) -> str | None:
    """The name whose content a statement changes: ``name[…] = …``, ``name += …``, ``name.update(…)``."""
    held: ir.Expr | None = None
    if isinstance(statement, ir.Assign):
        held = next((t.value for t in statement.targets if isinstance(t, ir.Subscript)), None)
    elif isinstance(statement, ir.AugAssign):
        held = statement.target.value if isinstance(statement.target, ir.Subscript) else statement.target
    elif isinstance(statement, ir.ExprStmt) and isinstance(statement.value, ir.Call):
        method = statement.value.func
        held = method.value if isinstance(method, ir.Attribute) and method.attr in _FILLING else None
    return held.id if isinstance(held, ir.Name) else None
