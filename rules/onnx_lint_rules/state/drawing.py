"""What becomes of a random number: where it does not matter to an export, and where Python reads it."""

from __future__ import annotations

from functools import lru_cache

from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.source import ir
from onnx_lint.source.block_text import BlockText
from onnx_lint.source.enclosing import enclosing
from onnx_lint.target import Effects, Engine, Verdict, fails, measured, warns, wrong

_AUGMENTS = ("augment", "Augment", "Random", "transforms/")
_KEPT = wrong("silently keeps the number that the export drew")
_STOPS = fails("fails to export the condition")
_READERS = frozenset({"item", "tolist", "numpy", "float", "int", "bool", "round"})
_CONDITIONS = (ir.If, ir.While, ir.IfExp)


def augments(call: OperatorCall) -> bool:
    """Whether the code augments data, which few people export."""
    return any(word in f"{call.unit.module.path} {call.function} {call.model}" for word in _AUGMENTS)


def only_told(effects: Effects) -> Effects:
    """The same effects as information."""
    told = {engine: effect for engine, effect in effects.items() if effect.verdict is not Verdict.FINE}
    return {engine: warns(effect.words.removeprefix("silently ")) for engine, effect in told.items()}


def as_read(call: OperatorCall, effects: Effects) -> Effects:
    """The effects; where Python reads the number, torchscript keeps it, and dynamo stops at a condition."""
    how = _read(call) if effects[Engine.TORCHSCRIPT].verdict is Verdict.SILENTLY_WRONG else None
    if how is None:
        return effects
    return measured(torchscript=_KEPT, dynamo=_STOPS if how == "condition" else effects[Engine.DYNAMO])


def _read(call: OperatorCall) -> str | None:
    """How Python reads what is drawn, at once or by the name that it gets: ``condition`` or ``number``."""
    body = call.unit.chunk.lowered.body
    around = enclosing(body, call.node)
    how = _reads(around, call.node)
    statement = around[-1] if around else None
    if how is not None or not isinstance(statement, ir.Assign) or not isinstance(statement.targets[0], ir.Name):
        return how
    return _read_by_name(body, statement.targets[0].id)


@lru_cache(maxsize=64)
def _read_by_name(body: ir.Block, name: str) -> str | None:
    named = BlockText.of(body).names[name]
    return next((found for n in named if (found := _reads(enclosing(body, n), n)) is not None), None)


def _reads(around: tuple[object, ...], node: ir.Node) -> str | None:
    """Whether an expression is the test of a condition or a part of it, or is converted, not only an argument."""
    inner: object = node
    found: str | None = None
    for outer in reversed(around):
        if isinstance(outer, _CONDITIONS):
            return "condition" if inner is outer.test else found
        if isinstance(outer, ir.Call):
            name = outer.func.attr if isinstance(outer.func, ir.Attribute) else getattr(outer.func, "id", "")
            if name not in _READERS:
                return found
            found = "number"
        elif isinstance(outer, ir.Attribute):
            if outer.attr not in _READERS:
                return found
        elif not isinstance(outer, (ir.Subscript, ir.Compare, ir.BinOp, ir.BoolOp, ir.UnaryOp)):
            return found
        inner = outer
    return found


def is_for_training(call: OperatorCall) -> bool:
    """Whether the result gets a name that only expressions with ``training`` in them read."""
    body = call.unit.chunk.lowered.body
    around = enclosing(body, call.node)
    assigned = around[-1] if around else None
    if not isinstance(assigned, ir.Assign) or not isinstance(name := assigned.targets[0], ir.Name):
        return False
    return _is_read_in_training(body, name.id)


@lru_cache(maxsize=64)
def _is_read_in_training(body: ir.Block, name: str) -> bool:
    """Whether a name stands once by itself, where it is assigned, and else only beside ``training``."""
    named = BlockText.of(body).names[name]
    return len(named) > 1 and sum(not _stands_with_training(body, n) for n in named) == 1


def _stands_with_training(body: ir.Block, name: ir.Name) -> bool:
    return any(
        isinstance(outer, (ir.BoolOp, ir.IfExp))
        and any(isinstance(n, ir.Attribute) and n.attr == "training" for n in ir.walk(outer))
        for outer in enclosing(body, name)
    )
