"""What a worker sees, as typed values: the words for it, places in the user's code, and one thing seen at a place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class _Word(str, Enum):
    """An enumeration whose members are their own words in output."""

    def __str__(self) -> str:
        return str(self.value)


class Stage(_Word):
    """Where a worker is. `OUTCOME_STAGES` are those that a failure is attributed to."""

    START = "start"
    SCRIPT = "script"
    LOAD = "load"
    EAGER = "eager"
    REFERENCE = "reference"
    CAPTURE = "capture"
    TRANSLATE = "translate"
    OTHER_FAILURES = "other failures"
    CHECK = "check"
    RUN = "run"
    OPTIMISE = "optimise"
    SEARCH = "search"
    CONVERT = "convert"
    MEASURE = "measure"
    COMPARE = "compare"
    HAZARDS = "hazards"
    TWIN = "twin trace"
    MISMATCH = "find mismatch"
    FINISH = "finish"


WITNESS_FILE = "witness.pt"
"""The name of the file with an input that goes wrong, in the worker's folder."""
OUTCOME_STAGES = (Stage.LOAD, Stage.CAPTURE, Stage.TRANSLATE, Stage.CHECK, Stage.RUN, Stage.COMPARE)


class Kind(_Word):
    """What an observation is about."""

    USAGE = "usage"
    LOAD_ERROR = "load-error"
    EAGER_ERROR = "eager-error"
    UNKNOWN_INPUT = "unknown-input"
    WRONG_ENGINE = "wrong-engine"
    CAPTURE_ERROR = "capture-error"
    DATA_DEPENDENT = "data-dependent"
    LOST_DATA = "lost-data"
    STATIC_SIZE = "static-size"
    UNSUPPORTED_OPERATOR = "unsupported-operator"
    TRANSLATE_ERROR = "translate-error"
    OUTPUT_KIND = "output-kind"
    CHECK_ERROR = "check-error"
    RUN_ERROR = "run-error"
    OUTPUT_MISMATCH = "output-mismatch"
    OUT_OF_MEMORY = "out-of-memory"
    CRASH = "crash"
    EXIT = "exit"
    TIMEOUT = "timeout"
    FORGED = "forged"
    TRACER_WARNING = "tracer-warning"
    ENGINE_WARNING = "engine-warning"
    BAKED_VALUE = "baked-value"
    STRUCTURE = "structure"
    VANISHED_INPUT = "vanished-input"
    DEAD_INPUT = "dead-input"
    CONSTANT_OUTPUT = "constant-output"
    FROZEN_ARGUMENT = "frozen-argument"
    STATIC_AXIS = "static-axis"
    NARROWED_AXIS = "narrowed-axis"
    FLATTENED_OUTPUT = "flattened-output"
    DROPPED_OUTPUT = "dropped-output"
    RANDOM_OUTPUT = "random-output"
    TURNED = "turned"
    """Python decided otherwise, or read another value, on an input that goes wrong."""
    STATE = "state"
    """The model gives something else when it is called again."""
    STRICT_CAPTURE = "strict-capture"
    CONVERSION = "conversion"
    DRIFT = "drift"
    """What a conversion to another number format changes."""


class Read(_Word):
    """How Python reads a tensor that the tracer warns about."""

    BOOLEAN = "boolean"
    INDEX = "index"
    INTEGER = "integer"
    FLOAT = "float"
    NUMBER = "number"
    LIST = "list"
    NUMPY = "numpy"
    ITERATION = "iteration"
    LENGTH = "length"
    CONSTANT = "constant"
    IN_PLACE = "in-place"
    OTHER = "other"


class State(_Word):
    """How one run of the exported model compares with the model itself."""

    RIGHT = "right"
    WRONG = "wrong"
    FAILED = "failed"
    """ONNX Runtime stops."""
    UNSTABLE = "unstable"
    """Different, but by no more than rounding alone makes of the model's own result."""
    NOT_RUN = "not run"


class StepState(_Word):
    """Whether the graph has the value of one torch call."""

    EQUAL = "equal"
    FUSED = "fused"
    """Computed away within another operator."""
    UNUSED = "unused"
    """Not in the graph, and no output is made of it by torch calls."""
    DIFFERS = "differs"


class Fault(_Word):
    """What makes a result wrong: the translation of a right program, or the recording itself."""

    CONVERTER = "converter"
    TRACING = "tracing"
    UNKNOWN = ""


@dataclass(frozen=True)
class Frame:
    """A place in the user's code; line and columns count from 1, in characters, the end is exclusive."""

    file: str
    line: int
    function: str = ""
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    inside: bool = False
    """Whether `line` is only known to lie inside the definition (scripted code keeps no more)."""


Stack = tuple[Frame, ...]
"""The user's frames, innermost first."""


@dataclass(frozen=True)
class Observation:
    """One thing seen at a place."""

    kind: Kind
    message: str
    stack: Stack = ()
    failure: bool = False
    """Whether the export failed of it, or gave a wrong result."""
    stage: Stage = Stage.LOAD
    operator: str = ""
    read: Read | None = None
    """Of a tracer warning."""
    topic: str = ""
    """Of an engine's warning: what sets it apart from others at the same place."""
    count: int = 1
    lines: tuple[int, ...] = ()
    """Of a difference in structure: the lines whose operations only one trace has."""
    value: str = ""
    other: str = ""
    """Of a baked value: what it is, and what it is on the second input."""
    fault: Fault = Fault.UNKNOWN
    step: StepState | None = None
    """Of a mismatch: the state of the call at the place."""
    changed_size: bool = False
    """Of a mismatch: a size that is changed in place."""
    nodes: tuple[str, ...] = ()
    """Of a mismatch: the ONNX nodes of the line."""
    called: tuple[str, ...] = ()
    """Of a failure: the torch functions that the model calls on the line."""
