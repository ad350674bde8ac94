"""Wildcards: what they match, and that no pattern takes long."""

from __future__ import annotations

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnx_lint.globs import matches, matches_any
from onnx_lint.source.wildcards import MAX_PATTERN, PathPattern, SegmentPattern


def match_path(pattern: str, path: str) -> bool:
    return PathPattern(pattern).matches(path)


def match_segment(pattern: str, text: str) -> bool:
    return SegmentPattern(pattern).matches(text)


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("a.py", "a.py", True),
        ("a.py", "b/a.py", False),
        ("*.py", "a.py", True),
        ("*.py", "b/a.py", False),
        ("*/a.py", "b/a.py", True),
        ("**/a.py", "a.py", True),
        ("**/a.py", "b/c/a.py", True),
        ("**", "a/b", True),
        ("a/**", "a/b/c", True),
        ("a/**", "b/a/c", False),
        ("a/**", "a", False),
        ("**", "a", True),
        ("**/**", "a", True),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/c/d/b", True),
        ("a/**/b", "a/c/d", False),
        ("a**/b", "ab/b", True),
        ("?", "a", True),
        ("?", "ab", False),
        ("?", "", False),
        ("a?c", "a/c", False),
        ("[ab].py", "b.py", True),
        ("[!ab].py", "b.py", False),
        ("[^ab].py", "c.py", True),
        ("[a-c]x", "bx", True),
        ("[a-c]x", "dx", False),
        ("[]]x", "]x", True),
        ("[x", "[x", True),
        ("[a-]x", "-x", True),
        ("\\*.py", "*.py", True),
        ("\\*.py", "a.py", False),
        ("a\\", "a\\", True),
        ("", "", True),
        ("", "a", False),
        ("*", "", True),
        ("*a*b*", "xaxbx", True),
        ("*a*b*", "xbxax", False),
        ("ü*", "üa", True),
    ],
)
def test_what_matches(pattern: str, path: str, matches: bool) -> None:
    assert match_path(pattern, path) is matches


_TEXT = st.text(st.sampled_from("ab-]*?"), max_size=8)


@given(_TEXT, _TEXT)
def test_stars_and_marks_match_as_in_the_standard_library(pattern: str, text: str) -> None:
    assert match_segment(pattern, text) == fnmatch.fnmatchcase(text, pattern)


@given(st.text(st.sampled_from("ab[]!^-*\\"), max_size=10), _TEXT)
def test_no_pattern_raises(pattern: str, text: str) -> None:
    assert match_path(pattern, text) in (True, False)


def test_no_pattern_takes_long() -> None:
    before = time.process_time()
    for pattern in (
        "*a" * 200 + "b",
        "a*" * 200 + "b",
        "**/" * 160 + "x",
        "(a|a)*" * 80,
        "[" * 400,
        "[a-" * 130,
        "{a,b}" * 90,
        "?*" * 240,
    ):
        assert match_path(pattern, "a" * 5_000) is pattern.startswith("?")
        assert match_path(pattern, "a/" * 2_000) is False
    assert match_path("a" * (MAX_PATTERN + 1), "a" * (MAX_PATTERN + 1)) is False
    assert time.process_time() - before < 20  # a backtracking matcher does not end


def test_many_patterns_take_no_time_together() -> None:
    """As many and as long as a configuration may have them, against a name of any length that a file can have."""
    for make in (
        lambda i: "*a" * 12 + f"?{i}",
        lambda i: f"{i}*" + "?a*" * 15,
        lambda i: "*" + "[a-z]" * 9 + f"*{i}b",
        lambda i: f"{i}**" + "/a*" * 12,
    ):
        patterns = [make(i) for i in range(1000)]
        before = time.process_time()
        assert not matches_any(patterns, "/".join(["a" * 250] * 8))
        assert time.process_time() - before < 10  # a backtracking matcher does not end; a full heap costs seconds


_PATH = st.lists(st.text(st.sampled_from("ab"), min_size=1, max_size=2), min_size=1, max_size=4)
_GLOB = st.lists(st.sampled_from(["a", "b", "*", "**", "a*", "?", "[!b]"]), min_size=2, max_size=4)


@given(_GLOB, _PATH)
def test_a_path_or_a_folder_above_it_matches(pattern: list[str], segments: list[str]) -> None:
    given = "/".join(pattern)
    one_by_one = any(match_path(given, "/".join(segments[:end])) for end in range(1, len(segments) + 1))
    assert matches(given, "/".join(segments)) is one_by_one
