"""Where a random number does not matter to an export."""

from __future__ import annotations

from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.source import ir
from onnx_lint.source.enclosing import enclosing
from onnx_lint.target import Effects, Engine, Verdict, warns

_AUGMENTS = ("augment", "Augment", "Random", "transforms/")
_DRAWS = warns("draws it in each call, as augmentation of data does")


def of_augmentation(call: OperatorCall, effects: Effects) -> Effects:
    """The effects; only a warning in code that augments data, which few people export."""
    if not any(word in f"{call.unit.module.path} {call.function} {call.model}" for word in _AUGMENTS):
        return effects
    return {engine: _DRAWS for engine in Engine if effects[engine].verdict is not Verdict.FINE}


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
