"""What concerns some files is judged by the whole project: facts come from everywhere, reports from a chain that
touches a file that was given."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cli.conftest import BRANCH, DATA, Lint, Put

HELPER = "def scale(v):\n    return v * v.sum().item()\n"
NET = """\
from torch import nn

from pkg.helper import scale


class Net(nn.Module):
    def forward(self, x):
        return scale(x)
"""
CONCISE = ("--output-format", "concise", "-q")


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def package(put: Put, tmp_path: Path) -> Path:
    put("pkg/__init__.py", "")
    put("pkg/helper.py", HELPER)
    put("pkg/net.py", NET)
    put("pkg/other.py", BRANCH)
    git(tmp_path, "init", "--quiet")
    return tmp_path


def test_a_chain_that_passes_a_given_file_is_reported(lint: Lint, package: Path) -> None:
    assert lint("pkg/net.py", *CONCISE).stdout == ""
    done = lint("--whole-project", "pkg/net.py", *CONCISE)
    assert done.stdout.startswith("pkg/helper.py:2:") and done.stdout.count("ONX202") == 1 and done.returncode == 1
    assert lint("--whole-project", "pkg/helper.py", *CONCISE).stdout == done.stdout
    assert "other.py" not in done.stdout


def test_from_a_folder_further_down_and_by_a_full_path(lint: Lint, package: Path) -> None:
    done = lint("--whole-project", "net.py", *CONCISE, cwd=package / "pkg")
    assert "helper.py:2:" in done.stdout and "other" not in done.stdout
    done = lint("--whole-project", str(package / "pkg" / "net.py"), *CONCISE)
    assert done.stdout.count("ONX202") == 1


def test_files_that_nobody_asked_for_are_not_the_matter(lint: Lint, put: Put, package: Path) -> None:
    put("broken.py", b"\xff\xfe\x00")
    put("pkg/unused.py", "x = 1  # onnx-lint: ignore[ONX101]\n")
    done = lint("--whole-project", "pkg/__init__.py", *CONCISE)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    assert lint("--whole-project", "broken.py", *CONCISE).returncode == 2


def test_fixes_change_the_given_files_only(lint: Lint, put: Put, package: Path) -> None:
    put("pkg/helper.py", "from torch import Tensor\n\n\ndef scale(v: Tensor):\n    return v.data\n")
    put("pkg/data.py", DATA)
    done = lint("--whole-project", "--fix", "pkg/net.py", "pkg/data.py", *CONCISE)
    assert "v.data" in (package / "pkg/helper.py").read_text() and "helper.py:5" in done.stdout
    assert "x.detach()" in (package / "pkg/data.py").read_text()


def test_what_configuration_leaves_out_stays_out(lint: Lint, put: Put, package: Path) -> None:
    put("onnx-lint.toml", 'exclude = ["pkg/helper.py"]\n')
    done = lint("--whole-project", "--force-exclude", "pkg/helper.py", *CONCISE)
    assert done.stdout == "" and done.returncode == 0


def test_changed_since_a_revision(lint: Lint, put: Put, package: Path) -> None:
    (package / "pkg" / "helper.py").write_text("def scale(v):\n    return v\n")
    git(package, "add", "--all")
    git(package, "commit", "--quiet", "--message", "One")
    done = lint("--changed-since", "HEAD", *CONCISE)
    assert done.stdout == "" and done.returncode == 0

    put("pkg/helper.py", HELPER)
    put("new.py", BRANCH)
    (package / "pkg" / "other.py").unlink()
    put("notes.txt", "x")
    done = lint("--changed-since", "HEAD", *CONCISE)
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["new.py", "pkg/helper.py"]
    done = lint("--changed-since", "HEAD", "pkg", *CONCISE)
    assert done.stdout.startswith("pkg/helper.py") and "new.py" not in done.stdout
    done = lint("--changed-since", "HEAD", *CONCISE, cwd=package / "pkg")
    assert done.stdout.startswith("../pkg/helper.py") and "new.py" not in done.stdout


@pytest.mark.parametrize("revision", ["nothing-of-this-name", "--output=x", ""])
def test_a_revision_that_is_none(lint: Lint, package: Path, revision: str) -> None:
    done = lint(f"--changed-since={revision}")
    assert done.returncode == 2 and done.stderr.startswith("onnx-lint: error: --changed-since")
    assert len(done.stderr.splitlines()) == 1 and not (package / "x").exists()


def test_no_working_tree(lint: Lint, put: Put, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put("net.py", BRANCH)
    put("other.py", BRANCH)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    done = lint("--changed-since", "HEAD")
    assert done.returncode == 2 and "not a git repository" in done.stderr
    done = lint("--whole-project", "net.py", *CONCISE)
    assert done.stdout.startswith("net.py:6") and "other" not in done.stdout


def test_standard_input_is_no_project(lint: Lint) -> None:
    assert lint("--whole-project", "-", stdin=BRANCH).returncode == 2
