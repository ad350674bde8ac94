"""Reading: bytes to text, and places that index the original exactly."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnx_lint.diagnostic import Span
from onnx_lint.source.text import SourceError, SourceText, read

BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (b"x = 1\n", "x = 1\n", "utf-8"),
        ("x = 'ü'\n".encode(), "x = 'ü'\n", "utf-8"),
        (BOM + b"x = 1\n", "x = 1\n", "utf-8"),
        (BOM + b"# coding: utf-8\n", "# coding: utf-8\n", "utf-8"),
        (BOM + BOM + b"x = 1\n", "\ufeffx = 1\n", "utf-8"),
        (b"# -*- coding: latin-1 -*-\nx = '\xfc'\n", "# -*- coding: latin-1 -*-\nx = 'ü'\n", "iso-8859-1"),
        (b"#!/x\n# vim: fileencoding=cp1252\n'\x80'", "#!/x\n# vim: fileencoding=cp1252\n'€'", "cp1252"),
        (b"\n\n# coding: latin-1\n", "\n\n# coding: latin-1\n", "utf-8"),
        ("# coding: shift_jis\n'中'".encode("shift_jis"), "# coding: shift_jis\n'中'", "shift_jis"),
        (b"", "", "utf-8"),
    ],
)
def test_what_python_reads(data: bytes, text: str, encoding: str) -> None:
    source = SourceText.decode("a.py", data)
    assert (source.text, source.encoding) == (text, encoding)
    assert source.encode(source.text) == data


@pytest.mark.parametrize(
    "data",
    [
        b"x = '\xff'\n",
        b"x = '\xe2\x82",
        b"'\xed\xa0\x80'",
        b"'\xc0\x80'",
        BOM + b"# coding: latin-1\n",
        b"# coding: nonsense-9\n",
        b"# coding: rot13\n",
        b"# coding: zlib\n",
        b"# coding: hex\n",
        b"# coding: undefined\n",
        "x = 1\n".encode("utf-16"),
        "x = 1\n".encode("utf-32"),
        b"\xff" * 100,
        b"# coding: ascii\n'\xc3\xbc'",
    ],
)
def test_what_python_does_not_read_is_told_in_one_line(data: bytes) -> None:
    with pytest.raises(SourceError, match=r"^a\.py: cannot be decoded: [^\n]*; save it as UTF-8$"):
        SourceText.decode("a.py", data)


def test_a_file_that_cannot_be_opened_is_told_in_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.py", tmp_path):
        with pytest.raises(SourceError, match=r": cannot be read: [^\n]+$"):
            read(str(path))
    path = tmp_path / "a.py"
    path.write_bytes(b"x = 1\r\n")
    assert read(str(path)).text == "x = 1\r\n"


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\r\r\n\n\rb", "a\n\n\n\nb"),
        ("\fa\n", "a\n"),
        ("  \f  a\n", "  a\n"),
        ("if a:\n\t\f    b\n", "if a:\n    b\n"),
        ("a = 1\f+ 2\n", "a = 1 + 2\n"),
        ("\f\n\f\f\na", "\n\na"),
        ("a\x0b\x1c\x85\u2028\u2029b", "a\x0b\x1c\x85\u2028\u2029b"),
    ],
)
def test_what_the_parser_sees(text: str, normal: str) -> None:
    assert SourceText.from_text("a.py", text).normal == normal


_PARTS = st.sampled_from(
    ["a", "ü", "\U0001f600", " ", "\t", "\f", "\r", "\n", "\r\n", "\x0b", "\x85", "\u2028", "\ufeff"]
)


@given(st.lists(_PARTS, max_size=30).map("".join))
def test_lines_and_columns_lead_back_to_the_text(text: str) -> None:
    source = SourceText.from_text("a.py", text)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert [source.line(n) for n in range(1, len(source.starts) + 1)] == lines
    assert source.normal.count("\n") == len(lines) - 1 and not set("\f\r") & set(source.normal)
    for offset in range(len(text) + 1):
        line, column = source.position(offset)
        assert source.offset(line, column) == offset
    for number, normal in enumerate(source.normal.split("\n"), 1):
        for column, character in enumerate(normal):
            if not character.isspace():
                there = source.column(number, column) + 1
                assert source.slice(Span("a.py", number, there, number, there + 1)) == character
