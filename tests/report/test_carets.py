"""The marks stand below what they mean, as a terminal lays the line out."""

from __future__ import annotations

import pytest

from .conftest import rendered, report_of

LINES = {
    # before the marked name, and the columns that a terminal gives to it
    "ascii": ("y = ", 4),
    "wide": ("y = '\u65e5\u672c' + ", 13),
    "full width": ("y = '\uff21' + ", 11),
    "emoji": ("y = '\U0001f600' + ", 11),
    "combining": ("y = 'e\u0301' + ", 10),
    "thai vowel": ("y = '\u0e01\u0e34' + ", 10),
    "enclosing": ("y = '1\u20dd' + ", 10),
    "accented": ("y = '\u00e9' + ", 10),
    "tab": ("if a:\ty = ", 13),
    "escaped control": ("y = '\x1b' + ", 13),
    "escaped joiner": ("y = '\u200d' + ", 15),
    "wide name": ("\u540d\u524d = ", 7),
}


def marks(text: str) -> tuple[str, str]:
    """The source line, and the line of carets below it, without their frames."""
    lines = text.splitlines()
    below = next(i for i, line in enumerate(lines) if "^" in line and " | " in line)
    return lines[below - 1].partition(" | ")[2], lines[below].partition(" | ")[2]


@pytest.mark.parametrize(("before", "columns"), LINES.values(), ids=LINES)
def test_carets_stand_below_the_name(before: str, columns: int) -> None:
    source, carets = marks(rendered("full", report_of(f"{before}name + rest\n", "name")))
    assert source.endswith("name + rest")
    assert carets == " " * columns + "^^^^ data-dependent-branch"


@pytest.mark.parametrize(("name", "columns"), [("\u540d\u524d", 4), ("e\u0301e", 2), ("\u0e01\u0e34", 1), ("abc", 3)])
def test_as_many_carets_as_columns(name: str, columns: int) -> None:
    _, carets = marks(rendered("full", report_of(f"y = {name} + 1\n", name)))
    assert carets == "    " + "^" * columns + " data-dependent-branch"


def test_a_long_line_is_cut_around_what_is_meant() -> None:
    text = "y = [" + "filler, " * 100 + "marked, " + "filler, " * 100 + "]\n"
    source, carets = marks(rendered("full", report_of(text, "marked")))
    assert len(source) <= 160
    at = carets.index("^")
    assert source[at : at + carets.count("^")] == "marked"


def test_several_lines_are_marked_each() -> None:
    text = "y = f(\n    first,\n    second,\n)\n"
    out = rendered("full", report_of(text, "f(\n    first,\n    second,\n)"))
    assert [line.partition(" | ")[2] for line in out.splitlines() if "^" in line] == [
        "    ^^",
        "    ^^^^^^",
        "    ^^^^^^^",
        "^ data-dependent-branch",
    ]


def test_without_the_source_the_words_are_said() -> None:
    report = report_of("y = x\n", "x")
    report.sources = {}
    out = rendered("full", report)
    assert "origin said" in out and "call said" in out and "help: help said" in out
    assert "^" not in out
