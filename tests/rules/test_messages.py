"""What is said speaks of the engines that were asked for, and for which the place holds, and of no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rules.test_verdicts import SOURCES

from onnx_lint.diagnostic import Diagnostic
from onnx_lint.registry import rules_of
from onnx_lint.rule import Finding
from onnx_lint.settings import Settings
from onnx_lint.target import BOTH, FINE, Effect, Engine, Target, Verdict, fails, measured, warns, wrong
from onnx_lint.testing import check_source, example

FOLDERS = (Path(__file__).parents[1] / "fixtures" / "rules" / "hazards", Path(__file__).parents[2] / "examples")
TEXTS = {path.name: path.read_text(encoding="utf-8") for folder in FOLDERS for path in sorted(folder.glob("*.py"))}
TEXTS |= {f"example of {rule.code}": example(rule).bad for rule in rules_of("onnx_lint_rules")}
TEXTS |= SOURCES
alone = pytest.mark.parametrize("engine", Engine)


def found(text: str, *engines: Engine) -> list[Diagnostic]:
    return check_source(text, settings=Settings(target=Target(engines), engine_given=True, preview=True))


def spoken_of(diagnostic: Diagnostic) -> set[Engine]:
    """The engines that message, help and fix name."""
    fix = diagnostic.fix.title if diagnostic.fix is not None else ""
    text = f"{diagnostic.message} {diagnostic.help or ''} {fix}"
    if "both engines" in text:
        return set(BOTH)
    code_left_out = re.sub(r"`[^`]*`", "", text)
    return {engine for engine in Engine if engine.value in code_left_out}


@alone
def test_with_one_engine_no_other_is_named(engine: Engine) -> None:
    diagnostics = [d for text in TEXTS.values() for d in found(text, engine)]
    assert len(diagnostics) > 100
    assert [d.message for d in diagnostics if d.engines != (engine,)] == []
    assert [f"{d.message} / {d.help}" for d in diagnostics if spoken_of(d) - {engine}] == []


def test_each_engine_that_holds_is_named() -> None:
    rules = {rule.code for rule in rules_of("onnx_lint_rules")}
    diagnostics = [d for text in TEXTS.values() for d in found(text, *BOTH) if d.code in rules]
    assert {d.code for d in diagnostics} == rules
    assert [f"{d.message} {d.engines}" for d in diagnostics if spoken_of(d) != set(d.engines)] == []


@alone
def test_an_engine_alone_says_what_it_says_with_the_other(engine: Engine) -> None:
    """The same places hold, whoever else was asked for."""
    for text in TEXTS.values():
        single = {(d.code, d.span) for d in found(text, engine)}
        together = {(d.code, d.span) for d in found(text, *BOTH) if engine in d.engines}
        assert single == together, text


def test_the_argument_that_is_traced_is_named() -> None:
    text = """
import math
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        return x * math.copysign(1.0, x.shape[0])
"""
    assert ["of `x.shape[0]`" in d.message for d in found(text, *BOTH) if d.code == "ONX201"] == [True]


def test_a_comparison_that_bounds_decide_does_not_make_its_size_fixed() -> None:
    text = """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        y = self.conv(x)
        if x.shape[0] < 1:
            return y + 1
        if y.shape[0] < 2:
            return y + 2
        if y.shape[1]:
            return y + 3
        return y
"""
    said = [d.message.partition(":")[0] for d in found(text, *BOTH) if d.code == "ONX102"]
    assert said == [
        "`if` depends on dimension 0 of input `x`, in a comparison that always comes out the same",
        "`if` depends on a comparison of sizes that always comes out the same",
        "`if` depends on a size of a traced tensor that is fixed",
    ]


def test_messages_are_short_and_end_without_a_full_stop() -> None:
    for text in TEXTS.values():
        for diagnostic in found(text, *BOTH):
            assert len(diagnostic.message) <= 220, diagnostic.message
            assert not diagnostic.message.endswith(".")


def message(torchscript: Effect, dynamo: Effect, *engines: Engine) -> str:
    rule = rules_of("onnx_lint_rules")[0]
    return Finding(rule, None, "this", measured(torchscript=torchscript, dynamo=dynamo)).message(engines)  # type: ignore[arg-type] # the site is not looked at


KEEPS, SILENTLY = wrong("keeps the number"), wrong("silently keeps the number", after="does so silently")


@pytest.mark.parametrize(
    ("torchscript", "dynamo", "engines", "expected"),
    [
        (KEEPS, SILENTLY, BOTH, "this: torchscript keeps the number, dynamo does so silently"),
        (KEEPS, SILENTLY, (Engine.DYNAMO,), "this: dynamo silently keeps the number"),
        (KEEPS, FINE, (Engine.TORCHSCRIPT,), "this: torchscript keeps the number"),
        (KEEPS, KEEPS, BOTH, "this: both engines keep the number"),
        (SILENTLY, SILENTLY, BOTH, "this: both engines silently keep the number"),
        (fails("fails, as it must"), fails("fails, as it must"), BOTH, "this: both engines fail, as it must"),
        (warns("fixes it"), warns("fixes it"), BOTH, "this: both engines fix it"),
        (warns("does so"), warns("does so"), BOTH, "this: both engines do so"),
        (warns("passes"), warns("passes"), BOTH, "this: both engines pass"),
    ],
)
def test_one_sentence_is_made_of_the_effects(
    torchscript: Effect, dynamo: Effect, engines: tuple[Engine, ...], expected: str
) -> None:
    assert message(torchscript, dynamo, *engines) == expected


@pytest.mark.parametrize("words", ["", "the number is kept", "a warning"])
def test_words_begin_with_a_verb(words: str) -> None:
    with pytest.raises(ValueError, match="begin with a verb"):
        Effect(Verdict.FAILS, words)
