"""Export with each engine asked for, each in a process of its own, side by side."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from onnx_lint.target import Engine
from onnx_lint_exporter.child import Child, Limits
from onnx_lint_exporter.knowing import Knowledge
from onnx_lint_exporter.outcome import Outcome, WorkerError, from_child
from onnx_lint_exporter.processes import adopt_orphans, children, end_orphans, is_alive
from onnx_lint_exporter.worker.protocol import Job, Kind, Stage
from onnx_lint_exporter.writer import OutputPath

DONE = "done"
"""The last stage that progress reports of an engine, whatever came of it."""
OnStage = Callable[[Engine, str], None]
PREFIX = "onnx-lint-export-"
"""Begins the names of temporary folders; the number of the process that made one follows."""


@dataclass
class Request:
    """One export: what, for which engines, with which options.

    Of the job an engine of its own and its place are filled in for each worker.
    """

    job: Job
    engines: tuple[Engine, ...]
    python: str = sys.executable
    limits: Limits = field(default_factory=Limits)
    outputs: dict[Engine, OutputPath] = field(default_factory=dict)

    own_engines: bool = False
    """Whether each call of the script is exported by the engine that it names, whatever `engines` says."""
    command: tuple[str, ...] = ()
    """What starts a worker, where that is not an interpreter of its own, see ``warm``."""

    def engine_name(self, engine: Engine) -> str:
        """The engine as a job names it: empty for that of the script's call."""
        return "" if self.own_engines else engine.value

    @property
    def text(self) -> str:
        """The target as it was written."""
        return self.job.target.text


class Run:
    """Runs a request. `cancel` may be called from any thread or signal handler."""

    def __init__(self, request: Request, on_stage: OnStage | None = None) -> None:
        self._request = request
        self._on_stage = on_stage
        self._knowledge = Knowledge()
        self._children: list[Child] = []
        self._cancelled = False
        self.folder = ""

    def cancel(self) -> None:
        """End all workers; `run` then gives cancelled outcomes."""
        self._cancelled = True
        for child in list(self._children):
            child.cancel()

    def run(self) -> list[Outcome]:
        """The outcome of each engine, in the order asked for. Raises `WorkerError`."""
        _sweep()
        try:
            self.folder = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")
        except OSError as error:
            raise WorkerError(f"no temporary folder can be made: {error}; set TMPDIR to one with room") from error
        before, adopted = children(), adopt_orphans()
        found: dict[Engine, Outcome | Exception] = {}

        def one(engine: Engine) -> None:
            try:
                found[engine] = self._engine(engine)
            except Exception as error:  # noqa: BLE001 - raised below, in the caller's thread
                found[engine] = error
            if self._on_stage is not None:
                self._on_stage(engine, DONE)

        if self._request.job.script is not None:
            try:
                return self._calls()
            finally:
                if adopted:
                    end_orphans(before)
        threads = [threading.Thread(target=one, args=(engine,)) for engine in self._request.engines]
        try:
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                for thread in threads:
                    thread.join(0.2)  # a bounded wait, so that a signal is handled at once
        except BaseException:
            self.cancel()
            for thread in threads:
                thread.join()
            raise
        finally:
            if adopted:
                end_orphans(before)
        outcomes = []
        for engine in self._request.engines:
            outcome = found[engine]
            if isinstance(outcome, Exception):
                raise outcome
            outcomes.append(outcome)
        return outcomes

    def close(self) -> None:
        """Remove the temporary folder with the exported files."""
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _engine(self, engine: Engine, call: int = 0) -> Outcome:
        outcome = self._attempt(engine, self._request.job.strict, call)
        if outcome.result.retry_strict and not self._cancelled:
            return _with_strict(outcome, self._attempt(engine, True, call))
        return outcome

    def _calls(self) -> list[Outcome]:
        """The outcome of each call that a script makes, one after another: each runs the script up to its call."""
        outcomes: list[Outcome] = []
        number, count = 0, 1
        while number < count and not self._cancelled:
            for engine in self._request.engines:
                outcomes.append(self._engine(engine, number))
                if self._on_stage is not None:
                    self._on_stage(engine, DONE)
            count = max(count, outcomes[0].result.calls)
            number += 1
        return outcomes

    def _attempt(self, engine: Engine, strict: bool, call: int = 0) -> Outcome:
        request, output = self._request, self._request.outputs.get(engine)
        folder = os.path.join(self.folder, f"{engine}-{'strict' if strict else 'first'}-{call}")
        job = replace(request.job, engine=request.engine_name(engine), strict=strict, folder=folder, call=call)
        if output is not None:
            job = replace(
                job,
                name=output.name,
                data_name=output.data_name,
                spare_name=output.spare_name,
                output=output.path,
            )

        def show(stage: Stage) -> None:
            if self._on_stage is not None:
                self._on_stage(engine, stage.value + (" (strict)" if strict else ""))

        child = Child(request.python, job, request.limits, show, self._knowledge.answer, request.command)
        self._children.append(child)
        if self._cancelled:
            child.cancel()
        return from_child(child.run(), engine, request.text, folder)


def _with_strict(first: Outcome, strict: Outcome) -> Outcome:
    """What to say of two attempts: the strict one when it exported, else the first with what became of the second."""
    failed = next(item for item in first.observations if item.failure)
    if strict.exported:
        text = f"only strict capture takes this; the default capture fails: {failed.message}"
        strict.add(replace(failed, kind=Kind.STRICT_CAPTURE, failure=False, message=text))
        strict.seconds += first.seconds
        if strict.result.executed is None:
            strict.result = replace(strict.result, executed=first.result.executed)
        return strict
    first.seconds += strict.seconds
    ends = (Kind.CRASH, Kind.TIMEOUT, Kind.FORGED)
    crash = next((item for item in strict.observations if item.kind in ends), None)
    if crash is not None:
        text = f"torch.onnx.export goes on to strict capture, in which {crash.message}"
        first.add(replace(crash, message=text, stack=failed.stack or crash.stack))
    return first


def _sweep() -> None:
    """Remove what killed runs left in the temporary folder."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = path.name[len(PREFIX) :].split("-")[0]
        if owner.isdigit() and not is_alive(int(owner)):
            shutil.rmtree(path, ignore_errors=True)
