"""The life of a worker: set up the process, go through the stages with one engine, send what was seen."""

from __future__ import annotations

import faulthandler
import os
import sys
import traceback
from importlib import import_module

from . import system
from .channel import Channel, clip, open_channel, report_exits
from .protocol import EnvironmentLacks, InternalError, Job, Ready
from .wire import ProtocolError, decode_job

_NEEDED = ("torch", "onnx")


def main() -> None:
    """Read the job from standard input, do it, and end the process."""
    system.unblock_signals()
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        os._exit(1)  # the parent was gone before the job was here
    system.end_with_parent()
    try:
        job = decode_job(line)
    except ProtocolError as error:
        raise SystemExit(f"the job cannot be read: {error}") from error
    channel = open_channel(job.token)
    faulthandler.enable(channel.fd, all_threads=True)
    system.limit_memory(job.memory_mb)
    try:
        _work(channel, job)
    except BaseException as error:  # noqa: BLE001 - whatever happens here must become a message
        text = clip("".join(traceback.format_exception(type(error), error, error.__traceback__)[-6:]))
        channel.send(InternalError(type(error).__name__, text))
    channel.leave()


def _work(channel: Channel, job: Job) -> None:
    lacking = _missing(_NEEDED)
    if not lacking:
        from .engines import ANY_ENGINE, ENGINES

        lacking = _missing(ENGINES[job.engine or ANY_ENGINE].requires)
    if lacking:
        channel.send(EnvironmentLacks(lacking, sys.executable))
        return
    import torch

    torch.set_num_threads(job.threads)
    from .stages import run
    from .state import RunState

    state = RunState(channel, job)
    channel.live_stack = state.live_stack
    report_exits(channel)
    channel.send(Ready(torch.__version__, sys.executable))
    run(state)


def _missing(names: tuple[str, ...]) -> tuple[str, ...]:
    missing = []
    for name in names:
        try:
            import_module(name)
        except ImportError as error:
            missing.append(f"{name} ({clip(error, 200)})")
    return tuple(missing)
