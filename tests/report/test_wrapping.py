"""A report on a terminal of a known width: nothing runs over its edge, and nothing is lost that others are shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli.conftest import Put
from systems import needs_posix, on_a_terminal

from onnx_lint.report.wrapping import NO_BREAK, width, wrapped

from .conftest import rendered, report_of

SAID = "that a sentence is long enough to be broken more than once, whatever the terminal is like"
LINE = "result = first(argument, another_argument) + second(argument) + third(argument, '\u65e5\u672c')\n"
FRAME = re.compile(r"^ *\d* *(\| |= |-->)", re.MULTILINE)


def shown(columns: int | None, marked: str = "second(argument)", said: str = SAID) -> str:
    report = report_of(LINE, marked, said=said)
    report.columns = columns
    return rendered("full", report)


def words(text: str) -> list[str]:
    """What is said, without frames, marks and where lines end."""
    said = [line for line in text.splitlines() if "result" not in line and "\N{HORIZONTAL ELLIPSIS}" not in line]
    return re.sub(r"[-^]{2,}", " ", FRAME.sub(" ", "\n".join(said))).split()


@pytest.mark.parametrize("columns", [40, 57, 80, 100])
@pytest.mark.parametrize("marked", ["result", "second(argument)", "'\u65e5\u672c'"])
def test_no_line_is_longer_than_the_terminal(columns: int, marked: str) -> None:
    out = shown(columns, marked)
    assert max(map(width, out.splitlines())) <= columns
    if marked != "result":  # whose line is told from others by that word
        assert words(out) == words(shown(None, marked))


@pytest.mark.parametrize("columns", [44, 60, 80])
@pytest.mark.parametrize("marked", ["result", "second(argument)", "'\u65e5\u672c'"])
def test_marks_stand_below_what_is_meant(columns: int, marked: str) -> None:
    lines = shown(columns, marked, "x").splitlines()
    below = next(i for i, line in enumerate(lines) if "^" in line)
    assert lines[below].count("^") == width(marked)
    at = lines[below].index("^")
    before = lines[below - 1][: lines[below - 1].index(marked)]
    assert width(before) == at


def test_what_follows_a_heading_is_set_in() -> None:
    first, second, *_ = shown(60).splitlines()
    assert first.startswith("error[ONX101] message that") and second.startswith("    ") and second[4] != " "


def test_without_a_terminal_nothing_is_broken() -> None:
    assert any(SAID in line and "(both engines)" in line for line in shown(None).splitlines())


def test_a_long_word_stays_whole_and_a_no_break_space_ends_no_line() -> None:
    lines = wrapped([("ab " + "c" * 30, "bold"), (f" d{NO_BREAK}e f", "")], 10, 2)
    assert ["".join(text for text, _ in line) for line in lines] == ["ab", "  " + "c" * 30, "  d e f"]
    assert [style for line in lines for text, style in line if text.strip()] == ["bold", "bold", "", ""]


@needs_posix
def test_the_command_asks_the_terminal(put: Put, tmp_path: Path) -> None:
    put(
        "net.py",
        "import torch\n\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        return x.sum().item()\n",
    )
    out = on_a_terminal(("-q",), tmp_path, {"NO_COLOR": "1"}, columns=50)
    lines = out.replace("\r", "").splitlines()
    assert any("ONX202" in line for line in lines)
    assert max(map(len, lines)) <= 50
