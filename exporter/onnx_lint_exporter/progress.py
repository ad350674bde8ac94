"""Progress by engine and stage: drawn on a terminal, or as one JSON line for each event on standard error."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from onnx_lint.target import Engine
from onnx_lint_exporter.runs import DONE, OnStage
from onnx_lint_exporter.worker.protocol import Stage

STEPS = tuple(
    stage.value
    for stage in (Stage.LOAD, Stage.EAGER, Stage.CAPTURE, Stage.CHECK, Stage.RUN, Stage.HAZARDS, Stage.FINISH)
)
"""The steps that are counted; any other stage belongs to the last of these that was reached."""


@contextmanager
def shown(engines: tuple[Engine, ...], stream: TextIO, wanted: bool, form: str = "text") -> Iterator[OnStage | None]:
    """A function that shows progress, or ``None`` where nothing is to be shown.

    `form` is ``text`` (a line for each engine with its stage and time, only on a terminal) or ``json``.
    """
    if form == "json":
        yield JsonProgress(stream)
        return
    if not wanted or not stream.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    bars = Bars(
        SpinnerColumn(),
        TextColumn("{task.fields[engine]}: {task.description}"),
        TimeElapsedColumn(),
        console=Console(file=stream),
        transient=True,
    )
    tasks = {engine: bars.add_task("importing torch", total=None, engine=engine.value) for engine in engines}

    def show(engine: Engine, stage: str) -> None:
        bars.update(tasks[engine], description=stage)
        if stage == DONE:
            bars.stop_task(tasks[engine])

    with bars:
        yield show


class JsonProgress:
    """Writes ``{"event": "progress", "engine", "stage", "done", "of"}``, one line an event, from any thread.

    ``done`` counts the steps that are behind, never goes back, and equals ``of`` in the last event of an engine.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._done: dict[Engine, int] = {}
        self._lock = threading.Lock()

    def __call__(self, engine: Engine, stage: str) -> None:
        with self._lock:
            behind = len(STEPS) if stage == DONE else STEPS.index(stage) if stage in STEPS else 0
            done = self._done[engine] = max(behind, self._done.get(engine, 0))
            event = {"event": "progress", "engine": engine.value, "stage": stage, "done": done, "of": len(STEPS)}
            self._stream.write(json.dumps(event) + "\n")
            self._stream.flush()
