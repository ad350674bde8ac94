"""Export with each engine asked for, each in a process of its own, side by side."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onnx_lint.target import Engine
from onnx_lint_exporter.child import Child, Limits, adopt_orphans, children, end_orphans
from onnx_lint_exporter.outcome import Outcome, WorkerError, from_child
from onnx_lint_exporter.writer import Place, is_alive

Json = dict[str, Any]
Progress = Callable[[Engine, str], None]

DONE = "done"
"""The last stage that progress tells of an engine, whatever came of it."""
_PREFIX = "onnx-lint-export-"


@dataclass
class Request:
    """One export: what, for which engines, with which options. Plain data."""

    target: Json
    engines: tuple[Engine, ...]
    job: Json = field(default_factory=dict)
    python: str = sys.executable
    limits: Limits = field(default_factory=Limits)
    places: dict[Engine, Place] = field(default_factory=dict)
    strict: bool = False

    @property
    def text(self) -> str:
        return str(self.target["text"])


class Run:
    """Runs a request. `cancel` may be called from any thread or signal handler."""

    def __init__(self, request: Request, progress: Progress | None = None) -> None:
        self._request = request
        self._progress = progress
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
            self.folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")
        except OSError as error:
            raise WorkerError(f"no temporary folder can be made: {error}; set TMPDIR to one with room") from error
        before, adopted = children(), adopt_orphans()
        found: dict[Engine, Outcome | WorkerError] = {}

        def one(engine: Engine) -> None:
            try:
                found[engine] = self._engine(engine)
            except WorkerError as error:
                found[engine] = error
            if self._progress is not None:
                self._progress(engine, DONE)

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
            if isinstance(outcome, WorkerError):
                raise outcome
            outcomes.append(outcome)
        return outcomes

    def close(self) -> None:
        """Remove the temporary folder with the exported files."""
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _engine(self, engine: Engine) -> Outcome:
        outcome = self._attempt(engine, self._request.strict)
        if engine is Engine.DYNAMO and not self._request.strict and _worth_strict(outcome) and not self._cancelled:
            return _with_strict(outcome, self._attempt(engine, True))
        return outcome

    def _attempt(self, engine: Engine, strict: bool) -> Outcome:
        request = self._request
        place = request.places.get(engine)
        folder = os.path.join(self.folder, f"{engine}-{'strict' if strict else 'first'}")
        job = {
            **request.job,
            "engine": engine.value,
            "strict": strict,
            "target": request.target,
            "folder": folder,
            "name": place.name if place else "model.onnx",
            "data_name": place.data_name if place else "model.onnx.data",
            "spare_name": place.spare_name if place else "model.onnx.spare.data",
            "output": place.path if place else None,
        }

        def tell(message: Json) -> None:
            if self._progress is not None and message.get("event") == "stage":
                self._progress(engine, message["stage"] + (" (strict)" if strict else ""))

        child = Child(request.python, job, request.limits, tell)
        self._children.append(child)
        if self._cancelled:
            child.cancel()
        return from_child(child.run(), engine, request.text)


def _worth_strict(outcome: Outcome) -> bool:
    """Whether ``torch.onnx.export`` would go on to strict capture: non-strict capture failed in a way of its own."""
    kinds = {item["kind"] for item in outcome.observations if item["failure"]}
    return (
        outcome.stage == "capture"
        and not outcome.exported
        and bool(kinds & {"capture-error", "data-dependent", "static-size", "lost-data"})
    )


def _with_strict(first: Outcome, strict: Outcome) -> Outcome:
    """What to tell of two attempts: the strict one when it exported, else the first with what became of the second."""
    failed = next(item for item in first.observations if item["failure"])
    if strict.exported:
        strict.observations.append(
            {
                **failed,
                "kind": "strict-capture",
                "failure": False,
                "message": f"only strict capture takes this; the default capture fails: {failed['message']}",
            }
        )
        strict.seconds += first.seconds
        strict.facts.setdefault("executed", first.facts.get("executed"))
        return strict
    first.seconds += strict.seconds
    crash = next((item for item in strict.observations if item["kind"] in ("crash", "timeout")), None)
    if crash is not None:
        text = f"torch.onnx.export goes on to strict capture, in which {crash['message']}"
        first.observations.append({**crash, "message": text, "stack": failed["stack"] or crash["stack"]})
    return first


def _sweep() -> None:
    """Remove what killed runs left in the temporary folder."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = path.name[len(_PREFIX) :].split("-")[0]
        if owner.isdigit() and not is_alive(int(owner)):
            shutil.rmtree(path, ignore_errors=True)
