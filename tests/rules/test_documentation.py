"""What holds for every rule: its names, its page, its examples, and the verdicts that it states."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from rules.proofs import Case, Measured, measure

from onnx_lint.registry import load, rules_of
from onnx_lint.rule import Rule
from onnx_lint.settings import Settings
from onnx_lint.target import BOTH, Engine, Verdict
from onnx_lint.testing import assert_examples, check_source, example

RULES = rules_of("onnx_lint_rules")
IDS = [rule.code for rule in RULES]
every_rule = pytest.mark.parametrize("rule", RULES, ids=IDS)

RAISING = {"ONX302"}
"""Rules whose bad example no input gets through in eager mode."""
ALL_RULES = Settings(preview=True)

INPUTS: dict[str, dict[str, Any]] = {
    "ONX302": {"first": "(torch.randn(2, 3, 8, 6),)", "second": "(torch.randn(3, 3, 8, 6),)"},
    "ONX203": {"first": "(torch.tensor([[2.0, 1.0], [3.0, 4.0]]),)", "second": "(torch.tensor([[5.0, 7.0]] * 4),)"},
    "ONX210": {
        "first": "(torch.randn(3, 4), torch.tensor(0))",
        "second": "(torch.randn(5, 4), torch.tensor(2))",
    },
    "ONX507": {"second": '(torch.randn(3, 4), "multiply")'},
    "ONX602": {"second": "(torch.randn(5, 4, 8, 6),)"},
    "ONX604": {
        "first": "(torch.randn(2, 3, 4),)",
        "second": "(torch.randn(2, 5, 4),)",
        "dynamic": {"x": (1,)},
    },
    "ONX701": {"is_sequence": True},
    "ONX702": {"is_sequence": True},
    "ONX516": {"second": "(torch.randn(3, 6, 4),)"},
}
"""Inputs for examples that the usual ones do not fit."""
WITH_SCALAR = {"first": "(torch.randn(3, 4), torch.tensor(2.0))", "second": "(torch.randn(5, 4), torch.tensor(5.0))"}
GOOD_INPUTS: dict[str, dict[str, Any]] = {
    "ONX507": {"second": "(torch.randn(5, 4),)"},
    "ONX701": {"first": "(torch.randn(3, 4), torch.zeros(4))", "second": "(torch.randn(5, 4), torch.ones(4))"},
    "ONX702": WITH_SCALAR,
    "ONX712": {"first": "(torch.randn(3, 4), torch.zeros(4))", "second": "(torch.randn(5, 4), torch.ones(4))"},
    "ONX713": WITH_SCALAR,
}
"""Those of the good example, where it has others."""


def test_the_installed_rules_are_these() -> None:
    assert {r.code for r in load()} >= set(IDS)
    assert len(RULES) >= 20


def test_codes_and_names_are_unique() -> None:
    assert len({r.code for r in RULES}) == len(RULES)
    assert len({r.name for r in RULES}) == len(RULES)


@every_rule
def test_code_name_file_and_class_agree(rule: Rule[Any]) -> None:
    assert re.fullmatch(r"ONX[1-9]\d\d", rule.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)
    assert not rule.name.startswith("no-")
    file = Path(inspect.getfile(type(rule)))
    assert file.stem == rule.name.replace("-", "_")
    assert type(rule).__name__ == "".join(part.capitalize() for part in rule.name.split("-"))
    assert (importlib.util.find_spec(type(rule).__module__.rpartition(".")[0])) is not None


@every_rule
def test_a_rule_is_short(rule: Rule[Any]) -> None:
    """At most 60 lines of code besides the docstring, and one rule in a file."""
    text = Path(inspect.getfile(type(rule))).read_text(encoding="utf-8")
    tree = ast.parse(text)
    classes = [n for n in tree.body if isinstance(n, ast.ClassDef)]
    assert len(classes) == 1
    docstring = classes[0].body[0]
    code = [line for line in text.splitlines() if line.strip()]
    documented = [line for line in text.splitlines()[docstring.lineno - 1 : docstring.end_lineno] if line.strip()]
    assert len(code) - len(documented) <= 85, "split it: data or text edits into a module of their own"


@every_rule
def test_the_page_has_its_sections(rule: Rule[Any]) -> None:
    text = rule.documentation
    assert re.match(r"[^\n]{15,115}\.\n\n", text), "the first line is a sentence"
    places = [text.find(part) for part in ("## Why it breaks export", "## Example", "Use instead:", "## References")]
    assert -1 not in places and places == sorted(places)
    reason = text[places[0] : places[1]].partition("\n")[2].strip()
    assert 2 <= len(re.findall(r"[.:?](?:\s|$)", reason)) <= 12
    assert "TODO" not in text


@every_rule
def test_verdicts_are_stated_for_both_engines(rule: Rule[Any]) -> None:
    assert set(rule.verdicts) == set(Engine)
    assert any(v is not Verdict.FINE for v in rule.verdicts.values())


@every_rule
def test_the_examples_are_true(rule: Rule[Any]) -> None:
    assert_examples(rule, settings=ALL_RULES)


@every_rule
def test_messages_are_one_sentence_with_a_way_out(rule: Rule[Any]) -> None:
    for diagnostic in check_source(example(rule).bad, settings=ALL_RULES):
        assert "\n" not in diagnostic.message
        assert not diagnostic.message.endswith(".")
        assert len(diagnostic.message) <= 160
        assert diagnostic.help


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[Engine, Measured]]:
    cases: list[Case] = []
    for rule in RULES:
        both, inputs = example(rule), dict(INPUTS.get(rule.code, {}))
        if is_script(both.bad):
            inputs.update(is_script=True, messages=rule.messages)
        raises = rule.code in RAISING
        cases.append(Case(f"{rule.code} bad", both.bad, engines=_engines(rule, both.bad), raises=raises, **inputs))
        inputs |= GOOD_INPUTS.get(rule.code, {})
        cases.append(Case(f"{rule.code} good", both.good, engines=_pinned(both.good), **inputs))
    return measure(cases)


def is_script(source: str) -> bool:
    """Whether an example calls the exporter itself."""
    return re.search(r"^torch\.onnx\.", source, re.M) is not None


def _pinned(source: str) -> tuple[Engine, ...]:
    """The engines that an example may run under: in a script, the one that it asks for."""
    said = re.search(r"\bdynamo=(True|False)", source)
    return BOTH if said is None else (Engine.DYNAMO if said[1] == "True" else Engine.TORCHSCRIPT,)


def _engines(rule: Rule[Any], source: str) -> tuple[Engine, ...]:
    """The engines under which a bad example is measured: of a script that asks for one engine, another counts only
    if the rule says something of it."""
    return tuple(e for e in Engine if e in _pinned(source) or rule.verdicts[e] is not Verdict.FINE)


@pytest.mark.torch
@every_rule
def test_the_bad_example_does_what_the_rule_says(rule: Rule[Any], measured: dict[str, dict[Engine, Measured]]) -> None:
    found = measured[f"{rule.code} bad"]
    assert {e: m.verdict for e, m in found.items()} == {e: rule.verdicts[e] for e in found}, found
    assert set(found) >= {e for e, verdict in rule.verdicts.items() if verdict is not Verdict.FINE}


@pytest.mark.torch
@every_rule
def test_the_good_example_exports_right(rule: Rule[Any], measured: dict[str, dict[Engine, Measured]]) -> None:
    found = measured[f"{rule.code} good"]
    assert {m.verdict for m in found.values()} == {Verdict.FINE}, found
