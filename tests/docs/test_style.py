"""The words of docs/style.md: what users read uses one term for one thing, and plain English idiom."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STYLE = ROOT / "docs" / "style.md"
ROOMS = ("linter", "rules", "tools")
"""Packages whose strings are read: messages, help texts, pages of rules."""
PAGES = sorted([*ROOT.glob("*.md"), *(page for page in ROOT.glob("docs/**/*.md") if page != STYLE)])


def avoided() -> dict[str, str]:
    """The left column of the table in the style page, and what stands beside it. ``X`` stands for a word."""
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", STYLE.read_text(encoding="utf-8"), re.M)[2:]
    found = {}
    for phrases, instead in rows:
        for phrase in re.findall(r"`([^`]+)`", phrases):
            found[phrase] = instead
    return found


def pattern(phrase: str) -> re.Pattern[str]:
    """Finds a phrase; "is no longer", "is no such" and "there is no" are plain English."""
    words = [r"(?!longer\b|such\b)\w+" if word == "X" else re.escape(word) for word in phrase.split()]
    return re.compile(r"(?<!\bthere )\b" + r"\s+".join(words) + r"\b", re.I)


def strings(room: str) -> Iterator[tuple[str, str]]:
    """The string literals of a package with their places; of docstrings only those of rules, which are pages."""
    for path in sorted((ROOT / room).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        prose = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
        pages = {
            id(n.body[0].value) for n in tree.body if isinstance(n, ast.ClassDef) and isinstance(n.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if id(node) not in prose or (room == "rules" and id(node) in pages):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


def found_in(texts: Iterator[tuple[str, str]]) -> list[str]:
    patterns = {phrase: pattern(phrase) for phrase in avoided()}
    return [
        f"{place}: {match.group()!r}; write {avoided()[phrase]}"
        for place, text in texts
        for phrase, expression in patterns.items()
        for match in expression.finditer(" ".join(text.split()))
    ]


def prose_of(page: Path) -> str:
    """A page without its code."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", text)


@pytest.mark.parametrize("room", ROOMS)
def test_the_strings_of_a_package_keep_to_the_style(room: str) -> None:
    assert found_in(strings(room)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_documentation_keeps_to_the_style(page: Path) -> None:
    assert found_in(iter([(page.name, prose_of(page))])) == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("this suppression takes nothing back", 1),
        ("dynamo does so without a\nword", 1),
        ("'X' is no rule; the file is told", 2),
        ("it is no longer needed, there is no such file, and there is no way", 0),
        ("unused suppression; it is reported", 0),
    ],
)
def test_the_list_finds_what_it_is_for(text: str, count: int) -> None:
    assert len(avoided()) >= 15
    assert len(found_in(iter([("here", text)]))) == count
