"""What the stages ask of an export engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from ..execution import Arguments, Leaf, Model
from ..frames import UserCode
from ..inputs import Axes, Inputs
from ..protocol import Fault, Frame, Job, Observation, Stack, Stage
from ..target import Loaded

Options = dict[str, object]
"""Keyword arguments of ``torch.onnx.export``."""
Calls = dict[tuple[str, int], list[tuple[str, Frame]]]
"""File and line → the torch calls that an eager run made there, with their places."""


@dataclass(frozen=True)
class Session:
    """What an engine may know of the run that it is part of."""

    job: Job
    user: UserCode
    loaded: Loaded
    inputs: Inputs
    calls: Calls


@dataclass(frozen=True)
class Range:
    """The sizes for which the recording of a dynamic dimension holds."""

    input: str
    dim: int
    axis: str
    """Its name; empty for one without."""
    low: int
    high: int | None
    stack: Stack
    """Where the model decided by it."""


class Engine(Protocol):
    """An export engine, for one export. It may keep what its own later answers need.

    The methods with a `Session` serve the worker, the others the Python functions as well.
    """

    name: ClassVar[str]
    requires: ClassVar[tuple[str, ...]]
    """Packages that it needs besides torch and onnx."""

    # --- exporting
    def refusal(self, model: Model) -> str:
        """Why this engine cannot take a model of this kind at all; empty when it can."""

    def complete(self, model: Model, arguments: Arguments) -> Arguments:
        """An input as the engine's graph takes it, for instance with the defaults filled in."""

    def asked_axes(self, job: Job) -> Axes:
        """Dynamic axes of inputs that an option for this engine alone names."""

    def options(self, session: Session) -> Options:
        """What the job asks for, as keyword arguments of ``torch.onnx.export``."""

    def export(self, session: Session, path: str) -> None:
        """Export the model to a file, with its source places in it. Raises what torch raises."""

    def export_to(self, model: Model, arguments: Arguments, path: str, options: Options) -> None:
        """Like `export`, for any model and options."""

    # --- explaining a failure
    def explain(
        self, error: BaseException, user: UserCode, model: Model, calls: Calls
    ) -> tuple[Stage, list[Observation]]:
        """The stage in which an export failed, and the failure at its place in the user's code."""

    def other_failures(
        self, session: Session, error: Exception, stage: Stage, found: list[Observation]
    ) -> list[Observation]:
        """What else would fail: the engines stop at the first."""

    def unconvertible(
        self, model: Model, arguments: Arguments, options: Options, user: UserCode, folder: str
    ) -> list[Observation]:
        """Every operator without a translation, each at every place it is used. Raises what the recording raises."""

    def retries_strictly(self, job: Job, stage: Stage, found: list[Observation]) -> bool:
        """Whether ``torch.onnx.export`` would go on to strict capture after this failure."""

    # --- what is wrong with a file that was made
    def freezes(self, value: object) -> bool:
        """Whether a plain argument stands in the graph with the example's value."""

    def ranges(self, inputs: Inputs) -> list[Range]:
        """Dynamic dimensions that hold only for a range of sizes."""

    def decided_at(self) -> set[tuple[str, int]]:
        """File and line of each place where the recording is known to have decided something for good."""

    def fixing_line(self) -> Stack:
        """Where a size was fixed that was asked to be dynamic, if it is known."""

    def frozen(self, session: Session, second: Arguments) -> list[Observation]:
        """What the recording froze, as a second input shows it."""

    def fault(self, model: Model, first: Arguments, given: Arguments, outputs: list[Leaf]) -> Fault:
        """Whether the recorded program or its translation makes a result wrong; `given` is the input of `outputs`."""

    def changed_size(self, model: Model, first: Arguments, used: Frame, user: UserCode) -> Stack:
        """Where a size is changed in place that the line `used` takes, which makes a trace wrong on its own input."""

    def translations_at(self, options: Options, place: Frame, user: UserCode) -> Mapping[object, object]:
        """The entries of ``custom_translation_table`` that were used on a line."""

    def symbolics_of(self, function: Callable[..., object], given: Arguments, opset: int) -> Mapping[str, object]:
        """The symbolic functions that are not torch's own, for the operators that a call consists of."""
