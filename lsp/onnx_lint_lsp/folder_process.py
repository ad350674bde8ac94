"""A check of whole folders in a child process: what is open is analysed in this one meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict

from onnx_lint_lsp import folder_child
from onnx_lint_lsp.client import Json
from onnx_lint_lsp.folder_check import Request

_LINE_LIMIT = 256 * 1024 * 1024
_TAIL = 4000


class CheckFailed(Exception):
    """The child ended without an answer; the message is the end of what it said."""


async def run(request: Request, on_answer: Callable[[Json], None]) -> None:
    """Hand the child's answers over as they come: see `folder_check.check`, and ``done`` and ``of``. Cancelling this
    ends the child. Raises `CheckFailed`."""
    paths = json.dumps([os.path.abspath(entry) for entry in sys.path if entry])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", folder_child.__file__, paths),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_LINE_LIMIT,
    )
    to_child, answers, messages = process.stdin, process.stdout, process.stderr
    if to_child is None or answers is None or messages is None:
        raise RuntimeError("asyncio gave no pipes for the check of a folder")

    async def listen() -> None:
        while line := await answers.readline():
            on_answer(json.loads(line))

    try:
        to_child.write(json.dumps(asdict(request)).encode() + b"\n")
        with contextlib.suppress(ConnectionError):  # it has ended already: its status says so
            await to_child.drain()
        _, said, status = await asyncio.gather(listen(), _last_of(messages), process.wait())
    finally:
        to_child.close()
        if process.returncode is None:  # the processes that it started end with it
            with contextlib.suppress(ProcessLookupError):
                process.kill()
    if status != 0:
        raise CheckFailed(f"the check of the workspace ended with status {status}: {said}")


async def _last_of(stream: asyncio.StreamReader) -> str:
    said = b""
    while data := await stream.read(4096):
        said = (said + data)[-_TAIL:]
    return said.decode("utf-8", "replace")
