"""What a function makes of sizes, by the form of its text, and conditions as tensors."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

from onnx_lint_exporter.source_code import Placed

Change = tuple[str, list[tuple[Placed, str]]]
"""A title, and the nodes with what comes instead of them."""

_OF_SIZES = ("int", "float", "round", "abs", "max", "min", "sum", "len")
_MODULES = ("math", "np", "numpy")
_ROUNDS = 4
"""How often names made of names are looked for."""


class Sizes:
    """The names of a function that are numbers made of sizes, and what names that are bound once are bound to."""

    def __init__(self, function: ast.FunctionDef) -> None:
        self.names: set[str] = set()
        self._bound: dict[str, list[ast.expr]] = {}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self._bound.setdefault(node.targets[0].id, []).append(node.value)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self._bound.setdefault(node.id, [])
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                self._bound.setdefault(node.target.id, []).extend([node.value, node.value])
        for _ in range(_ROUNDS):
            self._look(function)

    def _look(self, function: ast.FunctionDef) -> None:
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                target, value = node.targets[0], node.value
                if isinstance(target, ast.Name) and self.is_size(value):
                    self.names.add(target.id)
                if isinstance(target, (ast.Tuple, ast.List)):
                    self._unpack(target.elts, value)
            elif isinstance(node, ast.comprehension) and is_shape(node.iter) and isinstance(node.target, ast.Name):
                self.names.add(node.target.id)

    def _unpack(self, targets: list[ast.expr], value: ast.expr) -> None:
        for k, each in enumerate(targets):
            is_part = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(targets)
            one = value.elts[k] if isinstance(value, (ast.Tuple, ast.List)) and is_part else None
            if isinstance(each, ast.Name) and (is_shape(value) or (one is not None and self.is_size(one))):
                self.names.add(each.id)

    def bound(self, name: str) -> ast.expr | None:
        """What a name that is bound once is bound to."""
        found = self._bound.get(name, [])
        return found[0] if len(found) == 1 else None

    def is_size(self, node: ast.expr) -> bool:
        """Whether an expression is a number made of sizes, for all that its form says."""
        match node:
            case ast.Name(id=name):
                return name in self.names
            case ast.Subscript(value=value, slice=index):
                return is_shape(value) and not isinstance(index, ast.Slice)
            case ast.BinOp(left=left, right=right):
                return self._of_sizes([left, right])
            case ast.UnaryOp(operand=operand):
                return self.is_size(operand)
            case ast.IfExp(body=body, orelse=orelse):
                return self._of_sizes([body, orelse])
            case ast.Call(func=ast.Attribute(attr="size" | "numel"), keywords=[], args=args):
                return len(args) < 2 and (bool(args) or ast.unparse(node).endswith(".numel()"))
            case ast.Call(func=ast.Name(id="len"), args=[_]):
                return True
            case ast.Call(func=ast.Name(id=name), args=args) if name in _OF_SIZES:
                return self._of_sizes(args)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module)), args=args) if module in _MODULES:
                return self._of_sizes(args)
        return False

    def _of_sizes(self, parts: list[ast.expr]) -> bool:
        """One is a size, and the others are sizes, numbers, or settings of the model."""
        plain = (ast.Constant, ast.Attribute)
        found = [self.is_size(part) or (is_shape(part) and not isinstance(part, ast.Call)) for part in parts]
        return any(found) and all(one or isinstance(part, plain) for one, part in zip(found, parts, strict=True))


def is_shape(node: ast.expr) -> bool:
    """``x.shape``, ``x.size()``, and slices of them."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return is_shape(node.value)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr == "size" and not node.args
    return isinstance(node, ast.Attribute) and node.attr == "shape"


def full(node: ast.expr) -> str:
    """A size as a tensor that the graph follows."""
    return f"torch.full((), {ast.unparse(node)})"


def where(test: ast.expr, one: str, two: str, sizes: Sizes) -> str:
    """A choice that the graph makes."""
    return f"torch.where({condition(test, sizes)}, {one}, {two})"


def condition(test: ast.expr, sizes: Sizes, depth: int = 0) -> str:
    """A condition as a tensor: ``and``, ``or``, ``not`` in torch, and sizes as tensors that the graph follows."""
    if isinstance(test, ast.BoolOp):
        name = "logical_and" if isinstance(test.op, ast.And) else "logical_or"
        text = condition(test.values[0], sizes, depth)
        for value in test.values[1:]:
            text = f"torch.{name}({text}, {condition(value, sizes, depth)})"
        return text
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return f"torch.logical_not({condition(test.operand, sizes, depth)})"
    if isinstance(test, ast.Name) and depth < _ROUNDS:
        bound = sizes.bound(test.id)
        if isinstance(bound, (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Call)):
            return condition(bound, sizes, depth + 1)
    if isinstance(test, ast.Compare):
        return _compared(test, sizes)
    if isinstance(test, ast.Call):
        return _called(test, sizes, depth)
    if sizes.is_size(test):
        return f"{full(test)} != 0"
    return ast.unparse(_SizesAsTensors(sizes).visit(copy.deepcopy(test)))


def _compared(test: ast.Compare, sizes: Sizes) -> str:
    left, texts = test.left, []
    for operator, right in zip(test.ops, test.comparators, strict=True):
        texts.append(_pair(left, operator, right, sizes))
        left = right
    text = texts[0]
    for more in texts[1:]:
        text = f"torch.logical_and({text}, {more})"
    return text


def _pair(left: ast.expr, operator: ast.cmpop, right: ast.expr, sizes: Sizes) -> str:
    """One comparison; ``in`` becomes a comparison with each."""
    if isinstance(operator, (ast.In, ast.NotIn)):
        text = _membership(left, right, sizes)
        return f"torch.logical_not({text})" if isinstance(operator, ast.NotIn) else text
    one = full(left) if sizes.is_size(left) else ast.unparse(_SizesAsTensors(sizes).visit(copy.deepcopy(left)))
    if isinstance(right, ast.Constant) or "torch.full(" in one:
        two = ast.unparse(right)
    else:
        two = full(right) if sizes.is_size(right) else ast.unparse(_SizesAsTensors(sizes).visit(copy.deepcopy(right)))
    symbol = ast.unparse(ast.Compare(ast.Name("a"), [operator], [ast.Name("b")]))[1:-1]
    return f"{_atom_of(one)}{symbol}{_atom_of(two)}"


def _atom_of(text: str) -> str:
    tree = ast.parse(text, mode="eval").body
    return f"({text})" if isinstance(tree, (ast.Compare, ast.BoolOp, ast.IfExp, ast.Lambda)) else text


def _membership(left: ast.expr, right: ast.expr, sizes: Sizes) -> str:
    if isinstance(left, ast.Constant):
        return f"({ast.unparse(right)} == {ast.unparse(left)}).any()"
    one = full(left) if sizes.is_size(left) else ast.unparse(left)
    if isinstance(right, (ast.Tuple, ast.List, ast.Set)):
        text = f"{one} == {ast.unparse(right.elts[0])}"
        for each in right.elts[1:]:
            text = f"torch.logical_or({text}, {one} == {ast.unparse(each)})"
        return text
    return f"torch.stack([{one} == each for each in {ast.unparse(right)}]).any()"


def _called(test: ast.Call, sizes: Sizes, depth: int) -> str:
    """``bool(x)``, ``torch.equal``, ``torch.allclose``, ``all(…)``, ``any(…)``: the tensor that they ask about."""
    name, given = ast.unparse(test.func), [ast.unparse(each) for each in test.args]
    if name in ("bool", "int", "float") and len(given) == 1:
        return condition(test.args[0], sizes, depth)
    if name == "torch.equal" and len(given) == 2:
        return f"({given[0]} == {given[1]}).all()"
    if name == "torch.allclose":
        options = [f"{each.arg}={ast.unparse(each.value)}" for each in test.keywords]
        return f"torch.isclose({', '.join([*given, *options])}).all()"
    if name in ("all", "any") and len(test.args) == 1 and isinstance(test.args[0], (ast.GeneratorExp, ast.ListComp)):
        made = test.args[0]
        turns = "".join(f" {ast.unparse(each).strip()}" for each in made.generators)
        return f"torch.stack([{condition(made.elt, sizes, depth)}{turns}]).{name}()"
    if name.endswith(".item") and isinstance(test.func, ast.Attribute) and not given:
        return ast.unparse(test.func.value)
    return full(test) + " != 0" if sizes.is_size(test) else ast.unparse(test)


class _SizesAsTensors(ast.NodeTransformer):
    """``x.shape[0]`` → ``torch.full((), x.shape[0])``: of a tensor, ``>`` gives a tensor in either engine."""

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr) and not isinstance(node, ast.Constant) and self._sizes.is_size(node):
            return ast.parse(full(node), mode="eval").body
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "item":
            return node.func.value if not node.args else node
        visited: ast.AST = super().visit(node)
        return visited


def used(node: ast.AST) -> set[str]:
    """The names that it reads or writes."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def blocks(function: ast.FunctionDef) -> Iterator[list[ast.stmt]]:
    """The lists of statements in a function."""
    for node in ast.walk(function):
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block


def atom(text: str) -> str:
    """The text in brackets, where an operator beside it would take it apart."""
    alone = (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Constant)
    return text if isinstance(ast.parse(text, mode="eval").body, alone) else f"({text})"
