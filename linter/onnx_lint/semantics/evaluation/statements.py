"""Statements: how they change what names hold, and which ways through a function are open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onnx_lint.semantics.domain.sites import AliasedChange
from onnx_lint.semantics.domain.values import (
    STATIC,
    UNKNOWN,
    Const,
    Dict,
    EngineFlag,
    Function,
    Instance,
    ModuleValue,
    Seq,
    Size,
    Tensor,
    Value,
    alternatives,
    join,
)
from onnx_lint.semantics.evaluation import calls, conditions, expressions, iteration, objects
from onnx_lint.semantics.evaluation.frame import Environment, Frame, join_environments
from onnx_lint.source import ir

_LOOP_PASSES = 3
"""How often a loop body is interpreted until its names settle; then they are taken as they are."""


def block(frame: Frame, body: ir.Block) -> None:
    """Interpret statements in order, as long as a way is open."""
    for statement in body:
        if frame.env is None:
            return
        frame.analysis.steps += 1
        _STATEMENTS[type(statement)](frame, statement)


def only_raises(body: ir.Block) -> bool:
    """Whether a block does nothing but raise, warn or print: the branch around it only checks."""
    if not body:
        return False
    for statement in body:
        if isinstance(statement, ir.Raise):
            return True
        if isinstance(statement, ir.ExprStmt) and isinstance(statement.value, ir.Call):
            if _dotted(statement.value.func) not in _REPORTERS:
                return False
        elif isinstance(statement, ir.Assign):
            if not all(isinstance(t, ir.Name) for t in statement.targets):
                return False
        elif isinstance(statement, ir.If):
            if not only_raises(statement.body) or (statement.orelse and not only_raises(statement.orelse)):
                return False
        else:
            return False
    return not isinstance(body[-1], ir.Assign)


_REPORTERS = frozenset(
    {
        "print", "warnings.warn", "warn", "logger.warning", "logger.info", "logger.debug", "logger.error",
        "logger.warning_once", "logging.warning", "logging.info", "logging.debug", "log.warning", "log.info",
        "log.debug", "_logger.warning", "_logger.info", "_logger.debug", "LOGGER.warning", "LOGGER.info",
        "rank_zero_warn",
    }
)  # fmt: skip


def _dotted(node: ir.Expr) -> str:
    if isinstance(node, ir.Name):
        return node.id
    if isinstance(node, ir.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return "?"


# ---------------------------------------------------------------------------------------------------- assignments
def assign(frame: Frame, target: ir.Expr, value: Value, source: ir.Expr | None) -> None:
    """Bind `value` to a target; `source` is the expression it came from, for places."""
    if isinstance(target, ir.Name):
        if frame.env is not None:
            frame.env.names[target.id] = value
    elif isinstance(target, ir.Sequence):
        _unpack(frame, target, value, source)
    elif isinstance(target, ir.Attribute):
        for receiver in alternatives(expressions.evaluate(frame, target.value)):
            if isinstance(receiver, Instance):
                objects.set_attribute(frame, receiver, target.attr, value)
    elif isinstance(target, ir.Subscript):
        _assign_item(frame, target, value)
    elif isinstance(target, ir.Starred):
        assign(frame, target.value, value, source)


def _assign_item(frame: Frame, target: ir.Subscript, value: Value) -> None:
    container = expressions.evaluate(frame, target.value)
    index = expressions.evaluate(frame, target.index)
    for one in alternatives(container):
        if isinstance(one, Dict):
            if isinstance(index, Const) and isinstance(index.value, (str, int, bool, type(None))):
                old = one.entries.get(index.value)
                one.entries[index.value] = value if old is None else join(old, value)
            else:
                one.rest = value if one.rest is None else join(one.rest, value)
        elif isinstance(one, Seq) and one.kind == "list":
            if one.elements is not None and isinstance(index, Const) and isinstance(index.value, int):
                elements = list(one.elements)
                if -len(elements) <= index.value < len(elements):
                    elements[index.value] = value
                    one.elements = tuple(elements)
                    continue
            iteration.widen(one, value)
        elif isinstance(one, Tensor) and not one.traced and (value.is_traced or index.is_traced):
            one.traced = True  # a buffer of constants that receives computed values
            one.origin = one.origin or value.origin or index.origin


def _unpack(frame: Frame, target: ir.Sequence, value: Value, source: ir.Expr | None) -> None:
    count = len(target.elements)
    star = next((i for i, e in enumerate(target.elements) if isinstance(e, ir.Starred)), None)
    values = iteration.unpack(frame, value, count, star, source or target)
    for element, part in zip(target.elements, values, strict=True):
        assign(frame, element, part, None)


def _assign(frame: Frame, node: ir.Assign) -> None:
    if (
        isinstance(node.value, ir.Sequence)
        and len(node.targets) == 1
        and isinstance(target := node.targets[0], ir.Sequence)
        and len(target.elements) == len(node.value.elements)
        and not any(isinstance(e, ir.Starred) for e in (*target.elements, *node.value.elements))
    ):
        parts = [expressions.evaluate(frame, e) for e in node.value.elements]
        for element, part, expression in zip(target.elements, parts, node.value.elements, strict=True):
            assign(frame, element, part, expression)
        return
    value = expressions.evaluate(frame, node.value)
    if node.annotation is not None and value is UNKNOWN:
        from onnx_lint.semantics.evaluation import parameters

        value = parameters.annotated(frame.analysis, frame.module, node.annotation) or value
    for target in node.targets:
        assign(frame, target, value, node.value)


def _declare(frame: Frame, node: ir.Declare) -> None:
    pass


def _aug_assign(frame: Frame, node: ir.AugAssign) -> None:
    target = node.target
    before = expressions.evaluate(frame, target)
    right = expressions.evaluate(frame, node.value)
    if isinstance(target, ir.Name) and isinstance(before, (Size, Tensor)):
        _aliased(frame, node, target.id, before)
    if isinstance(before, Seq) and before.kind == "list" and node.op == "+":
        if frame.exits or not isinstance(right, Seq) or right.elements is None or before.elements is None:
            for part in right.items() if isinstance(right, Seq) else (iteration.element(frame, right, None, None),):
                iteration.widen(before, part)
        else:
            before.elements = (*before.elements, *right.elements)
        return
    value = expressions.binary(frame, node, node.op, before, right)
    if (
        isinstance(before, Tensor) and isinstance(value, Tensor) and not isinstance(target, ir.Subscript)
    ) or not isinstance(target, ir.Subscript):
        assign(frame, target, value, None)


def _aliased(frame: Frame, node: ir.AugAssign, name: str, value: Size | Tensor) -> None:
    """Report ``n += k`` on a size that another name holds too: under tracing a size is a tensor, changed in place."""
    if isinstance(value, Tensor) and not value.is_shape:
        return
    if isinstance(value, Tensor):
        frame.emit(AliasedChange(*frame.base(node, value), name, "", node.op))
        return
    if frame.env is None:
        return
    reads = _last_reads(frame)
    for other, held in frame.env.names.items():  # an alias that nobody reads later does no harm
        is_read = reads.get(other.partition(".")[0], -1) > node.at
        if is_read and other != name and any(part is value for part in _shallow(held)):
            frame.emit(AliasedChange(*frame.base(node, value), name, other, node.op))
            return


def _last_reads(frame: Frame) -> dict[str, int]:
    """The number of the last node of the function that names a variable, by variable; found once per function."""
    function = frame.function
    if function is None:
        return {}
    held = frame.analysis.last_reads.get(id(function))
    if held is None:
        last: dict[str, int] = {}
        for node in ir.walk(function.body):
            if isinstance(node, ir.Name):
                last[node.id] = max(node.at, last.get(node.id, -1))
        held = frame.analysis.last_reads[id(function)] = (function, last)
    return held[1]


def _shallow(value: Value) -> tuple[Value, ...]:
    if isinstance(value, Seq):
        return (value, *value.items())
    if isinstance(value, Dict):
        return (value, *value.values())
    return (value,)


# --------------------------------------------------------------------------------------------------- control flow
def _if(frame: Frame, node: ir.If) -> None:
    only = only_raises(node.body) and (not node.orelse or only_raises(node.orelse) or _is_chain(node.orelse))
    frame.checks += only
    truth = conditions.condition(frame, node.test, "if", node)
    frame.checks -= only
    engines = frame.engines
    before = frame.env
    if before is None:
        return
    yes, no = conditions.engines_of(truth, engines)
    after_yes: Environment | None = None
    after_no: Environment | None = None
    if yes:
        frame.engines, frame.env = yes, before.copy() if no else before
        conditions.narrow(frame, node.test, True)
        frame.checks += only
        block(frame, node.body)
        frame.checks -= only
        after_yes = frame.env
    if no:
        frame.engines, frame.env = no, before
        conditions.narrow(frame, node.test, False)
        block(frame, node.orelse)
        after_no = frame.env
    frame.env = join_environments(after_yes, after_no)
    frame.engines = engines
    if isinstance(truth, EngineFlag):
        # a way that ended under one engine leaves only the other engine behind
        frame.engines = (yes if after_yes is not None else 0) | (no if after_no is not None else 0) or engines


def _is_chain(orelse: ir.Block) -> bool:
    """``elif`` after a branch that raises: the branch itself only checks."""
    return len(orelse) == 1 and isinstance(orelse[0], ir.If)


def _while(frame: Frame, node: ir.While) -> None:
    start = frame.env
    frame.exits.append([])
    out: Environment | None = None
    for _ in range(_LOOP_PASSES):
        if frame.env is None:
            break
        before = frame.env
        truth = conditions.condition(frame, node.test, "while", node)
        leave = frame.env.copy()
        yes, no = conditions.engines_of(truth, frame.engines)
        if no:
            out = join_environments(out, leave)
        if not yes:
            frame.env = None
            break
        conditions.narrow(frame, node.test, True)
        block(frame, node.body)
        joined = join_environments(before.copy(), frame.env)
        if joined is None or _settled(before, joined):
            break
        frame.env = joined
    for exit_env in frame.exits.pop():
        out = join_environments(out, exit_env)
    frame.env = join_environments(out, frame.env) if out is not None else frame.env or start
    block(frame, node.orelse)


def _settled(before: Environment, after: Environment) -> bool:
    for name, value in after.names.items():
        old = before.names.get(name)
        if old is not value and (old is None or old.key() != value.key()):
            return False
    return True


def _for(frame: Frame, node: ir.For) -> None:
    iterable = expressions.evaluate(frame, node.iter)
    elements = iteration.loop_elements(frame, iterable, node.iter, "for", node)
    if elements is not None:
        _unrolled(frame, node, elements)
    else:
        element = iteration.element(frame, iterable, node.iter, "for", statement=node)
        frame.exits.append([])
        for _ in range(_LOOP_PASSES):
            if frame.env is None:
                break
            before = frame.env.copy()
            assign(frame, node.target, element, None)
            block(frame, node.body)
            joined = join_environments(before, frame.env)
            if joined is None or _settled(before, joined):
                frame.env = joined
                break
            frame.env = joined
        for exit_env in frame.exits.pop():
            frame.env = join_environments(frame.env, exit_env)
    if frame.env is not None:
        block(frame, node.orelse)


def _unrolled(frame: Frame, node: ir.For, elements: list[Value]) -> None:
    """A short loop over known elements, one after the other."""
    out: Environment | None = None
    for value in elements:
        if frame.env is None:
            break
        frame.exits.append([])
        assign(frame, node.target, value, None)
        block(frame, node.body)
        for exit_env in frame.exits.pop():
            frame.env = join_environments(frame.env, exit_env)
    frame.env = join_environments(out, frame.env)


def _with(frame: Frame, node: ir.With) -> None:
    for context, target in node.items:
        value = expressions.evaluate(frame, context)
        if target is not None:
            assign(frame, target, value if isinstance(value, (Tensor, Instance)) else UNKNOWN, None)
    block(frame, node.body)


def _try(frame: Frame, node: ir.Try) -> None:
    before = frame.env.copy() if frame.env is not None else None
    block(frame, node.body)
    if frame.env is not None:
        block(frame, node.orelse)
    out = frame.env
    middle = join_environments(before, out)
    for handler in node.handlers:
        frame.env = middle.copy() if middle is not None else None
        if frame.env is not None and handler.name:
            frame.env.names[handler.name] = STATIC
        if frame.env is not None:
            block(frame, handler.body)
        out = join_environments(out, frame.env)
    frame.env = out
    if node.final:
        ended = frame.env is None
        frame.env = frame.env or (middle.copy() if middle is not None else None)
        if frame.env is not None:
            block(frame, node.final)
        if ended:
            frame.env = None


def _match(frame: Frame, node: ir.Match) -> None:
    subject = expressions.evaluate(frame, node.subject)
    if any(c.compares for c in node.cases):
        conditions.truth(frame, node.subject, subject, "match")
    before = frame.env
    out: Environment | None = None
    complete = False
    for case in node.cases:
        frame.env = before.copy() if before is not None else None
        if frame.env is None:
            break
        for name in case.captures:
            frame.env.names[name] = subject if case.wildcard else UNKNOWN
        if case.guard is not None:
            conditions.condition(frame, case.guard, "if", node)
        block(frame, case.body)
        out = join_environments(out, frame.env)
        complete |= case.wildcard and case.guard is None
    frame.env = out if complete else join_environments(out, before)


# ------------------------------------------------------------------------------------------------------ the rest
def _expression(frame: Frame, node: ir.ExprStmt) -> None:
    expressions.evaluate(frame, node.value)


def _return(frame: Frame, node: ir.Return) -> None:
    value = expressions.evaluate(frame, node.value) if node.value is not None else Const(None)
    frame.returns.append((value, node.value, node))
    frame.env = None


def _raise(frame: Frame, node: ir.Raise) -> None:
    if node.value is not None:
        frame.checks += 1
        expressions.evaluate(frame, node.value)
        frame.checks -= 1
    frame.env = None


def _assert(frame: Frame, node: ir.Assert) -> None:
    frame.checks += 1
    truth = conditions.condition(frame, node.test, "assert", node)
    frame.checks -= 1
    if truth is False:
        frame.env = None
        return
    if isinstance(truth, EngineFlag):
        frame.engines &= truth.true_for or frame.engines
    conditions.narrow(frame, node.test, True)


def _function(frame: Frame, node: ir.FunctionDef) -> None:
    if frame.env is None:
        return
    value: Value = Function(frame.unit, node, frame.env, None)
    if node.decorators:
        value = calls.decorated(frame, value, node.decorators)
    frame.env.names[node.name] = value


def _class(frame: Frame, node: ir.ClassDef) -> None:
    if frame.env is not None:
        frame.env.names[node.name] = STATIC


def _import(frame: Frame, node: ir.Import) -> None:
    if frame.env is None:
        return
    project = frame.analysis.project
    for name, alias in node.names:
        bound = name if alias else name.partition(".")[0]
        found = project.load(frame.module, bound)
        value: Value = ModuleValue(bound, found.source) if found is not None else expressions.external(bound)
        frame.env.names[alias or bound] = value


def _import_from(frame: Frame, node: ir.ImportFrom) -> None:
    if frame.env is None or node.names is None:
        return
    from onnx_lint.project.modules import ImportBinding

    project = frame.analysis.project
    for name, alias in node.names:
        meaning = project.resolve_import(frame.module, ImportBinding(node.module, node.level, name))
        frame.env.names[alias or name] = expressions.meaning_value(frame.analysis, meaning)


def _delete(frame: Frame, node: ir.Delete) -> None:
    for target in node.targets:
        if isinstance(target, ir.Name) and frame.env is not None:
            frame.env.names.pop(target.id, None)


def _jump(frame: Frame, node: ir.Jump) -> None:
    if frame.exits and frame.env is not None:
        frame.exits[-1].append(frame.env)
    frame.env = None


def _scope(frame: Frame, node: ir.Scope) -> None:
    pass


# A dict from node type to the function for just that type; its value type cannot say so, hence Any.
_STATEMENTS: dict[type[ir.Stmt], Callable[[Frame, Any], None]] = {
    ir.Assign: _assign, ir.Declare: _declare, ir.AugAssign: _aug_assign, ir.ExprStmt: _expression,
    ir.Return: _return, ir.Raise: _raise, ir.Assert: _assert, ir.If: _if, ir.While: _while, ir.For: _for,
    ir.With: _with, ir.Try: _try, ir.FunctionDef: _function, ir.ClassDef: _class, ir.Import: _import,
    ir.ImportFrom: _import_from, ir.Delete: _delete, ir.Jump: _jump, ir.Scope: _scope, ir.Match: _match,
}  # fmt: skip
