"""One export in a child process: its command line, its progress, its end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

from onnx_lint.source import json_text
from onnx_lint_lsp import export_child
from onnx_lint_lsp.client import Json
from onnx_lint_lsp.options import ExportOptions

Progress = Callable[[str, str, float], None]
"""Called with engine, stage, and the share that is done (0 to 1)."""

_LINE_LIMIT = 64 * 1024 * 1024
_GRACE = 5.0
"""Seconds between asking the child to end and ending it."""
_TAIL = 2000


@dataclass(frozen=True)
class ExportPlan:
    """What to export and where to put it. Without a name it is what the file exports when it is run."""

    path: str
    name: str
    inputs: tuple[str, ...]
    engine: str
    folder: str
    working_folder: str
    options: ExportOptions
    repair: bool = False
    """Whether a change of the source is looked for that makes the export right."""

    @property
    def report(self) -> str:
        """The path of the report."""
        return os.path.join(self.folder, f"{self.name or os.path.basename(self.path)}.html")

    def command(self) -> list[str]:
        """The command line. The server's own interpreter drives the export; the model is loaded by the interpreter
        that the options name."""
        arguments = ["--map", "--report", self.report, "--output-format", "json", "--progress-format", "json"]
        if self.name:
            arguments += ["--export", f"{self.path}:{self.name}", "--engine", self.engine]
            arguments += ["--output", os.path.join(self.folder, f"{self.name}.{{engine}}.onnx")]
            for spec in self.inputs:
                arguments += ["--input", spec]
        if self.repair:
            arguments.append("--repair")
        if self.options.python:
            arguments += ["--python", self.options.python]
        if self.options.timeout:
            arguments += ["--timeout", f"{self.options.timeout:g}"]
        arguments += ["--", self.path] if self.name else ["--export-from", self.path]
        paths = json.dumps([os.path.abspath(entry) for entry in sys.path if entry])
        return [sys.executable, "-I", export_child.__file__, paths, *arguments]


@dataclass
class ExportEnd:
    """How the child ended: its document, if it gave one, and what it said otherwise."""

    document: Json | None
    status: int
    said: str
    cancelled: bool = False


class ExportProcess:
    """A running export."""

    def __init__(self, plan: ExportPlan, progress: Progress) -> None:
        self._plan, self._progress = plan, progress
        self._process: asyncio.subprocess.Process | None = None
        self._shares: dict[str, float] = {}
        self._furthest = 0.0
        self._cancelled = False

    async def run(self) -> ExportEnd:
        """Run it to its end. Cancelling this coroutine, or `cancel`, ends the child and all it started."""
        process = self._process = await asyncio.create_subprocess_exec(
            *self._plan.command(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self._plan.working_folder,
            limit=_LINE_LIMIT,
        )
        output, messages = process.stdout, process.stderr
        if output is None or messages is None:
            raise RuntimeError("asyncio gave no pipes for the output of the export")
        if self._cancelled:
            self._end(process)
        try:
            document, said, status = await asyncio.gather(output.read(), self._listen(messages), process.wait())
        except asyncio.CancelledError:
            self.cancel()
            raise
        return ExportEnd(_document(document), status, said, self._cancelled)

    def cancel(self) -> None:
        """Ask the child to end; one that does not is ended."""
        self._cancelled = True
        process = self._process
        if process is not None and process.returncode is None:
            self._end(process)
            with contextlib.suppress(RuntimeError):  # no running loop: the server is ending, and the child with it
                asyncio.get_running_loop().call_later(_GRACE, self._kill, process)

    @staticmethod
    def _end(process: asyncio.subprocess.Process) -> None:
        """Close its standard input, at whose end the child cleans up and ends. A signal would not do on Windows."""
        if process.stdin is not None:
            process.stdin.close()

    @staticmethod
    def _kill(process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    async def _listen(self, stream: asyncio.StreamReader) -> str:
        """Read progress events; what else was said, the end of it."""
        said = ""
        while line := await stream.readline():
            text = line.decode("utf-8", "replace")
            event = _event(text)
            if event is None:
                said = (said + text)[-_TAIL:]
                continue
            engine, done, of = str(event.get("engine")), event.get("done"), event.get("of")
            if isinstance(done, (int, float)) and isinstance(of, (int, float)) and of > 0:
                self._shares[engine] = min(done / of, 1.0)
            engines = 2 if self._plan.engine == "both" else 1
            share = sum(self._shares.values()) / engines
            self._furthest = max(self._furthest, share)  # a script has several exports of one engine
            self._progress(engine, str(event.get("stage")), self._furthest)
        return said


def _event(text: str) -> Json | None:
    if not text.startswith("{"):
        return None
    try:
        event = json_text.loads(text)
    except ValueError:
        return None  # something the model printed
    return event if isinstance(event, dict) and event.get("event") == "progress" else None


def _document(output: bytes) -> Json | None:
    try:
        document = json_text.loads(output)
    except (ValueError, RecursionError):
        return None  # the child ended before it wrote one; what it wrote to standard error is shown
    return document if isinstance(document, dict) else None
