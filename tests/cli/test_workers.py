"""Several processes: the same output whatever their number, and whatever happens to one of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cli.conftest import BRANCH, Lint, Put
from cli.test_cache_by_file import Runs

from onnx_lint import by_file, workers
from onnx_lint.checker import CheckResult, check_with_coverage
from onnx_lint.part import Part
from onnx_lint.project.project import Project
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceText
from onnx_lint.workers import Workers

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is one process")

BLOCK = """\
from torch import nn

from shared import scale


class Block{0}(nn.Module):
    def forward(self, x):
        return scale(x).data
"""
MODEL = """\
from torch import nn

from b{0} import Block{0}


class Model{0}(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block{0}()

    def forward(self, x):
        return self.block(x) if x.shape[0] > {0} else x
"""


def project_of(count: int = 30) -> dict[str, str]:
    """Models with a block each, which is in another file, and helpers of all; among them what is not analysed."""
    files = {"shared.py": "def scale(x):\n    return x * x.sum().item()\n"}
    for number in range(count):
        files[f"a{number}.py"] = MODEL.format(number)
        files[f"b{number}.py"] = BLOCK.format(number)
    files["a3.py"] = (
        files["a3.py"].replace("from b3", "from shared import deep\nfrom b3").replace("(x) if", "(deep(x)) if")
    )
    files["shared.py"] += "\n\ndef deep(x):\n    return " + "[" * 100 + "x" + "]" * 100 + "\n"
    files["a5.py"] += "\n\ndef broken(:\n    pass\n"
    return files


FILES = project_of()


def check(count: int, files: dict[str, str] = FILES) -> CheckResult:
    project = Project(recording=True)
    for path, text in files.items():
        project.add(SourceText(path, text))
    return check_with_coverage(project, [(Settings(), set(files))], workers=count)


@pytest.fixture(scope="module")
def alone() -> CheckResult:
    return check(1)


def in_a_worker(monkeypatch: pytest.MonkeyPatch, what: Callable[[str], None]) -> None:
    """Do something in each worker before it computes a part."""
    parent, compute = os.getpid(), by_file.compute

    def changed(project: Project, groups: Any, facts: Any, analysis: Any, path: str, entered: Any) -> Part:
        if os.getpid() != parent:
            what(path)
        return compute(project, groups, facts, analysis, path, entered)

    monkeypatch.setattr(by_file, "compute", changed)


def children() -> set[str]:
    """The processes that this one has started and not waited for; other tests may have left some."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split())


@pytest.fixture
def no_worker_is_left() -> Iterator[None]:
    before = children()
    yield
    assert children() <= before


@pytest.mark.usefixtures("no_worker_is_left")
@pytest.mark.parametrize("count", [2, 3, 100])
def test_the_same_with_any_number(alone: CheckResult, count: int) -> None:
    assert len(alone.diagnostics) > 60 and {"ONX000", "ONX009"} <= {d.code for d in alone.diagnostics}
    assert check(count) == alone


@pytest.mark.usefixtures("no_worker_is_left")
def test_a_worker_that_is_killed(alone: CheckResult, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Once for each of ten files: another one does its work."""

    def die_once(path: str) -> None:
        mark = tmp_path / path
        if path.endswith("7.py") or path in ("a0.py", "b29.py"):
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)

    in_a_worker(monkeypatch, die_once)
    assert check(2) == alone
    assert len(list(tmp_path.iterdir())) == 8


@pytest.mark.usefixtures("no_worker_is_left")
def test_workers_that_always_die(alone: CheckResult, monkeypatch: pytest.MonkeyPatch) -> None:
    in_a_worker(monkeypatch, lambda path: os._exit(3))
    assert check(2) == alone


def test_what_a_worker_did_not_know_counts(alone: CheckResult, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks are done before the models that enter them."""
    in_a_worker(monkeypatch, lambda path: time.sleep(0.2) if path == "a0.py" else None)
    assert check(3) == alone
    computed: list[str] = []
    compute = by_file.compute
    monkeypatch.setattr(
        by_file, "compute", lambda p, g, f, a, path, e: computed.append(path) or compute(p, g, f, a, path, e)
    )
    monkeypatch.setattr(Workers, "run", _turned(Workers.run))
    assert check(2) == alone
    assert len(computed) >= 20, "blocks that were computed as entry points are computed again"


def _turned(run: Callable[[Workers, list[str]], list[str]]) -> Callable[[Workers, list[str]], list[str]]:
    return lambda self, jobs: run(self, list(reversed(list(jobs))))


@pytest.mark.usefixtures("no_worker_is_left")
def test_an_error_is_that_of_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails in a worker fails in the process itself, and is reported from there."""

    def fail(*arguments: Any) -> Part:
        raise ArithmeticError("here")

    monkeypatch.setattr(by_file, "compute", fail)
    with pytest.raises(ArithmeticError, match="here"):
        check(2)


def test_an_interrupted_run_leaves_no_process(tmp_path: Path) -> None:
    for path, text in project_of(150).items():
        (tmp_path / path).write_text(text)
    command = [sys.executable, "-m", "onnx_lint", "-q", "--no-cache", "--jobs", "2", "."]
    for ending in (signal.SIGINT, signal.SIGKILL):
        running = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        children = _children(running.pid)
        assert len(children) == 2, "it ended before it was looked at"
        running.send_signal(ending)
        running.wait(20)
        end = time.monotonic() + 20
        while any(map(_is_alive, children)):
            assert time.monotonic() < end, "a worker is left"
            time.sleep(0.05)


def _children(process: int) -> list[int]:
    """The workers of a process, when they are there."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        found: list[int] = []
        for task in Path(f"/proc/{process}/task").glob("*/children"):
            found += map(int, task.read_text().split())
        if len(found) == 2:
            return found
        time.sleep(0.02)
    return []


def _is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_jobs_by_option(lint: Lint, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, text in FILES.items():
        put(path, text)
    forked: list[int] = []
    fork = workers.Workers._fork
    monkeypatch.setattr(workers.Workers, "_fork", lambda self: forked.append(1) or fork(self))
    said = {lint("--jobs", number).stdout for number in ("1", "2", "3")}
    assert len(said) == 1 and len(forked) == 5
    assert "positive number" in lint("--jobs", "0").stderr and "positive number" in lint("-j", "x").stderr
    put("few/net.py", BRANCH)
    lint("few", "--jobs", "2")
    assert len(forked) == 5, "one file is no work for two"


def test_parts_of_workers_are_kept(tmp_path: Path) -> None:
    """The next run uses them, and says the same."""
    runs = Runs(tmp_path)
    runs.workers = 2
    first = runs.check(FILES)
    changed = {**FILES, "b9.py": FILES["b9.py"].replace(".data", ".tolist()")}
    assert first == runs.fresh(FILES)
    assert runs.check(changed) == runs.fresh(changed)
