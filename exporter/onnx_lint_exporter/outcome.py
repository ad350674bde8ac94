"""What an export attempt gave: plain data, made from what the worker told and from how it ended."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass, field
from typing import Any

from onnx_lint.target import Engine
from onnx_lint_exporter.child import ChildResult
from onnx_lint_exporter.worker.frames import UserCode

Json = dict[str, Any]

STAGES = ("load", "capture", "translate", "check", "run", "compare")
_DUMP_FRAME = re.compile(r'^\s+File "(?P<file>.*)", line (?P<line>\d+) in (?P<function>.*)$')
_EXPLAINED_SIGNALS = {
    "SIGSEGV": "a segmentation fault",
    "SIGABRT": "an abort",
    "SIGKILL": "SIGKILL, as when the system runs out of memory",
    "SIGBUS": "a bus error",
    "SIGFPE": "a floating point exception",
    "SIGILL": "an illegal instruction",
}


class WorkerError(Exception):
    """The worker could not do its work for a reason outside the model: the environment, or a fault of ours."""


@dataclass
class Outcome:
    """The result of one engine's export of one target.

    `stage` is the last stage reached; `exported` says that a file was made, `checked` that the ONNX checker took it;
    `input1` and `input2` are ``{state, text}`` with state ``right``, ``wrong``, ``failed`` or ``not run``.
    """

    engine: Engine
    target: str
    stage: str = "load"
    exported: bool = False
    checked: bool = False
    complete: bool = False
    input1: Json = field(default_factory=lambda: {"state": "not run", "text": ""})
    input2: Json = field(default_factory=lambda: {"state": "not run", "text": ""})
    observations: list[Json] = field(default_factory=list)
    facts: Json = field(default_factory=dict)
    """All else the worker told: nodes, opset, size, seconds, executed lines, the map, and so on."""
    log: str = ""
    seconds: float = 0.0
    usage: str | None = None
    cancelled: bool = False
    strict: bool = False
    written: str | None = None
    """Where the model was put, when it was."""
    map_file: str | None = None
    """Where the map from nodes to lines was put."""
    report_file: str | None = None
    """The page about this export."""

    @property
    def wrong(self) -> bool:
        """Whether the exported model was seen to give other results than the model, or to fail."""
        return any(run["state"] in ("wrong", "failed") for run in (self.input1, self.input2))

    @property
    def ok(self) -> bool:
        """Exported, taken by the checker, and nowhere seen to be wrong."""
        return self.complete and not self.wrong and not any(item["failure"] for item in self.observations)

    @property
    def verified(self) -> bool:
        """Right on both inputs."""
        return self.ok and self.input1["state"] == "right" and self.input2["state"] == "right"

    def as_json(self) -> dict[str, object]:
        """The entry of ``exports`` in the JSON output."""
        facts = self.facts
        return {
            "engine": self.engine.value,
            "target": self.target,
            "output": self.written,
            "stage": "done" if self.ok else self.stage,
            "ok": self.ok,
            "exported": self.exported,
            "strict": self.strict,
            "input1": {key: self.input1[key] for key in ("state", "text")},
            "input2": {key: self.input2[key] for key in ("state", "text")},
            "nodes": facts.get("nodes"),
            "opset": facts.get("opset"),
            "size": facts.get("size"),
            "seconds": round(self.seconds, 2),
            "stages": facts.get("seconds", {}),
            "inputs": facts.get("inputs", []),
            "outputs": facts.get("outputs", []),
            "arguments": facts.get("arguments", []),
            "inputs_from": facts.get("inputs_origin", ""),
            "mismatch": {k: v for k, v in facts.get("mismatch", {}).items() if k in ("fault", "nodes", "error")}
            or None,
            "map": self.map_file,
            "report": self.report_file,
            "torch": facts.get("torch"),
            "python": facts.get("python"),
        }


def from_child(result: ChildResult, engine: Engine, target: str) -> Outcome:
    """Read the worker's messages and its end. Raises `WorkerError` when there is nothing to say about the model."""
    environment, internal, told = result.last("environment"), result.last("internal"), result.last("outcome")
    if environment is not None:
        raise WorkerError(
            f"the {engine} engine needs {' and '.join(environment['missing'])} in {environment['python']}; "
            "install them there (pip install 'onnx-lint[export]') or name another interpreter with --python"
        )
    unwritable = result.last("unwritable")
    if unwritable is not None:
        raise WorkerError(
            f"the {engine} engine cannot write its files in {unwritable['folder']}: {unwritable['text']}; "
            "set TMPDIR to a folder with room"
        )
    if internal is not None:
        raise WorkerError(f"internal error in the exporter ({engine}): {internal['text'].strip()}")
    facts: Json = dict(told["outcome"]) if told else {}
    outcome = Outcome(engine, target, log=result.log, seconds=result.seconds, facts=facts)
    for name in ("stage", "exported", "checked", "complete", "input1", "input2", "observations", "usage", "strict"):
        if name in facts:
            setattr(outcome, name, facts.pop(name))
    if not told and result.last("ready") is None and result.ended == "died":
        tail = " ".join(result.log.strip().split("\n")[-1:])[:300]
        raise WorkerError(f"the worker did not start (status {result.status}): {tail or 'it said nothing'}")
    if result.ended == "cancelled":
        outcome.cancelled = True
    elif result.ended != "done":
        outcome.observations.append(_end(result, outcome))
        outcome.complete = False
    return outcome


def _end(result: ChildResult, outcome: Outcome) -> Json:
    """An early end as an observation: a crash, an exit, a hang."""
    loaded = result.last("loaded") or {}
    definition = outcome.facts.get("definition") or loaded.get("definition") or {}
    user = UserCode()
    if outcome.facts.get("root") or definition.get("file"):
        user.claim(outcome.facts.get("root") or definition["file"])
    stack = user.choose(_dumped_stack(result.raw))
    stages = {"start": "importing torch", "load": "loading the model", "eager": "running the model itself"}
    where = {**stages, "reference": stages["eager"]}.get(result.stage, f"the stage `{result.stage}`")
    exit_message = result.last("exit")
    if result.ended == "timeout":
        kind = "timeout"
        text = f"not finished after {result.limit:.0f} s, in {where}; allow more with --timeout SECONDS"
    elif exit_message is not None:
        kind, stack = "exit", user.choose(exit_message["frames"])
        how = f"by {exit_message['how']} with status {exit_message['status']}"
        text = f"the code ended the process itself, {how}, in {where}"
    elif (result.status or 0) < 0:
        name = signal.Signals(-(result.status or 0)).name
        kind = "crash"
        text = f"the interpreter was killed by {_EXPLAINED_SIGNALS.get(name, name)} in {where}"
    else:
        kind = "exit"
        text = f"the process ended with status {result.status} and without an answer, in {where}"
    if not stack and definition.get("file") and definition.get("line"):
        stack = [{"file": definition["file"], "line": definition["line"], "function": ""}]
    if result.stage in STAGES:
        outcome.stage = result.stage
    return {"kind": kind, "message": text, "stack": stack, "failure": True, "stage": outcome.stage}


def _dumped_stack(raw: str) -> list[Json]:
    """The frames of the thread that ``faulthandler`` calls the current one, innermost first."""
    frames: list[Json] = []
    current = False
    for line in raw.split("\n"):
        if "most recent call first" in line:
            current = line.startswith("Current thread") or (current and not frames)
            continue
        match = _DUMP_FRAME.match(line)
        if match and current:
            frames.append({"file": match["file"], "line": int(match["line"]), "function": match["function"]})
    return frames
