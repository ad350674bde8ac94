"""The worker's own way out: one JSON message a line over a private pipe, whatever the model does to its streams.

The model shares the process, so it can reach everything here if it looks for it. What it sends is noticed: every
message has a number, and a sender outside this package is named instead of being obeyed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable

from .protocol import Exiting, ForeignSender, Frame, Message, Stack
from .wire import encode

_write = os.write
_getpid = os.getpid
_exit = os._exit
_kill = os.kill
_dumps = json.dumps
_caller = sys._getframe

TEXT_LIMIT = 4000
"""Characters of one text in a message; an exception of the model may carry megabytes."""
PRIVATE_FD = 200
"""The private copy of the pipe, away from the small numbers that code closes. `system` has 201."""
HERE = os.path.dirname(os.path.abspath(__file__))


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
    """Sends messages to the parent. Only the process that opened it does: a fork of the model's stays silent.

    `home` is the folder whose code may send.
    """

    def __init__(self, fd: int, token: str, home: str = HERE) -> None:
        self.fd = fd
        self._token = token.encode()
        self._owner = _getpid()
        self._home = home
        self._number = 0
        self.live_stack: Callable[[], Stack] = tuple
        """The user's frames at the moment, for messages about what the model does."""

    @property
    def is_owner(self) -> bool:
        """Whether this is the process that was started, not a fork of it."""
        return _getpid() == self._owner

    def send(self, message: Message) -> None:
        """Write one message. A parent that is gone ends this process."""
        if not self.is_owner:
            return
        sender = _caller(1).f_code.co_filename
        if not sender.startswith(self._home):
            message = ForeignSender(self.live_stack() or (Frame(sender, _caller(1).f_lineno),))
        data = self._token + encode(message, self._number, _dumps) + b"\n"
        self._number += 1
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


def open_channel(token: str, home: str = HERE) -> Channel:
    """Take standard output for ourselves: from here on the model's output goes where its errors go, to the log."""
    os.dup2(1, PRIVATE_FD, inheritable=False)
    os.dup2(2, 1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return Channel(PRIVATE_FD, token, home)


def report_exits(channel: Channel) -> None:
    """Make ``os._exit`` and ``os.abort`` say where they were called before they end the process."""

    def exiting(status: int = 0) -> None:
        if channel.is_owner:
            channel.send(Exiting("os._exit", status, channel.live_stack()))
        _exit(status)

    def aborting() -> None:
        channel.send(Exiting("os.abort", -int(signal.SIGABRT), channel.live_stack()))
        _kill(_getpid(), signal.SIGABRT)

    os._exit = exiting  # type: ignore[assignment]  # the stubs say NoReturn, which nothing checks at run time
    os.abort = aborting  # type: ignore[assignment]  # as above
