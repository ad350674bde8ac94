"""Writing in place through a view, and reading through ``.data`` or a copy: the value itself is bound anew instead."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence

from .sizes import Change, Sizes

_UNDONE = {"transpose": "transpose({args})", "swapaxes": "swapaxes({args})", "t": "t()", "mT": "mT", "T": "T"}
_RESHAPED = ("view", "reshape", "flatten", "squeeze", "unsqueeze", "ravel")


def write(statement: ast.stmt, before: Sequence[ast.stmt], sizes: Sizes) -> Iterator[Change]:
    """``view.op_(…)`` and ``view += …`` → the same on the tensor that the view is of."""
    found = _written(statement)
    if found is None:
        return
    name, made, in_place = found
    view = sizes.bound(name) or _unpacked(name, before)
    if view is None:
        yield "Bind the result", [(statement, f"{name} = {made}")]
        return
    if isinstance(view, ast.Subscript):
        yield "Write to the tensor itself", [(statement, in_place(ast.unparse(view)))]
    base, back = _way_back(view)
    if base and back:
        yield "Bind the tensor anew", [(statement, f"{name} = {made}\n{base} = {back.format(value=name)}")]


def _written(statement: ast.stmt) -> tuple[str, str, Callable[[str], str]] | None:
    """The name that is written to in place, the new value, and a function that says it of another tensor."""
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        name, value = statement.target.id, ast.unparse(statement.value)
        symbol = ast.unparse(ast.BinOp(ast.Name("a"), statement.op, ast.Name("b")))[2:-2]
        return name, f"{name} {symbol} ({value})", lambda text: f"{text} {symbol}= {value}"
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    operator, of = call.func.attr, call.func.value
    if not (operator.endswith("_") and not operator.startswith("_") and isinstance(of, ast.Name)):
        return None
    given = ", ".join(ast.unparse(each) for each in [*call.args, *call.keywords])
    return of.id, f"{of.id}.{operator[:-1]}({given})", lambda text: f"{text} = {text}.{operator[:-1]}({given})"


def _unpacked(name: str, before: Sequence[ast.stmt]) -> ast.expr | None:
    """``left, right = y.chunk(2, dim=1)``: the slice that a name is."""
    for each in before:
        if not isinstance(each, ast.Assign) or not isinstance(each.targets[0], ast.Tuple):
            continue
        names = [part.id for part in each.targets[0].elts if isinstance(part, ast.Name)]
        value = each.value
        if name not in names or not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
            continue
        if value.func.attr != "chunk" or not value.args or ast.unparse(value.args[0]) != str(len(names)):
            continue
        dim = next((ast.unparse(k.value) for k in value.keywords if k.arg == "dim"), "")
        dim = dim or (ast.unparse(value.args[1]) if len(value.args) > 1 else "0")
        of, k = ast.unparse(value.func.value), names.index(name)
        width = f"(({of}.shape[{dim}] + {len(names) - 1}) // {len(names)})"
        if dim.lstrip("-").isdigit() and int(dim) >= 0:
            index = ":, " * int(dim) + f"{k} * {width}:{k + 1} * {width}"
            return ast.parse(f"{of}[{index}]", mode="eval").body
    return None


def _way_back(view: ast.expr) -> tuple[str, str]:
    """The tensor that a view is of, and how it is made of a view's new value."""
    match view:
        case ast.Attribute(value=ast.Name(id=base), attr=("mT" | "T") as name):
            return base, f"{{value}}.{name}"
        case ast.Call(func=ast.Attribute(value=ast.Name(id=base), attr=name), args=args):
            given = ", ".join(map(ast.unparse, args))
            if name in _UNDONE:
                return base, "{value}." + _UNDONE[name].format(args=given)
            if name in _RESHAPED:
                return base, f"{{value}}.reshape({base}.shape)"
            if name in ("detach", "view_as", "expand_as", "contiguous"):
                return base, "{value}"
        case ast.Attribute(value=ast.Name(id=base), attr="data"):
            return base, "{value}"
    return "", ""


def copied(node: ast.Call) -> Iterator[Change]:
    """``copy.deepcopy(x)``, ``copy.copy(x)`` → ``x.clone()``."""
    if ast.unparse(node.func) in ("copy.deepcopy", "deepcopy", "copy.copy") and len(node.args) == 1:
        yield "Clone the tensor", [(node, f"{ast.unparse(node.args[0])}.clone()")]
