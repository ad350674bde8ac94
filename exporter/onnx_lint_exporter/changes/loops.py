"""Loops over rows: all rows at once, by the same expression on the whole tensor, or by ``torch.vmap``."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence

from .sizes import Change, atom, used

STACKING = ("stack", "cat")
_TITLE = "Compute all rows at once"
_MAXIMA = {"torch.maximum": "amax", "torch.minimum": "amin"}


class _AllAtOnce(ast.NodeTransformer):
    """``x[i]`` → ``x`` for the index of a loop, or ``row`` → ``x`` for the row."""

    def __init__(self, target: str, whole: ast.expr | None) -> None:
        self._target, self._whole = target, whole
        self.changed = False

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if self._whole is None and isinstance(node.slice, ast.Name) and node.slice.id == self._target:
            self.changed = True
            return node.value
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if self._whole is not None and node.id == self._target:
            self.changed = True
            return self._whole
        return node


def _at_once(value: ast.expr, target: ast.expr, over: ast.expr) -> str | None:
    """An expression for all turns of a loop; ``None`` where the turn itself is needed."""
    if not isinstance(target, ast.Name):
        return None
    whole = None if isinstance(over, ast.Call) and getattr(over.func, "id", "") == "range" else over
    step = _AllAtOnce(target.id, whole)
    made = step.visit(copy.deepcopy(value))
    left = any(isinstance(node, ast.Name) and node.id == target.id for node in ast.walk(made))
    return ast.unparse(made) if step.changed and not left else None


def loop(statement: ast.For, rest: Sequence[ast.stmt]) -> Iterator[Change]:
    """A loop of one statement over a tensor's rows → the same for all rows at once."""
    title = "Compute all rows at once"
    if len(statement.body) != 1 or statement.orelse:
        return
    (only,) = statement.body
    if isinstance(only, ast.Expr) and isinstance(only.value, ast.Call) and len(only.value.args) == 1:
        call = only.value
        made = _at_once(call.args[0], statement.target, statement.iter)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "append" and made is not None:
            name = ast.unparse(call.func.value)
            for node in [node for each in rest for node in ast.walk(each) if isinstance(node, ast.Call)]:
                stacks = isinstance(node.func, ast.Attribute) and node.func.attr in STACKING
                if stacks and node.args and ast.unparse(node.args[0]) == name:
                    yield title, [(statement, f"{name} = {made}"), (node, name)]
    summed = _summed(only)
    if summed is not None:
        name, value = summed
        made = _at_once(value, statement.target, statement.iter)
        if made is not None:
            yield title, [(statement, f"{name} = {name} + {atom(made)}.sum(0)")]
        elif not used(value) & {name, *used(statement.target)} and isinstance(statement.iter, ast.Call):
            turns = ast.unparse(statement.iter.args[0]) if len(statement.iter.args) == 1 else ""
            if turns:
                yield title, [(statement, f"{name} = {name} + {ast.unparse(value)} * {turns}")]
    if isinstance(only, ast.Assign) and isinstance(only.targets[0], ast.Subscript):
        made = _at_once(only.value, statement.target, statement.iter)
        if made is not None and ast.unparse(only.targets[0].slice) == ast.unparse(statement.target):
            yield title, [(statement, f"{ast.unparse(only.targets[0].value)} = {made}")]


def _summed(only: ast.stmt) -> tuple[str, ast.expr] | None:
    """``total = total + value`` or ``total += value``."""
    if isinstance(only, ast.AugAssign) and isinstance(only.op, ast.Add) and isinstance(only.target, ast.Name):
        return only.target.id, only.value
    if isinstance(only, ast.Assign) and isinstance(only.targets[0], ast.Name) and isinstance(only.value, ast.BinOp):
        name, value = only.targets[0].id, only.value
        if isinstance(value.op, ast.Add) and isinstance(value.left, ast.Name) and value.left.id == name:
            return name, value.right
    return None


def stacked(node: ast.Call | ast.ListComp | ast.GeneratorExp) -> Iterator[Change]:
    """``torch.stack([f(row) for row in x])`` → ``f(x)``, and ``sum(f(row) for row in x)`` → ``f(x).sum(0)``."""
    if (
        not isinstance(node, ast.Call)
        or not node.args
        or not isinstance(node.args[0], (ast.ListComp, ast.GeneratorExp))
    ):
        return
    made, name = node.args[0], ast.unparse(node.func)
    if len(made.generators) != 1 or made.generators[0].ifs or (name != "sum" and name.split(".")[-1] not in STACKING):
        return
    whole = _at_once(made.elt, made.generators[0].target, made.generators[0].iter)
    if whole is not None:
        yield "Compute all rows at once", [(node, f"{atom(whole)}.sum(0)" if name == "sum" else whole)]


# --- torch.vmap ------------------------------------------------------------------------------------------------------


def _mapped(target: ast.expr, over: ast.expr) -> tuple[str, str, str] | None:
    """Parameters, arguments and the dimension for ``torch.vmap`` to go over what a loop goes over."""
    if isinstance(over, ast.Call):
        name, given = ast.unparse(over.func), [ast.unparse(each) for each in over.args]
        if name == "range":
            return (ast.unparse(target), f"torch.arange({', '.join(given)})", "0") if _plain(target) else None
        if name == "enumerate" and isinstance(target, ast.Tuple) and len(given) == 1 and len(target.elts) == 2:
            index, row = target.elts
            if _plain(index) and _plain(row):
                return ast.unparse(target)[1:-1], f"torch.arange({atom(given[0])}.shape[0]), {given[0]}", "0"
            return None
        if name == "zip" and isinstance(target, ast.Tuple) and all(map(_plain, target.elts)):
            return ast.unparse(target)[1:-1], ", ".join(given), "0"
        if isinstance(over.func, ast.Attribute) and over.func.attr == "unbind" and _plain(target):
            dims = [*given, *(ast.unparse(each.value) for each in over.keywords)] or ["0"]
            return ast.unparse(target), ast.unparse(over.func.value), dims[0]
        return None
    return (ast.unparse(target), ast.unparse(over), "0") if _plain(target) else None


def _plain(node: ast.expr) -> bool:
    return isinstance(node, ast.Name)


class _Batched(ast.NodeTransformer):
    """``q.t()`` has no form for a batch, ``q.transpose(-1, -2)`` has."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "t" and not node.args:
            return ast.Call(ast.Attribute(node.func.value, "transpose"), [ast.Constant(-2), ast.Constant(-1)], [])
        return node


def _vmap(value: ast.expr, target: ast.expr, over: ast.expr, out: str = "0") -> str | None:
    """All turns of a loop by ``torch.vmap``, along a dimension of the result."""
    mapped = _mapped(target, over)
    if mapped is None or any(isinstance(node, ast.Starred) for node in ast.walk(over)):
        return None
    parameters, arguments, dim = mapped
    made = ast.unparse(_Batched().visit(copy.deepcopy(value)))
    dims = (f", in_dims={dim}" if dim != "0" else "") + (f", out_dims={out}" if out != "0" else "")
    return f"torch.vmap(lambda {parameters}: {made}{dims})({arguments})"


def _dimension(call: ast.Call) -> str:
    named = [ast.unparse(each.value) for each in call.keywords if each.arg in ("dim", "axis")]
    return named[0] if named else ast.unparse(call.args[1]) if len(call.args) > 1 else "0"


def mapped_comprehension(node: ast.Call) -> Iterator[Change]:
    """``torch.stack([f(row) for row in x])`` → ``torch.vmap(f)(x)``."""
    name = ast.unparse(node.func)
    made = node.args[0] if node.args else None
    if not isinstance(made, (ast.ListComp, ast.GeneratorExp)) or len(made.generators) != 1 or made.generators[0].ifs:
        return
    turn = made.generators[0]
    if name.endswith(".stack"):
        text = _vmap(made.elt, turn.target, turn.iter, _dimension(node))
        if text is not None:
            yield _TITLE, [(node, text)]
    text = _vmap(made.elt, turn.target, turn.iter)
    if name == "sum" and text is not None:
        yield _TITLE, [(node, f"{text}.sum(0)")]
    if name.endswith(".cat") and text is not None and _dimension(node) == "0":
        yield _TITLE, [(node, f"{text}.flatten(0, 1)")]


def assigned_list(statement: ast.stmt, rest: Sequence[ast.stmt]) -> Iterator[Change]:
    """``rows = [f(row) for row in x]`` with ``torch.stack(rows)`` behind it, which may also be of a ``list``."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        return
    made, name = statement.value, statement.targets[0].id
    if isinstance(made, ast.Call) and ast.unparse(made.func) == "map" and len(made.args) == 2:
        function, over = made.args
        if isinstance(function, ast.Lambda) and len(function.args.args) == 1:
            made = ast.ListComp(function.body, [ast.comprehension(ast.Name(function.args.args[0].arg), over, [], 0)])
    if not isinstance(made, ast.ListComp) or len(made.generators) != 1 or made.generators[0].ifs:
        return
    turn = made.generators[0]
    for call, dim in _stackings(name, rest):
        text = _vmap(made.elt, turn.target, turn.iter, dim)
        if text is not None:
            yield _TITLE, [(statement, f"{name} = {text}"), (call, name)]


def _stackings(name: str, rest: Sequence[ast.stmt]) -> Iterator[tuple[ast.Call, str]]:
    """The calls that stack a list behind a statement, with the dimension."""
    for node in [node for each in rest for node in ast.walk(each) if isinstance(node, ast.Call)]:
        stacks = isinstance(node.func, ast.Attribute) and node.func.attr == "stack"
        if stacks and node.args and ast.unparse(node.args[0]) in (name, f"list({name})"):
            yield node, _dimension(node)


def mapped_loop(statement: ast.For, rest: Sequence[ast.stmt]) -> Iterator[Change]:
    """A loop that appends one value in each turn, or takes the sum or the maximum of them → ``torch.vmap``."""
    if statement.orelse or not statement.body:
        return
    *lines, last = statement.body
    value = _appended(last)
    if value is not None:
        name, appended = value
        for call, dim in _stackings(name, rest):
            text = _turned(lines, appended, statement, dim)
            if text is not None:
                yield _TITLE, [(statement, f"{text[0]}{name} = {text[1]}"), (call, name)]
    joined = _summed(last)
    if joined is not None and joined[0] not in used(joined[1]):
        text = _turned(lines, joined[1], statement, "0")
        if text is not None:
            yield _TITLE, [(statement, f"{text[0]}{joined[0]} = {joined[0]} + {text[1]}.sum(0)")]
    if isinstance(last, ast.Assign) and isinstance(last.value, ast.Call) and len(last.value.args) == 2:
        function, (one, two) = ast.unparse(last.value.func), last.value.args
        name = ast.unparse(last.targets[0])
        if function in _MAXIMA and ast.unparse(one) == name and name not in used(two):
            text = _turned(lines, two, statement, "0")
            if text is not None:
                yield _TITLE, [(statement, f"{text[0]}{name} = {function}({name}, {text[1]}.{_MAXIMA[function]}(0))")]


def _appended(last: ast.stmt) -> tuple[str, ast.expr] | None:
    call = last.value if isinstance(last, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or len(call.args) != 1:
        return None
    return (ast.unparse(call.func.value), call.args[0]) if call.func.attr == "append" else None


def _turned(lines: Sequence[ast.stmt], value: ast.expr, statement: ast.For, out: str) -> tuple[str, str] | None:
    """What goes before, and the expression for all turns; a turn of several statements becomes a function."""
    if not lines:
        text = _vmap(value, statement.target, statement.iter, out)
        return ("", text) if text is not None else None
    mapped = _mapped(statement.target, statement.iter)
    if mapped is None or not all(isinstance(each, (ast.Assign, ast.AugAssign)) for each in lines):
        return None
    parameters, arguments, dim = mapped
    body = "\n".join(f"    {line}" for each in lines for line in ast.unparse(each).split("\n"))
    function = f"def turn({parameters}):\n{body}\n    return {ast.unparse(value)}\n"
    dims = (f", in_dims={dim}" if dim != "0" else "") + (f", out_dims={out}" if out != "0" else "")
    return function, f"torch.vmap(turn{dims})({arguments})"
