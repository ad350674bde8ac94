"""Positions: the protocol's line ends, three encodings, clamping; the result of edits equals that of plain slicing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnx_lint_lsp.text import Encoding, Text, line_starts

ENCODINGS: tuple[Encoding, ...] = ("utf-8", "utf-16", "utf-32")
ODD = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
texts = st.text(st.sampled_from("ab \n\r\té漢\U0001f600\u0301\ufeff" + ODD), max_size=60)


@pytest.mark.parametrize("separator", list(ODD))
def test_only_the_protocols_line_ends_end_lines(separator: str) -> None:
    assert line_starts(f"a{separator}b\nc\r\nd\re") == [0, 4, 7, 9]


@given(texts)
def test_line_starts_are_where_a_line_end_stops(text: str) -> None:
    assert line_starts(text) == [0, *(m.end() for m in re.finditer(r"\r\n|\n|\r", text))]


@given(texts, st.sampled_from(ENCODINGS), st.data())
def test_position_and_offset_are_inverse(text: str, encoding: Encoding, data: st.DataObject) -> None:
    held = Text(text, encoding)
    offset = data.draw(st.integers(0, len(text)))
    line, character = held.position(offset)
    if text[offset - 1 : offset + 1] == "\r\n" and offset:
        return  # inside a line end: the position counts as before it
    assert held.offset(line, character) == offset
    prefix = text[held.starts[line] : offset]
    units = {
        "utf-8": len(prefix.encode("utf-8", "surrogatepass")),
        "utf-16": len(prefix.encode("utf-16-le", "surrogatepass")) // 2,
        "utf-32": len(prefix),
    }
    assert character == units[encoding]


@given(texts, st.sampled_from(ENCODINGS), st.integers(-3, 100), st.integers(-3, 100))
def test_any_position_is_some_offset(text: str, encoding: Encoding, line: int, character: int) -> None:
    assert 0 <= Text(text, encoding).offset(line, character) <= len(text)


def test_columns_past_the_end_stop_before_the_line_end() -> None:
    text = Text("a = 1\r\nb = '\U0001f600'\n", "utf-16")
    assert text.offset(0, 500) == 5
    assert text.offset(1, 6) == text.offset(1, 5)  # inside the surrogate pair
    assert text.offset(1, 7) == text.offset(1, 5) + 1
    assert text.offset(9, 0) == len(text.text)


def test_lone_surrogates_have_columns() -> None:
    assert Text("'\ud800'x", "utf-16").position(3).character == 3
    assert Text("'\ud800'x", "utf-8").position(3).character == 5


@given(texts, st.sampled_from(ENCODINGS), texts, st.data())
def test_replacing_is_slicing(text: str, encoding: Encoding, new: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    assert Text(text, encoding).replaced(start, end, new).text == text[:start] + new + text[end:]
