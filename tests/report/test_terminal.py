"""What is written to a terminal or into the log of a workflow: nothing of the linted files is obeyed there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli.conftest import DATA, Lint, Put
from systems import needs_posix, on_a_terminal

from onnx_lint.report.report import printable, printable_line

from .conftest import rendered, report_of

BAR = re.compile("\x1b\\[[?0-9;]*[A-Za-z]|\r")
"""What our own progress bar draws on a slow machine."""
NEVER = re.compile("[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
"""Control characters and marks that turn the direction of text; a terminal itself adds carriage returns."""
HOSTILE = "# \x1b]8;;http://example.org\x07link\x1b[31m \u202egnp.\u2066 \u200e\u200f \x9b31m \u200b\n"


@needs_posix
@pytest.mark.parametrize(
    "arguments", [("--diff",), ("--output-format", "concise"), (), ("--show-files",), ("--statistics",)]
)
def test_nothing_raw_reaches_a_terminal(put: Put, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    put(f"net{HOSTILE[2:-1].replace('/', '')}.py", DATA.replace("        return", f"        {HOSTILE}        return"))
    shown = on_a_terminal(arguments, tmp_path, {"NO_COLOR": "1"})
    assert "x.detach()" in shown or "net" in shown or "ONX205" in shown
    assert NEVER.search(BAR.sub("", shown)) is None
    assert "\x1b[31m" not in shown and "\x1b]" not in shown


def test_a_patch_for_a_pipe_is_raw(lint: Lint, put: Put) -> None:
    """`git apply` needs the bytes of the file."""
    put("net.py", DATA.replace("        return", f"        {HOSTILE}        return"))
    assert HOSTILE.strip() in lint("--diff").stdout


@needs_posix  # no file there has a colon in its name
@pytest.mark.parametrize("name", ["::stop-commands::x", "::error::x", "  ::debug::x"])
def test_a_file_name_is_no_workflow_command(lint: Lint, put: Put, name: str) -> None:
    put(f"{name}.py", DATA)
    for arguments in (("--output-format", "concise"), ("--show-files",)):
        out = lint(*arguments, f"{name}.py").stdout
        assert out and all(not line.lstrip().startswith("::") for line in out.splitlines())
        assert "\\x3a:" in out


@pytest.mark.parametrize("name", ["full", "concise", "github", "junit"])
def test_the_older_form_of_a_command_is_neutral_on_github(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The runner looks for ``##[`` anywhere in a line (its ``ActionCommand.TryParse``)."""
    report = report_of("y = x  ##[add-mask]a\n", "x", path="w##[error].py", said="##[debug]b")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "##[" not in rendered(name, report)
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert "##[" in rendered(name, report), "elsewhere text is shown as it is"


def test_printable() -> None:
    assert printable("a\tb") == "a\tb"
    assert printable("\u202e\x1b\u200f") == "\\u202e\\x1b\\u200f"
    assert printable_line("::x") == "\\x3a:x"
    assert printable_line("a::x") == "a::x"
