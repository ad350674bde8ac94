"""Standard input and output of the server: messages in and out, and nothing else on standard output."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Iterator

MAX_BODY = 256 * 1024 * 1024
"""Bytes of one message; a longer one is passed over."""
_MAX_HEADER = 64 * 1024
_LENGTH = re.compile(rb"content-length[ \t]*:[ \t]*(\d{1,12})[ \t]*", re.I)


def claim() -> tuple[int, int]:
    """Descriptors for the protocol: standard input, and a copy of standard output. From here on descriptor 1 is
    standard error, so that a stray ``print``, also of a C library, cannot break the protocol."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(0, os.O_BINARY)
        msvcrt.setmode(1, os.O_BINARY)
    incoming, outgoing = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    sys.stdout = sys.stderr
    return incoming, outgoing


class Output:
    """Where messages go. Writes from one thread only."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, data: bytes) -> None:
        """Raises `BrokenPipeError` when the client is gone."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def close(self) -> None:
        """Nothing to do: the descriptor goes with the process."""


def listen(descriptor: int, on_body: Callable[[bytes], None], on_end: Callable[[], None]) -> threading.Thread:
    """Read messages in a thread of their own until the end of the input."""

    def run() -> None:
        for body in bodies(descriptor):
            on_body(body)
        on_end()

    thread = threading.Thread(target=run, name="onnx-lint-input", daemon=True)
    thread.start()
    return thread


def bodies(descriptor: int) -> Iterator[bytes]:
    """The bodies of the messages on a descriptor. Headers are taken as HTTP takes them (any case, any order, with or
    without blanks, line feeds alone); lines that are not headers and lengths that make no sense are passed over."""
    stream = _Stream(descriptor)
    length: int | None = None
    while (line := stream.line()) is not None:
        if line:
            match = _LENGTH.fullmatch(line)
            if match:
                length = int(match.group(1))
            continue
        if length is None:
            continue
        if length > MAX_BODY:
            length = None  # no client sends this; what follows is read as headers again
            continue
        body = stream.take(length)
        length = None
        if body is None:
            return
        if body:
            yield body


class _Stream:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = bytearray()

    def _fill(self) -> bool:
        try:
            data = os.read(self._descriptor, 1 << 20)
        except OSError:
            return False  # closed under us: the same as its end
        self._buffer += data
        return bool(data)

    def line(self) -> bytes | None:
        """A line without its end; ``None`` at the end of the input. Of an endless line only the end is kept."""
        searched = 0
        while (at := self._buffer.find(b"\n", searched)) < 0:
            if len(self._buffer) > _MAX_HEADER:
                del self._buffer[:-2]
            searched = len(self._buffer)
            if not self._fill():
                return None
        line = bytes(self._buffer[:at]).rstrip(b"\r")
        del self._buffer[: at + 1]
        return line

    def take(self, count: int) -> bytes | None:
        """So many bytes; ``None`` if the input ends before."""
        while len(self._buffer) < count:
            if not self._fill():
                return None
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data
