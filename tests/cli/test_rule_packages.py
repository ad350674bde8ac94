"""Rule packages of others: one that is broken is named and passed over, and none can take a built-in code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.conftest import BRANCH, Lint, Put

from onnx_lint import codes, registry

RULE = '''\
from onnx_lint.rule import Rule
from onnx_lint.semantics.domain.sites import Branch
from onnx_lint.target import fails, measured


class Mine(Rule[Branch]):
    """Mine."""

    code = "{code}"
    name = "{name}"
    site = Branch
    effects = measured(torchscript=fails("fails"), dynamo=fails("fails"))

    def check(self, site):
        yield self.at(site, "mine")
'''


FAILS_WHEN_MADE = (
    RULE.format(code="ABC101", name="mine")
    + """
    def __init__(self):
        raise ValueError("no")
"""
)


def _forget() -> None:
    for remembered in (registry._loaded, codes._installed, codes._offered):
        remembered.cache_clear()


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages, last on the path."""
    folder = tmp_path_factory.mktemp("site")
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    _forget()
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if name.partition(".")[0].startswith("other_"):
            del sys.modules[name]
    _forget()


def install(site: Path, package: str, text: str, entry: str = "more") -> None:
    (site / package).mkdir()
    (site / package / "__init__.py").write_text("")
    (site / package / "rule.py").write_text(text)
    metadata = site / f"{package}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "entry_points.txt").write_text(f"[onnx_lint.rules]\n{entry} = {package}\n")


def test_a_package_of_others_is_used(site: Path, lint: Lint, put: Put) -> None:
    install(site, "other_good", RULE.format(code="ABC101", name="mine"))
    put("net.py", BRANCH)
    done = lint("--output-format", "concise")
    assert (done.returncode, done.stderr) == (1, "")
    assert " ABC101 mine: " in done.stdout and " ONX101 " in done.stdout


def test_an_alias_of_a_type_in_a_rule_module_is_not_a_class(site: Path, lint: Lint, put: Put) -> None:
    """Python 3.10 says of ``list[int]`` that it is a class."""
    install(site, "other_alias", "Pairs = list[tuple[int, int]]\n" + RULE.format(code="ABC101", name="mine"))
    put("net.py", BRANCH)
    done = lint("--output-format", "concise")
    assert (done.returncode, done.stderr) == (1, "")
    assert " ABC101 mine: " in done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nowhere_to_be_found\n", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("x = = 1\n", "SyntaxError: "),
        ("raise RuntimeError('two\\nlines \\x1b[31m')\n", "RuntimeError: two lines \\x1b[31m"),
        ("raise SystemExit(3)\n", "SystemExit: 3"),
        (FAILS_WHEN_MADE, "ValueError: no"),
    ],
)
def test_a_broken_package_is_named_and_passed_over(site: Path, lint: Lint, put: Put, text: str, said: str) -> None:
    install(site, "other_broken", text)
    install(site, "other_good", RULE.format(code="ABC102", name="good"))
    put("net.py", BRANCH)
    done = lint("--output-format", "concise")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "'other_broken' cannot be loaded and is passed over: " in done.stderr
    assert said in done.stderr
    assert " ONX101 " in done.stdout and " ABC102 " in done.stdout, "the rest is linted"


def test_a_package_that_is_not_there(site: Path, lint: Lint, put: Put) -> None:
    metadata = site / "other_gone-1.0.dist-info"
    metadata.mkdir()
    (metadata / "entry_points.txt").write_text("[onnx_lint.rules]\nx = other_gone\n")
    put("net.py", BRANCH)
    done = lint()
    assert done.returncode == 2 and "'other_gone' cannot be loaded" in done.stderr and "ONX101" in done.stdout


@pytest.mark.parametrize(("code", "name"), [("ONX101", "mine"), ("ABC101", "data-dependent-branch")])
@pytest.mark.parametrize("entry", ["aaa", "builtin"])
def test_a_built_in_code_cannot_be_taken(site: Path, lint: Lint, put: Put, code: str, name: str, entry: str) -> None:
    install(site, "other_taker", RULE.format(code=code, name=name), entry)
    put("net.py", BRANCH)
    done = lint("--output-format", "concise")
    assert done.returncode == 2 and "mine (" not in done.stdout
    assert f"other_taker.rule.Mine ({code} {name}) is passed over: " in done.stderr
    assert " ONX101 `if` depends" in done.stdout
