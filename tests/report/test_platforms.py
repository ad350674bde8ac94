"""Formats for platforms: paths from the top of the repository, links, and several reports in one run."""

from __future__ import annotations

import json
import subprocess
from html import unescape
from pathlib import Path

import pytest
from cli.conftest import Lint, Put

from onnx_lint import links
from onnx_lint.report.formats.markdown import prose

from .test_formats import BRANCH, CAST, DATA, NET, valid_sarif

PLATFORMS = ("github", "gitlab", "sarif", "azure", "rdjson", "markdown")


def paths_in(name: str, text: str) -> set[str]:
    if name == "github":
        return {line.split("file=")[1].split(",")[0] for line in text.splitlines()}
    if name == "azure":
        return {line.split("sourcepath=")[1].split(";")[0] for line in text.splitlines()}
    if name == "markdown":
        return {unescape(row.split(" | ")[2]).split(":")[0] for row in text.splitlines()[2:] if row.startswith("|")}
    said = json.loads(text)
    if name == "gitlab":
        return {e["location"]["path"] for e in said}
    if name == "rdjson":
        return {d["location"]["path"] for d in said["diagnostics"]}
    places = [r["locations"][0]["physicalLocation"]["artifactLocation"] for r in said["runs"][0]["results"]]
    assert all(place["uriBaseId"] == "%SRCROOT%" for place in places)
    return {place["uri"] for place in places}


@pytest.mark.parametrize("name", PLATFORMS)
def test_paths_count_from_the_top_of_the_repository(lint: Lint, put: Put, tmp_path: Path, name: str) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    path = put("service/net.py", NET)
    for arguments, folder in ((["service/net.py"], tmp_path), (["net.py"], path.parent), ([str(path)], path.parent)):
        done = lint(*arguments, "--output-format", name, "-q", cwd=folder)
        assert paths_in(name, done.stdout) == {"service/net.py"}


@pytest.mark.parametrize("name", PLATFORMS)
@pytest.mark.parametrize("variable", ["GITHUB_WORKSPACE", "CI_PROJECT_DIR", "BUILD_SOURCESDIRECTORY"])
def test_a_platform_says_where_the_repository_is(
    lint: Lint, put: Put, tmp_path: Path, name: str, variable: str
) -> None:
    put("a/b/net.py", NET)
    env = {variable: str(tmp_path / "a")}
    assert paths_in(name, lint("net.py", "--output-format", name, env=env, cwd=tmp_path / "a/b").stdout) == {"b/net.py"}
    env = {variable: str(tmp_path / "elsewhere")}
    assert paths_in(name, lint("b/net.py", "--output-format", name, env=env, cwd=tmp_path / "a").stdout) == {"b/net.py"}


def test_sarif_has_the_top_and_the_severity_of_each_rule(lint: Lint, put: Put, tmp_path: Path) -> None:
    put("net.py", NET)
    run = valid_sarif(lint("net.py", "--output-format", "sarif").stdout)
    assert run["originalUriBaseIds"]["%SRCROOT%"]["uri"] == (tmp_path.resolve().as_uri() + "/")
    rules = {r["id"]: r for r in run["tool"]["driver"]["rules"]}
    assert rules["ONX201"]["defaultConfiguration"] == {"level": "warning"}
    assert rules["ONX101"]["defaultConfiguration"] == {"level": "error"}
    assert all(r["fullDescription"]["text"] for r in rules.values())


def test_links_are_given_once_the_documentation_is_published(
    lint: Lint, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("net.py", NET)
    driver = valid_sarif(lint("net.py", "--output-format", "sarif").stdout)["tool"]["driver"]
    assert "informationUri" not in driver and not any("helpUri" in r for r in driver["rules"])
    monkeypatch.setattr(links, "DOCUMENTATION", "https://docs.example.org/")
    driver = valid_sarif(lint("net.py", "--output-format", "sarif").stdout)["tool"]["driver"]
    assert driver["informationUri"] == "https://docs.example.org/"
    assert driver["rules"][0]["helpUri"] == "https://docs.example.org/rules/ONX101/"
    said = json.loads(lint("net.py", "--output-format", "rdjson").stdout)
    assert said["source"]["url"] and said["diagnostics"][0]["code"]["url"].endswith("/rules/ONX201/")
    assert "](https://docs.example.org/rules/ONX201/)" in lint("net.py", "--output-format", "markdown").stdout


def test_text(lint: Lint, put: Put) -> None:
    put("net.py", NET)
    assert lint("net.py", "--output-format", "pylint").stdout == (
        f"net.py:6: [ONX201(python-cast), ] {CAST} (torchscript)\n"
        f"net.py:9: [ONX101(data-dependent-branch), ] {BRANCH} (both engines)\n"
        f"net.py:10: [ONX205(tensor-data), ] {DATA} (both engines)\n"
    )
    assert lint("net.py", "--output-format", "azure").stdout.splitlines()[0] == (
        "##vso[task.logissue type=warning;sourcepath=net.py;linenumber=6;columnnumber=16;code=ONX201;]"
        f"net.py:6:16: {CAST} (torchscript)"
    )


def test_json_lines_are_the_diagnostics_of_json(lint: Lint, put: Put) -> None:
    put("net.py", NET)
    lines = lint("net.py", "--output-format", "json-lines").stdout.splitlines()
    assert [json.loads(line) for line in lines] == json.loads(lint("net.py", "--output-format", "json").stdout)[
        "diagnostics"
    ]


def test_rdjson_counts_bytes_and_suggests_safe_fixes(lint: Lint, put: Put) -> None:
    text = "from torch import Tensor, nn\n\n\nclass Net(nn.Module):\n    def forward(self, x: Tensor):\n"
    put("net.py", text + '        "\u65e5", x.data.relu_()\n        return x.data * 2\n')
    said = json.loads(lint("net.py", "--output-format", "rdjson", "--select", "ONX205").stdout)
    found, other = said["diagnostics"]
    column = len('        "\u65e5", '.encode()) + 1
    assert found["location"]["range"] == {
        "start": {"line": 6, "column": column},
        "end": {"line": 6, "column": column + 6},
    }
    assert found["severity"] == "ERROR" and found["relatedLocations"][0]["location"]["path"] == "net.py"
    assert "suggestions" not in found, "its fix is not safe"
    assert other["suggestions"] == [
        {"range": {"start": {"line": 7, "column": 18}, "end": {"line": 7, "column": 22}}, "text": "detach()"}
    ]


def test_markdown_sets_code_and_nothing_else() -> None:
    assert unescape(prose("`a|b` <b>*no*</b>")) == "<code>a|b</code> <b>*no*</b>"
    assert prose("`a|b` <b>").startswith("<code>a&#124;b</code> &#60;b&#62;")
    assert "<code>" not in prose("one ` alone") and "`" not in prose("one ` alone")


def test_on_github_annotations_come_by_themselves(lint: Lint, put: Put, tmp_path: Path) -> None:
    put("net.py", NET)
    env = {"GITHUB_ACTIONS": "true"}
    assert lint("net.py", env=env).stdout.startswith("::warning title=onnx-lint (ONX201)")
    assert lint("net.py", "--output-format", "concise", env=env).stdout.startswith("net.py:6:16")
    lint("net.py", "--output-file", "report.txt", env=env)
    assert (tmp_path / "report.txt").read_text().startswith("warning[ONX201]")
    put("onnx-lint.toml", 'output-format = "pylint"\n')
    assert lint("net.py", env=env).stdout.startswith("net.py:6: [")


def test_the_environment_names_a_format(lint: Lint, put: Put) -> None:
    put("net.py", NET)
    env = {"ONNX_LINT_OUTPUT_FORMAT": "concise"}
    assert lint("net.py", env=env).stdout.startswith("net.py:6:16: ")
    assert lint("net.py", "--output-format", "github", env=env).stdout.startswith("::warning")
    done = lint("net.py", env={"ONNX_LINT_OUTPUT_FORMAT": "xml"})
    assert done.returncode == 2 and "ONNX_LINT_OUTPUT_FORMAT=xml: is not a format" in done.stderr


def test_several_reports_of_one_run(lint: Lint, put: Put, tmp_path: Path) -> None:
    put("net.py", NET)
    done = lint("net.py", "--output-format", "sarif=x.sarif", "--output-format=concise", "--output-format=json=y.json")
    assert done.stdout.startswith("net.py:6:16: ") and done.returncode == 1
    assert len(valid_sarif((tmp_path / "x.sarif").read_text())["results"]) == 3
    assert len(json.loads((tmp_path / "y.json").read_text())["diagnostics"]) == 3
    done = lint("net.py", "--output-format", "sarif=no/x.sarif")
    assert done.returncode == 2 and "--output-format sarif=no/x.sarif: No such file" in done.stderr


@pytest.mark.parametrize(
    ("given", "said"), [("sarfi", "did you mean sarif?"), ("zzz", "the formats are full,"), ("sarif=", "")]
)
def test_formats_that_are_none(lint: Lint, given: str, said: str) -> None:
    done = lint("--output-format", given)
    assert done.returncode == 2 and said in done.stderr and len(done.stderr.splitlines()) == 1


def test_an_export_writes_one_report(lint: Lint) -> None:
    done = lint("--export", "net.py", "--output-format", "sarif=x.sarif")
    assert done.returncode == 2 and "--export writes one report" in done.stderr


@pytest.mark.parametrize(
    "option", ["--baseline", "--models", "--whole-project", "--changed-since=main", "--add-ignore"]
)
def test_an_export_refuses_what_it_does_not_obey(lint: Lint, option: str) -> None:
    done = lint("export", "net.py", option, "x")
    assert done.returncode == 2 and f"{option.partition('=')[0]} is an option of onnx-lint check" in done.stderr
