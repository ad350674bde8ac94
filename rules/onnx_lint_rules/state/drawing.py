"""What becomes of a random number: where it does not matter to an export, and where Python reads it."""

from __future__ import annotations

from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.source import ir
from onnx_lint.source.enclosing import enclosing
from onnx_lint.target import Effects, Engine, Verdict, fails, measured, warns, wrong

_AUGMENTS = ("augment", "Augment", "Random", "transforms/")
_KEPT = wrong("silently keeps the number that the export drew")
_STOPS = fails("fails, since the number decides")
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
    """The effects; where Python reads the number torchscript keeps it, and where it decides a branch dynamo stops.
    Dynamo follows a number that is only calculated with (torch 2.13)."""
    read = _reading(call) if effects[Engine.TORCHSCRIPT].verdict is Verdict.SILENTLY_WRONG else None
    if read is None:
        return effects
    return measured(torchscript=_KEPT, dynamo=_STOPS if read == "decides" else effects[Engine.DYNAMO])


def _reading(call: OperatorCall) -> str | None:
    """Whether what is drawn ``decides`` a condition or Python ``converts`` it, at once or by the name that it gets."""
    body = call.unit.chunk.lowered.body
    around = enclosing(body, call.node)
    at_once = _use(around, call.node)
    statement = around[-1] if around else None
    if at_once is not None or not isinstance(statement, ir.Assign):
        return at_once
    name = statement.targets[0]
    if not isinstance(name, ir.Name):
        return None
    named = [n for n in ir.walk(body) if isinstance(n, ir.Name) and n.id == name.id and n is not name]
    found = {_use(enclosing(body, n), n) for n in named}
    return "decides" if "decides" in found else "converts" if "converts" in found else None


def _use(around: tuple[object, ...], node: ir.Node) -> str | None:
    """What becomes of an expression: the test of a condition or a part of it, or what is converted; not an argument."""
    inner: object = node
    for outer in reversed(around):
        if isinstance(outer, _CONDITIONS):
            return "decides" if inner is outer.test else None
        if isinstance(outer, ir.Call):
            name = outer.func.attr if isinstance(outer.func, ir.Attribute) else getattr(outer.func, "id", "")
            return "converts" if name in _READERS else None
        if not isinstance(outer, (ir.Attribute, ir.Subscript, ir.Compare, ir.BinOp, ir.BoolOp, ir.UnaryOp)):
            return None
        if isinstance(outer, ir.Attribute) and outer.attr not in _READERS:
            return None
        inner = outer
    return None


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
