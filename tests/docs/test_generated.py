"""The documentation says what the program does: pages are not stale, every option and key is described, links lead
somewhere, and the JSON schema holds for what is written."""

from __future__ import annotations

import importlib.util
import io
import json
import re
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import jsonschema
import pytest

from onnx_lint.arguments import parser
from onnx_lint.checker import check
from onnx_lint.config import KEYS
from onnx_lint.diagnostic import Diagnostic, Evidence, EvidenceState
from onnx_lint.output_formats import NAMES
from onnx_lint.project.project import Project
from onnx_lint.report.report import Report, render
from onnx_lint.settings import Settings
from onnx_lint.source.text import read
from onnx_lint.target import Engine

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_of_the_rules_are_not_stale() -> None:
    assert tool("generate_docs").stale() == [], "run tools/generate_docs.py"


def test_stale_pages_are_noticed_and_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate = tool("generate_docs")
    monkeypatch.setattr(generate, "FOLDER", tmp_path / "rules")
    generate.write()
    assert generate.stale() == []
    (tmp_path / "rules" / "ONX101.md").write_text("old\n")
    (tmp_path / "rules" / "ONX999.md").write_text("of a rule that is gone\n")
    (tmp_path / "rules" / "ONX102.md").unlink()
    assert generate.stale() == ["ONX101.md", "ONX102.md", "ONX999.md"]
    generate.write()
    assert generate.stale() == []


def test_every_key_of_the_configuration_is_described() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    described = re.findall(r"^### `([\w-]+)`$", text, re.M)
    assert sorted(described) == sorted(KEYS)


def test_the_example_configurations_are_valid(tmp_path: Path) -> None:
    from onnx_lint.config import load

    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```", text, re.M | re.S)
    assert len(blocks) >= 4
    for number, block in enumerate(blocks):
        name = "pyproject.toml" if "[tool.onnx-lint" in block else "onnx-lint.toml"
        path = tmp_path / str(number) / name
        path.parent.mkdir()
        path.write_text(block, encoding="utf-8")
        assert load(str(path)) is not None, block


def test_every_option_is_described() -> None:
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    options = {o for action in parser()._actions for o in action.option_strings if o.startswith("--")}
    assert {o for o in options if f"`{o}" not in text} == set()
    described = set(re.findall(r"^\| `(--[\w-]+)", text, re.M))
    assert described <= options


def undescribed(formats: Iterable[str]) -> list[str]:
    """The output formats without a row in the table of formats."""
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    section = text.partition("### Output formats\n")[2].partition("\n#")[0]
    rows = re.findall(r"^\| `([\w-]+)` \| \S", section, re.M)
    return sorted(set(formats) ^ set(rows))


def test_every_output_format_is_described() -> None:
    assert undescribed(NAMES) == []
    assert undescribed([*NAMES, "new-format"]) == ["new-format"], "one without a row is noticed"


def test_output_formats_are_the_files_of_the_folder() -> None:
    folder = ROOT / "linter" / "onnx_lint" / "report" / "formats"
    files = {p.stem.replace("_", "-") for p in folder.glob("*.py") if p.stem != "__init__"}
    assert set(NAMES) == files and NAMES[0] == "full"
    (action,) = [a for a in parser()._actions if "--output-format" in a.option_strings]
    assert all(name in (action.help or "") for name in NAMES)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor and file.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.M)
            slugs = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
            assert anchor in slugs, f"{page.name}: {target}"


def written(diagnostics: list[Diagnostic], **more: object) -> object:
    stream = io.StringIO()
    render("json", Report(diagnostics, **more), stream)  # type: ignore[arg-type]
    return json.loads(stream.getvalue())


def examples() -> list[Diagnostic]:
    project = Project()
    for path in sorted((ROOT / "examples").glob("*.py")):
        project.add(read(str(path)))
    return check(project, Settings())


def test_the_schema_holds_for_what_is_written() -> None:
    schema = json.loads((ROOT / "docs" / "diagnostics.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    found = examples()
    assert any(d.fix for d in found) and any(d.origin for d in found) and any(d.path for d in found)
    first = found[0]
    evidence = (Evidence(EvidenceState.CONFIRMED, Engine.DYNAMO, "it failed here"),)
    seen = Diagnostic(first.code, first.name, first.severity, first.span, first.message, first.engines, 17,
                      source="export", evidence=evidence)  # fmt: skip
    validator.validate(written([*found, seen], problems=["gone.py: no such file or folder"]))
    validator.validate(written([]))
    outcome = {"engine": "dynamo", "ok": False, "stage": "capture", "nodes": None}
    validator.validate(written([], exports=[outcome]))


@pytest.mark.parametrize("key", ["path", "engines", "origin", "fix", "severity"])
def test_the_schema_refuses_what_lacks_a_key(key: str) -> None:
    schema = json.loads((ROOT / "docs" / "diagnostics.schema.json").read_text(encoding="utf-8"))
    document = written(examples()[:1])
    assert isinstance(document, dict)
    del document["diagnostics"][0][key]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(document)


def test_json_is_described_key_by_key() -> None:
    text = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    schema = json.loads((ROOT / "docs" / "diagnostics.schema.json").read_text(encoding="utf-8"))
    for name in (*schema["properties"], *schema["$defs"]["diagnostic"]["properties"]):
        assert f"`{name}`" in text, name
