"""Lower one chunk: libcst parses it, one hand-written walk turns the tree into the function IR.

With `parse`, `positions` and `literals` the only files that import libcst. A walk over the semantic fields costs 9 %
of the parse, any visitor or metadata provider of libcst 70 % to 800 % of it (measured with libcst 1.9), hence neither
is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import libcst as cst

from onnx_lint.source import ir
from onnx_lint.source.faults import Fault
from onnx_lint.source.literals import numeral, string_value, text_between
from onnx_lint.source.parse import parse

_MAX_DIGITS = 100
"""Longer numbers have no value here: nobody counts dimensions with them, and their conversion is quadratic."""


@dataclass(slots=True)
class Tree:
    """The libcst tree of a chunk, and its nodes by their number; heavy (14 kB a line), for the places only."""

    module: cst.Module
    nodes: list[cst.CSTNode]


@dataclass(slots=True)
class Lowered:
    """The IR of a chunk, or why there is none."""

    body: ir.Block
    fault: Fault | None = None
    tree: Tree | None = None


def lower(text: str, *, member: bool = False) -> Lowered:
    """Lower a chunk (LF newlines, no form feeds). Never raises for what the text holds; the caller has applied the
    guards, since libcst's native parser overflows the stack on deep nesting. The caller drops the tree."""
    module = parse(text, member)
    if isinstance(module, Fault):
        return Lowered((), module)
    lowerer = Lowerer()
    try:
        return Lowered(lowerer.module(module, member), None, Tree(module, lowerer.nodes))
    except RecursionError:
        return Lowered((), Fault(1, 0, "nested too deeply", is_error=False))


@lru_cache(maxsize=4096)
def lower_expression(text: str) -> ir.Expr | None:
    """An expression inside a string, such as a quoted annotation; ``None`` if it is none."""
    lowered = lower(text.strip())
    if lowered.fault is None and len(lowered.body) == 1 and isinstance(lowered.body[0], ir.ExprStmt):
        return lowered.body[0].value
    return None


_OPERATORS: dict[type[cst.CSTNode], str] = {
    cst.Add: "+", cst.Subtract: "-", cst.Multiply: "*", cst.Divide: "/", cst.FloorDivide: "//", cst.Modulo: "%",
    cst.Power: "**", cst.MatrixMultiply: "@", cst.BitAnd: "&", cst.BitOr: "|", cst.BitXor: "^", cst.LeftShift: "<<",
    cst.RightShift: ">>", cst.AddAssign: "+", cst.SubtractAssign: "-", cst.MultiplyAssign: "*", cst.DivideAssign: "/",
    cst.FloorDivideAssign: "//", cst.ModuloAssign: "%", cst.PowerAssign: "**", cst.MatrixMultiplyAssign: "@",
    cst.BitAndAssign: "&", cst.BitOrAssign: "|", cst.BitXorAssign: "^", cst.LeftShiftAssign: "<<",
    cst.RightShiftAssign: ">>", cst.Minus: "-", cst.Plus: "+", cst.BitInvert: "~", cst.Not: "not",
    cst.Equal: "==", cst.NotEqual: "!=", cst.LessThan: "<", cst.LessThanEqual: "<=", cst.GreaterThan: ">",
    cst.GreaterThanEqual: ">=", cst.In: "in", cst.NotIn: "not in", cst.Is: "is", cst.IsNot: "is not",
    cst.And: "and", cst.Or: "or",
}  # fmt: skip

_NAMED = {"None": None, "True": True, "False": False}


class Lowerer:
    """The walk; `nodes[at]` is the libcst node behind the IR node with that number."""

    def __init__(self) -> None:
        self.nodes: list[cst.CSTNode] = []
        self._yields = False

    def _at(self, node: cst.CSTNode) -> int:
        nodes = self.nodes
        nodes.append(node)
        return len(nodes) - 1

    # ------------------------------------------------------------------------------------------------- statements
    def module(self, module: cst.Module, member: bool) -> ir.Block:
        if member:
            wrapper = module.body[0]
            return self.block(wrapper.body) if isinstance(wrapper, cst.ClassDef) else ()
        return self.statements(module.body)

    def block(self, body: cst.BaseSuite) -> ir.Block:
        return self.statements(body.body)

    def statements(self, body: Sequence[cst.CSTNode]) -> ir.Block:
        out: list[ir.Stmt] = []
        for statement in body:
            kind = type(statement)
            if kind is cst.SimpleStatementLine:
                for small in statement.body:  # type: ignore[attr-defined]
                    lowered = self.small(small)
                    if lowered is not None:
                        out.append(lowered)
            elif kind in _COMPOUND:
                out.append(_COMPOUND[kind](self, statement))
            else:
                lowered = self.small(statement)
                if lowered is not None:
                    out.append(lowered)
        return tuple(out)

    def small(self, node: cst.CSTNode) -> ir.Stmt | None:
        handler = _SMALL.get(type(node))
        return handler(self, node) if handler else None

    def _expression_statement(self, node: cst.Expr) -> ir.Stmt | None:
        if isinstance(node.value, cst.SimpleString):
            return None  # a docstring
        return ir.ExprStmt(self._at(node), self.expr(node.value))

    def _assign(self, node: cst.Assign) -> ir.Stmt:
        at = self._at(node)
        return ir.Assign(at, tuple([self.expr(t.target) for t in node.targets]), self.expr(node.value))

    def _annotated(self, node: cst.AnnAssign) -> ir.Stmt:
        at, target, annotation = self._at(node), self.expr(node.target), self.expr(node.annotation.annotation)
        if node.value is None:
            return ir.Declare(at, target, annotation)
        return ir.Assign(at, (target,), self.expr(node.value), annotation)

    def _augmented(self, node: cst.AugAssign) -> ir.Stmt:
        at = self._at(node)
        return ir.AugAssign(at, self.expr(node.target), _OPERATORS[type(node.operator)], self.expr(node.value))

    def _return(self, node: cst.Return) -> ir.Stmt:
        return ir.Return(self._at(node), self.optional(node.value))

    def _raise(self, node: cst.Raise) -> ir.Stmt:
        return ir.Raise(self._at(node), self.optional(node.exc))

    def _assert(self, node: cst.Assert) -> ir.Stmt:
        return ir.Assert(self._at(node), self.expr(node.test), self.optional(node.msg))

    def _import(self, node: cst.Import) -> ir.Stmt:
        return ir.Import(self._at(node), tuple([_alias(n) for n in node.names]))

    def _import_from(self, node: cst.ImportFrom) -> ir.Stmt:
        names = None if isinstance(node.names, cst.ImportStar) else tuple([_alias(n) for n in node.names])
        module = _dotted(node.module) if node.module is not None else ""
        return ir.ImportFrom(self._at(node), module, len(node.relative), names)

    def _delete(self, node: cst.Del) -> ir.Stmt:
        return ir.Delete(self._at(node), (self.expr(node.target),))

    def _jump(self, node: cst.CSTNode) -> ir.Stmt:
        return ir.Jump(self._at(node), "break" if type(node) is cst.Break else "continue")

    def _scope(self, node: cst.Global | cst.Nonlocal) -> ir.Stmt:
        kind = "global" if type(node) is cst.Global else "nonlocal"
        return ir.Scope(self._at(node), kind, tuple([n.name.value for n in node.names]))

    def _if(self, node: cst.If) -> ir.Stmt:
        at, test, body = self._at(node), self.expr(node.test), self.block(node.body)
        orelse: ir.Block = ()
        if isinstance(node.orelse, cst.If):
            orelse = (self._if(node.orelse),)
        elif node.orelse is not None:
            orelse = self.block(node.orelse.body)
        return ir.If(at, test, body, orelse)

    def _while(self, node: cst.While) -> ir.Stmt:
        at, test, body = self._at(node), self.expr(node.test), self.block(node.body)
        return ir.While(at, test, body, self.block(node.orelse.body) if node.orelse else ())

    def _for(self, node: cst.For) -> ir.Stmt:
        at, target, iterable = self._at(node), self.expr(node.target), self.expr(node.iter)
        body = self.block(node.body)
        return ir.For(at, target, iterable, body, self.block(node.orelse.body) if node.orelse else ())

    def _with(self, node: cst.With) -> ir.Stmt:
        at = self._at(node)
        items = tuple([(self.expr(i.item), self.expr(i.asname.name) if i.asname else None) for i in node.items])
        return ir.With(at, items, self.block(node.body))

    def _try(self, node: cst.Try | cst.TryStar) -> ir.Stmt:
        at, body = self._at(node), self.block(node.body)
        handlers = []
        for handler in node.handlers:
            name = handler.name.name.value if handler.name and isinstance(handler.name.name, cst.Name) else None
            handlers.append(ir.Handler(self.optional(handler.type), name, self.block(handler.body)))
        orelse = self.block(node.orelse.body) if node.orelse else ()
        return ir.Try(at, body, tuple(handlers), orelse, self.block(node.finalbody.body) if node.finalbody else ())

    def _function(self, node: cst.FunctionDef) -> ir.Stmt:
        at = self._at(node.name)
        decorators = tuple([self.expr(d.decorator) for d in node.decorators])
        params = self.params(node.params)
        returns = self.expr(node.returns.annotation) if node.returns else None
        outer, self._yields = self._yields, False
        body = self.block(node.body)
        yields, self._yields = self._yields, outer
        return ir.FunctionDef(
            at, node.name.value, params, body, decorators, returns, node.asynchronous is not None, yields
        )

    def _class(self, node: cst.ClassDef) -> ir.Stmt:
        at = self._at(node.name)
        bases = tuple(
            [ir.Starred(self._at(b), self.expr(b.value)) if b.star else self.expr(b.value) for b in node.bases]
        )
        keywords = tuple([(k.keyword.value if k.keyword else None, self.expr(k.value)) for k in node.keywords])
        decorators = tuple([self.expr(d.decorator) for d in node.decorators])
        return ir.ClassDef(at, node.name.value, bases, keywords, decorators, self.block(node.body))

    def _match(self, node: cst.Match) -> ir.Stmt:
        at, subject = self._at(node), self.expr(node.subject)
        cases = []
        for case in node.cases:
            captures: list[str] = []
            compares = _captures(case.pattern, captures)
            wildcard = isinstance(case.pattern, cst.MatchAs) and case.pattern.pattern is None
            guard = self.optional(case.guard)
            cases.append(ir.Case(tuple(captures), compares, wildcard, guard, self.block(case.body)))
        return ir.Match(at, subject, tuple(cases))

    # ------------------------------------------------------------------------------------------------ expressions
    def optional(self, node: cst.BaseExpression | None) -> ir.Expr | None:
        return None if node is None else self.expr(node)

    def expr(self, node: cst.CSTNode) -> ir.Expr:
        handler = _EXPRESSIONS.get(type(node))
        return handler(self, node) if handler else ir.Opaque(self._at(node))

    def _name(self, node: cst.Name) -> ir.Expr:
        value = node.value
        if value in _NAMED:
            return ir.Const(self._at(node), _NAMED[value])
        return ir.Name(self._at(node), value)

    def _attribute(self, node: cst.Attribute) -> ir.Expr:
        at = self._at(node)
        return ir.Attribute(at, self.expr(node.value), node.attr.value)

    def _call(self, node: cst.Call) -> ir.Expr:
        at = self._at(node)
        func = self.expr(node.func)
        args: list[ir.Expr] = []
        keywords: list[tuple[str | None, ir.Expr]] = []
        for arg in node.args:
            if arg.keyword is not None:
                keywords.append((arg.keyword.value, self.expr(arg.value)))
            elif not arg.star:
                args.append(self.expr(arg.value))
            elif arg.star == "*":
                args.append(ir.Starred(self._at(arg.value), self.expr(arg.value)))
            else:
                keywords.append((None, self.expr(arg.value)))
        return ir.Call(at, func, tuple(args), tuple(keywords))

    def _subscript(self, node: cst.Subscript) -> ir.Expr:
        at, value = self._at(node), self.expr(node.value)
        indices = [self._index(element.slice) for element in node.slice]
        if len(indices) == 1 and not _trailing_comma(node):
            return ir.Subscript(at, value, indices[0])
        return ir.Subscript(at, value, ir.Sequence(at, "tuple", tuple(indices)))

    def _index(self, node: cst.BaseSlice) -> ir.Expr:
        if isinstance(node, cst.Slice):
            at = self._at(node)
            return ir.Slice(at, self.optional(node.lower), self.optional(node.upper), self.optional(node.step))
        assert isinstance(node, cst.Index)
        if node.star:
            return ir.Starred(self._at(node.value), self.expr(node.value))
        return self.expr(node.value)

    def _binary(self, node: cst.BinaryOperation) -> ir.Expr:
        at = self._at(node)
        return ir.BinOp(at, _OPERATORS[type(node.operator)], self.expr(node.left), self.expr(node.right))

    def _unary(self, node: cst.UnaryOperation) -> ir.Expr:
        at, op = self._at(node), _OPERATORS[type(node.operator)]
        value = self.expr(node.expression)
        if op == "-" and type(value) is ir.Const and type(value.value) in (int, float):
            return ir.Const(at, -value.value)  # type: ignore[operator]
        return ir.UnaryOp(at, op, value)

    def _boolean(self, node: cst.BooleanOperation) -> ir.Expr:
        at = self._at(node)
        return ir.BoolOp(at, _OPERATORS[type(node.operator)], self.expr(node.left), self.expr(node.right))

    def _comparison(self, node: cst.Comparison) -> ir.Expr:
        at, left = self._at(node), self.expr(node.left)
        rest = tuple([(_OPERATORS[type(c.operator)], self.expr(c.comparator)) for c in node.comparisons])
        return ir.Compare(at, left, rest)

    def _ternary(self, node: cst.IfExp) -> ir.Expr:
        at = self._at(node)
        return ir.IfExp(at, self.expr(node.test), self.expr(node.body), self.expr(node.orelse))

    def _lambda(self, node: cst.Lambda) -> ir.Expr:
        at = self._at(node)
        return ir.Lambda(at, self.params(node.params), self.expr(node.body))

    def _sequence(self, node: cst.Tuple | cst.List | cst.Set) -> ir.Expr:
        at, kind = self._at(node), _DISPLAYS[type(node)]
        elements = [
            ir.Starred(self._at(e), self.expr(e.value)) if type(e) is cst.StarredElement else self.expr(e.value)
            for e in node.elements
        ]
        return ir.Sequence(at, kind, tuple(elements))

    def _dict(self, node: cst.Dict) -> ir.Expr:
        at = self._at(node)
        items: list[tuple[ir.Expr | None, ir.Expr]] = []
        for element in node.elements:
            key = self.expr(element.key) if isinstance(element, cst.DictElement) else None
            items.append((key, self.expr(element.value)))
        return ir.Mapping(at, tuple(items))

    def _comprehension(self, node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp) -> ir.Expr:
        at = self._at(node)
        generators: list[ir.Generator] = []
        part: cst.CompFor | None = node.for_in
        while part is not None:
            target, iterable = self.expr(part.target), self.expr(part.iter)
            generators.append(ir.Generator(target, iterable, tuple([self.expr(i.test) for i in part.ifs])))
            part = part.inner_for_in
        if isinstance(node, cst.DictComp):
            key, element = self.expr(node.key), self.expr(node.value)
            return ir.Comprehension(at, "dict", element, key, tuple(generators))
        return ir.Comprehension(at, _COMPREHENSIONS[type(node)], self.expr(node.elt), None, tuple(generators))

    def _walrus(self, node: cst.NamedExpr) -> ir.Expr:
        at = self._at(node)
        target = node.target.value if isinstance(node.target, cst.Name) else ""
        return ir.Walrus(at, target, self.expr(node.value))

    def _await(self, node: cst.Await) -> ir.Expr:
        return ir.Await(self._at(node), "await", self.expr(node.expression))

    def _yield(self, node: cst.Yield) -> ir.Expr:
        at = self._at(node)
        self._yields = True
        if isinstance(node.value, cst.From):
            return ir.Await(at, "yield from", self.expr(node.value.item))
        return ir.Await(at, "yield", self.optional(node.value))

    def _string(self, node: cst.SimpleString) -> ir.Expr:
        return ir.Const(self._at(node), string_value(node.value))

    def _number(self, node: cst.Integer | cst.Float | cst.Imaginary) -> ir.Expr:
        at = self._at(node)
        if len(node.value) > _MAX_DIGITS:
            return ir.Opaque(at)
        if node.value.isdecimal():  # most are, and a parser for each costs more than the rest of the walk
            return ir.Const(at, int(node.value))
        return ir.Const(at, numeral(node.value))

    def _ellipsis(self, node: cst.Ellipsis) -> ir.Expr:
        return ir.Const(self._at(node), ...)

    def _format(self, node: cst.FormattedString) -> ir.Expr:
        at = self._at(node)
        values: list[ir.Expr] = []
        self._format_parts(node.parts, values)
        return ir.Format(at, tuple(values), text_between(node.parts))

    def _format_parts(self, parts: Sequence[cst.CSTNode], values: list[ir.Expr]) -> None:
        for part in parts:
            if isinstance(part, cst.FormattedStringExpression):
                values.append(self.expr(part.expression))
                if part.format_spec:
                    self._format_parts(part.format_spec, values)

    def _concatenated(self, node: cst.ConcatenatedString) -> ir.Expr:
        at = self._at(node)
        parts = [self.expr(node.left), self.expr(node.right)]
        if all(isinstance(p, ir.Const) for p in parts):
            left, right = (p.value for p in parts if isinstance(p, ir.Const))
            if isinstance(left, str) and isinstance(right, str):
                return ir.Const(at, left + right)
            if isinstance(left, bytes) and isinstance(right, bytes):
                return ir.Const(at, left + right)
            return ir.Opaque(at)
        values: list[ir.Expr] = []
        for part in parts:
            if isinstance(part, ir.Format):
                values.extend(part.values)
        return ir.Format(at, tuple(values))

    def params(self, node: cst.Parameters) -> ir.Params:
        positional = [self._param(p) for p in (*node.posonly_params, *node.params)]
        vararg = self._param(node.star_arg) if isinstance(node.star_arg, cst.Param) else None
        keyword = tuple([self._param(p) for p in node.kwonly_params])
        kwarg = self._param(node.star_kwarg) if node.star_kwarg else None
        return ir.Params(tuple(positional), len(node.posonly_params), vararg, keyword, kwarg)

    def _param(self, node: cst.Param) -> ir.Param:
        at = self._at(node.name)
        annotation = self.expr(node.annotation.annotation) if node.annotation else None
        return ir.Param(at, node.name.value, self.optional(node.default), annotation)


def _trailing_comma(node: cst.Subscript) -> bool:
    return isinstance(node.slice[-1].comma, cst.Comma)


def _alias(node: cst.ImportAlias) -> tuple[str, str | None]:
    name = node.asname.name if node.asname else None
    return _dotted(node.name), name.value if isinstance(name, cst.Name) else None


def _dotted(node: cst.CSTNode) -> str:
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if isinstance(node, cst.Name):
        parts.append(node.value)
    return ".".join(reversed(parts))


def _captures(pattern: cst.CSTNode, names: list[str]) -> bool:
    """Collect the names that a pattern binds; whether it compares with values."""
    compares = isinstance(pattern, (cst.MatchValue, cst.MatchSingleton))
    if isinstance(pattern, (cst.MatchAs, cst.MatchStar)) and pattern.name is not None:
        names.append(pattern.name.value)
    if isinstance(pattern, cst.MatchMapping) and pattern.rest is not None:
        names.append(pattern.rest.value)
    for child in pattern.children:
        if not isinstance(child, (cst.BaseExpression, cst.BaseParenthesizableWhitespace)):
            compares |= _captures(child, names)
    return compares


_DISPLAYS: dict[type[cst.CSTNode], str] = {cst.Tuple: "tuple", cst.List: "list", cst.Set: "set"}
_COMPREHENSIONS: dict[type[cst.CSTNode], str] = {
    cst.ListComp: "list", cst.SetComp: "set", cst.GeneratorExp: "generator",
}  # fmt: skip

# The tables map a node type to a method that takes just that type; a dict cannot say so, hence Any.
_COMPOUND: dict[type[cst.CSTNode], Callable[[Lowerer, Any], ir.Stmt]] = {
    cst.If: Lowerer._if, cst.While: Lowerer._while, cst.For: Lowerer._for, cst.With: Lowerer._with,
    cst.Try: Lowerer._try, cst.TryStar: Lowerer._try, cst.FunctionDef: Lowerer._function,
    cst.ClassDef: Lowerer._class, cst.Match: Lowerer._match,
}  # fmt: skip
_SMALL: dict[type[cst.CSTNode], Callable[[Lowerer, Any], ir.Stmt | None]] = {
    cst.Expr: Lowerer._expression_statement, cst.Assign: Lowerer._assign, cst.AnnAssign: Lowerer._annotated,
    cst.AugAssign: Lowerer._augmented, cst.Return: Lowerer._return, cst.Raise: Lowerer._raise,
    cst.Assert: Lowerer._assert, cst.Import: Lowerer._import, cst.ImportFrom: Lowerer._import_from,
    cst.Del: Lowerer._delete, cst.Break: Lowerer._jump, cst.Continue: Lowerer._jump, cst.Global: Lowerer._scope,
    cst.Nonlocal: Lowerer._scope,
}  # fmt: skip
_EXPRESSIONS: dict[type[cst.CSTNode], Callable[[Lowerer, Any], ir.Expr]] = {
    cst.Name: Lowerer._name, cst.Attribute: Lowerer._attribute, cst.Call: Lowerer._call,
    cst.Subscript: Lowerer._subscript, cst.BinaryOperation: Lowerer._binary, cst.UnaryOperation: Lowerer._unary,
    cst.BooleanOperation: Lowerer._boolean, cst.Comparison: Lowerer._comparison, cst.IfExp: Lowerer._ternary,
    cst.Lambda: Lowerer._lambda, cst.Tuple: Lowerer._sequence, cst.List: Lowerer._sequence,
    cst.Set: Lowerer._sequence, cst.Dict: Lowerer._dict, cst.ListComp: Lowerer._comprehension,
    cst.SetComp: Lowerer._comprehension, cst.GeneratorExp: Lowerer._comprehension,
    cst.DictComp: Lowerer._comprehension, cst.NamedExpr: Lowerer._walrus, cst.Await: Lowerer._await,
    cst.Yield: Lowerer._yield, cst.SimpleString: Lowerer._string, cst.Integer: Lowerer._number,
    cst.Float: Lowerer._number, cst.Imaginary: Lowerer._number, cst.Ellipsis: Lowerer._ellipsis,
    cst.FormattedString: Lowerer._format, cst.ConcatenatedString: Lowerer._concatenated,
}  # fmt: skip
