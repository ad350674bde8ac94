"""Guards: what people write passes, what would kill the parser does not, and neither takes long."""

from __future__ import annotations

import time

import pytest
from robustness.nesting import FORMS

from onnx_lint.source.guards import MAX_BLOCKS, MAX_BRACKETS, MAX_CHAIN, MAX_CHUNK, MAX_FORMAT, too_complex
from onnx_lint.source.lower import lower


@pytest.mark.parametrize("name", FORMS)
def test_what_is_nested_deeply_is_refused_with_the_reason(name: str) -> None:
    reason = too_complex(FORMS[name](20_000))
    assert reason is not None and reason.isprintable() and len(reason) < 120


@pytest.mark.parametrize("name", FORMS)
def test_ordinary_depths_pass(name: str) -> None:
    assert too_complex(FORMS[name](25)) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = " + "(" * (MAX_BRACKETS + 1), "more than 80 nested brackets"),
        ("x = '" + "a" * MAX_CHUNK + "'", "256 KB in one statement (limit 256 KB)"),
        ("x = 1" + " + 1" * (MAX_CHAIN + 1), "a chain of more than 250 operators, calls or branches in one statement"),
        ("@a\n" * (MAX_CHAIN + 1) + "def f(): pass", "more than 250 decorators"),
        (
            "if a: b\n" + "elif a: b\n" * (MAX_CHAIN + 1),
            "a chain of more than 250 operators, calls or branches in one statement",
        ),
        (
            "".join(" " * i + "if a:\n" for i in range(MAX_BLOCKS + 2)) + " " * 60 + "b",
            "42 nested blocks (limit 40)",
        ),
        (
            "x = " + "f'{" * (MAX_FORMAT + 1) + "1" + "}'" * (MAX_FORMAT + 1),
            "more than 30 nested f-strings",
        ),
    ],
)
def test_bounds_are_told(text: str, reason: str) -> None:
    assert too_complex(text) == reason


@pytest.mark.parametrize(
    "text",
    [
        "x = [\n" + "    (1, [2, {3: 4}]),\n" * 5_000 + "]",
        "x = {" + ", ".join(f"'k{i}': v.a.b({i}) + 1" for i in range(3_000)) + "}",
        "x = '''" + "((((((\n" * 2_000 + "'''",
        "x = 1  # " + "(" * 1_000,
        "def f():\n" + "    x = a.b.c(d)[e] + f\n" * 3_000,
        "def f():\n" + "    if a:\n        b\n    elif c:\n        d\n" * 200,
        "f(" + ", ".join(f"a{i}=b.c" for i in range(2_000)) + ")",
        "x = f'{a}{b}{c}' + " + "f'{a:{b}}'" * 100,
        "x = (" + "'abc'\n" * 200 + ")",
        "x = [\n" + "".join(f"    a + {i},\n" for i in range(8_000)) + "]",
    ],
)
def test_long_ordinary_code_passes(text: str) -> None:
    assert too_complex(text) is None
    assert lower(text).fault is None


def test_every_check_is_linear() -> None:
    def seconds(text: str) -> float:
        best = float("inf")
        for _ in range(3):
            before = time.process_time()
            too_complex(text)
            best = min(best, time.process_time() - before)
        return best

    for part in (
        "(",
        "()",
        "{'a': ",
        "f'{",
        "}'",
        "a.b",
        " + a",
        "not ",
        "@a\n",
        " if a:\n",
        "elif a: b\n",
        "'' ",
        "\\\n",
        "# (\n",
        "f('{' ",
    ):
        count = MAX_CHUNK // len(part) // 4
        assert seconds(part * count) < 0.05 + 10 * seconds(part * (count // 4)), part
