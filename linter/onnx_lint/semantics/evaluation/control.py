"""Control flow: which ways through a function are open, and what holds where they meet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from onnx_lint.semantics.domain.demands import Search
from onnx_lint.semantics.domain.environment import Environment, has_settled, join_environments
from onnx_lint.semantics.domain.truth import engines_of
from onnx_lint.semantics.domain.values import (
    STATIC,
    UNKNOWN,
    Const,
    Instance,
    Tensor,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.source import ir

_EXACT_TURNS = 3
"""Turns of a loop that are joined as they are; what further ones add is generalised, until nothing is added."""
_MAX_TURNS = 24
"""Turns after which names that still change are unknown. Widening ends before, but for objects made of objects."""


def only_raises(body: ir.Block) -> bool:
    """Whether a block does nothing but raise, warn or print: the branch around it only checks."""
    if not body:
        return False
    for statement in body:
        if isinstance(statement, ir.Raise):
            return True
        if isinstance(statement, ir.ExprStmt) and isinstance(statement.value, ir.Call):
            if ir.dotted(statement.value.func) not in _REPORTERS:
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


# -------------------------------------------------------------------------------------------------------- branches
def if_(frame: Frame, node: ir.If) -> None:
    """``if test: … else: …``."""
    interp = frame.interp
    only = only_raises(node.body) and (not node.orelse or only_raises(node.orelse) or _is_chain(node.orelse))
    with frame.checking(only):
        truth = interp.condition(frame, node.test, "if", node)
    before = frame.env
    if before is None:
        return
    search = frame.analysis.search if truth is None and not only and _asks_for_rank(node.test) else None
    is_demanded = bool(node.orelse) and only_raises(node.orelse)
    yes, no = engines_of(truth, before.engines)
    after_yes: Environment | None = None
    after_no: Environment | None = None
    fails = only
    if yes:
        frame.env = before.under(yes) if no else before
        interp.narrow(frame, node.test, True)
        if is_demanded:
            interp.require(frame, node.test, True)
        ways = len(frame.returns)
        with frame.checking(only), _in_doubt(None if is_demanded else search):
            interp.execute(frame, node.body)
        after_yes = frame.env
        fails = fails or (after_yes is None and len(frame.returns) == ways and not frame.exits)
    if no:
        frame.env = before.under(no) if yes else before
        interp.narrow(frame, node.test, False)
        if fails:
            interp.require(frame, node.test, False)
        with _in_doubt(None if fails else search):
            interp.execute(frame, node.orelse)
        after_no = frame.env
    frame.env = join_environments(after_yes, after_no)


@contextmanager
def _in_doubt(search: Search | None) -> Iterator[None]:
    """While one way of a branch on the number of dimensions is gone: what is demanded there may not be demanded."""
    if search is None:
        yield
        return
    search.in_doubt += 1
    try:
        yield
    finally:
        search.in_doubt -= 1


def _asks_for_rank(node: object) -> bool:
    """Whether a test looks at a number of dimensions."""
    match node:
        case ir.Attribute():
            return node.attr in ("ndim", "dim", "ndimension") or _asks_for_rank(node.value)
        case ir.Call():
            is_length = isinstance(node.func, ir.Name) and node.func.id == "len"
            return is_length or _asks_for_rank(node.func)
        case ir.Compare():
            return _asks_for_rank(node.left) or any(_asks_for_rank(right) for _, right in node.rest)
        case ir.BoolOp():
            return _asks_for_rank(node.left) or _asks_for_rank(node.right)
        case ir.UnaryOp():
            return _asks_for_rank(node.value)
    return False


def _is_chain(orelse: ir.Block) -> bool:
    """``elif`` after a branch that raises: the branch itself only checks."""
    return len(orelse) == 1 and isinstance(orelse[0], ir.If)


def match(frame: Frame, node: ir.Match) -> None:
    """``match subject: case …``."""
    interp = frame.interp
    subject = interp.evaluate(frame, node.subject)
    if any(c.compares for c in node.cases):
        interp.truth(frame, node.subject, subject, "match")
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
            interp.condition(frame, case.guard, "if", node)
        interp.execute(frame, case.body)
        out = join_environments(out, frame.env)
        complete |= case.wildcard and case.guard is None
    frame.env = out if complete else join_environments(out, before)


def assert_(frame: Frame, node: ir.Assert) -> None:
    """``assert test``."""
    with frame.checking():
        truth = frame.interp.condition(frame, node.test, "assert", node)
    if truth is False:
        frame.env = None
        return
    if frame.env is not None:
        frame.env.engines = engines_of(truth, frame.engines)[0] or frame.engines
    frame.interp.narrow(frame, node.test, True)
    frame.interp.require(frame, node.test, True)


# ----------------------------------------------------------------------------------------------------------- loops
def while_(frame: Frame, node: ir.While) -> None:
    """``while test: … else: …``, to a fixpoint."""
    interp = frame.interp
    exits = frame.enter_loop()
    left: Environment | None = None
    for turn in range(_MAX_TURNS):
        head = frame.env
        if head is None:
            break
        since = frame.analysis.made
        truth = interp.condition(frame, node.test, "while", node)
        yes, no = engines_of(truth, frame.engines)
        if no and frame.env is not None:
            left = join_environments(left, frame.env.under(no))
        if not yes:
            frame.env = None
            break
        head = head.copy()
        if frame.env is not None:
            frame.env.engines = yes
        interp.narrow(frame, node.test, True)
        interp.execute(frame, node.body)
        if _close(frame, head, turn, since):
            frame.env = None  # what holds when the condition is false is in `left` already
            break
    frame.exits.pop()
    for broken in exits.breaks:
        left = join_environments(left, broken)
    frame.env = join_environments(left, frame.env)
    interp.execute(frame, node.orelse)


def for_(frame: Frame, node: ir.For) -> None:
    """``for target in iterable: … else: …``; a short loop over unlike elements turn by turn."""
    interp = frame.interp
    iterable = interp.evaluate(frame, node.iter)
    elements = interp.loop_elements(frame, iterable)
    if elements is not None:
        _unroll(frame, node, elements)
    else:
        element = interp.element(frame, iterable, node.iter, "for", statement=node)
        exits = frame.enter_loop()
        for turn in range(_MAX_TURNS):
            if frame.env is None:
                break
            head, since = frame.env.copy(), frame.analysis.made
            interp.assign(frame, node.target, element, None)
            interp.execute(frame, node.body)
            if _close(frame, head, turn, since):
                break
        frame.exits.pop()
        for broken in exits.breaks:
            frame.env = join_environments(frame.env, broken)
    if frame.env is not None:
        interp.execute(frame, node.orelse)


def _close(frame: Frame, head: Environment, turn: int, since: int) -> bool:
    """Join the end of a turn with its beginning; whether a further turn would add nothing."""
    continued = frame.exits[-1].continues
    for early in continued:
        frame.env = join_environments(frame.env, early)
    continued.clear()
    end = None if frame.env is None else frame.env.settled(frame.flow, since)
    joined = join_environments(head, end, widening=turn >= _EXACT_TURNS)
    assert joined is not None
    frame.env = joined
    if has_settled(head, joined):
        return True
    if turn == _MAX_TURNS - 1:
        _forget_changing(head, joined)
    return False


def _forget_changing(head: Environment, joined: Environment) -> None:
    for name, value in joined.names.items():
        before = head.names.get(name)
        if before is None or before.key() != value.key():
            joined.names[name] = UNKNOWN


def _unroll(frame: Frame, node: ir.For, elements: tuple[Value, ...]) -> None:
    """A short loop over known elements, one after the other."""
    exits = frame.enter_loop()
    for value in elements:
        if frame.env is None:
            break
        frame.interp.assign(frame, node.target, value, None)
        frame.interp.execute(frame, node.body)
        for early in exits.continues:
            frame.env = join_environments(frame.env, early)
        exits.continues.clear()
    frame.exits.pop()
    for broken in exits.breaks:
        frame.env = join_environments(frame.env, broken)


def jump(frame: Frame, node: ir.Jump) -> None:
    """``break``, ``continue``."""
    if frame.exits and frame.env is not None:
        exits = frame.exits[-1]
        (exits.breaks if node.kind == "break" else exits.continues).append(frame.env)
    frame.env = None


# -------------------------------------------------------------------------------------------- with, try, the way out
def with_(frame: Frame, node: ir.With) -> None:
    """``with context as target: …``."""
    for context, target in node.items:
        value = frame.interp.evaluate(frame, context)
        if target is not None:
            held = value if isinstance(value, (Tensor, Instance)) else UNKNOWN
            frame.interp.assign(frame, target, held, None)
    frame.interp.execute(frame, node.body)


def try_(frame: Frame, node: ir.Try) -> None:
    """``try: … except: … else: … finally: …``; the body may end anywhere."""
    interp = frame.interp
    before = frame.env.copy() if frame.env is not None else None
    interp.execute(frame, node.body)
    if frame.env is not None:
        interp.execute(frame, node.orelse)
    out = frame.env
    middle = join_environments(before, out)
    for handler in node.handlers:
        frame.env = middle.copy() if middle is not None else None
        if frame.env is not None and handler.name:
            frame.env.names[handler.name] = STATIC
        if frame.env is not None:
            engines, frame.env.engines = frame.env.engines, 0  # no export that succeeds comes by here
            interp.execute(frame, handler.body)
            if frame.env is not None:
                frame.env.engines = engines
        out = join_environments(out, frame.env)
    frame.env = out
    if node.final:
        ended = frame.env is None
        frame.env = frame.env or (middle.copy() if middle is not None else None)
        if frame.env is not None:
            interp.execute(frame, node.final)
        if ended:
            frame.env = None


def return_(frame: Frame, node: ir.Return) -> None:
    """``return value`` ends the way."""
    value: Value = frame.interp.evaluate(frame, node.value) if node.value is not None else Const(None)
    if frame.env is not None:
        frame.returns.append((value, node.value, frame.env))
    frame.env = None


def raise_(frame: Frame, node: ir.Raise) -> None:
    """``raise value`` ends the way."""
    if node.value is not None:
        with frame.checking():
            frame.interp.evaluate(frame, node.value)
    frame.env = None
