"""Progress by engine and stage, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from onnx_lint.target import Engine
from onnx_lint_exporter.engines import Progress


@contextmanager
def shown(engines: tuple[Engine, ...], stream: TextIO, wanted: bool) -> Iterator[Progress | None]:
    """A line for each engine with its stage and time; nothing where no terminal is."""
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
    tasks = {engine: bars.add_task("starting", total=None, engine=engine.value) for engine in engines}
    with bars:
        yield lambda engine, stage: bars.update(tasks[engine], description=stage)
