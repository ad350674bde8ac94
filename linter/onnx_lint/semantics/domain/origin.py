"""Where a value came from: a chain of steps, from an input of the model to the place where it meets Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx_lint.project.modules import Unit


class StepKind(Enum):
    """What happened at a step of an origin."""

    INPUT = "input"
    """It is an input of the model."""
    SIZE = "size"
    """A size was taken from a tensor."""
    READ = "read"
    """A Python value was read from a traced value."""
    ARGUMENT = "argument"
    """It was handed on as an argument."""
    ARRAY = "array"
    """A NumPy array was made from a traced value."""
    TENSOR = "tensor"
    """A tensor was computed whose size depends on what another one holds."""


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """One step of the chain by which a value came about; `parent` is the step before. `at` numbers the expression or
    parameter in its unit; `name` is that of an input or parameter, else empty."""

    unit: Unit
    at: int
    kind: StepKind
    name: str
    parent: Origin | None

    def steps(self) -> Iterator[Origin]:
        """All steps, first cause first."""
        chain: list[Origin] = []
        step: Origin | None = self
        while step is not None:
            chain.append(step)
            step = step.parent
        return reversed(chain)


def rebased(origin: Origin, onto: Mapping[Origin, Origin | None]) -> Origin | None:
    """The same chain on other beginnings: from the first step that `onto` names, the step that it gives instead."""
    above: list[Origin] = []
    step: Origin | None = origin
    while step is not None and step not in onto:
        above.append(step)
        step = step.parent
    if step is None:
        return origin
    base = onto[step]
    if base is step:
        return origin
    for one in reversed(above):
        base = Origin(one.unit, one.at, one.kind, one.name, base)
    return base
