"""Which rule of the linter explains what an export saw at a place: by the code that stands there."""

from __future__ import annotations

import ast
from typing import Any

from onnx_lint.diagnostic import Span
from onnx_lint_exporter.source_code import Loop, SourceFile

Explained = tuple[str, Span | None]
"""A rule's code, and a better place than the frame's when the statement has one."""

_CASTS = ("int", "float", "bool", "complex", "round")
_BUILTINS = ("min", "max", "sum", "abs", "sorted", "any", "all", "divmod", "pow")
_COMPREHENSIONS = (ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.SetComp)
_CALLS = {"item": "ONX202", "tolist": "ONX203", "numpy": "ONX204", "from_numpy": "ONX204", "data": "ONX205"}
_MAKERS = ("tensor", "as_tensor", "Tensor", "scalar_tensor", "FloatTensor", "LongTensor")


def _name(call: ast.AST) -> str:
    if not isinstance(call, ast.Call):
        return ""
    return (
        call.func.id
        if isinstance(call.func, ast.Name)
        else call.func.attr
        if isinstance(call.func, ast.Attribute)
        else ""
    )


def _is_numpy(call: ast.AST) -> bool:
    root = call.func if isinstance(call, ast.Call) else call
    while isinstance(root, ast.Attribute):
        root = root.value
    return isinstance(root, ast.Name) and root.id in ("np", "numpy")


def of_expression(node: ast.AST) -> str | None:
    """The rule that the expression itself breaks."""
    name = _name(node)
    if isinstance(node, ast.Attribute) and node.attr == "data":
        return "ONX205"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if _is_numpy(node):
            return "ONX204"
        if isinstance(node.func.value, ast.Name) and node.func.value.id in ("math", "cmath"):
            return "ONX201"
        if name in _MAKERS:
            return "ONX209"
        return _CALLS.get(name)
    if isinstance(node, ast.Call):
        if name in _CASTS:
            return "ONX201"
        if name in _BUILTINS:
            return "ONX206"
        return {"len": "ONX207", "range": "ONX105", "print": "ONX208", "str": "ONX208", "format": "ONX208"}.get(name)
    if isinstance(node, (ast.JoinedStr, ast.FormattedValue)):
        return "ONX208"
    return None


def branch(file: SourceFile, node: ast.AST) -> Explained | None:
    """The rule about control flow that a test breaks."""
    for place in (node, *file.ancestors(node)):
        if isinstance(place, ast.Assert):
            return "ONX103", file.span(place.test)
        if isinstance(place, (ast.If, ast.While, ast.IfExp)):
            inside = node is place or place.test is node or any(part is node for part in ast.walk(place.test))
            if inside:
                return ("ONX102" if file.is_shape(place.test) else "ONX101"), file.span(place.test)
        if isinstance(place, (ast.BoolOp, ast.Compare)) or (
            isinstance(place, ast.UnaryOp) and isinstance(place.op, ast.Not)
        ):
            outer = next(file.ancestors(place), None)
            if not isinstance(
                outer, (ast.If, ast.While, ast.IfExp, ast.Assert, ast.BoolOp, ast.UnaryOp)
            ) and isinstance(place, ast.BoolOp):
                return ("ONX102" if file.is_shape(place) else "ONX101"), file.span(place)
        if (
            isinstance(place, ast.Call)
            and place is not node
            and isinstance(place.func, ast.Name)
            and place.func.id in (*_CASTS, *_BUILTINS)
        ):
            return ("ONX206" if place.func.id in _BUILTINS else "ONX201"), file.span(place)
        if isinstance(place, ast.stmt):
            return None
    return None


def loop(file: SourceFile, node: ast.AST) -> Explained | None:
    """The rule about loops and unpacking that an iteration breaks."""
    for place in (node, *file.ancestors(node)):
        iterated = place.iter if isinstance(place, Loop) else None
        if iterated is None and isinstance(place, _COMPREHENSIONS):
            iterated = place.generators[0].iter
        if iterated is not None:
            ranged = _name(iterated) in ("range", "arange") or any(
                _name(part) == "range" for part in ast.walk(iterated)
            )
            return ("ONX105" if ranged else "ONX104"), file.span(iterated)
        if isinstance(place, ast.Assign) and any(isinstance(target, (ast.Tuple, ast.List)) for target in place.targets):
            return "ONX211", file.span(place.value)
        if isinstance(place, ast.Starred):
            return "ONX211", file.span(place)
        if isinstance(place, ast.stmt):
            return None
    return None


_BY_WARNING = {"list": "ONX203", "numpy": "ONX204", "length": "ONX207", "in-place": "ONX301"}


def explain(file: SourceFile, frame: dict[str, Any], kind: str, what: str, lines: list[int]) -> Explained | None:
    """The rule that explains an observation of this kind at this frame, if one does."""
    nodes = file.at(frame)
    node = nodes[0] if nodes else None
    if kind == "structure":
        control = file.control_around(lines or [frame["line"]])
        if control is None:
            return None
        if isinstance(control, (ast.If, ast.While, ast.IfExp)):
            return ("ONX102" if file.is_shape(control.test) else "ONX101"), file.span(control.test)
        return loop(file, control)
    if node is None:
        return None
    if kind == "tracer-warning" and what in _BY_WARNING:
        return _BY_WARNING[what], None
    if kind == "tracer-warning" and what == "iteration":
        return loop(file, node) or ("ONX104", None)
    if kind == "tracer-warning" and what == "index":
        return loop_range(file, node) or ("ONX210", None)
    own = _on_place(file, node, frame)
    if kind == "tracer-warning" and what in ("integer", "float", "number", "constant"):
        return own or {"constant": ("ONX209", None), "number": ("ONX202", None)}.get(what, ("ONX201", None))
    if kind in ("tracer-warning", "data-dependent", "static-size", "static-axis", "narrowed-axis"):
        if own is not None and own[0] in ("ONX201", "ONX202", "ONX203", "ONX204", "ONX206", "ONX207"):
            return own
        return branch(file, node) or loop_range(file, node) or loop(file, node) or own
    return own


def loop_range(file: SourceFile, node: ast.AST) -> Explained | None:
    """A ``range`` at or around the place."""
    for place in (node, *file.ancestors(node)):
        if _name(place) == "range":
            return "ONX105", file.span(place)
        if isinstance(place, ast.stmt):
            return None
    return None


def _on_place(file: SourceFile, node: ast.AST, frame: dict[str, Any]) -> Explained | None:
    """What the expression at the place breaks; without columns, what any expression on the line breaks."""
    if frame.get("column") is not None:
        candidates = [node, *(part for part in ast.walk(node) if part is not node)]
    else:
        candidates = list(file.on_line(frame["line"]))
    for part in candidates:
        code = of_expression(part)
        if code is not None:
            return code, file.span(part)
    if frame.get("column") is not None:
        for place in file.ancestors(node):
            code = of_expression(place)
            if code is not None and isinstance(place, ast.Call) and isinstance(place.func, ast.Name):
                return code, file.span(place)
            if isinstance(place, ast.stmt):
                return None
    return None
