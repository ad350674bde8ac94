"""The IR as a tree of Python's own `ast`, and an `ast` reduced to what the IR keeps: equal trees say that lowering kept
the meaning."""

from __future__ import annotations

import ast
import re
import warnings

from onnx_lint.source import ir

_LOST = "_lost_"
_LONG = 100

_BINARY: dict[str, type[ast.operator]] = {
    "+": ast.Add,
    "-": ast.Sub,
    "*": ast.Mult,
    "/": ast.Div,
    "//": ast.FloorDiv,
    "%": ast.Mod,
    "**": ast.Pow,
    "@": ast.MatMult,
    "&": ast.BitAnd,
    "|": ast.BitOr,
    "^": ast.BitXor,
    "<<": ast.LShift,
    ">>": ast.RShift,
}
_UNARY: dict[str, type[ast.unaryop]] = {"-": ast.USub, "+": ast.UAdd, "~": ast.Invert, "not": ast.Not}
_COMPARE: dict[str, type[ast.cmpop]] = {
    "==": ast.Eq,
    "!=": ast.NotEq,
    "<": ast.Lt,
    "<=": ast.LtE,
    ">": ast.Gt,
    ">=": ast.GtE,
    "in": ast.In,
    "not in": ast.NotIn,
    "is": ast.Is,
    "is not": ast.IsNot,
}


def name(text: str) -> ast.Name:
    return ast.Name(text, ast.Load())


def call(function: str, arguments: list[ast.expr]) -> ast.Call:
    return ast.Call(name(function), arguments, [])


# --------------------------------------------------------------------------------------------------------- from IR
def optional(node: ir.Expr | None) -> ast.expr | None:
    return None if node is None else expression(node)


def expressions(nodes: tuple[ir.Expr, ...]) -> list[ast.expr]:
    return [expression(node) for node in nodes]


def keywords(pairs: tuple[tuple[str | None, ir.Expr], ...]) -> list[ast.keyword]:
    return [ast.keyword(key, expression(value)) for key, value in pairs]


def expression(node: ir.Expr) -> ast.expr:
    load = ast.Load()
    match node:
        case ir.Const(value=value):
            return ast.Constant(value)
        case ir.Opaque():
            return name(_LOST)
        case ir.Name(id=text):
            return name(text)
        case ir.Attribute(value=value, attr=attr):
            return ast.Attribute(expression(value), attr, load)
        case ir.Subscript(value=value, index=index):
            return ast.Subscript(expression(value), expression(index), load)
        case ir.Slice(lower=lower, upper=upper, step=step):
            return ast.Slice(optional(lower), optional(upper), optional(step))
        case ir.Call(func=func, args=args, keywords=pairs):
            return ast.Call(expression(func), expressions(args), keywords(pairs))
        case ir.BinOp(op=op, left=left, right=right):
            return ast.BinOp(expression(left), _BINARY[op](), expression(right))
        case ir.UnaryOp(op=op, value=value):
            return ast.UnaryOp(_UNARY[op](), expression(value))
        case ir.Compare(left=left, rest=rest):
            return ast.Compare(expression(left), [_COMPARE[op]() for op, _ in rest], [expression(e) for _, e in rest])
        case ir.BoolOp(op=op, left=left, right=right):
            return call(f"_{op}_", [expression(left), expression(right)])
        case ir.IfExp(test=test, body=body, orelse=orelse):
            return ast.IfExp(expression(test), expression(body), expression(orelse))
        case ir.Lambda(params=params, body=body):
            return ast.Lambda(parameters(params), expression(body))
        case ir.Sequence(kind="tuple", elements=elements):
            return ast.Tuple(expressions(elements), load)
        case ir.Sequence(kind="list", elements=elements):
            return ast.List(expressions(elements), load)
        case ir.Sequence(elements=elements):
            return ast.Set(expressions(elements))
        case ir.Mapping(items=items):
            return ast.Dict([optional(key) for key, _ in items], [expression(value) for _, value in items])
        case ir.Starred(value=value):
            return ast.Starred(expression(value), load)
        case ir.Comprehension(kind=kind, element=element, key=key, generators=generators):
            made = [
                ast.comprehension(expression(g.target), expression(g.iter), expressions(g.ifs), 0) for g in generators
            ]
            if kind == "dict":
                assert key is not None
                return ast.DictComp(expression(key), expression(element), made)
            kinds = {"list": ast.ListComp, "set": ast.SetComp, "generator": ast.GeneratorExp}
            return kinds[kind](expression(element), made)
        case ir.Format(values=values):
            return call("_format_", expressions(values))
        case ir.Walrus(target=target, value=value):
            return ast.NamedExpr(name(target), expression(value))
        case ir.Await(kind="await", value=value):
            assert value is not None
            return ast.Await(expression(value))
        case ir.Await(kind="yield", value=value):
            return ast.Yield(optional(value))
        case ir.Await(value=value):
            assert value is not None
            return ast.YieldFrom(expression(value))
    raise AssertionError(node)


def parameters(params: ir.Params) -> ast.arguments:
    def one(param: ir.Param) -> ast.arg:
        return ast.arg(param.name, optional(param.annotation))

    positional = [one(p) for p in params.positional]
    return ast.arguments(
        posonlyargs=positional[: params.positional_only],
        args=positional[params.positional_only :],
        vararg=one(params.vararg) if params.vararg else None,
        kwonlyargs=[one(p) for p in params.keyword],
        kw_defaults=[optional(p.default) for p in params.keyword],
        kwarg=one(params.kwarg) if params.kwarg else None,
        defaults=[expression(p.default) for p in params.positional if p.default is not None],
    )


def block(body: ir.Block) -> list[ast.stmt]:
    return [statement(s) for s in body]


def statement(node: ir.Stmt) -> ast.stmt:
    match node:
        case ir.Assign(targets=(target,), value=value, annotation=annotation) if annotation is not None:
            return ast.AnnAssign(expression(target), expression(annotation), expression(value), 0)
        case ir.Assign(targets=targets, value=value):
            return ast.Assign(expressions(targets), expression(value))
        case ir.Declare(target=target, annotation=annotation):
            return ast.AnnAssign(expression(target), expression(annotation), None, 0)
        case ir.AugAssign(target=target, op=op, value=value):
            return ast.AugAssign(expression(target), _BINARY[op](), expression(value))  # type: ignore[arg-type]
        case ir.ExprStmt(value=value):
            return ast.Expr(expression(value))
        case ir.Return(value=value):
            return ast.Return(optional(value))
        case ir.Raise(value=value):
            return ast.Raise(optional(value), None)
        case ir.Assert(test=test, message=message):
            return ast.Assert(expression(test), optional(message))
        case ir.If(test=test, body=body, orelse=orelse):
            return ast.If(expression(test), block(body), block(orelse))
        case ir.While(test=test, body=body, orelse=orelse):
            return ast.While(expression(test), block(body), block(orelse))
        case ir.For(target=target, iter=iterable, body=body, orelse=orelse):
            return ast.For(expression(target), expression(iterable), block(body), block(orelse))
        case ir.With(items=items, body=body):
            return ast.With([ast.withitem(expression(e), optional(t)) for e, t in items], block(body))
        case ir.Try(body=body, handlers=handlers, orelse=orelse, final=final):
            made = [ast.ExceptHandler(optional(h.type), h.name, block(h.body)) for h in handlers]
            return ast.Try(block(body), made, block(orelse), block(final))
        case ir.FunctionDef():
            kind = ast.AsyncFunctionDef if node.is_async else ast.FunctionDef
            decorators = expressions(node.decorators)
            return kind(node.name, parameters(node.params), block(node.body), decorators, optional(node.returns))
        case ir.ClassDef():
            decorators = expressions(node.decorators)
            return ast.ClassDef(
                node.name, expressions(node.bases), keywords(node.keywords), block(node.body), decorators
            )
        case ir.Import(names=names):
            return ast.Import([ast.alias(n, a) for n, a in names])
        case ir.ImportFrom(module=module, level=level, names=names):
            return ast.ImportFrom(module or None, [ast.alias(n, a) for n, a in names or (("*", None),)], level)
        case ir.Delete(targets=targets):
            return ast.Delete(expressions(targets))
        case ir.Jump(kind=kind):
            return ast.Break() if kind == "break" else ast.Continue()
        case ir.Scope(kind=kind, names=names):
            return ast.Global(list(names)) if kind == "global" else ast.Nonlocal(list(names))
        case ir.Match(subject=subject, cases=cases):
            return ast.Match(expression(subject), [_case(c) for c in cases])
    raise AssertionError(node)


def _case(case: ir.Case) -> ast.match_case:
    facts = f"{case.captures} {case.compares} {case.wildcard}"
    return ast.match_case(ast.MatchAs(None, facts), optional(case.guard), block(case.body))


# -------------------------------------------------------------------------------------------------------- from text
class _Reduce(ast.NodeTransformer):
    """Take away what the IR does not keep."""

    def visit(self, node: ast.AST) -> ast.AST:
        self.generic_visit(node)
        if hasattr(node, "ctx"):
            node.ctx = ast.Load()
        for part in ("body", "orelse", "finalbody"):
            body = getattr(node, part, None)
            if isinstance(body, list):
                setattr(node, part, [s for s in body if not _is_nothing(s)])
        method = getattr(self, f"reduce_{type(node).__name__}", None)
        return method(node) if method else node

    def reduce_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """Two operands each, from the left."""
        function = "_and_" if isinstance(node.op, ast.And) else "_or_"
        made = node.values[0]
        for value in node.values[1:]:
            made = call(function, [made, value])
        return made

    def reduce_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            if type(node.operand.value) in (int, float):
                return ast.Constant(-node.operand.value)
        return node

    def reduce_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, int) and len(str(node.value)) > _LONG:
            return name(_LOST)
        return ast.Constant(node.value)

    def reduce_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        values: list[ast.expr] = []
        for part in node.values:
            if isinstance(part, ast.Call):
                values += part.args
        return call("_format_", values)

    def reduce_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        spec = node.format_spec.args if isinstance(node.format_spec, ast.Call) else []
        return call("_value_", [node.value, *spec])

    def reduce_Raise(self, node: ast.Raise) -> ast.AST:
        return ast.Raise(node.exc, None)

    def reduce_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        return ast.AnnAssign(node.target, node.annotation, node.value, 0)

    def reduce_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        return ast.For(node.target, node.iter, node.body, node.orelse)

    def reduce_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        return ast.With(node.items, node.body)

    def reduce_TryStar(self, node: ast.Try) -> ast.AST:
        return ast.Try(node.body, node.handlers, node.orelse, node.finalbody)

    def reduce_comprehension(self, node: ast.comprehension) -> ast.AST:
        return ast.comprehension(node.target, node.iter, node.ifs, 0)

    def reduce_Delete(self, node: ast.Delete) -> ast.AST:
        """``del a, b`` is ``del (a, b)``."""
        return node if len(node.targets) == 1 else ast.Delete([ast.Tuple(node.targets, ast.Load())])

    def reduce_Try(self, node: ast.Try) -> ast.AST:
        node.finalbody = [s for s in node.finalbody if not _is_nothing(s)]
        return node

    def reduce_match_case(self, node: ast.match_case) -> ast.AST:
        captures: list[str] = []
        compares = False
        for pattern in ast.walk(node.pattern):
            captured = getattr(pattern, "name", None) or getattr(pattern, "rest", None)
            if isinstance(captured, str):
                captures.append(captured)
            compares |= isinstance(pattern, (ast.MatchValue, ast.MatchSingleton))
        wildcard = isinstance(node.pattern, ast.MatchAs) and node.pattern.pattern is None
        facts = f"{tuple(captures)} {compares} {wildcard}"
        return ast.match_case(ast.MatchAs(None, facts), node.guard, node.body)


def _is_nothing(node: ast.AST) -> bool:
    """``pass``, and a string alone."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return isinstance(node.value.value, (str, bytes))
    return isinstance(node, ast.Pass)


def reduced(text: str) -> list[str]:
    """Each statement of a source, as the IR keeps it. Raises `SyntaxError`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = _Reduce().visit(ast.parse(text))
    return [_dump(s) for s in tree.body]


def lowered(body: ir.Block) -> list[str]:
    """Each statement of lowered code, in the same form."""
    return [_dump(s) for s in block(body)]


def _dump(node: ast.AST) -> str:
    return re.sub(r", (?:kind='u'|type_comment=None|type_params=\[\])", "", ast.dump(node))
