"""Which observations of an export belong together: a cause, and what only repeats it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onnx_lint.diagnostic import Span
from onnx_lint_exporter.outcome import Outcome

Json = dict[str, Any]

FREEZING = ("tracer-warning", "baked-value", "structure")
"""Kinds of observations that tell where Python read a value and kept it."""


@dataclass
class Seen:
    """An observation with the place and the code it got."""

    item: Json
    code: str
    span: Span
    explained: bool


def drop_consequences(seen: list[Seen], outcome: Outcome) -> list[Seen]:
    """Leave out what only repeats a cause that is told: a constant at its use, a wrong result, a failing node."""
    causes = [each for each in seen if each.item["kind"] in FREEZING and each.explained]
    kept = []
    for each in seen:
        kind = each.item["kind"]
        if kind in ("baked-value", "structure") and not each.explained and causes:
            continue
        if kind in ("vanished-input", "dead-input", "constant-output") and (causes or not outcome.wrong):
            continue
        if kind in ("output-mismatch", "run-error") and _explained_elsewhere(each, causes, outcome, seen):
            continue
        kept.append(each)
    return kept


def harmless_branch(each: Seen, frozen_here: set[tuple[str, int]]) -> bool:
    """Whether the tracer warned of a branch that both inputs take the same way.

    That is known when the twin trace found what was frozen, elsewhere, and no difference in what was computed.
    """
    item = each.item
    boolean = item["kind"] == "tracer-warning" and item["what"] == "boolean"
    return boolean and (each.span.path, each.span.line) not in frozen_here


def _explained_elsewhere(each: Seen, causes: list[Seen], outcome: Outcome, seen: list[Seen]) -> bool:
    """Whether what was frozen explains a wrong result: only when the first input, which was traced, is right."""
    if (
        any(other.item["kind"] in ("static-axis", "narrowed-axis") for other in seen)
        and outcome.input1["state"] == "right"
    ):
        return True
    return bool(causes) and outcome.input1["state"] == "right"


def uses_of_other_lines(seen: list[Seen]) -> bool:
    """Whether constants stand in the trace that no expression on their own line froze: they came from another line."""
    baked: dict[tuple[str, int], set[str]] = {}
    warned: dict[tuple[str, int], int] = {}
    places = [((each.span.path, each.span.line), each.item) for each in seen]
    values = {place for place, item in places if item["kind"] == "tracer-warning" and item["what"] != "boolean"}
    for each, (place, item) in zip(seen, places, strict=True):
        if item["kind"] == "baked-value":
            if not each.explained and place not in values:
                return True
            baked.setdefault(place, set()).add(f"{item['value']} {item['other']}")
        elif item["kind"] == "tracer-warning":
            warned[place] = warned.get(place, 0) + 1
    return any(len(values) > max(warned.get(place, 0), 1) for place, values in baked.items())
