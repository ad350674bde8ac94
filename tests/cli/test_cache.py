"""The cache: the same answer as without it, whatever happens to the texts, the program or the files of the cache."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from cli.conftest import BRANCH, CLEAN, DATA, Lint, Put
from systems import needs_posix

from onnx_lint import cache
from onnx_lint.checker import CheckResult, check_with_coverage
from onnx_lint.coverage import Coverage, CutOff
from onnx_lint.diagnostic import Span
from onnx_lint.project.project import Project
from onnx_lint.result_codec import decode, encode
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceText

HELPER = "def scale(v):\n    return v * v.sum().item()\n"
NET = CLEAN.replace("from torch", "from helper import scale\nfrom torch").replace("x + 1", "scale(x)")
CONCISE = ("--output-format", "json")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the cache."""
    monkeypatch.delenv("ONNX_LINT_NO_CACHE")
    folder = tmp_path.parent / f"{tmp_path.name}-cache"
    monkeypatch.setenv("ONNX_LINT_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each time that a project was really checked."""
    made: list[int] = []

    def counted(project: Project, *arguments: Any, **named: Any) -> CheckResult:
        made.append(len(project.modules))
        return check_with_coverage(project, *arguments, **named)

    monkeypatch.setattr("onnx_lint.checker.check_with_coverage", counted)
    return made


def results(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


def test_an_unchanged_run_is_not_checked_again(lint: Lint, put: Put, kept: Path, checks: list[int]) -> None:
    put("net.py", NET)
    put("helper.py", HELPER)
    put("data.py", DATA)
    first = lint(*CONCISE)
    for formats in (CONCISE, (), ("--statistics",)):
        assert lint(*formats).returncode == 1
    assert lint(*CONCISE).stdout == first.stdout and "ONX202" in first.stdout and len(checks) == 1
    assert len(results(kept)) == 1


@pytest.mark.parametrize(
    "change",
    [
        ("helper.py", HELPER.replace(".item()", "")),
        ("net.py", CLEAN),
        ("new.py", BRANCH),
        ("onnx-lint.toml", 'ignore = ["ONX202"]\n'),
        ("onnx-lint.toml", '[severities]\nONX202 = "info"\n'),
    ],
    ids=lambda change: change[0],
)
def test_a_change_counts(lint: Lint, put: Put, kept: Path, checks: list[int], change: tuple[str, str]) -> None:
    put("net.py", NET)
    put("helper.py", HELPER)
    before = lint(*CONCISE).stdout
    put(*change)
    after = lint(*CONCISE)
    assert len(checks) == 2 and after.stdout != before
    assert after.stdout == lint(*CONCISE, "--no-cache").stdout


def test_a_neighbour_that_changes_comes_or_goes_counts(lint: Lint, put: Put, kept: Path, checks: list[int]) -> None:
    """Of `net.py` alone: what it imports is looked for beside it."""
    put("net.py", NET.replace("scale(x)", "x if scale(x) else x"))
    said = [lint("net.py", *CONCISE).stdout]
    helper = put("helper.py", HELPER)
    said.append(lint("net.py", *CONCISE).stdout)
    put("helper.py", "def scale(v):\n    return True\n")
    said.append(lint("net.py", *CONCISE).stdout)
    helper.unlink()
    said.append(lint("net.py", *CONCISE).stdout)
    assert len(checks) == 4 and said[0] == said[3] and len({*said}) == 3
    assert lint("net.py", *CONCISE).stdout == said[3] and len(checks) == 4


def test_folder_and_options_are_part_of_the_question(
    lint: Lint, put: Put, kept: Path, checks: list[int], tmp_path: Path
) -> None:
    put("a/net.py", BRANCH)
    put("b/net.py", BRANCH)
    lint("net.py", cwd=tmp_path / "a")
    lint("net.py", cwd=tmp_path / "b")
    lint("net.py", "--engine", "dynamo", cwd=tmp_path / "b")
    lint("net.py", "--select", "ONX1", cwd=tmp_path / "b")
    assert len(checks) == 4 == len(results(kept))


def test_another_program_has_other_answers(
    lint: Lint, put: Put, kept: Path, checks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    put("net.py", BRANCH)
    lint()
    monkeypatch.setattr(cache, "_program", lambda: ["another"])
    lint()
    assert len(checks) == 2
    monkeypatch.setattr(cache, "__version__", "0.0.1")
    lint()
    assert len(checks) == 3


def test_fixing_is_right_after_a_kept_answer(lint: Lint, put: Put, kept: Path) -> None:
    path = put("a.py", DATA)
    lint()
    assert lint("--fix").returncode == 0 and "x.detach()" in path.read_text()
    assert json.loads(lint(*CONCISE).stdout)["diagnostics"] == []


def damage_truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def damage_one_byte(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"ONX101", b"ONX102"))


def damage_empty(path: Path) -> None:
    path.write_bytes(b"")


def damage_foreign(path: Path) -> None:
    path.write_bytes(b"\x80\x04." * 1000)


def damage_head_kept(path: Path) -> None:
    """A valid head, and a body with a valid checksum that means nothing."""
    head, _, _ = path.read_bytes().partition(b"\n")
    body = b'{"neighbours": [], "texts": [[]], "spans": [[0, 1]]}'
    digest = cache.hashlib.blake2b(body, digest_size=20).hexdigest().encode()
    path.write_bytes(b" ".join([*head.split(b" ")[:3], digest]) + b"\n" + body)


def damage_is_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "damage",
    [damage_truncate, damage_one_byte, damage_empty, damage_foreign, damage_head_kept, damage_is_a_folder],
    ids=lambda d: d.__name__,
)
def test_a_damaged_answer_does_not_count(
    lint: Lint, put: Put, kept: Path, checks: list[int], damage: Callable[[Path], None]
) -> None:
    put("net.py", BRANCH)
    first = lint(*CONCISE)
    damage(results(kept)[0])
    again = lint(*CONCISE)
    assert (again.stdout, again.stderr) == (first.stdout, "") and len(checks) == 2


@needs_posix
def test_what_belongs_to_another_user_does_not_count(
    lint: Lint, put: Put, kept: Path, checks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    put("net.py", BRANCH)
    lint()
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    lint()
    assert len(checks) == 2


def test_a_folder_that_cannot_be_written(lint: Lint, put: Put, tmp_path: Path, kept: Path) -> None:
    put("net.py", BRANCH)
    kept.write_text("a file")
    done = lint(*CONCISE)
    assert done.returncode == 1 and done.stderr == "" and kept.read_text() == "a file"


@needs_posix
def test_a_full_disk(put: Put, kept: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands for it: a write ends with an error in the middle."""
    put("net.py", BRANCH)
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100));"
        "from onnx_lint.cli import main; sys.exit(main(['-q', '--output-format', 'concise']))"
    )
    env = {**os.environ, "COVERAGE_PROCESS_CONFIG": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "ONX101" in done.stdout and done.stderr == ""
    assert os.listdir(kept) == []


@needs_posix
def test_a_run_that_is_killed_while_it_writes(
    lint: Lint, put: Put, kept: Path, tmp_path: Path, checks: list[int]
) -> None:
    put("net.py", BRANCH)
    code = (
        "import os, signal, sys; os.replace = lambda *a: os.kill(os.getpid(), signal.SIGKILL);"
        "from onnx_lint.cli import main; main(['-q'])"
    )
    killed = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL and len(os.listdir(kept)) == 1 and not results(kept)
    lint()
    assert len(checks) == 1 and {Path(name).suffix for name in os.listdir(kept)} == {".json", ".parts"}


def test_two_writers(put: Put, kept: Path, tmp_path: Path) -> None:
    put("net.py", NET)
    put("helper.py", HELPER)
    command = [sys.executable, "-m", "onnx_lint", "-q", "--output-format", "json"]
    running = [subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE) for _ in range(4)]
    said = {process.communicate()[0] for process in running}
    assert len(said) == 1 and len(os.listdir(kept)) == 2
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).stdout in said


def test_only_so_many_are_kept(lint: Lint, put: Put, kept: Path, tmp_path: Path) -> None:
    with mock.patch.object(cache, "_KEPT", 2):
        for number in range(4):
            put(f"{number}.py", BRANCH)
            lint(f"{number}.py")
            for path in kept.iterdir():  # as old as runs are in life
                os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns - 10**9))
    assert len(results(kept)) == 1 and len(os.listdir(kept)) == 2


def test_what_depends_on_the_machine_is_not_kept(kept: Path, tmp_path: Path) -> None:
    store = cache.ResultCache(str(kept), lambda path: None)
    source = SourceText.from_text("a.py", CLEAN)
    question = store.question({"a.py": source}, [(Settings(), {"a.py"})])
    for reason in (
        "calls after 60 seconds of analysis are not followed",
        "its analysis took more memory than there is",
    ):
        limit = CutOff(Span("a.py", 1, 1, 1, 2), "Net", reason)
        store.store(question, ([], Coverage(cut_offs=(limit,))))
        assert store.load(question) is None
    store.store(question, ([], Coverage(files=1)))
    assert store.load(question) == ([], Coverage(files=1))


def test_results_come_back_as_they_were() -> None:
    """Over all examples and fixtures of rules: every kind of note and fix."""
    root = Path(__file__).parents[2]
    project = Project()
    for path in [*(root / "examples").glob("*.py"), *(root / "tests/fixtures/rules").rglob("*.py")]:
        project.add(SourceText.from_text(str(path), path.read_text(encoding="utf-8")))
    result = check_with_coverage(project, [(Settings(), None)])
    said = (result.diagnostics, result.coverage)
    assert len(result.diagnostics) > 150 and any(d.fix for d in result.diagnostics)
    assert decode(json.loads(json.dumps(encode(said)))) == said


def test_no_cache_is_no_cache(lint: Lint, put: Put, kept: Path, tmp_path: Path) -> None:
    put("net.py", BRANCH)
    lint("--no-cache")
    lint(env={"ONNX_LINT_NO_CACHE": "1"})
    assert not kept.exists()
    lint("--cache-dir", "here")
    assert not kept.exists() and len(results(tmp_path / "here")) == 1


def test_an_answer_from_the_cache_needs_neither_rules_nor_parser(put: Put, kept: Path, tmp_path: Path) -> None:
    """Loading them is most of what such a run would cost."""
    put("net.py", BRANCH)
    command = [sys.executable, "-X", "importtime", "-m", "onnx_lint", "net.py"]
    first, second = (
        subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False) for _ in range(2)
    )
    assert (first.returncode, first.stdout) == (second.returncode, second.stdout) and "ONX101" in second.stdout
    heavy = ("libcst", "onnx_lint.rule\n", "onnx_lint_rules", "onnx_lint.semantics", "onnx_lint.project")
    assert all(name in first.stderr for name in heavy)
    assert [name for name in heavy if name in second.stderr] == []
