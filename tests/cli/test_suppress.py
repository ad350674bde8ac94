"""Suppressions: what they cover, and what is said about them."""

from __future__ import annotations

import textwrap
import time
from typing import Any

import pytest

from onnx_lint.checker import check
from onnx_lint.diagnostic import Applicability, Diagnostic
from onnx_lint.fixer import apply
from onnx_lint.project.project import Project
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceText
from onnx_lint.suppress import suppressions


def found(source: str, **settings: Any) -> list[Diagnostic]:
    project = Project()
    project.add(SourceText.from_text("a.py", textwrap.dedent(source)))
    return check(project, Settings(**settings))


def said(source: str, **settings: object) -> list[tuple[str, int]]:
    return sorted((d.code, d.span.line) for d in found(source, **settings))


def model(body: str, above: str = "", header: str = "", end: str = "") -> str:
    """Line 5 is the `def`, line 6 the first of `body`."""
    lines = "\n".join("        " + line for line in body.split("\n"))
    return f"from torch import nn\n\n{above}\nclass Net(nn.Module):\n    def forward(self, x):{header}\n{lines}\n{end}"


BRANCH = "if x.sum() > 0:{}\n    return x\nreturn x + 1"


@pytest.mark.parametrize(
    "comment",
    [
        "# onnx-lint: ignore[ONX101] the example decides",
        "# onnx-lint: ignore[data-dependent-branch]",
        "# onnx-lint: ignore[ONX1]",
        "# onnx-lint: ignore",
        "# onnx-lint:ignore [ONX101]",
        "# noqa # onnx-lint: ignore[ONX101, ] reason # more",
        "#onnx-lint: ignore-file[ONX101]",
        "# onnx-lint: ignore-block[ONX101]",
    ],
)
def test_behind_the_code(comment: str) -> None:
    assert said(model(BRANCH.format("  " + comment))) == []


def test_alone_above_it_stands_for_the_next_line_of_code() -> None:
    body = "# onnx-lint: ignore[ONX101]\n# why: the example decides\n\n" + BRANCH.format("")
    assert said(model(body)) == []


def test_another_rule_or_another_line_is_not_covered() -> None:
    assert said(model(BRANCH.format("  # onnx-lint: ignore[ONX2]"))) == [("ONX001", 6), ("ONX101", 6)]
    assert said(model(BRANCH.format("") + "  # onnx-lint: ignore")) == [("ONX001", 8), ("ONX101", 6)]


def test_the_line_where_a_diagnostic_ends_counts_too() -> None:
    body = "if (\n    x.sum()\n    > 0):  # onnx-lint: ignore[ONX101]\n    return x\nreturn x + 1"
    assert said(model(body)) == []


def test_strings_do_not_count() -> None:
    body = 'text = """\n# onnx-lint: ignore-file\n"""\n' + BRANCH.format('  ; "# onnx-lint: ignore"').replace("  ;", "")
    body = body.replace('if x.sum() > 0: "# onnx-lint: ignore"', 'if x.sum() > 0 and "# onnx-lint: ignore":')
    assert said(model(body)) == [("ONX101", 9)]


@pytest.mark.parametrize("where", ["header", "above", "decorator", "long header"])
def test_a_block(where: str) -> None:
    mark = "# onnx-lint: ignore-block[ONX101] reason"
    twice = "if x.sum() > 0:\n    x = x + 1\n\n# comment\nif x.sum() > 1:\n    x = x * 2\nreturn x"
    other = "\nclass Other(nn.Module):\n    def forward(self, x):\n        if x.sum() > 0:\n            return x\n"
    source = {
        "header": model(twice, header=f"  {mark}", end=other),
        "above": model(twice, above=mark, end=other),
        "decorator": model(twice, above=f"{mark}\n@decorate", end=other),
        "long header": model(twice, end=other).replace("(self, x):", f"(  {mark}\n        self, x\n    ):", 1),
    }[where]
    last = source.rstrip().count("\n")
    assert said(source) == [("ONX101", last)]


def test_blocks_inside_blocks_are_each_used() -> None:
    body = "if x.sum() > 0:  # onnx-lint: ignore-block[ONX101]\n    if x.max() > 1:\n        x = x + 1\nreturn x"
    source = model(body, header="  # onnx-lint: ignore-block[ONX102, ONX101]")
    assert said(source) == [("ONX001", 5)]  # the part about ONX102


def test_unused_ones_are_told_and_removed() -> None:
    body = "y = x + 1  # onnx-lint: ignore[ONX101] old\n# onnx-lint: ignore\nreturn y  # noqa # onnx-lint: ignore"
    source = model(body)
    told = found(source)
    assert [(d.code, d.span.line, d.severity.value) for d in told] == [("ONX001", n, "warning") for n in (6, 7, 8)]
    assert {d.fix.applicability for d in told if d.fix} == {Applicability.SAFE}
    fixed = apply(SourceText.from_text("a.py", source), told, unsafe=False).text
    assert fixed == model("y = x + 1\nreturn y  # noqa")
    assert said(fixed) == []


def test_a_comment_behind_a_removed_one_stays() -> None:
    source = model("return x  # onnx-lint: ignore[ONX101] old # noqa: E501")
    fixed = apply(SourceText.from_text("a.py", source), found(source), unsafe=False).text
    assert fixed == model("return x  # noqa: E501")


def test_unused_in_part() -> None:
    source = model(BRANCH.format("  # onnx-lint: ignore[ONX101, tensor-data] reason"))
    (told,) = found(source)
    assert told.message == "unused suppression of 'tensor-data'; remove it from the brackets"
    fixed = apply(SourceText.from_text("a.py", source), [told], unsafe=False).text
    assert fixed == model(BRANCH.format("  # onnx-lint: ignore[ONX101] reason"))


@pytest.mark.parametrize(
    "settings",
    [{"partial": True}, {"ignore": ("ONX001",)}, {"select": ("ONX205",)}],
    ids=["partial", "ignored", "others"],
)
def test_unused_ones_are_not_told_where_it_is_not_known_or_not_wanted(settings: dict[str, object]) -> None:
    assert said(model("return x  # onnx-lint: ignore[ONX101]"), **settings) == []


def test_unused_ones_are_not_told_in_a_file_that_was_not_analysed_as_a_whole() -> None:
    source = model("return x  # onnx-lint: ignore[ONX101]", end="\ndef broken(:\n    pass\n")
    assert {code for code, _ in said(source)} == {"ONX000"}


def test_suppressions_of_suppressions() -> None:
    assert said(model("return x  # onnx-lint: ignore[ONX101]", above="# onnx-lint: ignore-file[ONX001]")) == []


def test_unknown_rules_are_told_with_the_close_match() -> None:
    (told,) = found(model("return x  # onnx-lint: ignore[data-dependant-branch]"))
    assert (told.code, told.name) == ("ONX002", "unknown-rule-in-suppression")
    assert told.message == "'data-dependant-branch' is not a rule; did you mean data-dependent-branch?"


@pytest.mark.parametrize(
    "comment",
    ["# onnx-lint: ignore[ONX101", "# onnx-lint: ignroe[ONX101]", "# onnx-lint: disable=ONX101", "# onnx-lint:"],
)
def test_what_begins_like_one_and_is_none_is_told_and_takes_nothing_back(comment: str) -> None:
    assert said(model(BRANCH.format("  " + comment))) == [("ONX003", 6), ("ONX101", 6)]


def test_places_are_those_of_the_original_text() -> None:
    for newline in ("\n", "\r\n", "\r"):
        source = f"x = 1  # onnx-lint: ignore[ONX101]  {newline}\fy = '\U0001f600'  # onnx-lint: ignore{newline}"
        spans = [s.span for s in suppressions(SourceText.from_text("a.py", source)).found]
        text = SourceText.from_text("a.py", source)
        assert [text.slice(s) for s in spans] == ["# onnx-lint: ignore[ONX101]", "# onnx-lint: ignore"]


@pytest.mark.parametrize(
    "text",
    [
        "# " + "onnx-lint: ignore[" * 200_000 + "\n",
        "# onnx-lint: ignore\n" * 30_000,
        "x = 1  # onnx-lint: ignore-block\n" * 30_000,
        ")  # onnx-lint: ignore-block\n" * 30_000,
        "@a  # onnx-lint: ignore-block\n" * 30_000,
        "# onnx-lint: ignore[" + "a," * 100_000 + "]\n",
        "".join(" " * i + "if 1:  # onnx-lint: ignore-block\n" for i in range(1500)),
        "# onnx-lint: ignore[" + "]" * 100_000 + "\n",
        "#" * 200_000 + "onnx-lint: ignore\n",
        "# onnx-lint: ignore-file\n" * 10_000,
    ],
    ids=range(10),
)
def test_cost_is_linear(text: str) -> None:
    start = time.process_time()
    project = Project()
    source = SourceText.from_text("a.py", text)
    project.add(source)
    suppressions(source)
    check(project, Settings())
    assert time.process_time() - start < 8


def test_many_suppressions_meet_many_diagnostics() -> None:
    body = "\n".join("if x.sum() > 0: pass  # onnx-lint: ignore[ONX101]" for _ in range(2000)) + "\nreturn x"
    start = time.process_time()
    assert said(model(body, header="  # onnx-lint: ignore-block[ONX101]")) == []
    assert time.process_time() - start < 8


def test_an_unknown_rule_is_marked_where_it_stands() -> None:
    source = model("return x  # onnx-lint: ignore[ONX1011, ONX101, x-ONX101] why")
    spans = [d.span for d in found(source) if d.code == "ONX002"]
    lines = source.split("\n")
    assert [lines[s.line - 1][s.column - 1 : s.end_column - 1] for s in spans] == ["ONX1011", "x-ONX101"]
