"""What passes between the exporter and its worker, as typed values: the job one way, messages the other.

Both sides import this module, and it imports nothing but its parts: the worker runs in another interpreter, beside
torch, where ``onnx_lint`` may be absent. How the values are written and read is in ``wire``.
"""

from __future__ import annotations

from dataclasses import dataclass

from .asking import InputsAsked
from .observation import (
    OUTCOME_STAGES,
    WITNESS_FILE,
    Fault,
    Frame,
    Kind,
    Observation,
    Read,
    Stack,
    Stage,
    State,
    StepState,
)
from .result import (
    Argument,
    Comparison,
    Conversion,
    GraphValue,
    Mismatch,
    NodeOutput,
    NodeRow,
    PlaceRead,
    Proof,
    Result,
    Speed,
    Step,
    ValueDifference,
    Worst,
)

__all__ = (
    "LAST",
    "OUTCOME_STAGES",
    "WITNESS_FILE",
    "Argument",
    "Comparison",
    "Conversion",
    "Done",
    "EnvironmentLacks",
    "Exiting",
    "Fault",
    "ForeignSender",
    "Frame",
    "GraphValue",
    "InternalError",
    "Job",
    "Kind",
    "Message",
    "Mismatch",
    "ModelLoaded",
    "NodeOutput",
    "NodeRow",
    "Observation",
    "PlaceRead",
    "Proof",
    "Read",
    "Ready",
    "Result",
    "ResultSoFar",
    "Speed",
    "Stack",
    "Stage",
    "StageBegun",
    "State",
    "Step",
    "StepState",
    "Target",
    "Unwritable",
    "ValueDifference",
    "Worst",
)

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
    measure: bool = False
    """Whether the file is timed beside the model."""
    differences: bool = False
    """Whether every value of the model is compared with the graph's."""
    convert: str = ""
    """``fp16`` or ``int8``: the form that the file is to have."""
    provider: str = ""
    """The execution provider of ONNX Runtime; empty for the processor."""
    libraries: tuple[str, ...] = ()
    """Shared libraries with operators for ONNX Runtime."""
    effort: int = 25
    """Percent of the export's processor time that the search may take."""
    scripted: bool = False
    """Whether the model is compiled by ``torch.jit.script`` first."""
    trial: bool = False
    """Whether only that it is right counts: nothing is looked for that explains a failure."""
    want_map: bool = False
    want_text: bool = False
    want_witness: bool = False


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
