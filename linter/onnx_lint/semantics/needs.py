"""What a model needs of its inputs: ``H a multiple of 32``.

Operators and checks on the way demand something of sizes (`domain/equations.py`). A demand is one of the model where it
stands on every way through ``forward``. Which sizes satisfy all of them is found out by trying: they are equations over
quotients and maxima, of which a person wants to know the pattern.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from math import gcd

from onnx_lint.project.modules import Unit
from onnx_lint.semantics.domain.dims import Dim, Expression, Symbol, equal, substitute, symbols
from onnx_lint.semantics.domain.equations import Constraint, Equation, Multiple
from onnx_lint.semantics.domain.shapes import TensorType
from onnx_lint.semantics.evaluation.control import only_raises
from onnx_lint.semantics.evaluation.state import Analysis, Summary
from onnx_lint.semantics.size_names import named
from onnx_lint.source import ir

_TRIED = 256
"""Sizes up to that are tried, which finds multiples up to half of it."""
_ROUND = 2**10 * 3**3 * 5**2 * 7 * 11 * 13
"""What other sizes are meanwhile: a number that most others divide."""
_MAX_CONSTRAINTS = 200
_MAX_CALLS = 2_000


def of_input(analysis: Analysis, unit: Unit, type: TensorType) -> list[str]:
    """What the model whose ``forward`` stands in `unit` needs of the sizes of one of its inputs, in the names of the
    code: ``H a multiple of 32``, ``L at least 16``, ``W equal to H``."""
    root = None if analysis.roots is None else analysis.roots.get(unit)
    if root is None or type.shape is None:
        return []
    constraints = list(dict.fromkeys(_certain(root)))[:_MAX_CONSTRAINTS]
    found: list[str] = []
    for dim in type.shape:
        letter = dim.symbol if isinstance(dim, Expression) else None
        if letter is not None:
            wanted = [c for c in constraints if letter in _symbols(c)]
            together = _pattern(letter, wanted)
            texts = [together] if together else [_pattern(letter, [one]) for one in wanted]
            for text in (*texts, *_equals(letter, wanted, analysis, unit)):
                if text is not None:
                    found.append(f"{named(dim, analysis, unit)} {text}")
    return list(dict.fromkeys(found))


def _symbols(constraint: Constraint) -> frozenset[Symbol]:
    first, second = _sides(constraint)
    return symbols(first) | symbols(second)


def _sides(constraint: Constraint) -> tuple[Dim, Dim]:
    return (constraint.left, constraint.right) if isinstance(constraint, Equation) else (constraint.dim, constraint.of)


def _equals(letter: Symbol, constraints: list[Constraint], analysis: Analysis, unit: Unit) -> Iterator[str]:
    for constraint in constraints:
        if isinstance(constraint, Equation):
            first, second = constraint.left, constraint.right
            if isinstance(first, Expression) and isinstance(second, Expression) and second.symbol is letter:
                first, second = second, first
            if isinstance(first, Expression) and first.symbol == letter and isinstance(second, Expression):
                if second.symbol is not None and second.symbol != letter:
                    yield f"equal to {named(second, analysis, unit)}"


def _pattern(letter: Symbol, constraints: list[Constraint]) -> str | None:
    """Which sizes satisfy demands, if there is a simple word for it; other sizes are round numbers meanwhile."""
    own = [c for c in constraints if not _is_between(c)]
    if not own:
        return None
    fits = [size for size in range(1, _TRIED + 1) if all(_holds(c, letter, size) for c in own)]
    if len(fits) in (0, _TRIED):
        return None
    if len(fits) == 1:
        return f"equal to {fits[0]}"
    step, first = reduce(gcd, fits), fits[0]
    if fits != list(range(first, _TRIED + 1, step)):
        return None
    from_there = f"at least {first}" if first > max(step, letter.low) else ""
    multiple = f"a multiple of {step}" if step > 1 else ""
    return " and ".join(part for part in (multiple, from_there) if part) or None


def _is_between(constraint: Constraint) -> bool:
    """Whether it says that two sizes of inputs are the same."""
    first, second = _sides(constraint)
    return (
        isinstance(first, Expression) and isinstance(second, Expression) and None not in (first.symbol, second.symbol)
    )


def _holds(constraint: Constraint, letter: Symbol, size: int) -> bool:
    sizes: dict[Symbol, Dim] = dict.fromkeys(_symbols(constraint), _ROUND)
    sizes[letter] = size
    first, second = (substitute(side, sizes) for side in _sides(constraint))
    if isinstance(constraint, Multiple):
        if not isinstance(first, int) or not isinstance(second, int) or second == 0:
            return True
        return first % second == 0
    return equal(first, second) is not False


# ---------------------------------------------------------------------------------------------------- on every way
def _certain(root: Summary) -> Iterator[Constraint]:
    """The demands of an entry point that stand on every way through it."""
    pending, seen = [root], set[int]()
    while pending:
        summary = pending.pop()
        if id(summary) in seen or len(seen) > _MAX_CALLS:
            continue
        seen.add(id(summary))
        if summary is root:
            pending += [c.summary for c in summary.calls if c.summary.traced == summary.traced]
            continue
        if summary.traced is None:
            continue
        body = summary.traced[1].body
        sure = {getattr(node, "at", None) for node in _always(body)}  # parts without a number demand nothing
        yield from (constraint for at, constraint in summary.constraints if at in sure)
        pending += [call.summary for call in reversed(summary.calls) if call.at in sure]


def _always(block: ir.Block) -> Iterator[ir.Node]:
    """The expressions of a block that every run evaluates, and what its checks say. The body of a loop counts: it would
    not be there for none."""
    for statement in block:
        match statement:
            case ir.If():
                yield from ir.walk(statement.test)
                if not only_raises(statement.body) and _leaves(statement):
                    return
            case ir.For():
                yield from _parts(statement.iter)
                if not _leaves(statement):
                    yield from _always(statement.body)
                elif any(isinstance(node, ir.Return) for node in ir.walk(statement.body)):
                    return
            case ir.With():
                yield from _always(statement.body)
            case ir.While() | ir.Try() | ir.Match():
                if _leaves(statement):
                    return
            case ir.Assert():
                yield from ir.walk(statement.test)
            case ir.FunctionDef() | ir.ClassDef():
                pass
            case _:
                for child in ir.children(statement):
                    yield from _parts(child)
                if isinstance(statement, (ir.Return, ir.Raise)):
                    return


def _leaves(statement: ir.Stmt) -> bool:
    return any(isinstance(node, (ir.Return, ir.Jump)) for node in ir.walk(statement))


def _parts(node: ir.Node) -> Iterator[ir.Node]:
    """An expression and what every evaluation of it evaluates."""
    match node:
        case ir.IfExp():
            yield from _parts(node.test)
        case ir.BoolOp():
            yield node
            yield from _parts(node.left)
        case ir.Lambda() | ir.Comprehension():
            yield node
        case _:
            yield node
            for child in ir.children(node):
                yield from _parts(child)
