"""The rule tester, for the rules of this project and for anybody's own.

    from onnx_lint.testing import assert_expectations, assert_examples

    def test_my_rule() -> None:
        assert_examples(MyRule())          # the two code blocks of its docstring
        assert_expectations('''
            import torch
            from torch import nn

            class Model(nn.Module):
                def forward(self, x):
                    return x.frobnicate()  # expect: ABC101
        ''')

An expectation stands on the line where the diagnostic begins: ``# expect: CODE`` or ``# expect: CODE, CODE``. Nothing
is imported or run; `check_source` works on text.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from onnx_lint.checker import check
from onnx_lint.diagnostic import Diagnostic
from onnx_lint.fixer import apply
from onnx_lint.project.project import Project
from onnx_lint.rule import Rule
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceText

_EXPECTATION = re.compile(r"#\s*expect:\s*([A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*)")
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
_PREAMBLE = """\
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


"""


@dataclass(frozen=True)
class Example:
    """The code blocks of a rule's documentation, as whole modules that define ``Model``."""

    bad: str
    good: str


def check_source(
    text: str,
    *,
    path: str = "model.py",
    settings: Settings | None = None,
    files: Mapping[str, str] | None = None,
    rules: Iterable[Rule[Any]] | None = None,
) -> list[Diagnostic]:
    """The diagnostics of one file, given as text; common indentation is taken off.

    `files` are other files of the project, path to text; they are analysed with it, but not reported on. `rules`
    replaces the installed rules.
    """
    project = Project()
    for other, content in (files or {}).items():
        project.add(SourceText.from_text(other, textwrap.dedent(content)))
    project.add(SourceText.from_text(path, textwrap.dedent(text)))
    return check(project, settings or Settings(), (path,), rules=rules)


def expectations(text: str) -> dict[int, tuple[str, ...]]:
    """The codes expected on each line (counted from 1) by ``# expect:`` comments, sorted."""
    found: dict[int, tuple[str, ...]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _EXPECTATION.search(line)
        if match:
            found[number] = tuple(sorted(code.strip() for code in match[1].split(",")))
    return found


def assert_expectations(
    text: str,
    *,
    path: str = "model.py",
    settings: Settings | None = None,
    files: Mapping[str, str] | None = None,
    rules: Iterable[Rule[Any]] | None = None,
) -> list[Diagnostic]:
    """Check `text` and compare with its ``# expect:`` comments; returns the diagnostics.

    Raises `AssertionError` that lists what is missing and what came unasked, with line and source.
    """
    text = textwrap.dedent(text)
    diagnostics = check_source(text, path=path, settings=settings, files=files, rules=rules)
    got: dict[int, list[str]] = {}
    for diagnostic in diagnostics:
        got.setdefault(diagnostic.span.line, []).append(diagnostic.code)
    wanted = expectations(text)
    lines = text.splitlines()
    problems = []
    for number in sorted({*got, *wanted}):
        is_code, should = sorted(got.get(number, [])), list(wanted.get(number, ()))
        if is_code != should:
            source = lines[number - 1].strip()
            problems.append(f"{path}:{number}: expected {should or 'nothing'}, got {is_code or 'nothing'}: {source}")
    if problems:
        raise AssertionError("\n".join(problems))
    return diagnostics


def example(rule: Rule[Any]) -> Example:
    """The two examples of a rule's documentation. Raises `ValueError` if there are not exactly two code blocks."""
    blocks = _BLOCK.findall(rule.documentation)
    if len(blocks) != 2:
        raise ValueError(f"{rule.code}: the documentation has {len(blocks)} python blocks, not a bad and a good one")
    return Example(as_module(blocks[0]), as_module(blocks[1]))


def as_module(code: str) -> str:
    """Methods become a class ``Model`` with the usual imports; a block that defines a class stands as it is."""
    if re.search(r"^class ", code, re.M):
        return code if re.search(r"^(?:import|from) ", code, re.M) else _PREAMBLE + code
    return _PREAMBLE + "class Model(nn.Module):\n" + textwrap.indent(code, "    ")


def assert_examples(rule: Rule[Any], *, settings: Settings | None = None) -> None:
    """The bad example yields this rule's code and no other, the good one yields nothing."""
    both = example(rule)
    bad = {d.code for d in check_source(both.bad, settings=settings)}
    if bad != {rule.code}:
        raise AssertionError(f"{rule.code}: the bad example yields {sorted(bad) or 'nothing'}")
    good = [f"{d.code} at line {d.span.line}" for d in check_source(both.good, settings=settings)]
    if good:
        raise AssertionError(f"{rule.code}: the good example yields {', '.join(good)}")


def fixed(
    text: str,
    *,
    unsafe: bool = False,
    path: str = "model.py",
    settings: Settings | None = None,
    files: Mapping[str, str] | None = None,
) -> str:
    """The text after one round of fixes: the safe ones, with `unsafe` those too."""
    text = textwrap.dedent(text)
    diagnostics = check_source(text, path=path, settings=settings, files=files)
    return apply(SourceText.from_text(path, text), diagnostics, unsafe=unsafe).text
