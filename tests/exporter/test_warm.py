"""The warm interpreter of these tests stands in for a fresh one: its status, its streams, its end."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.torch


def gone(pid: int) -> bool:
    """Whether a process has ended, within some seconds."""
    for _ in range(200):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT])
def test_the_worker_ends_with_its_client(tmp_path: Path, warm_python: str, number: int) -> None:
    script = tmp_path / "sleep.py"
    script.write_text("import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)\n")
    client = subprocess.Popen([warm_python, str(script)], stdout=subprocess.PIPE, start_new_session=True)
    assert client.stdout is not None
    worker = int(client.stdout.readline())
    assert worker != client.pid and os.path.exists(f"/proc/{worker}")
    os.killpg(client.pid, number)
    assert client.wait(10) == -number
    assert gone(worker)


@pytest.mark.parametrize(("code", "status"), [("raise SystemExit(7)", 7), ("os.kill(os.getpid(), 9)", -9), ("", 0)])
def test_the_status_is_the_workers(tmp_path: Path, warm_python: str, code: str, status: int) -> None:
    script = tmp_path / "end.py"
    script.write_text(f"import os, sys\nprint(*sys.argv[1:], file=sys.stderr)\n{code}\n")
    command = [warm_python, "-X", "faulthandler", str(script), "a"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (status, "", "a\n")
