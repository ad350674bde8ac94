"""All that a worker knows of its export, as typed values: the file, the runs, the search, and what was seen."""

from __future__ import annotations

from dataclasses import dataclass

from .observation import Fault, Frame, Observation, Stack, Stage, State, StepState


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
    module: str = ""
    """The module that it comes from, by its path in the model: ``layers.0.norm``."""
    inputs: tuple[str, ...] = ()


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
    """Branches that no input has turned, and what else Python made of what it read that was always the same."""
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
class ValueDifference:
    """How far a value of one run is from that of another."""

    name: str
    """The torch function that makes it, or its name in the graph."""
    shape: tuple[int, ...]
    largest: float
    """The largest absolute difference."""
    relative: float
    """That, as a part of the largest value."""
    histogram: tuple[int, ...]
    """Elements that are equal, that differ by less than 1e-8, 1e-7, … 1, and by 1 and more."""
    stack: Stack = ()


@dataclass(frozen=True)
class Speed:
    """How long one run takes on the first input, the median of several, and what the weights take."""

    eager: float
    """Milliseconds of the model itself."""
    exported: float
    """Milliseconds of the file in ONNX Runtime."""
    weights: int
    """Bytes of the model's parameters and buffers."""
    threads: int


@dataclass(frozen=True)
class Conversion:
    """A form of the model in another number format."""

    form: str
    size: int
    before: int
    """Bytes of the file, and of the file that it was made of."""
    runs: tuple[Comparison, ...]
    """Its runs on the inputs, with a tolerance of their own."""
    drift: tuple[ValueDifference, ...] = ()
    """The lines that it changes most, the worst first."""


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
    optimised: str = ""
    """What became of the optimisation of a torchscript file, in words."""
    mismatch: Mismatch | None = None
    speed: Speed | None = None
    differences: tuple[ValueDifference, ...] = ()
    conversion: Conversion | None = None
    node_map: tuple[NodeRow, ...] = ()
    text: str = ""
    """The readable form of the graph."""
    old_data: tuple[str, ...] = ()
    """The data files of the model that lies at `Job.output`."""
    notes: tuple[str, ...] = ()
    """Searches that failed, and why: for the log."""
