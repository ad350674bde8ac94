"""NumPy on tensors and sizes: torch's own functions instead."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

from onnx_lint_exporter.source_code import Placed

from .sizes import Change, blocks

_NUMPY = {"concatenate": "cat", "maximum": "maximum", "minimum": "minimum", "power": "pow", "absolute": "abs"}
_SAME = (
    *("sin", "cos", "exp", "log", "sqrt", "abs", "tanh", "clip", "where", "stack", "sum", "mean", "cumsum", "sign"),
    *("argsort", "argmax", "argmin", "floor", "ceil", "round", "tril", "triu", "arange", "outer"),
)
_MADE = {
    "eye": "torch.eye({given}, dtype={dtype})",
    "zeros": "torch.zeros({given}, dtype={dtype})",
    "ones": "torch.ones({given}, dtype={dtype})",
    "hanning": "torch.hann_window({given}, periodic=False, dtype={dtype})",
    "hamming": "torch.hamming_window({given}, periodic=False, dtype={dtype})",
    "blackman": "torch.blackman_window({given}, periodic=False, dtype={dtype})",
}
"""What makes float64 where it is not told otherwise."""
_MODULES = ("np", "numpy")
_KEYWORDS = {"axis": "dim", "keepdims": "keepdim"}
_TYPES = ("float16", "float32", "float64", "int32", "int64", "uint8")
_LEAVING = ("numpy", "cpu", "tolist")


def in_torch(node: ast.expr) -> str | None:
    """A NumPy expression with torch's own functions; ``None`` where nothing of NumPy is in it."""
    step = _InTorch()
    made = step.visit(copy.deepcopy(node))
    return ast.unparse(made) if step.changed else None


def all_in_torch(function: ast.FunctionDef) -> Iterator[Change]:
    """Every NumPy expression of a function at once: an array that one statement makes is used in the next."""
    changes: list[tuple[Placed, str]] = []
    for block in blocks(function):
        for statement in block:
            value = getattr(statement, "value", None)
            made = in_torch(value) if isinstance(value, ast.expr) else None
            if made is not None and isinstance(value, ast.expr):
                changes.append((value, made))
    if len(changes) > 1:
        yield "Stay in torch", changes


class _InTorch(ast.NodeTransformer):
    def __init__(self) -> None:
        self.changed = False

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        if ast.unparse(node.value) in _MODULES and node.attr in _TYPES:
            self.changed = True
            return ast.Attribute(ast.Name("torch"), node.attr)
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.keyword:
        self.generic_visit(node)
        value = node.value
        if node.arg == "dtype" and isinstance(value, ast.Constant) and value.value in _TYPES:
            self.changed = True
            node.value = ast.Attribute(ast.Name("torch"), str(value.value))
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        function = node.func
        if not isinstance(function, ast.Attribute):
            return node
        if function.attr in _LEAVING and not node.args:
            self.changed = True
            return function.value
        if function.attr == "astype" and len(node.args) == 1:
            self.changed = True
            function.attr = "to"
            return node
        of = ast.unparse(function.value)
        if of == "torch" and function.attr in ("from_numpy", "as_tensor", "tensor") and len(node.args) == 1:
            return self._kept(node)
        if of in _MODULES and function.attr == "linspace" and len(node.args) == 3:
            self.changed = True
            return _steps(*map(ast.unparse, node.args))
        if of in _MODULES and function.attr in _MADE:
            self.changed = True
            dtype = next((ast.unparse(k.value) for k in node.keywords if k.arg == "dtype"), "torch.float64")
            given = ", ".join(map(ast.unparse, node.args))
            return ast.parse(_MADE[function.attr].format(given=given, dtype=dtype), mode="eval").body
        if of in _MODULES and function.attr == "prod" and len(node.args) == 1:
            self.changed = True
            function.value = ast.Name("math")
        elif of in _MODULES and (function.attr in _NUMPY or function.attr in _SAME):
            self.changed = True
            function.value, function.attr = ast.Name("torch"), _NUMPY.get(function.attr, function.attr)
            for keyword in node.keywords:
                keyword.arg = _KEYWORDS.get(keyword.arg or "", keyword.arg)
        return node

    def _kept(self, node: ast.Call) -> ast.expr:
        """``torch.from_numpy(x)`` → ``x``, in the dtype that is asked for."""
        value = node.args[0]
        if isinstance(value, (ast.Constant, ast.List, ast.Tuple, ast.ListComp)):
            return node
        self.changed = True
        dtypes = [each.value for each in node.keywords if each.arg == "dtype"]
        return ast.Call(ast.Attribute(value, "to"), dtypes, []) if dtypes else value


def _steps(first: str, last: str, count: str) -> ast.expr:
    """What ``linspace`` gives, made of what both engines translate for a live number of steps."""
    steps = f"torch.arange({count}, dtype=torch.float64) / torch.full((), {count} - 1).clamp(min=1)"
    return ast.parse(f"{first} + {steps} * ({last} - ({first}))", mode="eval").body
