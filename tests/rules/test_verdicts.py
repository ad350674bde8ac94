"""Verdicts of single cases: what the rules say for each engine is what the engines were seen to do."""

from __future__ import annotations

import textwrap

import pytest
from rules.proofs import Case, Measured, measure
from rules.verdict_cases import DATA, SIZES

from onnx_lint.project.project import Project
from onnx_lint.registry import rules_of
from onnx_lint.semantics.entry import analyse
from onnx_lint.source.text import SourceText
from onnx_lint.target import BOTH, Engine, Verdict
from onnx_lint.testing import as_module

RULES = rules_of("onnx_lint_rules")
HARMFUL = (Verdict.FAILS, Verdict.SILENTLY_WRONG)


def sources() -> dict[str, str]:
    found = {}
    for kind, head, bodies in (("size", "x", SIZES), ("data", "x, n: torch.Tensor", DATA)):
        for name, body in bodies.items():
            found[f"{kind}: {name}"] = as_module(f"def forward(self, {head}):\n{textwrap.indent(body, '    ')}\n")
    return found


SOURCES = sources()


def stated(source: str) -> dict[Engine, set[Verdict]]:
    """The verdicts of all findings in a source, by engine."""
    project = Project()
    project.add(SourceText.from_text("model.py", source))
    verdicts: dict[Engine, set[Verdict]] = {engine: set() for engine in BOTH}
    for site in analyse(project):
        for rule in RULES:
            if rule.site is type(site):
                for finding in rule.check(site):
                    for engine in finding.holds(BOTH):
                        verdicts[engine].add(finding.verdict(engine))
    return verdicts


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[Engine, Measured]]:
    cases: list[Case] = []
    for name, source in SOURCES.items():
        if name.startswith("size"):
            cases.append(Case(name, source))
        else:
            first = "(torch.tensor([[3.0, 1.0], [2.0, 4.0], [1.0, 2.0], [0.5, 3.0]]), torch.tensor(2))"
            second = "(torch.tensor([[-3.0, -2.0], [-2.0, -5.0], [-1.0, -1.0], [-0.5, -3.0]]), torch.tensor(4))"
            cases.append(Case(name, source, first, second, {}))
    return measure(cases)


@pytest.mark.torch
@pytest.mark.slow
@pytest.mark.parametrize("name", SOURCES)
def test_the_rules_say_what_the_engines_do(name: str, measured: dict[str, dict[Engine, Measured]]) -> None:
    """Harm or no harm, for each engine. (Whether a frozen size fails at run time or gives a wrong result depends on
    what is done with it, so the two are not told apart here.)"""
    said = stated(SOURCES[name])
    harm_said = {engine: bool(said[engine] & set(HARMFUL)) for engine in BOTH}
    harm_seen = {engine: measured[name][engine].verdict in HARMFUL for engine in BOTH}
    assert harm_said == harm_seen, measured[name]


@pytest.mark.torch
@pytest.mark.slow
@pytest.mark.parametrize("name", SOURCES)
def test_a_warning_of_the_tracer_is_foretold(name: str, measured: dict[str, dict[Engine, Measured]]) -> None:
    if measured[name][Engine.TORCHSCRIPT].verdict is Verdict.WARNS:
        assert Verdict.WARNS in stated(SOURCES[name])[Engine.TORCHSCRIPT]
