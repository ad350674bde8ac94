"""Branches: both ways are computed, and the graph chooses; or one way is right for all inputs."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .sizes import Change, Sizes, condition, where

_TITLE = "Choose with `torch.where`"
_EXPORTING = ("is_tracing", "is_scripting", "is_exporting", "is_compiling", "is_in_onnx_export")


def branch(statement: ast.If, rest: Sequence[ast.stmt], sizes: Sizes) -> Iterator[Change]:
    """``if`` with a value on each way → ``torch.where``; what follows is the other way where a way returns."""
    if any(word in ast.unparse(statement.test) for word in _EXPORTING):
        yield "Do the same while exporting", [(statement, _text(statement.orelse))]
    returned = _returned(statement, rest, sizes)
    if returned is not None:
        lines, taken = returned
        yield _TITLE, [(statement, "\n".join(lines)), *((node, "pass") for node in taken)]
        return
    merged = _merged(statement, sizes)
    if merged:
        yield _TITLE, [(statement, "\n".join(merged))]
    if not _leaves(statement.body) and not _leaves(statement.orelse):
        yield "Do it always", [(statement, _text(statement.body))]
        if statement.orelse:
            yield "Do it always", [(statement, _text(statement.orelse))]


def _text(body: Sequence[ast.stmt]) -> str:
    return "\n".join(ast.unparse(each) for each in body) or "pass"


def _leaves(body: Sequence[ast.stmt]) -> bool:
    ends = (ast.Return, ast.Raise, ast.Break, ast.Continue)
    return any(isinstance(node, ends) for each in body for node in ast.walk(each))


@dataclass
class _Way:
    """The statements of one way under names of its own, and what the names of the function are called there."""

    lines: list[str]
    names: dict[str, str]


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self._names.get(node.id, node.id))


def _way(body: Sequence[ast.stmt], suffix: str) -> _Way | None:
    """A block that only binds names; ``None`` where it does anything else."""
    way = _Way([], {})
    for each in body:
        if isinstance(each, ast.Pass):
            continue
        if isinstance(each, ast.AugAssign) and isinstance(each.target, ast.Name):
            value: ast.expr = ast.BinOp(ast.Name(each.target.id), each.op, each.value)
            targets = [each.target.id]
        elif isinstance(each, ast.Assign) and len(each.targets) == 1:
            value, target = each.value, each.targets[0]
            parts = target.elts if isinstance(target, ast.Tuple) else [target]
            targets = [part.id for part in parts if isinstance(part, ast.Name)]
            if len(targets) != len(parts):
                return None
        else:
            return None
        text = ast.unparse(_Renamed(way.names).visit(copy.deepcopy(value)))
        way.names.update({name: name + suffix for name in targets})
        way.lines.append(f"{', '.join(way.names[name] for name in targets)} = {text}")
    return way


def _merged(statement: ast.If, sizes: Sizes) -> list[str]:
    """Both ways, then a choice for each name that one of them binds."""
    one, two = _way(statement.body, "_if"), _way(statement.orelse, "_else")
    if one is None or two is None or not (one.names or two.names):
        return []
    names = list(dict.fromkeys([*one.names, *two.names]))
    if len(names) == 1 and len(one.lines) <= 1 and len(two.lines) <= 1:
        first, second = (way.lines[0].partition(" = ")[2] if way.lines else names[0] for way in (one, two))
        return [f"{names[0]} = {where(statement.test, first, second, sizes)}"]
    lines = [f"is_chosen = {condition(statement.test, sizes)}", *one.lines, *two.lines]
    for name in names:
        lines.append(f"{name} = torch.where(is_chosen, {one.names.get(name, name)}, {two.names.get(name, name)})")
    return lines


def _returned(statement: ast.If, rest: Sequence[ast.stmt], sizes: Sizes) -> tuple[list[str], list[ast.stmt]] | None:
    """The lines for a branch of which both ways return, and the statements behind it that they take in."""
    following = list(statement.orelse) or list(rest)
    taken = [] if statement.orelse else following
    if not following or not statement.body or not isinstance(statement.body[-1], ast.Return):
        return None
    if isinstance(following[0], ast.If) and len(statement.body) == 1:
        inner = _returned(following[0], following[1:], sizes)
        value = statement.body[-1].value
        if inner is None or len(inner[0]) != 1 or value is None:
            return None
        text = where(statement.test, ast.unparse(value), inner[0][0].removeprefix("return "), sizes)
        return [f"return {text}"], ([following[0], *inner[1]] if taken else [])
    if not isinstance(following[-1], ast.Return):
        return None
    one, two = _way(statement.body[:-1], "_if"), _way(following[:-1], "_else")
    if one is None or two is None:
        return None
    values = []
    for way, last in ((one, statement.body[-1]), (two, following[-1])):
        if last.value is None:
            return None
        values.append(_Renamed(way.names).visit(copy.deepcopy(last.value)))
    if not one.lines and not two.lines:
        return [f"return {_chosen(statement.test, values, sizes)}"], taken
    return [*one.lines, *two.lines, f"return {_chosen(statement.test, values, sizes)}"], taken


def _chosen(test: ast.expr, values: list[ast.expr], sizes: Sizes) -> str:
    """A choice between two values, of each of their parts where they are tuples."""
    one, two = values
    if isinstance(one, ast.Tuple) and isinstance(two, ast.Tuple) and len(one.elts) == len(two.elts):
        pairs = zip(one.elts, two.elts, strict=True)
        return ", ".join(where(test, ast.unparse(a), ast.unparse(b), sizes) for a, b in pairs)
    return where(test, ast.unparse(one), ast.unparse(two), sizes)


def choice(node: ast.expr, sizes: Sizes) -> Iterator[Change]:
    """``a if test else b``, ``a and b``, ``a or b``."""
    if isinstance(node, ast.IfExp):
        padded = _padding(node)
        if padded:
            yield "Round up with integers", [(node, padded)]
        text = where(node.test, ast.unparse(node.body), ast.unparse(node.orelse), sizes)
        yield _TITLE, [(node, text)]
        for way in (node.body, node.orelse):
            yield "Do it always", [(node, ast.unparse(way))]
    if isinstance(node, ast.BoolOp) and len(node.values) == 2:
        one, two = map(ast.unparse, node.values)
        ways = (two, one) if isinstance(node.op, ast.And) else (one, two)
        yield _TITLE, [(node, where(node.values[0], *ways, sizes))]
        yield "Do it always", [(node, two)]


def _padding(node: ast.IfExp) -> str:
    """``0 if n % k == 0 else k - n % k`` and its mirror image as ``-n % k``."""
    ways = (node.body, node.orelse)
    rests = [way for way in ways if not isinstance(way, ast.Constant)]
    if len(rests) != 1 or not any(isinstance(way, ast.Constant) and way.value == 0 for way in ways):
        return ""
    (rest,) = rests
    if not (isinstance(rest, ast.BinOp) and isinstance(rest.op, ast.Sub) and isinstance(rest.right, ast.BinOp)):
        return ""
    inner = rest.right
    if not isinstance(inner.op, ast.Mod) or ast.unparse(inner.right) != ast.unparse(rest.left):
        return ""
    return f"({ast.unparse(rest)}) % {ast.unparse(inner.right)}"
