"""The splitter, against Python's own parser where that takes the source, by hand where it does not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from robustness.oracle import split_by_ast, split_difference
from source.forms import ALL, in_class

from onnx_lint.source.split import Chunk, blank, comments, split


@pytest.mark.parametrize("name", ALL)
def test_every_form_is_split_as_python_does(name: str) -> None:
    for text in (ALL[name], ALL[name] + "\n", "\n\n" + ALL[name] + "\n\nlast = 1\n", in_class(ALL[name])):
        assert split_by_ast(text) is not None, "the case is no valid Python"
        assert split_difference(text) is None


@given(
    st.lists(st.sampled_from(sorted(ALL.values())), min_size=2, max_size=5),
    st.sampled_from(["\n", "\n\n\n", "\n# c\n"]),
)
def test_forms_behind_one_another_do_not_touch(forms: list[str], between: str) -> None:
    text = between.join(forms) + "\n"
    if split_by_ast(text) is None:  # an else behind a comment, a __future__ import
        text = "\n\nlast = 1\n".join(forms) + "\n"
    assert split_difference(text) is None


def shape(chunks: list[Chunk] | tuple[Chunk, ...]) -> list[object]:
    return [(c.kind, c.name, c.line, shape(c.members)) if c.members else (c.kind, c.name, c.line) for c in chunks]


def test_a_class_is_header_and_members() -> None:
    (chunk,) = split(
        "@d\nclass A(\n    B,\n):  # why\n    x = 1\n\n    @p\n    def f(self):\n        pass\n    # end\n"
    )
    assert shape([chunk]) == [("class", "A", 1, [("statement", "", 5), ("def", "f", 7)])]
    assert chunk.header == "@d\nclass A(\n    B,\n):"
    assert [m.text for m in chunk.members] == ["    x = 1", "    @p\n    def f(self):\n        pass"]
    assert chunk.text.endswith("        pass")


def test_only_top_level_classes_are_split() -> None:
    assert shape(split("class A:\n    class B:\n        def f(self): pass\n")) == [
        ("class", "A", 1, [("class", "B", 2)])
    ]
    assert shape(split("if a:\n    class B:\n        def f(self): pass\n")) == [("statement", "", 1)]


def test_what_is_behind_the_code_belongs_to_no_chunk() -> None:
    first, second, third = split(
        "x = '# a'  # b\n\n# c\ny = (  # d\n)\n# Copied from z\ndef f():\n    pass  # e\n\n# f\n"
    )
    assert [first.text, second.text, third.text] == ["x = '# a'", "y = (  # d\n)", "def f():\n    pass"]


# ------------------------------------------------------------------------------------------------ no valid Python
BROKEN: dict[str, tuple[str, list[object]]] = {
    "unclosed bracket, then a definition": (
        "x = f(1,\n\ndef g():\n    pass\n\ny = 2\n",
        [("statement", "", 1), ("def", "g", 3), ("statement", "", 6)],
    ),
    "unclosed bracket, then a class": (
        "x = [\nclass A:\n    def f(self): pass\n",
        [("statement", "", 1), ("class", "A", 2, [("def", "f", 3)])],
    ),
    "unclosed bracket, then an import": (
        "x = {\nimport os\nfrom a.b import c\ny = 1\n",
        [("statement", "", 1), ("statement", "", 2), ("statement", "", 3), ("statement", "", 4)],
    ),
    "unclosed bracket, then a decorator": (
        "x = (\n@a.b(1)\ndef f(): pass\n",
        [("statement", "", 1), ("def", "f", 2)],
    ),
    "unclosed bracket in a member": (
        "class A:\n    x = (\n\n    def f(self):\n        pass\n\ny = 1\n",
        [("class", "A", 1, [("statement", "", 2), ("def", "f", 4)]), ("statement", "", 7)],
    ),
    "unclosed bracket in a function": (
        "def f():\n    x = (1\n\nasync def g():\n    pass\n",
        [("def", "f", 1), ("def", "g", 4)],
    ),
    "closing bracket too many": (
        "x = 1)\ny = 2\ndef f(): pass\n",
        [("statement", "", 1), ("statement", "", 2), ("def", "f", 3)],
    ),
    "unclosed string": (
        "x = 'abc\ny = \"abc\ndef f(): pass\n",
        [("statement", "", 1), ("statement", "", 2), ("def", "f", 3)],
    ),
    "stray triple quote": ("x = 1\ny = '''\ndef f(): pass\n", [("statement", "", 1), ("statement", "", 2)]),
    "indented first line": ("    x = 1\ny = 2\n", [("statement", "", 1), ("statement", "", 2)]),
    "only indented": ("  x = 1\n", [("statement", "", 1)]),
    "only a bracket": ("\n)\n", [("statement", "", 1)]),
    "bracket first": ("}\nx = 1\n", [("statement", "", 1), ("statement", "", 2)]),
    "else without if": ("else:\n    x = 1\ny = 2\n", [("statement", "", 1), ("statement", "", 3)]),
    "decorator without definition": ("@a\nx = 1\ny = 2\n", [("statement", "", 1), ("statement", "", 3)]),
    "decorator at the end": ("x = 1\n@a\n", [("statement", "", 1), ("statement", "", 2)]),
    "def without name": ("def\nx = 1\n", [("statement", "", 1), ("statement", "", 2)]),
    "def without body": ("def f():\ndef g(): pass\n", [("def", "f", 1), ("def", "g", 2)]),
    "class without body": ("class A:\nx = 1\n", [("class", "A", 1), ("statement", "", 2)]),
    "class without colon": ("class A\n    x = 1\ny = 2\n", [("class", "A", 1), ("statement", "", 3)]),
    "class cut short": ("class A(B", [("class", "A", 1)]),
    "unindent that matches nothing": (
        "class A:\n    x = 1\n  y = 2\nz = 3\n",
        [("class", "A", 1, [("statement", "", 2)]), ("statement", "", 4)],
    ),
    "backslash at the end": ("x = 1 \\", [("statement", "", 1)]),
    "backslash first": ("\\\nx = 1\n", [("statement", "", 1)]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_error_costs_as_little_as_it_can(name: str) -> None:
    text, expected = BROKEN[name]
    assert shape(split(text)) == expected


_BITS = st.sampled_from(
    [
        "x",
        "1",
        " ",
        "    ",
        "\n",
        "\n    ",
        "\t",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "'",
        '"',
        "'''",
        '"""',
        "\\",
        "#",
        ":",
        ";",
        "@",
        "def f",
        "class A",
        "async ",
        "else",
        "import a",
        "from a import b",
        "f'",
        "é",
        "\u2028",
        "\x0b",
        "\0",
        "\U0001f600",
    ]
)


@given(st.lists(_BITS, max_size=40).map("".join))
def test_no_code_is_lost_whatever_it_is(text: str) -> None:
    """Every visible character outside comments is in a chunk, chunks and members stand where they say, in order."""
    blanked = blank(text)
    assert len(blanked) == len(text) and blanked.count("\n") == text.count("\n")
    lines = text.split("\n")
    rest = blanked.split("\n")
    for chunk in split(text):
        span = chunk.text.split("\n")
        assert lines[chunk.line - 1 : chunk.line - 1 + len(span)][:-1] == span[:-1]
        assert lines[chunk.line + len(span) - 2].startswith(span[-1])
        for offset, piece in enumerate(span):
            number = chunk.line - 1 + offset
            rest[number] = rest[number][len(piece) :] if offset == len(span) - 1 else ""
        for member in chunk.members:
            assert chunk.line <= member.line and member.text in chunk.text
    assert "".join(rest).strip() == ""


def test_comments_are_found_with_their_places() -> None:
    text = "x = '# no'  # yes\n'''\n# no\n'''  # and yes\n# last"
    assert [(text[at : at + len(c)], c) for at, c in comments(text)] == [
        ("# yes", "# yes"),
        ("# and yes", "# and yes"),
        ("# last", "# last"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "x = (\n",
        "(\n@a\n",
        "'''\n",
        '"\\\n',
        "@a\n",
        "class A:\n",
        "    def f(\n",
        "x(\n    def f(\n",
        "else:\n",
        "\\\n",
        "f'{\n",
    ],
)
def test_cost_is_linear(line: str) -> None:
    def seconds(count: int) -> float:
        text, best = line * count, float("inf")
        for _ in range(3):
            before = time.process_time()
            split(text)
            best = min(best, time.process_time() - before)
        return best

    assert seconds(16_000) < 0.05 + 10 * seconds(4_000)  # linear is 4 times, quadratic 16
