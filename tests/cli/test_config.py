"""Configuration: which file counts, what its keys do, and what is said of bad ones."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from cli.conftest import BRANCH, CLEAN, Lint, Put

from onnx_lint.config import Config, ConfigError, Configs, load
from onnx_lint.diagnostic import Severity
from onnx_lint.target import BOTH, Engine


def configured(put: Put, text: str) -> Config:
    config = load(str(put("onnx-lint.toml", text)))
    assert config is not None
    return config


def test_every_key(put: Put, tmp_path: Path) -> None:
    config = configured(
        put,
        """
        engine = "dynamo"
        opset = 18
        select = ["ONX1"]
        extend-select = ["tensor-data"]
        ignore = ["ONX102"]
        exclude = ["build", "**/generated/*.py"]
        severity = "warning"
        fail-level = "error"
        preview = true
        respect-gitignore = false
        output-format = "concise"
        [per-file-ignores]
        "tests/**" = ["ALL"]
        [severities]
        ONX101 = "info"
        [dynamic-axes]
        x = [0, 2]
        y = { 0 = "batch", -1 = "length" }
        """,
    )
    settings = config.settings
    assert settings.target.engines == (Engine.DYNAMO,) and settings.engine_given
    assert settings.target.opset == 18
    assert (settings.select, settings.extend_select, settings.ignore) == (("ONX1",), ("tensor-data",), ("ONX102",))
    assert config.exclude == ("build", "**/generated/*.py")
    assert (settings.minimum, config.fail_level) == (Severity.WARNING, Severity.ERROR)
    assert settings.preview and not config.respect_gitignore and config.output_format == "concise"
    assert settings.per_file_ignores == (("tests/**", ("ALL",)),)
    assert settings.severities == {"ONX101": Severity.INFO}
    assert settings.dynamic_axes == {"x": (0, 2), "y": (0, -1)}
    assert settings.root == str(tmp_path)


def test_both_engines(put: Put) -> None:
    assert configured(put, 'engine = "both"').settings.target.engines == BOTH


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('ignor = ["ONX101"]', "unknown key 'ignor'; did you mean 'ignore'?"),
        ("plugins = ['x']", "unknown key 'plugins'; the keys are"),
        ('engine = "onnx"', "engine 'onnx' is not an engine; choose torchscript, dynamo or both"),
        ("engine = 1", "engine must be a string"),
        ("opset = 99", "opset must be an opset version, 7 to 30"),
        ("opset = true", "opset must be an opset version"),
        ('select = "ONX1"', "select must be a list of strings"),
        ("ignore = [1]", "ignore must be a list of strings"),
        ("preview = 1", "preview must be true or false"),
        ('fail-level = "fatal"', "fail-level must be 'error', 'warning' or 'info', not 'fatal'"),
        ('output-format = "xml"', "output-format must be one of full"),
        ("per-file-ignores = []", "per-file-ignores must be a table"),
        ("[per-file-ignores]\na = 1", "per-file-ignores must be a list of strings"),
        ("[severities]\nONX101 = 3", "severities must be 'error', 'warning' or 'info', not 3"),
        ('[dynamic-axes]\nx = "02"', "dynamic-axes 'x' must be a list of dimensions"),
        ("[dynamic-axes]\nx = [true]", "dynamic-axes 'x' must be a list of dimensions"),
        ("[dynamic-axes]\nx = { batch = 0 }", "dynamic-axes 'x' must be a list of dimensions"),
        ("exclude = ['" + "**/" * 3000 + "x']", "exclude has a pattern of 9001 characters (limit 500)"),
        ("exclude = [" + "'a'," * 2000 + "]", "exclude has 2000 patterns (limit 1000)"),
        ("opset = ", "invalid TOML"),
        ("opset = " + "9" * 5000, "invalid TOML"),
        ("x = " + "[" * 30_000 + "]" * 30_000, "invalid TOML"),
        ("[" + ".".join("a" * 20_000) + "]\nx = 1\n", "has a key of more than 100 parts"),
        (". ".join("a" * 20_000) + " = 1\n", "has a key of more than 100 parts"),
        ("x = 'C:\\'\n" + " .".join(["'a.b'"] * 8_000) + " = 1\n", "has a key of more than 100 parts"),
        ('x = [\n"""\n""", { ' + ".".join(['"\\""'] * 8_000) + " = 1 }]\n", "has a key of more than 100 parts"),
        ("[per-file-ignores]\n" + "".join(f"a{i} = []\n" for i in range(1001)), "per-file-ignores has 1001 patterns"),
        ("exclude = [" + f"'{'a' * 400}'," * 130 + "]", "exclude has patterns of 52000 characters together"),
        (b"x = '\xe9'", "invalid TOML"),
        (b"\0", "invalid TOML"),
        ("x = '" + "a" * 70_000 + "'", "larger than 64 KB"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_configuration_is_one_line_that_names_file_and_key(put: Put, text: str | bytes, told: str) -> None:
    path = put("onnx-lint.toml", text)
    with pytest.raises(ConfigError) as caught:
        load(str(path))
    message = str(caught.value)
    assert message.startswith(f"{path}: {told}")
    assert "\n" not in message and len(message) < 600


@pytest.mark.parametrize(
    "text",
    [
        "x = '" + "." * 5000 + "'\n[tool.onnx-lint]\n",
        'x = """\n' + "a.b " * 500 + '\n"""\n[tool.onnx-lint]\n',
        "# " + "a." * 500 + "\n[tool.onnx-lint]\n",
        "x = [" + "1.5, " * 500 + "]\n[tool.onnx-lint]\n",
        ".".join("a" * 100) + " = 1\n[tool.onnx-lint]\n",
        "x = 'C:\\'\n[tool.onnx-lint]\n",
        'x = "a \\" b"\ny = "' + "." * 200 + '"\n[tool.onnx-lint]\n',
    ],
)
def test_dots_that_make_no_long_key_are_read(put: Put, text: str) -> None:
    assert load(str(put("pyproject.toml", text))) is not None


def test_a_large_pyproject_of_others_is_read(put: Put) -> None:
    assert load(str(put("pyproject.toml", "[tool.onnx-lint]\n#" + "." * 500_000))) is not None
    with pytest.raises(ConfigError, match="larger than 1024 KB"):
        load(str(put("pyproject.toml", "#" * 2_000_000)))


def test_a_long_key_costs_no_memory(put: Put) -> None:
    path = str(put("onnx-lint.toml", ".".join("a" * 30_000) + " = 1\n"))
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError):
            load(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_pyproject_without_our_table_is_passed_over(put: Put, tmp_path: Path) -> None:
    put("pyproject.toml", "[tool.onnx-lint]\npreview = true\n")
    put("inner/pyproject.toml", "[tool.other]\nx = 1\n")
    put("inner/deep/a.py", "")
    assert Configs().of(str(tmp_path / "inner/deep/a.py")).settings.preview


def test_our_own_file_wins_over_pyproject_beside_it(put: Put, tmp_path: Path) -> None:
    put("pyproject.toml", "[tool.onnx-lint]\nopset = 12\n")
    put("onnx-lint.toml", "opset = 13\n")
    assert Configs().of(str(tmp_path)).settings.target.opset == 13


def test_the_table_must_be_a_table(put: Put) -> None:
    with pytest.raises(ConfigError, match=r"tool\.onnx-lint must be a table"):
        load(str(put("pyproject.toml", "[tool]\nonnx-lint = 7\n")))


def test_each_file_has_its_nearest_configuration(lint: Lint, put: Put) -> None:
    put("pyproject.toml", '[tool.onnx-lint]\nignore = ["ONX101"]\n')
    put("a.py", BRANCH)
    put("inner/onnx-lint.toml", "")
    put("inner/b.py", BRANCH)
    done = lint("--output-format", "concise")
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == ["inner/b.py"]
    assert lint("--isolated", "--output-format", "concise").stdout.count("ONX101") == 2
    assert lint("--config", "pyproject.toml").returncode == 0


def test_fail_level_counts_for_its_own_files(lint: Lint, put: Put) -> None:
    put("a/onnx-lint.toml", '[severities]\nONX101 = "warning"\n')
    put("a/a.py", BRANCH)
    put("b/onnx-lint.toml", 'fail-level = "error"\n')
    put("b/b.py", CLEAN)
    assert lint().returncode == 1
    put("a/onnx-lint.toml", 'fail-level = "error"\n[severities]\nONX101 = "warning"\n')
    assert lint().returncode == 0


def test_a_bad_configuration_does_not_stop_the_rest(lint: Lint, put: Put) -> None:
    put("bad/pyproject.toml", "[tool.onnx-lint]\nignor = 1\n")
    put("bad/a.py", BRANCH)
    put("bad/b.py", BRANCH)
    put("good/onnx-lint.toml", 'ignore = ["ONX101"]\n')
    put("good/a.py", BRANCH)
    done = lint("--output-format", "concise")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "pyproject.toml: unknown key 'ignor'" in done.stderr
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == ["bad/a.py", "bad/b.py"]


def test_an_unknown_rule_in_a_configuration_names_the_file(lint: Lint, put: Put) -> None:
    put("onnx-lint.toml", 'ignore = ["data-dependant-branch"]\n')
    put("a.py", BRANCH)
    done = lint("--output-format", "concise")
    assert done.returncode == 2 and "ONX101" in done.stdout
    assert "onnx-lint.toml: 'data-dependant-branch' is not a rule" in done.stderr
    assert "did you mean data-dependent-branch?" in done.stderr


def test_per_file_ignores_and_exclude_are_relative_to_the_file(lint: Lint, put: Put) -> None:
    put("onnx-lint.toml", 'exclude = ["out/*.py"]\n[per-file-ignores]\n"legacy/**" = ["data-dependent-branch"]\n')
    put("legacy/deep/a.py", BRANCH)
    put("out/b.py", BRANCH)
    put("c.py", BRANCH)
    for folder, prefix in ((None, ""), ("legacy", "../")):
        cwd = None if folder is None else put("legacy/x.txt", "").parent
        done = lint(prefix or ".", "--output-format", "concise", cwd=cwd)
        assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [f"{prefix}c.py"]


@pytest.mark.parametrize(
    ("axes", "severity"),
    [
        ("x = [0]", "info"),
        ('x = { 2 = "height" }', "warning"),
        ("x = [-1]", "warning"),  # of a rank that is not known
        ("y = [0]", "info"),
        ("", "info"),
        ("x = [2]\n'Net.x' = [0]", "info"),
        ("x = [0]\n'Net.x' = [2]", "warning"),
        ("x = [0]\n'Other.x' = [2]", "info"),
        ("'Other.x' = [0]", "warning"),  # which says nothing of `Net`
    ],
)
def test_dynamic_axes_lower_what_is_fixed(lint: Lint, put: Put, axes: str, severity: str) -> None:
    put("a.py", BRANCH.replace("x.sum() > 0", "x.shape[2] > 4"))
    assert "warning ONX102" in lint("--output-format", "concise").stdout
    put("onnx-lint.toml", f"[dynamic-axes]\n{axes}\n")
    assert f"{severity} ONX102" in lint("--output-format", "concise").stdout


def test_shown_settings_are_a_configuration_that_gives_the_same(lint: Lint, put: Put) -> None:
    put(
        "onnx-lint.toml",
        'engine = "dynamo"\nselect = ["ONX1"]\nexclude = ["a b/\u00e9"]\nentry = ["m:Net"]\n'
        '[per-file-ignores]\n\'te"sts/**\' = ["ALL"]\n[dynamic-axes]\nx = [0, 2]\n[severities]\nONX101 = "info"\n',
    )
    put("a.py", CLEAN)
    shown = lint("--show-settings", "--fail-level", "error").stdout
    put("onnx-lint.toml", shown)
    again = lint("--show-settings").stdout
    assert again == shown and '"te\\"sts/**" = ["ALL"]' in shown
    (folder := put("other/a.py", CLEAN).parent).joinpath("onnx-lint.toml").write_text("")
    assert "# engine is not set: from the export calls" in lint("--show-settings", cwd=folder).stdout


def test_show_settings_tells_what_counts(lint: Lint, put: Put) -> None:
    put("onnx-lint.toml", "opset = 17\n")
    put("a.py", CLEAN)
    out = lint("--show-settings", "--ignore", "ONX101").stdout
    assert "opset = 17\n" in out and 'ignore = ["ONX101"]\n' in out and "onnx-lint.toml" in out
