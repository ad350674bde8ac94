"""What passes between the exporter and its worker, as typed values: the job one way, messages the other.

Both sides import this module, and it imports nothing of the project: the worker runs in another interpreter, beside
torch, where ``onnx_lint`` may be absent. How the values are written and read is in ``wire``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .asking import InputsAsked


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
    SEARCH = "search"
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


# --- the job -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """What is named on the command line: a file or a module, and the name in it (``None``: its only Module)."""

    text: str
    file: str | None = None
    module: str | None = None
    attribute: str | None = None


@dataclass(frozen=True)
class Job:
    """One export by one engine: everything that a worker needs to know."""

    target: Target
    engine: str
    folder: str = ""
    """The worker's own folder: all files it makes lie there, under the names below."""
    name: str = "model.onnx"
    data_name: str = "model.onnx.data"
    spare_name: str = "model.onnx.spare.data"
    """The name that a second form of the model gives to the data file, see ``writer``."""
    output: str | None = None
    """Where the model will go: only looked at for the data files of the model that lies there."""
    token: str = ""
    """Begins each line of a message, so that what the model prints is not taken for one."""
    memory_mb: int | None = None
    threads: int = 1
    strict: bool = False
    input_specs: tuple[str, ...] = ()
    inputs_from: Target | None = None
    axes: dict[str, dict[int, str]] | None = None
    dynamic_shapes: object = None
    """As ``--dynamic-shapes`` gives it: any JSON."""
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    opset_version: int | None = None
    register: tuple[str, ...] = ()
    script: tuple[str, ...] | None = None
    """The arguments of a script that is run, and whose calls of ``torch.onnx.export`` are the targets."""
    observe: bool = False
    """Whether instead the models that the script calls are the targets, with inputs from these calls."""
    call: int = 0
    """Which of its calls, or of its models, counted from 0."""
    overlay: dict[str, str] | None = None
    """Source texts that stand for those of files: the model made of them must give what the original one does."""
    linted: tuple[str, ...] = ()
    """Files and folders that are linted too: their code is the user's wherever it is installed."""
    custom_opsets: dict[str, int] | None = None
    training: str = "eval"
    external_data: bool = False
    weights_left_out: bool = False
    keep_initializers_as_inputs: bool = False
    optimize: bool = True
    artifacts_dir: str | None = None
    profile: bool = False
    verify: bool = True
    effort: int = 25
    """Percent of the export's processor time that the search may take."""
    want_map: bool = False
    want_text: bool = False
    want_witness: bool = False


# --- the result ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Worst:
    """The element that differs most beyond tolerance."""

    index: tuple[int, ...]
    got: str
    want: str
    wrong: int
    """How many elements differ, `of` how many."""
    of: int


@dataclass(frozen=True)
class Comparison:
    """One run of the exported model, compared with the model's own results."""

    state: State
    text: str = ""
    output: str | None = None
    """The output that differs most, of a wrong one."""
    worst: Worst | None = None


@dataclass(frozen=True)
class Argument:
    """One argument of the model in words, in the first and in the second input."""

    name: str
    kind: str
    second: str


@dataclass(frozen=True)
class GraphValue:
    """An input or output of the graph; `shape` has sizes, axis names, and ``?`` where nothing is known."""

    name: str
    dtype: str
    shape: tuple[int | str, ...] | None


@dataclass(frozen=True)
class NodeOutput:
    """A value that a node makes."""

    name: str
    shape: tuple[int | str, ...] | None


@dataclass(frozen=True)
class NodeRow:
    """One ONNX node and where it comes from."""

    name: str
    op: str
    outputs: tuple[NodeOutput, ...]
    stack: Stack


@dataclass(frozen=True)
class Step:
    """One torch call of the eager run, and whether the graph has its value."""

    name: str
    state: StepState
    detail: str = ""
    stack: Stack = ()


@dataclass(frozen=True)
class Mismatch:
    """What the search for the first value that differs gave."""

    fault: Fault = Fault.UNKNOWN
    nodes: tuple[str, ...] = ()
    """The ONNX nodes on the culprit's line."""
    culprit: Step | None = None
    steps: tuple[Step, ...] = ()
    error: str = ""
    """Why the search itself failed."""


@dataclass(frozen=True)
class PlaceRead:
    """A place where Python reads values of the model, and what the inputs have shown of it."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    text: str
    tested: bool
    """Whether the inputs, on all of which the exported model was right, differed in what was read here."""
    values: str = ""
    """What was read, in words."""


@dataclass(frozen=True)
class Proof:
    """What the search for an input on which the exported model is wrong has shown."""

    searched: bool = False
    inputs: int = 0
    """On how many different inputs the exported model was right, the first two among them."""
    refused: int = 0
    """How many more the model itself refused."""
    unstable: int = 0
    """How many more gave differences that rounding explains."""
    branches: int = 0
    both_ways: int = 0
    """How many branches an input can turn, and how many of them went both ways."""
    axes: int = 0
    axes_varied: int = 0
    witness: tuple[Argument, ...] = ()
    """The input that shows that the model is wrong; `Argument.kind` is the example's, `Argument.second` its own."""
    failed: Comparison = Comparison(State.NOT_RUN)
    """The run on the witness."""
    turned: tuple[str, ...] = ()
    """What Python read or decided otherwise on the witness, in words."""
    open_branches: tuple[PlaceRead, ...] = ()
    """Branches that no input has turned."""
    lively: bool = False
    """Whether a floating-point output was another one on other inputs: without, little can be seen."""
    dull: tuple[str, ...] = ()
    """Outputs that were the same on all inputs, or empty, or nothing but ``nan``, in words."""
    reads: tuple[PlaceRead, ...] = ()
    calls: int = 1
    """The call of one object that is wrong."""
    has_witness: bool = False
    """Whether `WITNESS_FILE` in the worker's folder holds what goes wrong, see ``search.witness``."""


@dataclass(frozen=True)
class Result:
    """All that a worker knows of its export so far.

    It is sent after each stage, so that a later crash loses nothing.
    """

    engine: str
    torch: str = ""
    python: str = ""
    strict: bool = False
    stage: Stage = Stage.LOAD
    """The last of `OUTCOME_STAGES` that was reached."""
    exported: bool = False
    checked: bool = False
    """The ONNX checker took the file."""
    complete: bool = False
    """All stages were gone through and the files are clean."""
    retry_strict: bool = False
    """``torch.onnx.export`` would go on to strict capture."""
    input1: Comparison = Comparison(State.NOT_RUN)
    input2: Comparison = Comparison(State.NOT_RUN)
    observations: tuple[Observation, ...] = ()
    seconds: dict[str, float] | None = None
    """Seconds by stage."""
    usage: str | None = None
    """What is wrong with the command line, when that is the trouble."""
    definition: Frame | None = None
    """The target's ``forward``: where to point when nothing is more exact."""
    root: str = ""
    """The folder or file below which everything is the user's code."""
    calls: int = 0
    """How many calls of ``torch.onnx.export`` the script made, or how many models it called."""
    called_at: Frame | None = None
    """Where it made the one that is the target, or called the model first."""
    attribute: str = ""
    """The name of the target in its module."""
    is_instance: bool = False
    """Whether that name is a model already, and not what builds one."""
    inputs_origin: str = ""
    arguments: tuple[Argument, ...] = ()
    asked_opset: int | None = None
    """The opset that was asked for."""
    proof: Proof = Proof()
    executed: dict[str, tuple[int, ...]] | None = None
    """The executed lines by file."""
    nodes: int | None = None
    opset: int | None = None
    size: int | None = None
    """Bytes of the model and its data file."""
    inputs: tuple[GraphValue, ...] = ()
    outputs: tuple[GraphValue, ...] = ()
    operators: dict[str, int] | None = None
    mismatch: Mismatch | None = None
    node_map: tuple[NodeRow, ...] = ()
    text: str = ""
    """The readable form of the graph."""
    old_data: tuple[str, ...] = ()
    """The data files of the model that lies at `Job.output`."""
    notes: tuple[str, ...] = ()
    """Searches that failed, and why: for the log."""


# --- messages ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ready:
    """torch is imported, the work begins."""

    torch: str
    python: str


@dataclass(frozen=True)
class StageBegun:
    """The worker is in this stage from now on."""

    stage: Stage


@dataclass(frozen=True)
class ModelLoaded:
    """The model is built; where it is defined."""

    definition: Frame | None


@dataclass(frozen=True)
class Exiting:
    """The model's code calls `how` (``os._exit``, ``os.abort``) to end the process."""

    how: str
    status: int
    frames: Stack


@dataclass(frozen=True)
class ForeignSender:
    """Code that is not the worker's has used its channel."""

    frames: Stack


@dataclass(frozen=True)
class EnvironmentLacks:
    """Packages that the engine needs are missing beside torch."""

    missing: tuple[str, ...]
    python: str


@dataclass(frozen=True)
class Unwritable:
    """The worker's folder has no room, or cannot be written to."""

    folder: str
    text: str


@dataclass(frozen=True)
class InternalError:
    """An error of the worker's own."""

    error: str
    text: str


@dataclass(frozen=True)
class ResultSoFar:
    """The result after another stage."""

    result: Result


@dataclass(frozen=True)
class Done:
    """The last message of a worker that did its work."""


Message = (
    Ready
    | StageBegun
    | ModelLoaded
    | InputsAsked
    | Exiting
    | ForeignSender
    | EnvironmentLacks
    | Unwritable
    | InternalError
    | ResultSoFar
    | Done
)
LAST = (EnvironmentLacks, Unwritable, InternalError, Done)
"""Messages after which a worker has nothing more to say."""
