"""The life of a worker: set up the process, export with one engine, prove the result, tell what was seen."""

from __future__ import annotations

import faulthandler
import json
import sys
from typing import Any

from .channel import Channel, clip, open_channel, tell_exits


def main() -> None:
    """Read the job from standard input, do it, and end the process."""
    job = json.loads(sys.stdin.buffer.read())
    channel = open_channel(job["token"])
    faulthandler.enable(channel.fd, all_threads=True)
    _die_with_parent()
    _limit_memory(job.get("memory_mb"))
    try:
        _work(channel, job)
    except BaseException as error:  # noqa: BLE001 - whatever happens here must become a message
        import traceback

        text = clip("".join(traceback.format_exception(type(error), error, error.__traceback__)[-6:]))
        channel.send("internal", error=type(error).__name__, text=text)
    channel.leave()


def _work(channel: Channel, job: dict[str, Any]) -> None:
    missing = []
    for name in ("torch", "onnx", "onnxscript"):
        try:
            __import__(name)
        except ImportError as error:
            if name != "onnxscript" or job["engine"] == "dynamo":
                missing.append(f"{name} ({clip(error, 200)})")
    if missing:
        channel.send("environment", missing=missing, python=sys.executable)
        return
    import torch

    torch.set_num_threads(job.get("threads") or 1)
    from .export_job import ExportJob

    run = ExportJob(channel, job)
    tell_exits(channel, run.live_stack)
    channel.send("ready", torch=torch.__version__, python=sys.executable)
    run.run()


def _die_with_parent() -> None:
    """Have the kernel kill this process when the parent is gone, however that ends (Linux)."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes
    import signal

    pr_set_pdeathsig = 1
    try:
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    except (OSError, AttributeError):
        return


def _limit_memory(megabytes: int | None) -> None:
    """Bound the data segment: address space would be too blunt, torch maps far more than it uses."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if megabytes:
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        wanted = megabytes << 20
        resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))
