"""The state of a run: what the stages hand on to each other, and the result so far, which is sent after each stage."""

from __future__ import annotations

import errno
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import CodeType
from typing import TYPE_CHECKING

import torch

from .channel import Channel, clip
from .engines import ANY_ENGINE, ENGINES
from .engines.engine import Calls, Engine, Session
from .execution import Arguments, Model, Reference
from .frames import UserCode, of_traceback, with_columns
from .inputs import Inputs
from .model_file import ModelFile
from .observe import MAX_STACK, Warnings
from .observed import Seen
from .protocol import (
    OUTCOME_STAGES,
    Frame,
    Job,
    Kind,
    Observation,
    Result,
    ResultSoFar,
    Stack,
    Stage,
    StageBegun,
)
from .script import Call
from .target import Loaded
from .wording import shorten

if TYPE_CHECKING:
    import onnxruntime

NO_ROOM = {getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS") if hasattr(errno, name)}
"""Errors of the folder's file system, whoever meets them."""
_MEMORY_WORDS = ("can't allocate memory", "DefaultCPUAllocator", "out of memory", "std::bad_alloc")


class RunState:
    """One export by one engine. A stage reads what earlier ones left here, and leaves what later ones need."""

    loaded: Loaded
    """From the stage `load` on; `inputs`, `first` and `second` from `eager` on, `exported` from `check` on."""
    inputs: Inputs
    first: Reference
    exported: ModelFile

    def __init__(self, channel: Channel, job: Job) -> None:
        self.channel = channel
        self.job = job
        self.engine: Engine = ENGINES[job.engine or ANY_ENGINE]()
        self.call: Call | None = None
        """The script's own call, when a script is the target."""
        self.observed: Seen | None = None
        """The model and its calls, when a script is observed."""
        self.user = UserCode()
        for path in (job.target.file, *job.linted):
            if path:
                self.user.claim(os.path.abspath(path))
        self.warnings = Warnings(self.user)
        self.calls: Calls = {}
        """The torch calls of the eager run, by file and line."""
        self.functions: tuple[CodeType, ...] = ()
        """The functions of the model's own code that the eager run called."""
        self.second: Reference | None = None
        self.original: Model | None = None
        """The model as its files have it, when it is exported from other texts."""
        self.unexported: Model | None = None
        """A copy of the model from before the export, which may write into the model what a call of it would."""
        self.refused_sizes: set[tuple[str, int]] = set()
        """Axis and size that the model itself refused in the search and never took."""
        self.witness: Reference | None = None
        """An input of the search on which the exported model is wrong."""
        self.runtime: onnxruntime.InferenceSession | None = None
        """The session of the exported model, once it has run."""
        self.path = os.path.join(job.folder, job.name)
        self.result = Result(
            self.engine.name,
            torch=torch.__version__,
            python=platform.python_version(),
            strict=job.strict,
            asked_opset=job.opset_version,
            seconds={},
        )

    @property
    def session(self) -> Session:
        """What an engine may know of the run."""
        return Session(self.job, self.user, self.loaded, self.inputs, self.calls)

    def live_stack(self) -> Stack:
        """The user's frames at the moment."""
        return self.user.choose_live(sys._getframe(1))

    def named(self, arguments: Arguments | None = None) -> list[tuple[str, object]]:
        """The leaves of an input (the first one) with their names, as the engine sees them."""
        given = self.engine.complete(self.loaded.model, arguments or self.inputs.first)
        return self.inputs.named(self.loaded.model, given)

    def send(self) -> None:
        """Send the result so far."""
        self.channel.send(ResultSoFar(self.result))

    def note(self, text: str) -> None:
        """Keep why a search failed."""
        self.result = replace(self.result, notes=(*self.result.notes, text))

    def record(self, *seen: Observation, failure: bool = False) -> None:
        """Keep observations; the same thing at the same place is kept once."""
        kept = list(self.result.observations)
        known = {_identity(item) for item in kept}
        for item in seen:
            stack = with_columns(item.stack, self.calls, item.operator)[:MAX_STACK]
            message = clip(item.message)
            placed = replace(item, message=message, stack=stack, failure=failure, stage=self.result.stage)
            if failure and stack:
                here = self.calls.get((stack[0].file, stack[0].line), [])
                placed = replace(placed, called=tuple(dict.fromkeys(name for name, _ in here))[:MAX_STACK])
            if _identity(placed) not in known:
                known.add(_identity(placed))
                kept.append(placed)
        self.result = replace(self.result, observations=tuple(kept))

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Be in a stage during the block; a fork of the model's ends here."""
        if not self.channel.is_owner:
            self.channel.leave()
        if stage in OUTCOME_STAGES:
            self.result = replace(self.result, stage=stage)
        self.channel.send(StageBegun(stage))
        start = time.monotonic()
        try:
            yield
        finally:
            seconds = dict(self.result.seconds or {})
            seconds[stage.value] = round(seconds.get(stage.value, 0.0) + time.monotonic() - start, 3)
            self.result = replace(self.result, seconds=seconds)

    def fail(self, error: BaseException, kind: Kind) -> None:
        """Note a failure of the user's own code, at its innermost line."""
        stack = of_traceback(error.__traceback__)
        if isinstance(error, SyntaxError) and error.filename and error.lineno:
            stack = (Frame(error.filename, error.lineno),)
        if isinstance(error, MemoryError) or any(word in clip(error) for word in _MEMORY_WORDS):
            kind = Kind.OUT_OF_MEMORY
        if isinstance(error, SystemExit):
            text = f"the code ended the process (SystemExit: {clip(error, 80)})"
        else:
            text = f"{type(error).__name__}: {shorten(clip(error))}"
        self.record(Observation(kind, text, self.user.choose(stack)), failure=True)
        self.send()


def _identity(item: Observation) -> tuple[object, ...]:
    where = (item.stack[0].file, item.stack[0].line, item.stack[0].column) if item.stack else (item.message,)
    return (item.kind, item.operator, item.read, item.topic, item.changed_size, *where)
