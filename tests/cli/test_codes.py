"""One table of codes: whatever a diagnostic may carry is known everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from onnx_lint import codes
from onnx_lint.checker import accepted
from onnx_lint.codes import Origin, table
from onnx_lint.diagnostic import Diagnostic, Severity, Span
from onnx_lint.explain import NoSuchRule, find
from onnx_lint.registry import load
from onnx_lint.selection import Selection
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceText
from onnx_lint.target import BOTH
from onnx_lint.testing import check_source
from onnx_lint_exporter.codes import ExportCode

EVERY = sorted(table())
EXPORT = [each.code for each in ExportCode]
ROOT = Path(__file__).parents[2]


def test_the_table_has_the_linters_the_rules_and_the_exporters_codes() -> None:
    by_origin = {o: {c.code for c in table().values() if c.origin is o} for o in Origin}
    assert by_origin[Origin.EXPORT] == set(EXPORT) and len(EXPORT) >= 18
    assert by_origin[Origin.RULE] == {rule.code for rule in load()}
    assert by_origin[Origin.BUILT_IN] == {"ONX000", "ONX001", "ONX002", "ONX003", "ONX009", "ONX099"}
    assert codes.problems() == ()


def test_names_are_unique() -> None:
    assert len({each.name for each in table().values()}) == len(table())


@pytest.mark.parametrize("code", EVERY)
def test_a_code_is_explained_selected_and_documented(code: str) -> None:
    name = table()[code].name
    assert [page.code for page in find(code)] == [page.code for page in find(name)] == [code]
    assert Selection(Settings(select=(name,))).selected == {code}
    assert code not in Selection(Settings(ignore=(code,))).selected
    assert (ROOT / "docs" / "rules" / f"{code}.md").is_file()


@pytest.mark.parametrize("selector", ["ONX906", "output-mismatch", "ONX9", "ONX906, ONX101"])
def test_a_suppression_of_what_an_export_finds_is_neither_unknown_nor_unused(selector: str) -> None:
    text = f"y = 1  # onnx-lint: ignore[{selector}] the model is random\n"
    assert [(d.code, d.message) for d in check_source(text) if d.code != "ONX001"] == []
    unused = [d.message for d in check_source(text)]
    assert unused == (["unused suppression of 'ONX101'; remove it from the brackets"] if "101" in selector else [])


def seen(code: str, line: int = 1) -> Diagnostic:
    return Diagnostic(code, table()[code].name, Severity.WARNING, Span("a.py", line, 1, line, 2), "seen", BOTH)


TEXT = SourceText.from_text(
    "a.py", "y = 1  # onnx-lint: ignore[ONX906] random\nz = 2\n# onnx-lint: ignore-block\nif z:\n  w = 1\n"
)


@pytest.mark.parametrize(
    ("code", "line", "settings", "left"),
    [
        ("ONX906", 1, Settings(), False),
        ("ONX905", 1, Settings(), True),
        ("ONX906", 2, Settings(), True),
        ("ONX902", 5, Settings(), False),
        ("ONX906", 1, Settings(suppressions=False), True),
        ("ONX906", 2, Settings(ignore=("output-mismatch",)), False),
        ("ONX906", 2, Settings(select=("ONX1",)), False),
        ("ONX906", 2, Settings(per_file_ignores=(("a.py", ("ONX9",)),)), False),
        ("ONX906", 2, Settings(minimum=Severity.ERROR), False),
    ],
)
def test_what_an_export_found_obeys_settings_and_suppressions(
    code: str, line: int, settings: Settings, left: bool
) -> None:
    assert bool(accepted([seen(code, line)], TEXT, settings)) is left


def test_what_an_export_found_has_the_configured_severity() -> None:
    settings = Settings(severities={"output-mismatch": Severity.ERROR})
    assert [d.severity for d in accepted([seen("ONX906", 2)], TEXT, settings)] == [Severity.ERROR]


def test_codes_that_cannot_be_loaded_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    offers = [("gone", "no_such_package.codes:CODES"), ("export", "onnx_lint_exporter.codes:CODES")]
    monkeypatch.setattr(codes, "offers", lambda group: offers if group == codes.GROUP else [])
    codes._offered.cache_clear()
    try:
        (problem,) = codes.problems()
        assert problem.startswith("the codes of 'gone' (no_such_package.codes:CODES) cannot be loaded")
        assert "ONX906" in codes.table(())
    finally:
        codes._offered.cache_clear()


@pytest.mark.parametrize(
    ("message", "codes"),
    [
        ("Converting a tensor to a Python boolean", {"ONX101", "ONX102"}),
        (
            "UserWarning: Provided key imgae for dynamic axes is not a valid input/output name\n  warnings.warn(",
            {"ONX501"},
        ),
        (
            "UnsupportedOperatorError: Exporting the operator 'aten::cumprod' to ONNX opset version 9",
            {"ONX601", "ONX602"},
        ),
    ],
)
def test_a_message_is_explained_by_its_rules(message: str, codes: set[str]) -> None:
    assert {page.code for page in find(message)} == codes


@pytest.mark.parametrize("text", ["Python", "the quick brown fox jumps", ""])
def test_a_text_that_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(NoSuchRule):
        find(text)
