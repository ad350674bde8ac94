"""Run many export jobs, each in a fork of one warm process: torch is imported and the dynamo engine warmed up once.

Reads one job a line on standard input, writes one list of messages a line. The forks run the worker's own code; what
the product does beyond (a fresh process, limits, the supervision) has tests of its own.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "exporter"))
sys.path.insert(0, str(Path(__file__).parents[2] / "linter"))


def warm(dynamo: bool) -> None:
    import torch

    torch.set_num_threads(1)

    class Small(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return torch.relu(x[:2]) + 1

    if dynamo:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(Small(), (torch.randn(4, 4),), dynamo=True, verbose=False, dynamic_shapes={"x": {0: "n"}})
    import onnxruntime  # noqa: F401


def one(job: dict[str, Any], seconds: int) -> dict[str, Any]:
    """The messages of one job, and how its process ended."""
    reader, writer = os.pipe()
    log = tempfile.TemporaryFile()  # noqa: SIM115 - the fork writes into it
    pid = os.fork()
    if pid == 0:
        import faulthandler
        import signal

        os.setsid()
        os.close(reader)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        faulthandler.enable(writer)
        signal.alarm(seconds)
        from onnx_lint_exporter.worker.channel import Channel
        from onnx_lint_exporter.worker.export_job import ExportJob

        channel = Channel(writer, "@@")
        channel.send("ready")
        try:
            ExportJob(channel, job).run()
        except BaseException as error:  # noqa: BLE001 - told to the test as it is
            import traceback

            channel.send("internal", text="".join(traceback.format_exception(error)))
        os._exit(0)
    os.close(writer)
    data = b""
    while chunk := os.read(reader, 1 << 16):
        data += chunk
    os.close(reader)
    status = os.waitpid(pid, 0)[1]
    lines = data.split(b"\n")
    log.seek(0)
    return {
        "messages": [json.loads(line[2:]) for line in lines if line.startswith(b"@@")],
        "raw": b"\n".join(line for line in lines if not line.startswith(b"@@")).decode("utf-8", "replace"),
        "status": os.waitstatus_to_exitcode(status),
        "log": log.read().decode("utf-8", "replace")[-4000:],
    }


def main() -> None:
    jobs = [json.loads(line) for line in sys.stdin]
    warm(any(job["engine"] == "dynamo" for job in jobs))
    for job in jobs:
        result = one(job, 120)
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
