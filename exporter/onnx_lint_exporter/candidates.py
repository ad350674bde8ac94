"""Changes that may make an export right, for ``--repair`` to try: none of them is right in general.

Each is a rewriting of one statement, known by its form alone. Whether the model still gives what it gave, and whether
the export is right then, is what the repair finds out by running both.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace

from onnx_lint.diagnostic import Applicability, Diagnostic, Edit, Fix, Severity
from onnx_lint_exporter.source_code import Placed, SourceFile

_STACKING = ("stack", "cat")


def candidates(file: SourceFile, diagnostics: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """The diagnostics of a file with changes in place of their fixes, each change once."""
    if file.tree is None:
        return
    seen: set[tuple[Edit, ...]] = set()
    for d in diagnostics:
        if d.span.path != file.path or d.severity < Severity.WARNING:
            continue
        for title, changes in _changes(file.tree, d.span.line):
            edits = tuple(_edit(file, node, text) for node, text in changes)
            if any("torch." in edit.text for edit in edits):
                edits += _import_of_torch(file, file.tree)
            if edits not in seen:
                seen.add(edits)
                yield replace(d, fix=Fix(title, Applicability.UNSAFE, edits))


def _edit(file: SourceFile, node: Placed, text: str) -> Edit:
    span = file.span(node)
    margin = " " * (span.column - 1)
    return Edit(span, text.replace("\n", f"\n{margin}"), _segment(file, node))


def _import_of_torch(file: SourceFile, tree: ast.Module) -> tuple[Edit, ...]:
    """The import that what is written needs, before the first one; none where the module has it."""
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    if any(
        name.asname in (None, "torch") and name.name.split(".")[0] == "torch" and isinstance(node, ast.Import)
        for node in imports
        for name in node.names
    ):
        return ()
    first = next((node for node in imports if getattr(node, "module", "") != "__future__"), None)
    if first is None:
        return ()
    start = file.span(first)
    return (Edit(replace(start, end_line=start.line, end_column=start.column), "import torch\n"),)


def _segment(file: SourceFile, node: Placed) -> str:
    return ast.get_source_segment(file.source.normal, node) or ""


Change = tuple[str, list[tuple[Placed, str]]]
"""A title, and the nodes with what comes instead of them."""


def _changes(tree: ast.Module, line: int) -> Iterator[Change]:
    """What may be changed in the statements that a line belongs to, and in their expressions on the line."""
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        if not function.lineno <= line <= (function.end_lineno or line):
            continue
        for block in _blocks(function):
            for place, statement in enumerate(block):
                if not statement.lineno <= line <= (statement.end_lineno or line):
                    continue
                value = getattr(statement, "value", None)
                stayed = _in_torch(value) if isinstance(value, ast.expr) else None
                if stayed is not None and isinstance(value, ast.expr):
                    yield "Stay in torch", [(value, stayed)]
                if isinstance(statement, ast.If) and statement.lineno == line:
                    yield from _branch(statement, block[place + 1 :])
                if isinstance(statement, ast.For) and statement.lineno <= line:
                    yield from _loop(statement, block[place + 1 :])
        yield from _all_in_torch(function)
        for node in ast.walk(function):
            if isinstance(node, ast.expr) and node.lineno <= line <= (node.end_lineno or line):
                yield from _expression(node)


def _blocks(function: ast.FunctionDef) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(function):
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block


# --- branches --------------------------------------------------------------------------------------------------------


def _condition(test: ast.expr) -> str:
    """A condition as a tensor: ``and``, ``or``, ``not`` in torch, and sizes as tensors that the graph follows."""
    if isinstance(test, ast.BoolOp):
        name = "logical_and" if isinstance(test.op, ast.And) else "logical_or"
        text = _condition(test.values[0])
        for value in test.values[1:]:
            text = f"torch.{name}({text}, {_condition(value)})"
        return text
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return f"torch.logical_not({_condition(test.operand)})"
    return ast.unparse(_SizesAsTensors().visit(copy.deepcopy(test)))


class _SizesAsTensors(ast.NodeTransformer):
    """``x.shape[0]`` → ``torch.full((), x.shape[0])``: of a tensor, ``>`` gives a tensor in either engine."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        is_size = isinstance(node.value, ast.Attribute) and node.value.attr == "shape"
        return _full(node) if is_size else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        is_size = (
            isinstance(node.func, ast.Attribute) and node.func.attr in ("size", "numel", "dim") and not node.keywords
        )
        return _full(node) if is_size else node


def _full(node: ast.expr) -> ast.expr:
    return ast.parse(f"torch.full((), {ast.unparse(node)})", mode="eval").body


def _where(test: ast.expr, one: str, two: str) -> str:
    return f"torch.where({_condition(test)}, {one}, {two})"


def _branch(statement: ast.If, rest: Sequence[ast.stmt]) -> Iterator[Change]:
    """``if`` with a value on each way → ``torch.where``; what follows is the other way where a way returns."""
    title = "Choose with `torch.where`"
    returned = _returned(statement, rest)
    if returned is not None:
        value, last = returned
        changes: list[tuple[Placed, str]] = [(statement, f"return {value}")]
        yield title, [*changes, *((node, "pass") for node in last)]
        return
    ways = [_assigned(statement.body), _assigned(statement.orelse)]
    if ways[0] is None or (statement.orelse and ways[1] is None):
        return
    names = list(dict.fromkeys([*ways[0], *(ways[1] or {})]))
    lines = []
    for name in names:
        one, two = ways[0].get(name, name), (ways[1] or {}).get(name, name)
        lines.append(f"{name} = {_where(statement.test, one, two)}")
    if len(names) == 1:
        yield title, [(statement, lines[0])]
    if not statement.orelse:
        yield "Do it always", [(statement, ast.unparse(statement.body[0]))]


def _returned(statement: ast.If, rest: Sequence[ast.stmt]) -> tuple[str, list[ast.stmt]] | None:
    """The value that both ways return, and the statements behind the branch that it takes in."""
    if len(statement.body) != 1 or not isinstance(statement.body[0], ast.Return) or statement.body[0].value is None:
        return None
    one = ast.unparse(statement.body[0].value)
    following = list(statement.orelse) or list(rest)
    taken = [] if statement.orelse else following[:1]
    if not following:
        return None
    last = following[0]
    if isinstance(last, ast.Return) and last.value is not None:
        return _where(statement.test, one, ast.unparse(last.value)), taken
    inner = _returned(last, following[1:]) if isinstance(last, ast.If) else None
    if inner is None:
        return None
    return _where(statement.test, one, inner[0]), [*taken, *inner[1]]


def _assigned(body: Sequence[ast.stmt]) -> dict[str, str] | None:
    """Name → value, where a block does nothing but assign a name once."""
    if len(body) != 1:
        return None
    (only,) = body
    if isinstance(only, ast.Assign) and len(only.targets) == 1 and isinstance(only.targets[0], ast.Name):
        return {only.targets[0].id: ast.unparse(only.value)}
    if isinstance(only, ast.AugAssign) and isinstance(only.target, ast.Name):
        return {only.target.id: ast.unparse(ast.BinOp(ast.Name(only.target.id), only.op, only.value))}
    return None


# --- loops -----------------------------------------------------------------------------------------------------------


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


def _loop(statement: ast.For, rest: Sequence[ast.stmt]) -> Iterator[Change]:
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
                stacks = isinstance(node.func, ast.Attribute) and node.func.attr in _STACKING
                if stacks and node.args and ast.unparse(node.args[0]) == name:
                    yield title, [(statement, f"{name} = {made}"), (node, name)]
    summed = _summed(only)
    if summed is not None:
        name, value = summed
        made = _at_once(value, statement.target, statement.iter)
        if made is not None:
            yield title, [(statement, f"{name} = {name} + {_atom(made)}.sum(0)")]
        elif not _used(value) & {name, *_used(statement.target)} and isinstance(statement.iter, ast.Call):
            turns = ast.unparse(statement.iter.args[0]) if len(statement.iter.args) == 1 else ""
            if turns:
                yield title, [(statement, f"{name} = {name} + {ast.unparse(value)} * {turns}")]
    if isinstance(only, ast.Assign) and isinstance(only.targets[0], ast.Subscript):
        made = _at_once(only.value, statement.target, statement.iter)
        if made is not None and ast.unparse(only.targets[0].slice) == ast.unparse(statement.target):
            yield title, [(statement, f"{ast.unparse(only.targets[0].value)} = {made}")]


def _atom(text: str) -> str:
    return text if text.isidentifier() else f"({text})"


def _used(value: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}


def _summed(only: ast.stmt) -> tuple[str, ast.expr] | None:
    """``total = total + value`` or ``total += value``."""
    if isinstance(only, ast.AugAssign) and isinstance(only.op, ast.Add) and isinstance(only.target, ast.Name):
        return only.target.id, only.value
    if isinstance(only, ast.Assign) and isinstance(only.targets[0], ast.Name) and isinstance(only.value, ast.BinOp):
        name, value = only.targets[0].id, only.value
        if isinstance(value.op, ast.Add) and isinstance(value.left, ast.Name) and value.left.id == name:
            return name, value.right
    return None


# --- expressions -----------------------------------------------------------------------------------------------------

_NUMPY = {"concatenate": "cat", "maximum": "maximum", "minimum": "minimum", "power": "pow", "absolute": "abs"}
_SAME = (
    *("sin", "cos", "exp", "log", "sqrt", "abs", "tanh", "clip", "where", "stack", "sum", "mean", "cumsum", "sign"),
    *("argsort", "argmax", "argmin", "floor", "ceil", "round", "tril", "triu", "arange", "zeros", "ones", "outer"),
)
_KEYWORDS = {"axis": "dim", "keepdims": "keepdim"}
_LEAVING = ("numpy", "cpu", "tolist")


def _expression(node: ast.expr) -> Iterator[Change]:
    if isinstance(node, ast.IfExp):
        text = _where(node.test, ast.unparse(node.body), ast.unparse(node.orelse))
        yield "Choose with `torch.where`", [(node, text)]
    if isinstance(node, ast.BoolOp) and len(node.values) == 2:
        one, two = map(ast.unparse, node.values)
        ways = (two, one) if isinstance(node.op, ast.And) else (one, two)
        yield "Choose with `torch.where`", [(node, _where(node.values[0], *ways))]
    if isinstance(node, (ast.Call, ast.ListComp, ast.GeneratorExp)):
        yield from _stacked(node)
    if not isinstance(node, ast.Call):
        return
    name = ast.unparse(node.func)
    given = [ast.unparse(argument) for argument in node.args]
    if name in ("int", "float", "bool", "round", "math.floor") and len(given) == 1:
        halved = _divided(node.args[0])
        if halved is not None and name != "float":
            yield "Divide sizes as integers", [(node, halved)]
        yield f"Leave `{name}()` out", [(node, given[0] if name != "round" else f"torch.round({given[0]})")]
    if name == "len" and len(given) == 1:
        yield "Take the size from `shape`", [(node, f"{given[0]}.shape[0]")]
    if name in ("torch.tensor", "torch.as_tensor") and given:
        values = node.args[0]
        if isinstance(values, (ast.List, ast.Tuple)):
            parts = ", ".join(f"torch.full((), {ast.unparse(each)})" for each in values.elts)
            yield "Stack live values", [(node, f"torch.stack([{parts}])")]
        elif given[0].endswith((".shape", ".size()")):
            yield "Stack live values", [(node, f"torch.stack([torch.full((), n) for n in {given[0]}])")]
        else:
            yield "Make it of a live value", [(node, f"torch.full((), {given[0]})")]
    if name in ("min", "max") and len(given) == 2:
        one, two = (f"torch.as_tensor({text})" for text in given)
        yield f"Take `torch.{name}imum`", [(node, f"torch.{name}imum({one}, {two})")]
    if name in ("np.sqrt", "numpy.sqrt") and len(given) == 1:
        yield "Take a power of the number", [(node, f"({given[0]}) ** 0.5")]
    if name == "np.prod" and len(given) == 1 and given[0].endswith(".shape"):
        yield "Take `numel()`", [(node, f"{given[0].removesuffix('.shape')}.numel()")]


def _divided(value: ast.expr) -> str | None:
    """``n / 2`` and ``n * 0.5`` as ``n // 2``."""
    if not isinstance(value, ast.BinOp):
        return None
    if isinstance(value.op, ast.Div):
        return f"{ast.unparse(value.left)} // {ast.unparse(value.right)}"
    factor = value.right.value if isinstance(value.right, ast.Constant) else None
    if isinstance(value.op, ast.Mult) and isinstance(factor, float) and 0 < factor < 1 and (1 / factor).is_integer():
        return f"{ast.unparse(value.left)} // {int(1 / factor)}"
    return None


def _stacked(node: ast.Call | ast.ListComp | ast.GeneratorExp) -> Iterator[Change]:
    """``torch.stack([f(row) for row in x])`` → ``f(x)``, and ``sum(f(row) for row in x)`` → ``f(x).sum(0)``."""
    if (
        not isinstance(node, ast.Call)
        or not node.args
        or not isinstance(node.args[0], (ast.ListComp, ast.GeneratorExp))
    ):
        return
    made, name = node.args[0], ast.unparse(node.func)
    if len(made.generators) != 1 or made.generators[0].ifs or (name != "sum" and name.split(".")[-1] not in _STACKING):
        return
    whole = _at_once(made.elt, made.generators[0].target, made.generators[0].iter)
    if whole is not None:
        yield "Compute all rows at once", [(node, f"{_atom(whole)}.sum(0)" if name == "sum" else whole)]


def _in_torch(node: ast.expr) -> str | None:
    """A NumPy expression with torch's own functions; ``None`` where nothing of NumPy is in it."""
    step = _InTorch()
    made = step.visit(copy.deepcopy(node))
    return ast.unparse(made) if step.changed else None


def _all_in_torch(function: ast.FunctionDef) -> Iterator[Change]:
    """Every NumPy expression of a function at once: an array that one statement makes is used in the next."""
    changes: list[tuple[Placed, str]] = []
    for block in _blocks(function):
        for statement in block:
            value = getattr(statement, "value", None)
            made = _in_torch(value) if isinstance(value, ast.expr) else None
            if made is not None and isinstance(value, ast.expr):
                changes.append((value, made))
    if len(changes) > 1:
        yield "Stay in torch", changes


class _InTorch(ast.NodeTransformer):
    def __init__(self) -> None:
        self.changed = False

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        function = node.func
        if not isinstance(function, ast.Attribute):
            return node
        if function.attr in _LEAVING and not node.args:
            self.changed = True
            return function.value
        of = ast.unparse(function.value)
        if of == "torch" and function.attr in ("from_numpy", "as_tensor", "tensor") and len(node.args) == 1:
            self.changed = True
            return node.args[0]
        if of in ("np", "numpy") and (function.attr in _NUMPY or function.attr in _SAME):
            self.changed = True
            function.value, function.attr = ast.Name("torch"), _NUMPY.get(function.attr, function.attr)
            for keyword in node.keywords:
                keyword.arg = _KEYWORDS.get(keyword.arg or "", keyword.arg)
        return node
