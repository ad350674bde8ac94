"""The worker's own way out: one JSON message a line over a private pipe, whatever the model does to its streams."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
from typing import Any

_write = os.write
_getpid = os.getpid
_exit = os._exit
_dumps = json.dumps

TEXT_LIMIT = 4000
"""Characters of one text in a message; an exception of the model may carry megabytes."""
PRIVATE_FD = 200
"""The private copies of the pipes live from this file descriptor on, away from the small numbers that code closes."""


def clip(text: object, limit: int = TEXT_LIMIT) -> str:
    """Any object's text, bounded, without lone surrogates; also when the object's own ``__str__`` raises."""
    try:
        plain = text if isinstance(text, str) else str(text)
    except BaseException as error:  # noqa: BLE001 - the model's own exception class may raise anything here
        plain = f"<{type(text).__name__} whose text raises {type(error).__name__}>"
    if len(plain) > limit:
        plain = f"{plain[: limit - 40]} … ({len(plain)} characters)"
    return plain.encode("utf-8", "replace").decode("utf-8")


class Channel:
    """Sends messages to the parent. Only the process that opened it does: a fork of the model's stays silent."""

    def __init__(self, fd: int, token: str) -> None:
        self.fd = fd
        self._token = token.encode()
        self._owner = _getpid()

    @property
    def is_owner(self) -> bool:
        """Whether this is the process that was started, not a fork of it."""
        return _getpid() == self._owner

    def send(self, event: str, **fields: Any) -> None:
        """Write one message. A parent that is gone ends this process."""
        if not self.is_owner:
            return
        data = self._token + _dumps({"event": event, **fields}, default=clip).encode() + b"\n"
        try:
            while data:
                data = data[_write(self.fd, data) :]
        except BrokenPipeError:
            _exit(1)

    def leave(self) -> None:
        """End the process now: no at-exit functions and no threads of the model's can hold it up or speak after us."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:  # noqa: BLE001 - the model may have closed or replaced its streams
                continue
        _exit(0)


def private_copy(fd: int) -> int:
    """A copy of a file descriptor out of the model's reach, which its child processes do not inherit."""
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, PRIVATE_FD)


def open_channel(token: str) -> Channel:
    """Take standard output for ourselves: from here on the model's output goes where its errors go, to the log."""
    fd = private_copy(1)
    os.dup2(2, 1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return Channel(fd, token)


def tell_exits(channel: Channel, frames: Any) -> None:
    """Make ``os._exit`` and ``os.abort`` say where they were called before they end the process."""

    def exiting(status: int = 0) -> None:
        if channel.is_owner:
            channel.send("exit", status=status, how="os._exit", frames=frames())
        _exit(status)

    def aborting() -> None:
        channel.send("exit", status=-int(signal.SIGABRT), how="os.abort", frames=frames())
        _kill(_getpid(), signal.SIGABRT)

    os._exit = exiting  # type: ignore[assignment]
    os.abort = aborting  # type: ignore[assignment]


_kill = os.kill
