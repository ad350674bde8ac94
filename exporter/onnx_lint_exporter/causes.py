"""Which observations of an export belong together: a cause, and what only repeats it."""

from __future__ import annotations

from dataclasses import dataclass

from onnx_lint.diagnostic import Span
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.worker.protocol import Kind, Observation, Read, State

FREEZING = (Kind.TRACER_WARNING, Kind.BAKED_VALUE, Kind.STRUCTURE, Kind.TURNED)
"""Kinds of observations that show where Python read a value and kept it."""
SHOWN_TO_DIFFER = (Kind.BAKED_VALUE, Kind.STRUCTURE, Kind.TURNED)
"""Those that show that it is another one on another input."""
_LOST = (Kind.VANISHED_INPUT, Kind.DEAD_INPUT, Kind.CONSTANT_OUTPUT)
_AXES = (Kind.STATIC_AXIS, Kind.NARROWED_AXIS)


@dataclass(frozen=True)
class LocatedObservation:
    """An observation with the place and the code it got."""

    item: Observation
    code: str
    name: str
    span: Span
    explained: bool
    """Whether the code is that of a rule."""
    only_tells: bool = False
    """Whether the rule takes the construct for harmless in every engine, as an ``assert``."""

    @property
    def line(self) -> tuple[str, int]:
        """File and line."""
        return self.span.path, self.span.line


def drop_consequences(seen: list[LocatedObservation], outcome: Outcome) -> list[LocatedObservation]:
    """Leave out what only repeats a cause that is reported: a constant at its use, a wrong result, a failing node."""
    causes = [each for each in seen if each.item.kind in FREEZING and each.explained]
    kept = []
    for each in seen:
        kind = each.item.kind
        if kind in (Kind.BAKED_VALUE, Kind.STRUCTURE) and not each.explained and causes:
            continue
        if kind in _LOST and (causes or not outcome.wrong):
            continue
        if kind in (Kind.OUTPUT_MISMATCH, Kind.RUN_ERROR) and _explained_elsewhere(causes, outcome, seen):
            continue
        kept.append(each)
    return kept


def harmless_branch(each: LocatedObservation, frozen_here: set[tuple[str, int]]) -> bool:
    """Whether the tracer warned of a branch that both inputs take the same way.

    That is known when the twin trace found what was frozen, elsewhere, and no difference in what was computed.
    """
    boolean = each.item.kind is Kind.TRACER_WARNING and each.item.read is Read.BOOLEAN
    return boolean and each.line not in frozen_here


def _explained_elsewhere(causes: list[LocatedObservation], outcome: Outcome, seen: list[LocatedObservation]) -> bool:
    """Whether what was frozen explains a wrong result: only when the first input, which was traced, is right."""
    frozen = bool(causes) or any(other.item.kind in _AXES for other in seen)
    return frozen and outcome.result.input1.state is State.RIGHT


def uses_of_other_lines(seen: list[LocatedObservation]) -> bool:
    """Whether constants stand in the trace that no expression on their own line froze: they came from another line."""
    baked: dict[tuple[str, int], set[str]] = {}
    warned: dict[tuple[str, int], int] = {}
    warnings = [each for each in seen if each.item.kind is Kind.TRACER_WARNING]
    values = {each.line for each in warnings if each.item.read is not Read.BOOLEAN}
    for each in seen:
        if each.item.kind is Kind.BAKED_VALUE:
            if not each.explained and each.line not in values:
                return True
            baked.setdefault(each.line, set()).add(f"{each.item.value} {each.item.other}")
        elif each.item.kind is Kind.TRACER_WARNING:
            warned[each.line] = warned.get(each.line, 0) + 1
    return any(len(values) > max(warned.get(place, 0), 1) for place, values in baked.items())
