"""What becomes of a random number: where it does not matter to an export, and where Python reads it."""

from __future__ import annotations

from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.source import ir
from onnx_lint.source.enclosing import enclosing
from onnx_lint.target import Effects, Engine, Verdict, fails, measured, warns, wrong

_AUGMENTS = ("augment", "Augment", "Random", "transforms/")
_KEPT = wrong("silently keeps the number that the export drew")
_STOPS = fails("fails, unless it is only calculated with")
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
    """The effects; where Python reads the number, torchscript keeps it, and dynamo follows `item()` in arithmetic
    only (torch 2.13)."""
    if effects[Engine.TORCHSCRIPT].verdict is not Verdict.SILENTLY_WRONG or not _is_read(call):
        return effects
    return measured(torchscript=_KEPT, dynamo=_STOPS)


def _is_read(call: OperatorCall) -> bool:
    """Whether Python converts what is drawn, or asks it in a condition, at once or by the name that it gets."""
    body = call.unit.chunk.lowered.body
    around = enclosing(body, call.node)
    if _reads(around, call.node):
        return True
    statement = around[-1] if around else None
    if not isinstance(statement, ir.Assign) or not isinstance(name := statement.targets[0], ir.Name):
        return False
    named = [n for n in ir.walk(body) if isinstance(n, ir.Name) and n.id == name.id and n is not name]
    return any(_reads(enclosing(body, n), n) for n in named)


def _reads(around: tuple[object, ...], node: ir.Node) -> bool:
    """Whether an expression is the test of a condition, a part of it, or what is converted, not only an argument."""
    inner: object = node
    for outer in reversed(around):
        if isinstance(outer, _CONDITIONS):
            return inner is outer.test
        if isinstance(outer, ir.Call):
            name = outer.func.attr if isinstance(outer.func, ir.Attribute) else getattr(outer.func, "id", "")
            return name in _READERS
        if not isinstance(outer, (ir.Attribute, ir.Subscript, ir.Compare, ir.BinOp, ir.BoolOp, ir.UnaryOp)):
            return False
        if isinstance(outer, ir.Attribute) and outer.attr not in _READERS:
            return False
        inner = outer
    return False


def is_for_training(call: OperatorCall) -> bool:
    """Whether the result gets a name that only expressions with ``training`` in them read."""
    body = call.unit.chunk.lowered.body
    around = enclosing(body, call.node)
    assigned = around[-1] if around else None
    if not isinstance(assigned, ir.Assign) or not isinstance(name := assigned.targets[0], ir.Name):
        return False
    reads = [n for n in ir.walk(body) if isinstance(n, ir.Name) and n.id == name.id and n is not name]
    return bool(reads) and all(_stands_with_training(body, n) for n in reads)


def _stands_with_training(body: ir.Block, name: ir.Name) -> bool:
    return any(
        isinstance(outer, (ir.BoolOp, ir.IfExp))
        and any(isinstance(n, ir.Attribute) and n.attr == "training" for n in ir.walk(outer))
        for outer in enclosing(body, name)
    )
