"""Commands by name, the first page of help, and the small commands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cli.conftest import BRANCH, DATA, Lint, Put
from systems import needs_posix

from onnx_lint.commands import COMMANDS, as_options, help_text
from onnx_lint.config import KEYS, ConfigError, load
from onnx_lint.config_schema import schema

CONCISE = ("--output-format", "concise", "-q")


def test_a_command_means_its_options() -> None:
    assert as_options(["check", "a.py", "-q"]) == ["a.py", "-q"]
    assert as_options(["export", "m.py:Net", "--opset", "18"]) == ["--export", "m.py:Net", "--opset", "18"]
    assert as_options(["explain", "ONX101", "ONX2"]) == ["--explain", "ONX101,ONX2"]
    assert as_options(["explain", "Iterating", "over", "a", "tensor"]) == ["--explain", "Iterating over a tensor"]
    assert as_options(["explain", "unpack-tensor,ONX1", "all", "--color", "never"])[1] == "unpack-tensor,ONX1,all"
    assert as_options(["server", "--stdio"]) == ["--lsp", "--stdio"]
    assert as_options(["a.py", "check"]) == ["a.py", "check"] and as_options([]) == []


def test_check_is_what_no_command_is(lint: Lint, put: Put) -> None:
    put("a.py", BRANCH)
    assert lint("check", "a.py", *CONCISE).stdout == lint("a.py", *CONCISE).stdout != ""
    assert lint("check", *CONCISE).returncode == 1


def test_a_folder_that_is_called_like_a_command(lint: Lint, put: Put) -> None:
    put("check/a.py", BRANCH)
    assert lint("./check", *CONCISE).stdout.startswith("./check/a.py:6:")
    assert lint("check", "check", *CONCISE).stdout.startswith("check/a.py:6:")


def test_the_first_page_of_help_is_a_screen(lint: Lint) -> None:
    done = lint("--help")
    assert done.stdout == help_text() == lint("-h").stdout and done.returncode == 0
    assert len(done.stdout.splitlines()) < 32 and max(map(len, done.stdout.splitlines())) <= 110
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("arguments", [("check", "--help"), ("export", "--help"), ("--export", "--help")])
def test_all_options_are_listed(lint: Lint, arguments: tuple[str, ...]) -> None:
    done = lint(*arguments)
    assert done.returncode == 0 and done.stderr == "" and "--whole-project" in done.stdout
    assert ("--inputs-from" in done.stdout) == ("check" not in arguments)
    assert len(done.stdout[: done.stdout.index("positional")].splitlines()) < 6, "usage is no wall"


def test_explain_alone_lists_the_rules(lint: Lint) -> None:
    lines = lint("explain").stdout.splitlines()
    assert lines[0].startswith("ONX000  syntax-error  ") and len(lines) > 40
    assert any(line.startswith("ONX101  data-dependent-branch ") for line in lines)


@pytest.mark.parametrize("arguments", [(), ("--opset", "18")])
def test_an_export_needs_a_model(lint: Lint, arguments: tuple[str, ...]) -> None:
    done = lint("export", *arguments)
    assert done.returncode == 2 and "name the model first" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["init", "schema", "completion", "clean"])
def test_small_commands_have_help(lint: Lint, command: str) -> None:
    done = lint(command, "--help")
    assert done.returncode == 0 and COMMANDS[command] in done.stdout
    assert lint(command, "--no-such").returncode == 2


@pytest.mark.parametrize(("option", "close"), [("--statistic", "--statistics"), ("--device", ""), ("--atol", "")])
def test_suggestions_only_when_close(lint: Lint, option: str, close: str) -> None:
    said = lint(option, "1").stderr
    assert (f"did you mean {close}?" in said) if close else ("see --help" in said and "did you mean" not in said)


# ------------------------------------------------------------------------------------------------------------ config
def test_keys_of_the_configuration_for_one_run(lint: Lint, put: Put) -> None:
    put("a.py", BRANCH)
    put("old/b.py", BRANCH)
    put("onnx-lint.toml", 'ignore = ["ONX101"]\n')
    assert lint(*CONCISE).stdout == ""
    done = lint(*CONCISE, "--config", "ignore = []", "--config", 'exclude=["old"]')
    assert done.stdout.startswith("a.py:6:") and "old" not in done.stdout
    done = lint(*CONCISE, "--config", "ignore=[]", "--config=severities.ONX101 = 'info'")
    assert ": info ONX101" in done.stdout and done.returncode == 0
    assert "(dynamo)" in lint(*CONCISE, "--config", "ignore=[]", "--config", "engine=dynamo").stdout
    assert lint(*CONCISE, "--config", "ignore=[]", "--config", 'output-format="json"', "--isolated").returncode == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("egnine=dynamo", "did you mean 'engine'?"),
        ("engine=none", "is not an engine"),
        ("exclude=[", "not TOML"),
        ("opset=99", "must be an opset version"),
        (".".join("a" * 200) + "=1", "more than 100 parts"),
    ],
)
def test_keys_that_are_wrong(lint: Lint, put: Put, given: str, said: str) -> None:
    put("a.py", BRANCH)
    done = lint("--config", given)
    assert done.returncode == 2 and said in done.stderr and done.stderr.startswith("onnx-lint: error: --config ")
    assert len(done.stderr.splitlines()) == 1


def test_init_writes_a_configuration_once(lint: Lint, put: Put, tmp_path: Path) -> None:
    put("a.py", BRANCH)
    put("tests/a.py", BRANCH)
    done = lint("init")
    assert done.returncode == 0 and "onnx-lint.toml written" in done.stdout
    config = load(str(tmp_path / "onnx-lint.toml"))
    assert config is not None and lint(*CONCISE).stdout.count("ONX101") == 1
    text = (tmp_path / "onnx-lint.toml").read_text()
    assert lint("init").returncode == 2 and (tmp_path / "onnx-lint.toml").read_text() == text
    (tmp_path / "onnx-lint.toml").unlink()
    put("pyproject.toml", "[tool.onnx-lint]\n")
    assert lint("init").returncode == 2 and not (tmp_path / "onnx-lint.toml").exists()
    put("pyproject.toml", "[tool.other]\n")
    assert lint("init", "-q").stdout == "" and (tmp_path / "onnx-lint.toml").exists()


# ------------------------------------------------------------------------------------------------------------ schema
def test_the_schema_has_every_key(lint: Lint) -> None:
    printed = json.loads(lint("schema").stdout)
    assert printed == schema() and list(printed["properties"]) == list(KEYS)
    jsonschema.Draft7Validator.check_schema(printed)


TABLES: list[dict[str, Any]] = [
    {},
    {"engine": "dynamo", "opset": 18, "select": ["ONX1"], "extend-select": [], "ignore": ["unpack-tensor"]},
    {"per-file-ignores": {"tests/**": ["ALL"]}, "severity": "info", "severities": {"ONX101": "error"}},
    {"dynamic-axes": {"images": [0, -1], "Net.x": {"0": "n"}}, "entry": ["pkg.net:Net"], "preview": True},
    {"exclude": ["a"], "fail-level": "error", "respect-gitignore": False, "notebooks": False},
    {"output-format": "rdjson"},
    {"engine": "none"},
    {"engine": 1},
    {"opset": 6},
    {"opset": 31},
    {"opset": True},
    {"opset": "18"},
    {"select": "ONX1"},
    {"select": [1]},
    {"per-file-ignores": ["a"]},
    {"per-file-ignores": {"a": "ALL"}},
    {"severity": "fatal"},
    {"severities": {"ONX101": "fatal"}},
    {"dynamic-axes": {"images": ["n"]}},
    {"dynamic-axes": {"images": {"n": "0"}}},
    {"entry": ["Net"]},
    {"entry": [""]},
    {"entry": "Net"},
    {"preview": "yes"},
    {"exclude": ["a" * 5000]},
    {"output-format": "xml"},
    {"unknown": 1},
]


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


@pytest.mark.parametrize("table", TABLES, ids=lambda t: toml(t)[:60])
def test_the_schema_takes_what_the_program_takes(put: Put, table: dict[str, Any]) -> None:
    path = put("onnx-lint.toml", "".join(f"{json.dumps(k)} = {toml(v)}\n" for k, v in table.items()))
    try:
        load(str(path))
        taken = True
    except ConfigError:
        taken = False
    assert jsonschema.Draft7Validator(schema()).is_valid(table) is taken


# ------------------------------------------------------------------------------------------------- clean, completion
def test_clean_removes_the_results(lint: Lint, put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONNX_LINT_NO_CACHE")
    put("a.py", BRANCH)
    lint("--cache-dir", "kept")
    put("kept/notes.txt", "mine")
    done = lint("clean", "--cache-dir", "kept")
    assert done.stdout == "1 result removed from kept\n" and os.listdir(tmp_path / "kept") == ["notes.txt"]
    assert lint("clean", "-q", "--cache-dir", "none").stdout == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "tcsh"])
def test_completion_names_commands_and_options(lint: Lint, shell: str) -> None:
    pytest.importorskip("shtab")
    done = lint("completion", shell)
    assert done.returncode == 0 and "whole-project" in done.stdout and all(name in done.stdout for name in COMMANDS)


@needs_posix
def test_bash_completes(lint: Lint, put: Put, tmp_path: Path) -> None:
    pytest.importorskip("shtab")
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    put("completion.sh", lint("completion", "bash").stdout)
    ask = "COMP_WORDS=(onnx-lint {0}); COMP_CWORD={1}; _shtab_onnx_lint; echo ${{COMPREPLY[@]}}"
    cases = (("ex", 1, "explain export"), ("check --base", 2, "--baseline"), ("completion z", 2, "zsh"))
    for words, at, wanted in cases:
        command = ["bash", "-c", f". ./completion.sh; {ask.format(words, at)}"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert sorted(done.stdout.split()) == wanted.split()


def test_a_missing_extra_is_named(lint: Lint, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, arguments in (("shtab", ["completion", "bash"]), ("watchfiles", ["--watch"])):
        monkeypatch.setitem(sys.modules, module, None)
        done = lint(*arguments)
        assert done.returncode == 2 and "pip install 'onnx-lint[" in done.stderr and done.stderr.count("\n") == 1


# ------------------------------------------------------------------------------------------------------------- watch
@needs_posix
def test_watch_lints_again_after_a_change(put: Put, tmp_path: Path) -> None:
    pytest.importorskip("watchfiles")
    put("a.py", DATA)
    command = [sys.executable, "-m", "onnx_lint", "check", "--watch", ".", "--output-format", "concise"]
    with (tmp_path.parent / f"{tmp_path.name}.out").open("w+") as out:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=out, stderr=subprocess.STDOUT, text=True)

        def wait_for(count: int, words: str) -> str:
            end = time.monotonic() + 120
            while time.monotonic() < end and process.poll() is None:
                said = Path(out.name).read_text()
                if said.count(words) >= count:
                    return said
                time.sleep(0.1)
            raise AssertionError(Path(out.name).read_text())

        try:
            assert "ONX205" in wait_for(1, "waiting for changes")
            put("notes.txt", "not a source")
            put("b.py", BRANCH)
            assert "b.py:6:" in wait_for(2, "waiting for changes")
        finally:
            process.send_signal(2)
            assert process.wait(60) == 0


@pytest.mark.parametrize("arguments", [("--watch", "--fix"), ("--watch", "-")])
def test_what_cannot_be_watched(lint: Lint, arguments: tuple[str, ...]) -> None:
    assert lint(*arguments).returncode == 2
    assert "no such file" in lint("--watch", "missing").stderr
