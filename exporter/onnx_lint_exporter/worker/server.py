"""An interpreter that has torch loaded and forks for each worker, so that a further export imports nothing (Linux).

`serve` waits at a socket in a folder that only its owner may enter. What connects, `forked`, hands over three streams,
which become those of a worker, as it is, in a process and session of its own; the status comes back. A worker ends with
its connection, all workers end with the server, and the server ends with what started it. Nothing may run in a second
thread before a fork: torch computes in one, and no session of ONNX Runtime is made here.
"""

from __future__ import annotations

import array
import contextlib
import functools
import json
import os
import select
import signal
import socket
import sys
import types
import warnings
from collections.abc import Callable
from importlib import import_module

from . import system

_GRACE = 2.0
"""Seconds for a worker to say where it is before it is killed."""
_MOST = 1 << 20


def serve(address: str) -> None:
    """Import what every export needs, then fork a worker for each connection, until the parent ends."""
    if not sys.platform.startswith("linux"):
        raise SystemExit("only Linux has what this needs")
    system.die_with_parent()
    main = import_module(".main", __package__)
    _load()
    listener = socket.socket(socket.AF_UNIX)
    waiting = f"{address}.new"  # who finds the socket can connect
    listener.bind(waiting)
    listener.listen(16)
    os.rename(waiting, address)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            _guarded(lambda connection=connection: _supervise(connection, main.main))  # type: ignore[misc]
        connection.close()


def _load() -> None:
    """Import the libraries, and export a small model: the first export of a process takes seconds."""
    for name in ("onnx", "onnxscript", "onnxruntime"):
        with contextlib.suppress(ImportError):  # the worker says what is missing
            import_module(name)
    import torch

    torch.set_num_threads(1)
    _parse_torchlib_once()

    class Small(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(x[:2]) + 1

    given = (torch.zeros(4, 4),)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    with warnings.catch_warnings(), contextlib.suppress(Exception):  # another torch: slower, and right all the same
        warnings.simplefilter("ignore")
        torch.onnx.export(Small(), given, dynamo=True, verbose=False, dynamic_shapes={"x": {0: torch.export.Dim("n")}})


def _parse_torchlib_once() -> None:
    """Every export of dynamo's would parse all of torchlib again, which is most of the time of a small one."""
    try:
        registration = import_module("torch.onnx._internal.exporter._registration")
        apis = registration.onnxscript_apis
        known = functools.cache(apis.get_torchlib_ops)
    except (ImportError, AttributeError):  # another version of torch
        return
    # one module's name for them: a copy of it stands in, and nobody else sees another one
    vars(registration)["onnxscript_apis"] = types.SimpleNamespace(**{**vars(apis), "get_torchlib_ops": known})


def _guarded(work: Callable[[], None]) -> None:
    """Do it in a forked process, and end that."""
    try:
        work()
    except BaseException:  # noqa: BLE001 - nothing may return into the server's loop
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(1)


def _supervise(connection: socket.socket, work: Callable[[], None]) -> None:
    """Fork the worker, and wait for its end or that of the connection."""
    message, ancillary, _, _ = connection.recvmsg(_MOST, socket.CMSG_SPACE(12))
    request = json.loads(message)
    streams = array.array("i")
    streams.frombytes(ancillary[0][2][:12])
    pid = os.fork()
    if pid == 0:
        connection.close()
        _guarded(lambda: _become(request, list(streams), work))
    for stream in streams:
        os.close(stream)
    ended = os.pidfd_open(pid)
    if ended in select.select([ended, connection.fileno()], [], [])[0]:
        connection.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
    else:  # who asked for it is gone: so is the worker
        _signal(pid, signal.SIGABRT)
        select.select([ended], [], [], _GRACE)
        _signal(pid, signal.SIGKILL)
    os._exit(0)


def _signal(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        with contextlib.suppress(ProcessLookupError):  # before it made its group
            os.kill(pid, number)


def _become(request: dict[str, object], streams: list[int], work: Callable[[], None]) -> None:
    """Be the worker: its session, streams, folder and environment, then its `main`."""
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(str(request["cwd"]))
    environment = request["environment"]
    assert isinstance(environment, dict)
    os.environ.clear()
    os.environ.update(environment)
    status = 1
    try:
        work()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:  # noqa: BLE001 - as the interpreter would
        sys.excepthook(*sys.exc_info())
    sys.stderr.flush()
    os._exit(status)
