"""Where Python reads values of the model: the expressions of its functions, rewritten so that each tells its value.

Branches, conversions, sizes and indices are Python's own business, which no hook of torch sees. So the functions that
ran are compiled anew, with every expression of interest inside a call of `NOTE`, and stand in for the originals while
the model runs by itself. An export never meets them.
"""

from __future__ import annotations

import ast
import gc
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import TypeVar, cast

NOTE = "__onnx_lint_note__"
"""The name, among Python's builtins, that the rewritten functions call with the number of a place and its value."""
_MAX_SOURCE = 400_000
"""Bytes of a file beyond which it is not rewritten."""
_TOLD = (ast.Call, ast.Compare, ast.BoolOp, ast.BinOp, ast.Subscript, ast.IfExp)
_TOLD_ATTRIBUTES = ("shape", "data", "ndim")
_MAKES = {"int", "float", "bool", "round", "abs", "min", "max", "any", "all", "ceil", "floor", "item", "tolist", "get"}
"""Functions and methods that make a plain value of others, most of which are no more than a part of what went in."""
_OF_KIND = {"isinstance", "hasattr", "callable", "type", "issubclass", "dim", "ndimension", "is_floating_point"}
_OF_KIND |= {"is_complex", "element_size", "get_device"}
"""Functions and methods whose answer does not hang on what a tensor holds."""
_ENDS = re.compile(r"\r\n|\r|\n")
"""What Python takes for the end of a line, and nothing else."""
N = TypeVar("N", bound=ast.AST)


@dataclass
class Place:
    """One expression whose value is noted."""

    file: str
    line: int
    column: int
    """From 1, in characters, as the end, which is exclusive."""
    end_line: int
    end_column: int
    text: str
    decides: bool = False
    """Whether it is the test of a branch, both sides of which go on."""
    repeats: bool = False
    """Whether it is the test of a loop, or what a loop goes over."""
    makes: bool = False
    """Whether it makes of what is read a value that may be the same for many inputs, as a comparison does."""
    of_kind: bool = False
    """Whether it asks for the kind of a value only, as ``isinstance`` and ``dim`` do."""
    around: int | None = None
    """The place of the noted expression right around it."""
    within: list[int] = field(default_factory=list)
    picked_from: tuple[int, ...] = ()
    """Of an index: the places in what is indexed, of which this one picks a part."""
    literals: tuple[float, ...] = ()
    """Of a comparison: the numbers that stand in it."""
    compares: bool = False


class Rewriter(ast.NodeTransformer):
    """Puts the expressions of a function's body into calls of `NOTE`, and lists them."""

    def __init__(self, file: str, source: str, places: list[Place]) -> None:
        self._file = file
        self._lines = _ENDS.split(source)
        self._places = places
        self._around: list[int] = []
        self._tests: set[int] = set()

    def body_of(self, function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        """Rewrite a function in place: its body alone, since defaults and decorators ran long ago."""
        if isinstance(function, ast.Lambda):
            function.body = self.visit(function.body)
        else:
            function.body = [self.visit(statement) for statement in function.body]

    # --- statements
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self._detached(node)
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        self._detached(node)
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self._detached(node)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return node

    def visit_match_case(self, node: ast.match_case) -> ast.AST:
        node.guard = self._test(node.guard) if node.guard is not None else None
        node.body = [self.visit(statement) for statement in node.body]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.target = self.visit(node.target)
        node.value = self.visit(node.value) if node.value is not None else None
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        ends = [bool(part) and isinstance(part[-1], ast.Raise) for part in (node.body, node.orelse)]
        node.test = self._test(node.test, decides=not any(ends))
        node.body = [self.visit(statement) for statement in node.body]
        node.orelse = [self.visit(statement) for statement in node.orelse]
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        node.test = self._test(node.test, decides=False)
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        node.test = self._test(node.test, decides=False, repeats=True)
        node.body = [self.visit(statement) for statement in node.body]
        node.orelse = [self.visit(statement) for statement in node.orelse]
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        node.iter = self._noted(node.iter, repeats=True)
        node.body = [self.visit(statement) for statement in node.body]
        node.orelse = [self.visit(statement) for statement in node.orelse]
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        node.targets = [self.visit(target) for target in node.targets]
        unpacks = any(isinstance(target, (ast.Tuple, ast.List)) for target in node.targets)
        node.value = self._noted(node.value, repeats=True) if unpacks else self.visit(node.value)
        return node

    # --- expressions
    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        node.iter = self._noted(node.iter, repeats=True)
        node.ifs = [self._test(test) for test in node.ifs]
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        number = self._open(node)
        return self._close(number, self._inner(node))

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if not isinstance(node.ctx, ast.Load):
            node.value, node.slice = self.visit(node.value), self._taken(node.slice)
            return node
        number = self._open(node)
        node.value = self.visit(node.value)
        self._places[number].picked_from = tuple(self._places[number].within)
        node.slice = self._taken(node.slice)
        return self._close(number, node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        number = self._open(node)
        node.test = self._test(node.test)
        node.body, node.orelse = self.visit(node.body), self.visit(node.orelse)
        return self._close(number, node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        number = self._open(node)
        return self._close(number, self._inner(node))

    def visit_Name(self, node: ast.Name) -> ast.AST:
        told = isinstance(node.ctx, ast.Load) and self._in_test
        return self._close(self._open(node), node) if told else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if not isinstance(node.ctx, ast.Load) or not (self._in_test or node.attr in _TOLD_ATTRIBUTES):
            return self.generic_visit(node)
        number = self._open(node)
        if not isinstance(node.value, ast.Name):
            self.generic_visit(node)
        return self._close(number, node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        told = isinstance(node, _TOLD) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
        if not told:
            return super().generic_visit(node)
        number = self._open(cast("ast.expr", node))
        super().generic_visit(node)
        return self._close(number, cast("ast.expr", node))

    # --- noting
    @property
    def _in_test(self) -> bool:
        return bool(self._tests.intersection(self._around))

    def _operand(self, node: ast.expr) -> ast.expr:
        """One side of a comparison, which is noted also when it is a mere name or attribute."""
        is_plain = isinstance(node, (ast.Name, ast.Attribute)) and not self._in_test
        return self._close(self._open(node), node) if is_plain else self.visit(node)

    def _detached(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        around, self._around = self._around, []
        self.body_of(node)
        self._around = around

    def _test(self, node: ast.expr, decides: bool = True, repeats: bool = False) -> ast.expr:
        number = self._open(node, decides, repeats)
        self._tests.add(number)
        self._places[number].makes = False  # its ways are counted instead
        return self._close(number, self._inner(node))

    def _noted(self, node: ast.expr, repeats: bool) -> ast.expr:
        number = self._open(node, repeats=repeats)
        return self._close(number, self._inner(node))

    def _taken(self, node: ast.expr) -> ast.expr:
        """An argument or index, which is noted also when it is a mere name."""
        if isinstance(node, ast.Slice):
            for end in ("lower", "upper", "step"):
                if getattr(node, end) is not None:
                    setattr(node, end, self._taken(getattr(node, end)))
            return node
        if isinstance(node, ast.Tuple):
            node.elts = [self._taken(each) for each in node.elts]
            return node
        return self._close(self._open(node), node) if isinstance(node, ast.Name) else self.visit(node)

    def _inner(self, node: ast.expr) -> ast.expr:
        """The node with what is in it noted, for one that is noted itself already."""
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                node.func.value = self.visit(node.func.value)
            node.args = [self._taken(argument) for argument in node.args]
            for keyword in node.keywords:
                keyword.value = self._taken(keyword.value)
            return node
        if isinstance(node, (ast.Name, ast.Lambda)):
            return node
        if isinstance(node, ast.IfExp):
            node.test = self._test(node.test)
            node.body, node.orelse = self.visit(node.body), self.visit(node.orelse)
            return node
        if isinstance(node, ast.Compare):
            node.left, *node.comparators = [self._operand(side) for side in (node.left, *node.comparators)]
            return node
        return cast("ast.expr", super().generic_visit(node))

    def _open(self, node: ast.expr, decides: bool = False, repeats: bool = False) -> int:
        start, end = self._position(node.lineno, node.col_offset), self._position(node.end_lineno, node.end_col_offset)
        text = self._lines[node.lineno - 1][start[1] - 1 : end[1] - 1 if end[0] == node.lineno else None]
        around = self._around[-1] if self._around else None
        literals: tuple[float, ...] = ()
        if isinstance(node, ast.Compare):
            sides = [side for side in (node.left, *node.comparators) if isinstance(side, ast.Constant)]
            literals = tuple(float(side.value) for side in sides if isinstance(side.value, (int, float)))
        number = len(self._places)
        place = Place(self._file, *start, *end, text, decides, repeats, around=around, literals=literals)
        place.compares, place.of_kind = isinstance(node, ast.Compare), _name_of_call(node) in _OF_KIND
        place.makes = not self._in_test and _makes(node)
        self._places.append(place)
        if around is not None:
            self._places[around].within.append(number)
        self._around.append(number)
        return number

    def _close(self, number: int, node: ast.expr) -> ast.expr:
        self._around.pop()
        call = ast.Call(ast.Name(NOTE, ast.Load()), [ast.Constant(number), node], [])
        return ast.fix_missing_locations(ast.copy_location(call, node))

    def _position(self, line: int | None, offset: int | None) -> tuple[int, int]:
        assert line is not None and offset is not None  # parsed nodes have both
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        return line, len(text.encode()[:offset].decode("utf-8", "ignore")) + 1


def _name_of_call(node: ast.expr) -> str:
    """The last name of what is called, or an attribute's; empty for all else."""
    function = node.func if isinstance(node, ast.Call) else node
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _makes(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, (ast.FloorDiv, ast.Mod))
    if isinstance(node, ast.Call):
        return _name_of_call(node) in _MAKES
    return isinstance(node, (ast.Compare, ast.BoolOp, ast.Subscript))


def _functions(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _functions(constant)


def _key(code: CodeType) -> tuple[object, ...]:
    return code.co_name, code.co_firstlineno, code.co_freevars, code.co_argcount, code.co_kwonlyargcount


def rewritten(codes: Iterable[CodeType], places: list[Place]) -> dict[CodeType, CodeType]:
    """For each function that can be rewritten its new code; the places are added to the list.

    A file that cannot be read or parsed, or that has changed since it was imported, keeps its code.
    """
    by_file: dict[str, list[CodeType]] = {}
    for code in codes:
        by_file.setdefault(code.co_filename, []).append(code)
    found: dict[CodeType, CodeType] = {}
    for file, wanted in by_file.items():
        try:
            if os.path.getsize(file) > _MAX_SOURCE:
                continue
            with open(file, "rb") as stream:
                raw = stream.read()
            tree = ast.parse(raw, file)
            source = raw.decode("utf-8-sig")
        except (OSError, SyntaxError, ValueError, RecursionError):
            continue
        lines = {code.co_firstlineno for code in wanted}
        mine = Rewriter(file, source, places)
        for node in _outermost(tree, lines):
            mine.body_of(node)
        new = {_key(code): code for code in _functions(compile(tree, file, "exec", dont_inherit=True))}
        found.update({code: new[_key(code)] for code in wanted if _key(code) in new})
    return found


def _outermost(tree: ast.AST, lines: set[int]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda]:
    """The functions on some lines that lie in no other function on one of them."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
            if min([node.lineno, *(each.lineno for each in decorators)]) in lines:
                yield node
                continue
        yield from _outermost(node, lines)


def functions_with(codes: Mapping[CodeType, CodeType]) -> list[tuple[FunctionType, CodeType]]:
    """The functions that have one of these codes, with the code that stands in for it.

    Looks at every object there is, which is slow: once is enough, since inner functions come with their outer ones.
    """
    known = set(codes)
    found = [each for each in gc.get_referrers(*codes) if type(each) is FunctionType] if codes else []
    return [(each, codes[each.__code__]) for each in found if each.__code__ in known]


def scripted_in_traces(codes: Iterable[CodeType]) -> list[tuple[str, range]]:
    """File and lines of the functions that a trace takes as scripts (``script_if_tracing``), branches and all."""
    found = []
    modules = {getattr(module, "__file__", None): module for module in list(sys.modules.values())}
    for code in codes:
        function = getattr(modules.get(code.co_filename), code.co_name, None)
        if getattr(function, "__script_if_tracing_wrapper", False):
            last = max(line for _, _, line in code.co_lines() if line)
            found.append((code.co_filename, range(code.co_firstlineno, last + 1)))
    return found


@contextmanager
def standing_in(functions: Sequence[tuple[FunctionType, CodeType]]) -> Iterator[None]:
    """Give the functions other code during the block."""
    before = [(function, function.__code__) for function, _ in functions]
    for function, code in functions:
        function.__code__ = code
    try:
        yield
    finally:
        for function, code in before:
            function.__code__ = code
