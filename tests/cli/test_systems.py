"""Windows and macOS, as far as one system can show it: without the modules and functions that only POSIX has, and
with the paths of Windows."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli.conftest import DATA
from report.conftest import rendered, report_of

from onnx_lint import cli
from onnx_lint.report.formats.sarif import _uri

HIDDEN_MODULES = ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog")
HIDDEN_FUNCTIONS = ("fork", "geteuid", "getpgid", "killpg", "mkfifo", "setsid", "fchmod", "openpty", "uname", "chown")
WITHOUT = f"""\
import os, sys
import subprocess  # what it needs of POSIX is its own business
for name in {HIDDEN_MODULES!r}:
    sys.modules[name] = None
for name in {HIDDEN_FUNCTIONS!r}:
    if hasattr(os, name):
        delattr(os, name)
"""


def run(script: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT + script, *arguments], cwd=cwd, capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip


@pytest.mark.parametrize("package", ["onnx_lint", "onnx_lint_rules"])
def test_every_module_can_be_imported_without_posix(tmp_path: Path, package: str) -> None:
    done = run(
        "import importlib, pkgutil\n"
        f"package = importlib.import_module({package!r})\n"
        "names = [m.name for m in pkgutil.walk_packages(package.__path__, package.__name__ + '.')]\n"
        "for name in names:\n"
        "    if not name.endswith('__main__'):\n"
        "        importlib.import_module(name)\n"
        "print(len(names) > 15)\n",
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


RUN = "from onnx_lint.cli import main\nsys.exit(main(sys.argv[1:]))\n"


@pytest.mark.parametrize(
    ("arguments", "status"), [((), 1), (("--diff",), 1), (("--output-format", "sarif"), 1), (("--show-files",), 0)]
)
def test_a_run_without_posix(tmp_path: Path, arguments: tuple[str, ...], status: int) -> None:
    (tmp_path / "net.py").write_text(DATA, encoding="utf-8")
    done = run(RUN, *arguments, ".", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (status, "")
    assert "net.py" in done.stdout


def test_a_fix_is_written_without_posix(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(DATA, encoding="utf-8")
    done = run(RUN, "--fix", ".", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "onnx-lint: 1 fix applied in 1 file\n")
    assert "x.detach()" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        (r"models\net a.py", "models/net%20a.py"),
        (r"C:\models\net #1.py", "file:///C:/models/net%20%231.py"),
        (r"\\server\share\net.py", "file://server/share/net.py"),
        (r"C:net.py", "net.py"),
        (r"\net.py", "/net.py"),
        ("pkg/net.py", "pkg/net.py"),
    ],
)
def test_uris_of_windows(path: str, uri: str) -> None:
    assert _uri(path, windows=True) == uri


@pytest.mark.parametrize(
    ("path", "uri"), [("/w/n\xe4t.py", "file:///w/n%C3%A4t.py"), (r"a\b.py", "a%5Cb.py"), ("a:b.py", "a%3Ab.py")]
)
def test_uris_of_posix(path: str, uri: str) -> None:
    assert _uri(path, windows=False) == uri


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("github", "file=models/net.py,"),
        ("gitlab", '"path": "models/net.py"'),
        ("junit", 'file="models/net.py"'),
        ("concise", "models\\net.py:1:5: "),
        ("json", '"path": "models\\\\net.py"'),
    ],
)
def test_platforms_get_slashes_and_people_what_they_typed(
    monkeypatch: pytest.MonkeyPatch, name: str, part: str
) -> None:
    monkeypatch.setattr(os, "sep", "\\")
    assert part in rendered(name, report_of("y = x\n", "x", path="models\\net.py"))


@pytest.mark.parametrize(
    ("system", "error", "said"),
    [
        ("posix", BrokenPipeError(errno.EPIPE, "Broken pipe"), ""),
        ("nt", OSError(errno.EINVAL, "Invalid argument"), ""),
        ("posix", OSError(errno.EINVAL, "Invalid argument"), "onnx-lint: error: Invalid argument\n"),
        ("nt", OSError(errno.ENOSPC, "No space left on device"), "onnx-lint: error: No space left on device\n"),
    ],
)
def test_a_pipe_without_a_reader(monkeypatch: pytest.MonkeyPatch, system: str, error: OSError, said: str) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(cli.os, "dup2", lambda source, target: None)  # the test keeps its standard output
    monkeypatch.setattr(cli.os, "name", system)
    monkeypatch.setattr(sys, "stderr", stream)
    status = cli._output_failed(error)
    monkeypatch.undo()
    assert (status, stream.getvalue()) == (2, said)
