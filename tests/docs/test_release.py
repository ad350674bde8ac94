"""Releases: one version everywhere, and addresses in one place."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from onnx_lint import __version__, links

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def release() -> Any:
    spec = importlib.util.spec_from_file_location("check_release", ROOT / "tools" / "check_release.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_is_one_version(release: Any) -> None:
    assert release.version() == __version__ and set(release.other_versions().values()) == {__version__}
    assert re.search(rf"^## {re.escape(__version__)}\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)


def test_a_tag_that_is_not_ready_is_refused(release: Any) -> None:
    assert f"the tag is v0.0.1, the version {__version__}" in release.problems("v0.0.1")
    said = release.problems(f"v{__version__}")
    assert not any("the tag is" in problem for problem in said)
    assert any("OWNER" in problem for problem in said) is ("OWNER" in links.REPOSITORY)


def test_addresses_agree() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'Source = "{links.REPOSITORY}"' in project and f'Documentation = "{links.DOCUMENTATION}"' in project
    site = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert f"site_url: {links.DOCUMENTATION}" in site and f"repo_url: {links.REPOSITORY}" in site


def test_a_page_has_its_link() -> None:
    assert links.page_of("ONX101") is None or (links.page_of("ONX101") or "").startswith(links.DOCUMENTATION)
