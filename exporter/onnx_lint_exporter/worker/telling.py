"""What a worker keeps and tells: the outcome, its observations, its stages, after each of which it is told."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from .channel import Channel, clip
from .frames import Frame, UserCode, of_live, of_traceback, with_columns
from .observe import Observation, observation
from .torchscript import shorten

_MEMORY_WORDS = ("can't allocate memory", "DefaultCPUAllocator", "out of memory", "std::bad_alloc")


class Telling:
    """Keeps the outcome of a job, which is told after each stage, so that a later crash loses nothing."""

    def __init__(self, channel: Channel, job: dict[str, Any]) -> None:
        self.channel = channel
        self.job = job
        self.engine: str = job["engine"]
        self.user = UserCode()
        self.user.claim(os.path.abspath(job["target"]["file"]) if job["target"].get("file") else os.devnull)
        self.calls: dict[tuple[str, int], list[tuple[str, Frame]]] = {}
        self.outcome: dict[str, Any] = {
            "engine": self.engine,
            "torch": torch.__version__,
            "python": platform.python_version(),
            "strict": bool(job.get("strict")),
            "stage": "load",
            "exported": False,
            "input1": {"state": "not run", "text": ""},
            "input2": {"state": "not run", "text": ""},
            "observations": [],
            "seconds": {},
        }

    def live_stack(self) -> list[Frame]:
        return of_live(sys._getframe(1), self.user)

    def tell(self) -> None:
        self.channel.send("outcome", outcome=self.outcome)

    def see(self, *seen: Observation, failure: bool = False) -> None:
        """Keep observations; the same thing at the same place is kept once."""
        known = {_identity(item) for item in self.outcome["observations"]}
        for item in seen:
            item["stack"] = with_columns(item["stack"], self.calls, item.get("operator", ""))
            item["failure"] = failure
            item["stage"] = self.outcome["stage"]
            if _identity(item) not in known:
                known.add(_identity(item))
                self.outcome["observations"].append(item)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        if not self.channel.is_owner:
            self.channel.leave()
        if name in ("load", "capture", "translate", "check", "run", "compare"):
            self.outcome["stage"] = name
        self.channel.send("stage", stage=name)
        start = time.monotonic()
        try:
            yield
        finally:
            seconds = self.outcome["seconds"]
            seconds[name] = round(seconds.get(name, 0.0) + time.monotonic() - start, 3)

    def fail(self, error: BaseException, kind: str) -> None:
        """Note a failure of the user's own code, at its innermost line."""
        stack = of_traceback(error.__traceback__)
        syntax = isinstance(error, SyntaxError) and error.filename and error.lineno
        if syntax and isinstance(error, SyntaxError):
            stack = [{"file": error.filename, "line": error.lineno, "function": ""}]
        if isinstance(error, MemoryError) or any(word in clip(error) for word in _MEMORY_WORDS):
            kind = "out-of-memory"
        if isinstance(error, SystemExit):
            text = f"the code ended the process (SystemExit: {clip(error, 80)})"
        else:
            text = f"{type(error).__name__}: {shorten(clip(error))}"
        self.see(observation(kind, text, self.user.choose(stack), error=type(error).__name__), failure=True)
        self.tell()


def _identity(item: Observation) -> tuple[Any, ...]:
    stack = item["stack"]
    where = (stack[0]["file"], stack[0]["line"], stack[0].get("column")) if stack else (item["message"],)
    return (item["kind"], item.get("operator", ""), item.get("what", ""), *where)
