"""``--explain``: the documentation of rules, as their docstrings have it."""

from __future__ import annotations

import difflib
from typing import Any, TextIO

from onnx_lint.registry import load
from onnx_lint.rule import Rule
from onnx_lint.target import Engine, Verdict


class NoSuchRule(Exception):
    """The message is one line that names the close match."""


def find(selector: str) -> list[Rule[Any]]:
    """The rules that a code, name or ``all`` stands for. Raises `NoSuchRule`."""
    rules = load()
    if selector.lower() == "all":
        return list(rules)
    found = [r for r in rules if selector in (r.code, r.name) or selector.upper() == r.code]
    if not found:
        close = difflib.get_close_matches(selector, [n for r in rules for n in (r.code, r.name)], 1)
        hint = f"; did you mean {close[0]}?" if close else "; --explain all lists the rules"
        raise NoSuchRule(f"no rule {selector!r}{hint}")
    return found


def markdown(rule: Rule[Any]) -> str:
    """The page of one rule."""
    verdicts = " · ".join(f"{e.value}: {rule.verdicts.get(e, Verdict.FINE).value}" for e in Engine)
    return f"# {rule.code} {rule.name}\n\n*{verdicts}*\n\n{rule.documentation}\n"


def write(selector: str, stream: TextIO, *, colour: bool) -> None:
    rules = find(selector)
    text = "\n".join(markdown(rule) for rule in rules)
    if not colour:
        stream.write(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console(file=stream, force_terminal=True).print(Markdown(text))
