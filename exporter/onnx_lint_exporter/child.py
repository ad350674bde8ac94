"""Start a worker in the user's interpreter, listen to it, bound it, and end it with all it started.

The worker's standard output is the private channel: one message a line, each behind a token that only we and the
worker know. Everything the model prints goes to standard error, of which a bounded part is kept. Standard input stays
open for answers to what it asks, and says by its end that we are gone.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from onnx_lint_exporter import processes
from onnx_lint_exporter.worker.asking import InputsAsked, InputsKnown
from onnx_lint_exporter.worker.protocol import LAST, Done, ForeignSender, Job, Message, Stack, Stage, StageBegun
from onnx_lint_exporter.worker.wire import ProtocolError, decode, encode_answer, encode_job

WORKER = Path(__file__).parent / "worker" / "__main__.py"
LOG_LIMIT = 256 * 1024
"""Bytes kept of the model's output, half from its start and half from its end."""
MESSAGE_LIMIT = 256 * 1024 * 1024
GRACE = 3.0
"""Seconds between asking a process where it hangs and ending it."""
START_LIMIT = 180.0
"""Seconds for the interpreter to start and import torch, when no time limit was given."""
LOAD_LIMIT = 30.0
"""Seconds for importing and building the model, and again for its first run, when no time limit was given."""
WHOLE_LIMIT = 1800.0
"""Seconds for one engine's export, when no time limit was given."""
_READ_UP = 10.0
"""Seconds for reading what a worker that has ended has written: a loaded machine takes its time."""
_LOOK_EVERY = 0.5
"""Seconds between two looks at a worker's memory and descendants, where the system does not keep them for us."""

M = TypeVar("M")


@dataclass(frozen=True)
class Limits:
    """Bounds of one worker. `seconds` is for the whole export; without it loading has a limit of its own."""

    seconds: float | None = None
    memory_mb: int | None = None


@dataclass
class ChildResult:
    """What came of a worker: its messages, how it ended, and what it printed."""

    messages: list[Message] = field(default_factory=list)
    raw: str = ""
    """What stood in the channel besides messages: the crash report of ``faulthandler``."""
    log: str = ""
    status: int | None = None
    """Exit status, negative for a signal."""
    ended: str = "done"
    """``done``, ``timeout``, ``memory``, ``cancelled``, ``forged`` (something else than the worker has spoken for it,
    or it attacked us) or ``died`` (without saying that it is done)."""
    stage: Stage = Stage.START
    seconds: float = 0.0
    limit: float = 0.0
    forgery: str = ""
    """What was noticed of a forgery."""
    forger: Stack = ()
    """Where in the user's code, when that is known."""

    def last(self, kind: type[M]) -> M | None:
        """The last message of a kind."""
        return next((message for message in reversed(self.messages) if isinstance(message, kind)), None)


class _Log:
    """The start and the end of a stream, bounded."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._total = 0

    def add(self, data: bytes) -> None:
        self._total += len(data)
        room = LOG_LIMIT // 2 - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        if len(self._tail) > LOG_LIMIT:
            del self._tail[: -LOG_LIMIT // 2]

    def text(self) -> str:
        tail = bytes(self._tail[-LOG_LIMIT // 2 :])
        gap = self._total - len(self._head) - len(tail)
        middle = f"\n… {gap} bytes left out …\n".encode() if gap > 0 else b""
        return (bytes(self._head) + middle + tail).decode("utf-8", "replace")


class Child:
    """One worker process. `run` blocks until it has ended; `cancel` and `accuse` may be called from any thread."""

    def __init__(
        self,
        python: str,
        job: Job,
        limits: Limits,
        on_stage: Callable[[Stage], None] | None = None,
        answer: Callable[[InputsAsked], InputsKnown] = lambda question: InputsKnown(),
        command: Sequence[str] = (),
    ) -> None:
        self._command = [*command] or [python, "-X", "faulthandler", str(WORKER)]
        self._job = replace(job, token=secrets.token_hex(8), memory_mb=limits.memory_mb)
        self._limits = limits
        self._on_stage = on_stage
        self._answer = answer
        self._readers: list[threading.Thread] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled = threading.Event()
        self._done = threading.Event()
        self._stage_since = 0.0
        self._looked = 0.0
        self._result = ChildResult()

    def cancel(self) -> None:
        """Ask the worker to end; `run` returns soon after."""
        self._cancelled.set()

    def accuse(self, what: str, where: Stack = ()) -> None:
        """Distrust the worker from now on, because of what its process did; the first reason counts."""
        if not self._result.forgery:
            self._result.forgery, self._result.forger = what, where

    def run(self) -> ChildResult:
        """Start the worker, hand it the job, and wait for its end or ours."""
        start = self._stage_since = time.monotonic()
        worker = processes.Worker(self._command, environment(), self.accuse)
        process = self._process = worker.process
        assert process.stdin and process.stdout and process.stderr
        log = _Log()
        readers = [
            threading.Thread(target=self._listen, args=(process.stdout.fileno(),), daemon=True),
            threading.Thread(target=_drain, args=(process.stderr.fileno(), log), daemon=True),
        ]
        self._readers = readers
        for reader in readers:
            reader.start()
        try:
            with contextlib.suppress(OSError):  # it died before it read its job: its exit status and log say why
                process.stdin.write(encode_job(self._job))
                process.stdin.flush()
            self._wait(worker, start)
        finally:
            worker.end()
            for reader in readers:
                reader.join(2.0)
            for stream in (process.stdin, process.stdout, process.stderr):
                with contextlib.suppress(OSError):  # it died before it read its job
                    stream.close()
        result = self._result
        result.status = process.returncode
        if result.ended == "done" and result.status != 0 and result.last(Done) is not None:
            self.accuse(f"its process did not end by itself after its last message (status {result.status})")
            result.ended = "forged"
        result.seconds = time.monotonic() - start
        result.log = log.text()
        return result

    def _wait(self, worker: processes.Worker, start: float) -> None:
        while True:
            ended = self._ended(worker, start)
            if ended is not None:
                self._result.ended = ended
                if ended in ("timeout", "cancelled"):
                    worker.ask_where_it_is()
                if ended not in ("died", "memory", "forged"):
                    worker.wait(GRACE)
                if self._result.forgery and ended in ("done", "died"):
                    self._result.ended = "forged"
                return
            self._done.wait(0.05)

    def _ended(self, worker: processes.Worker, start: float) -> str | None:
        """How the worker has ended or has to be ended; ``None`` as long as it may go on."""
        if self._result.forgery:
            return "forged"
        if self._done.is_set():
            return "done"
        if worker.process.poll() is not None:
            self._read_up()
            return "done" if self._done.is_set() else "died"
        if self._cancelled.is_set():
            return "cancelled"
        self._result.limit = self._over(start)
        if self._result.limit:
            return "timeout"
        return "memory" if self._too_large(worker) else None

    def _read_up(self) -> None:
        """Wait for what has ended to be read: its last message may be in the pipe, which strays may hold open."""
        end = time.monotonic() + _READ_UP
        while time.monotonic() < end and not self._done.wait(0.05):
            if not any(reader.is_alive() for reader in self._readers[:1]):
                return

    def _too_large(self, worker: processes.Worker) -> bool:
        """Whether a worker that the system does not bound holds more memory than it may."""
        now = time.monotonic()
        if processes.limits_itself() or now - self._looked < _LOOK_EVERY:
            return False
        self._looked = now
        worker.look_around()
        limit = self._limits.memory_mb
        return limit is not None and worker.memory_mb() > limit

    def _over(self, start: float) -> float:
        """The limit that has passed, in seconds; 0 while there is time."""
        now = time.monotonic()
        if self._limits.seconds is not None:
            return self._limits.seconds if now - start > self._limits.seconds else 0.0
        own = {Stage.START: START_LIMIT, Stage.LOAD: LOAD_LIMIT, Stage.EAGER: LOAD_LIMIT}
        limit = own.get(self._result.stage, WHOLE_LIMIT)
        if now - self._stage_since > limit:
            return limit
        return WHOLE_LIMIT if now - start > WHOLE_LIMIT else 0.0

    def _listen(self, fd: int) -> None:
        token = self._job.token.encode()
        pending: list[bytes] = []
        size, raw = 0, _Log()
        for data in _chunks(fd):
            first, *more = data.split(b"\n")
            pending.append(first)
            size += len(first)
            if more:
                for line in (b"".join(pending), *more[:-1]):
                    if line.startswith(token):
                        self._message(line[len(token) :])
                    else:
                        raw.add(line + b"\n")
                pending, size = [more[-1]], len(more[-1])
            elif size > MESSAGE_LIMIT:
                pending, size = [], 0
            self._result.raw = raw.text()
        raw.add(b"".join(pending))
        self._result.raw = raw.text()

    def _message(self, data: bytes) -> None:
        """One whole line behind the token. Only the worker knows that, so all that is wrong with it is a forgery."""
        if self._done.is_set():
            self.accuse("a message came after the last one")
            return
        try:
            number, message = decode(data)
        except ProtocolError as error:
            self.accuse(f"a message cannot be read: {error}")
            return
        if number != len(self._result.messages):
            self.accuse(f"message {number} came where {len(self._result.messages)} was due")
            return
        self._result.messages.append(message)
        if isinstance(message, ForeignSender):
            self.accuse("the code here sent a message in the worker's name", message.frames)
        if isinstance(message, InputsAsked):
            self._tell(self._answer(message))
        if isinstance(message, StageBegun):
            self._result.stage = message.stage
            self._stage_since = time.monotonic()
            if self._on_stage is not None:
                self._on_stage(message.stage)
        if isinstance(message, LAST):
            self._done.set()

    def _tell(self, answer: InputsKnown) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError, ValueError):  # it died, or was ended, before it got its answer
                self._process.stdin.write(encode_answer(answer))
                self._process.stdin.flush()


def environment() -> dict[str, str]:
    """That of a worker."""
    return {
        **os.environ,
        "PYTHONIOENCODING": "utf-8:backslashreplace",
        "PYTHONUNBUFFERED": "1",
        "PYTHONNOUSERSITE": os.environ.get("PYTHONNOUSERSITE", ""),
    }


def _chunks(fd: int) -> Iterator[bytes]:
    while True:
        try:
            data = os.read(fd, 1 << 16)
        except OSError:
            return
        if not data:
            return
        yield data


def _drain(fd: int, log: _Log) -> None:
    for data in _chunks(fd):
        log.add(data)
