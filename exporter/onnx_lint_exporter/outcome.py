"""What an export attempt gave, made from what the worker sent and from how it ended."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from onnx_lint.target import Engine
from onnx_lint_exporter.child import ChildResult
from onnx_lint_exporter.figures import conversion_as_json, difference_as_json
from onnx_lint_exporter.processes import crash_words
from onnx_lint_exporter.proved import proof_as_json, shortfalls
from onnx_lint_exporter.worker.frames import UserCode
from onnx_lint_exporter.worker.protocol import (
    OUTCOME_STAGES,
    Comparison,
    EnvironmentLacks,
    Exiting,
    Frame,
    InternalError,
    Kind,
    ModelLoaded,
    Observation,
    Ready,
    Result,
    ResultSoFar,
    Stack,
    Stage,
    State,
    Unwritable,
)
from onnx_lint_exporter.worker.wire import plain

_DUMP_FRAME = re.compile(r'^\s+File "(?P<file>.*)", line (?P<line>\d+) in (?P<function>.*)$')
_STAGE_WORDS = {
    Stage.START: "importing torch",
    Stage.LOAD: "loading the model",
    Stage.EAGER: "running the model itself",
    Stage.REFERENCE: "running the model itself",
}


class WorkerError(Exception):
    """The worker could not do its work for a reason outside the model: the environment, or an internal error."""


@dataclass(frozen=True)
class Repair:
    """A change of the source after which an engine's export is right and the model gives what it gave."""

    patch: str
    """A unified diff."""
    fixes: tuple[str, ...]
    """What it is made of, in words."""
    inputs: int
    """On how many inputs the new export was right, and the model unchanged."""
    scripted: bool = False
    """Whether it is the model compiled by ``torch.jit.script`` that has to be exported; there may be no patch then."""


@dataclass
class Outcome:
    """The result of one engine's export of one target."""

    engine: Engine
    target: str
    result: Result
    folder: str = ""
    """Where the files of the export lie; those that count have the names that were asked for."""
    log: str = ""
    seconds: float = 0.0
    cancelled: bool = False
    written: str | None = None
    """Where the model was put, when it was."""
    map_file: str | None = None
    """Where the map from nodes to lines was put."""
    repair: Repair | None = None
    """What makes this export right."""
    report_file: str | None = None
    """The page about this export."""

    @property
    def observations(self) -> tuple[Observation, ...]:
        """What the worker saw, and what was seen of the worker."""
        return self.result.observations

    @property
    def stage(self) -> Stage:
        """The last stage that was reached."""
        return self.result.stage

    @property
    def exported(self) -> bool:
        """Whether a file was made."""
        return self.result.exported

    @property
    def runs(self) -> tuple[Comparison, Comparison]:
        """The runs on the first and on the second input."""
        return self.result.input1, self.result.input2

    @property
    def wrong(self) -> bool:
        """Whether the exported model was seen to give other results than the model, or to fail."""
        return any(run.state in (State.WRONG, State.FAILED) for run in (*self.runs, self.result.proof.failed))

    @property
    def ok(self) -> bool:
        """Exported, taken by the checker, and nowhere seen to be wrong."""
        return self.result.complete and not self.wrong and not any(item.failure for item in self.observations)

    @property
    def verified(self) -> bool:
        """Right on both inputs, up to the rounding of the model itself."""
        return self.ok and all(run.state in (State.RIGHT, State.UNSTABLE) for run in self.runs)

    @property
    def shortfalls(self) -> list[str]:
        """What was asked for and is not proved, of an export that is nowhere seen to be wrong, in words."""
        return shortfalls(self.result) if self.ok else []

    def add(self, *seen: Observation) -> None:
        """Add observations to those of the worker."""
        self.result = replace(self.result, observations=(*self.result.observations, *seen))

    def as_json(self) -> dict[str, object]:
        """The entry of ``exports`` in the JSON output."""
        result, mismatch = self.result, self.result.mismatch
        found = None
        if mismatch is not None:
            searched: dict[str, object] = {"fault": mismatch.fault.value, "nodes": list(mismatch.nodes)}
            found = {"error": mismatch.error} if mismatch.error else searched
        return {
            "engine": self.engine.value,
            "target": self.target,
            "output": self.written,
            "stage": "done" if self.ok else self.stage.value,
            "ok": self.ok,
            "exported": self.exported,
            "strict": result.strict,
            "input1": {"state": result.input1.state.value, "text": result.input1.text},
            "input2": {"state": result.input2.state.value, "text": result.input2.text},
            "proof": proof_as_json(result.proof),
            "not_proved": self.shortfalls,
            "nodes": result.nodes,
            "opset": result.opset,
            "size": result.size,
            "optimised": result.optimised or None,
            "speed": plain(result.speed),
            "differences": [difference_as_json(each) for each in result.differences],
            "conversion": conversion_as_json(result.conversion),
            "seconds": round(self.seconds, 2),
            "stages": result.seconds or {},
            "inputs": plain(result.inputs),
            "outputs": plain(result.outputs),
            "arguments": plain(result.arguments),
            "inputs_from": result.inputs_origin,
            "mismatch": found,
            "map": self.map_file,
            "report": self.report_file,
            "repair": plain(self.repair),
            "torch": result.torch or None,
            "python": result.python or None,
        }


def from_child(child: ChildResult, engine: Engine, target: str, folder: str = "") -> Outcome:
    """Read the worker's messages and its end. Raises `WorkerError` when there is nothing to say about the model."""
    if child.ended != "forged":
        _raise_troubles(child, engine)
    sent, loaded = child.last(ResultSoFar), child.last(ModelLoaded)
    result = sent.result if sent is not None else Result(engine.value)
    if child.ended == "forged":  # nothing that it sent can be believed, but for where the model is
        result = Result(engine.value, stage=result.stage, root=result.root, definition=result.definition)
    if result.definition is None and loaded is not None:
        result = replace(result, definition=loaded.definition)
    if result.called_at is not None:
        target = f"{target}:{result.called_at.line}"
    outcome = Outcome(Engine(result.engine), target, result, folder, child.log, child.seconds)
    if child.ended == "cancelled":
        outcome.cancelled = True
    elif child.ended != "done":
        outcome.result = replace(result, complete=False)
        if child.stage in OUTCOME_STAGES:
            outcome.result = replace(outcome.result, stage=child.stage)
        end = _end(child, outcome)
        if child.ended == "died" and _only_explains(child.stage, outcome):
            outcome.result = replace(outcome.result, notes=(*outcome.result.notes, end.message))
        else:
            outcome.add(end)
    return outcome


def _raise_troubles(child: ChildResult, engine: Engine) -> None:
    lacks = child.last(EnvironmentLacks)
    if lacks is not None:
        raise WorkerError(
            f"the {engine} engine needs {' and '.join(lacks.missing)} in {lacks.python}; "
            "install them there (pip install 'onnx-lint[export]') or name another interpreter with --python"
        )
    unwritable = child.last(Unwritable)
    if unwritable is not None:
        raise WorkerError(
            f"the {engine} engine cannot write its files in {unwritable.folder}: {unwritable.text}; "
            "set TMPDIR to a folder with room"
        )
    internal = child.last(InternalError)
    if internal is not None:
        raise WorkerError(f"internal error in the exporter ({engine}): {internal.text.strip()}")
    if child.last(ResultSoFar) is None and child.last(Ready) is None and child.ended == "died":
        tail = " ".join(child.log.strip().split("\n")[-1:])[:300]
        raise WorkerError(f"the worker did not start (status {child.status}): {tail or 'it said nothing'}")


def _end(child: ChildResult, outcome: Outcome) -> Observation:
    """An early end as an observation: a crash, an exit, a hang, a forgery."""
    definition = outcome.result.definition
    user = UserCode()
    root = outcome.result.root or (definition.file if definition is not None else "")
    if root:
        user.claim(root)
    stack = user.choose(_dumped_stack(child.raw))
    where = _STAGE_WORDS.get(child.stage, f"the stage `{child.stage}`")
    exiting, crash = child.last(Exiting), crash_words(child.status)
    if child.ended == "forged":
        kind, stack = Kind.FORGED, user.choose(child.forger)
        text = f"nothing that the worker reported is trusted: {child.forgery}, in {where}"
    elif child.ended == "timeout":
        kind = Kind.TIMEOUT
        text = f"not finished after {child.limit:.0f} s, in {where}; allow more with --timeout SECONDS"
    elif child.ended == "memory":
        kind = Kind.OUT_OF_MEMORY
        text = f"the worker was ended in {where}; allow more with --memory-limit MB"
    elif exiting is not None:
        kind, stack = Kind.EXIT, user.choose(exiting.frames)
        text = f"the code ended the process itself, by {exiting.how} with status {exiting.status}, in {where}"
    elif crash is not None:
        kind = Kind.CRASH
        text = f"the interpreter was killed by {crash} in {where}"
    else:
        kind = Kind.EXIT
        text = f"the process ended with status {child.status} and without an answer, in {where}"
    if not stack and definition is not None:
        stack = (Frame(definition.file, definition.line),)
    return Observation(kind, text, stack, failure=True, stage=outcome.stage)


def _only_explains(stage: Stage, outcome: Outcome) -> bool:
    """Whether what ended was only to explain a failure that is known: torch dies in a second trace as in a first."""
    known = any(item.failure for item in outcome.observations)
    return known and stage in (Stage.HAZARDS, Stage.TWIN, Stage.MISMATCH)


def _dumped_stack(raw: str) -> Stack:
    """The frames of the thread that ``faulthandler`` calls the current one, innermost first."""
    frames: list[Frame] = []
    current = False
    for line in raw.split("\n"):
        if "most recent call first" in line:
            current = line.startswith("Current thread") or (current and not frames)
            continue
        match = _DUMP_FRAME.match(line)
        if match and current:
            frames.append(Frame(match["file"], int(match["line"]), match["function"]))
    return tuple(frames)
