"""Releases: one version everywhere, and addresses in one place."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from systems import needs_posix

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


@needs_posix
def test_the_owner_is_named_by_one_command(tmp_path: Path) -> None:
    """As CONTRIBUTING tells: afterwards every address leads to the account, and output holds links."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"```sh\n(.*?OWNER.*?)```", text, re.S)
    mentioned = [path for path in ROOT.glob("*.*") if path.is_file()]
    for folder in ("linter", "integrations", "docs"):
        mentioned += [path for path in (ROOT / folder).rglob("*.*") if path.is_file() and path.suffix != ".pyc"]
    with_owner = [path for path in mentioned if b"OWNER" in path.read_bytes() and path.name != "CONTRIBUTING.md"]
    assert len(with_owner) >= 7
    for path in with_owner:
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    git = ["git", "-c", "init.defaultBranch=main"]
    subprocess.run([*git, "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run([*git, "add", "."], cwd=tmp_path, check=True)
    subprocess.run(["sh", "-euc", command.replace("NAME", "someone")], cwd=tmp_path, check=True)
    left = {
        path.relative_to(ROOT).as_posix()
        for path in with_owner
        if b"OWNER" in (tmp_path / path.relative_to(ROOT)).read_bytes()
    }
    assert left == {"linter/onnx_lint/links.py"}
    named: dict[str, Any] = {}
    exec((tmp_path / "linter/onnx_lint/links.py").read_text(encoding="utf-8"), named)
    assert named["page_of"]("ONX101") == "https://someone.github.io/onnx-lint/rules/ONX101/"


def test_a_page_has_its_link() -> None:
    assert links.page_of("ONX101") is None or (links.page_of("ONX101") or "").startswith(links.DOCUMENTATION)
