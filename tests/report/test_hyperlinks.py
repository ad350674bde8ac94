"""Hyperlinks in the output for people: on terminals that have them, and nowhere else."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from cli.conftest import BRANCH, Lint, Put
from systems import needs_posix, on_a_terminal

from onnx_lint import links
from onnx_lint.diagnostic import Span
from onnx_lint.report import hyperlinks

from .conftest import rendered, report_of

LINK = re.compile(r"\x1b\]8;[^;]*;([^\x1b]+)\x1b\\(.*?)\x1b\]8;;\x1b\\")
"""Address and text."""
SILENT = {
    **dict.fromkeys(("NO_COLOR", "FORCE_COLOR", "VTE_VERSION", "TERM_PROGRAM", "COLORTERM"), ""),
    "TERM": "xterm",
}
"""A terminal of which nothing is known."""


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_HYPERLINK", "DOMTERM", "WT_SESSION", "KONSOLE_VERSION"):
        monkeypatch.delenv(name, raising=False)


@needs_posix
@pytest.mark.parametrize(
    ("arguments", "env", "linked"),
    [
        ((), {}, False),
        ((), {"TERM_PROGRAM": "WezTerm"}, True),
        ((), {"FORCE_HYPERLINK": "1"}, True),
        ((), {"FORCE_HYPERLINK": "0", "TERM_PROGRAM": "WezTerm"}, False),
        ((), {"TERM": "dumb", "FORCE_HYPERLINK": "1"}, False),
        ((), {"NO_COLOR": "1", "FORCE_HYPERLINK": "1"}, False),
        (("--color", "always"), {"NO_COLOR": "1", "TERM_PROGRAM": "WezTerm"}, False),
        (("--color", "never"), {"FORCE_HYPERLINK": "1"}, False),
    ],
)
def test_on_a_terminal(put: Put, tmp_path: Path, arguments: tuple[str, ...], env: dict[str, str], linked: bool) -> None:
    put("a net.py", BRANCH)
    shown = on_a_terminal(("a net.py", "--no-cache", *arguments), tmp_path, {**SILENT, **env})
    assert "data-dependent-branch" in shown
    assert ("\x1b]8;" in shown) is linked
    if linked:
        ((address, text),) = LINK.findall(shown)
        assert text == "a net.py:6:12"
        assert Path(unquote(urlsplit(address).path)) == tmp_path / "a net.py" and not urlsplit(address).fragment


@pytest.mark.parametrize(
    ("arguments", "env", "linked"),
    [
        ((), {"TERM_PROGRAM": "WezTerm", "FORCE_COLOR": "1"}, False),
        (("--color", "always"), {"TERM_PROGRAM": "WezTerm"}, False),
        ((), {"FORCE_HYPERLINK": "1"}, False),
        (("--color", "always"), {"FORCE_HYPERLINK": "1"}, True),
    ],
)
def test_in_a_pipe(lint: Lint, put: Put, arguments: tuple[str, ...], env: dict[str, str], linked: bool) -> None:
    put("net.py", BRANCH)
    assert ("\x1b]8;" in lint("net.py", *arguments, env={**SILENT, **env}).stdout) is linked


def test_codes_link_to_their_pages_and_other_packages_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    report = report_of("y = x\n", "x", colour=True)
    report.links = True
    assert LINK.findall(rendered("full", report)) == [], "nothing is published, and there is no such file"
    monkeypatch.setattr(links, "DOCUMENTATION", "https://docs.example.org/")
    ((address, text),) = LINK.findall(rendered("full", report))
    assert address == links.page_of("ONX101") and "[ONX101]" in text
    assert links.page_of("HOUSE101") is None
    report.links = False
    assert "\x1b]8;" not in rendered("full", report)


@pytest.mark.parametrize(
    ("env", "known"),
    [
        ({"VTE_VERSION": "5000"}, True),
        ({"VTE_VERSION": "4999"}, False),
        ({"VTE_VERSION": "new"}, False),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "linux"}, False),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"WT_SESSION": "1"}, True),
        ({"COLORTERM": "truecolor"}, False),
    ],
)
def test_terminals(env: dict[str, str], known: bool) -> None:
    assert hyperlinks.are_known_to(env) is known


def test_the_line_is_named_where_the_terminal_takes_it_out(put: Put, tmp_path: Path) -> None:
    put("net.py", BRANCH)
    span = Span(str(tmp_path / "net.py"), 7, 12, 7, 20)
    plain = hyperlinks.file_uri(span, {"TERM_PROGRAM": "vscode"})
    assert plain == (tmp_path / "net.py").as_uri()
    uri = hyperlinks.file_uri(span, {"TERM": "xterm-kitty"})
    assert uri is not None and uri.endswith("/net.py#7")
    if os.name == "posix":
        assert urlsplit(uri).netloc == os.uname().nodename
    in_cell = Span(span.path, 7, 12, 7, 20, 2)
    assert hyperlinks.file_uri(in_cell, {"TERM_PROGRAM": "iTerm.app"}) == hyperlinks.file_uri(in_cell, {})
    assert hyperlinks.file_uri(Span("<stdin>.py", 1, 1, 1, 2), {}) is None
