"""What was looked at is said: nothing followed is never "all clear", and a limit that was met is reported."""

from __future__ import annotations

import json

import pytest
from cli.conftest import BRANCH, CLEAN, RULES, Lint, Put

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.modules import Unit
from onnx_lint.semantics import entry
from onnx_lint.semantics.domain.values import Function
from onnx_lint.semantics.evaluation.state import (
    MAX_ALL_CONTEXTS,
    MAX_DEPTH,
    MAX_OBJECT_KINDS,
    MAX_STEPS,
    Analysis,
    Summary,
)
from onnx_lint.source import ir

FOLLOWED = "1 file: 1 entry point, {} followed."


def chain(length: int) -> str:
    """A hazard behind that many calls of functions inside one another, `forward` being the first."""
    functions = [f"def f{i}(x):\n    return f{i + 1}(x)\n\n\n" for i in range(length - 2)]
    last = f"def f{length - 2}(x):\n    if x.sum() > 0:\n        return x\n    return -x\n\n\n"
    return (
        "from torch import nn\n\n\n" + "".join(functions) + last
        + "class Net(nn.Module):\n    def forward(self, x):\n        return f0(x)\n"
    )  # fmt: skip


def test_a_hazard_within_the_depth_is_found(lint: Lint, put: Put) -> None:
    put("net.py", chain(MAX_DEPTH))
    done = lint("net.py", "--output-format", "concise")
    assert "ONX101" in done.stdout and "ONX009" not in done.stdout and done.returncode == 1


def test_a_hazard_that_is_too_deep_is_said_to_be_missing(lint: Lint, put: Put) -> None:
    put("net.py", chain(MAX_DEPTH + 1))
    done = lint("net.py")
    assert done.returncode == 0
    assert "info[ONX009] `Net` is not analysed in full: calls nested more than 40 deep are not followed" in done.stdout
    assert "class Net(nn.Module):\n" in done.stdout, "it stands at the entry point"
    assert done.stdout.endswith("1 entry point not analysed in full (ONX009).\n")
    assert "clear" not in done.stdout.lower() and "No hazard" not in done.stdout


def test_a_hazard_behind_too_many_steps_is_said_to_be_missing(
    lint: Lint, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "".join(f"        y = x + {i}\n" for i in range(400))
    many = f"    def part(self, x):\n{body}        return y\n\n"
    net = (
        f"from torch import nn\n\n\nclass Net(nn.Module):\n{many}    def hazard(self, x):\n        return x.item()\n\n"
        f"    def forward(self, x):\n        x = self.part(x)\n        return self.hazard(x)\n"
    )
    put("net.py", net)
    assert "ONX202" in lint("net.py").stdout
    monkeypatch.setattr("onnx_lint.semantics.evaluation.state.MAX_STEPS", 300)
    done = lint("net.py")
    assert "ONX202" not in done.stdout and done.returncode == 0
    assert "calls after 300 interpreted statements are not followed" in done.stdout


@pytest.mark.slow
def test_the_bound_on_steps_is_met_by_a_real_input(lint: Lint, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    """402 functions of 1,000 statements."""
    monkeypatch.setattr("onnx_lint.semantics.evaluation.state.MAX_SECONDS", 6000)  # however slow this machine is
    function = "def f{0}(x):\n" + "    x = x + 1\n" * 1000 + "    return x\n\n\n"
    count = MAX_STEPS // 1000 + 2
    functions = "".join(function.format(i) for i in range(count))
    calls = "".join(f"        x = f{i}(x)\n" for i in range(count))
    hazard = "def hazard(x):\n    return x.item()\n\n\n"
    put(
        "net.py",
        f"from torch import nn\n\n\n{functions}{hazard}class Net(nn.Module):\n    def forward(self, x):\n{calls}"
        "        return hazard(x)\n",
    )
    done = lint("net.py", "--output-format", "concise", "--ignore", "ONX4")
    assert "info ONX009 `Net` is not analysed in full: calls after 400,000 interpreted statements" in done.stdout


def parts(count: int) -> str:
    """A model that hands a part of each of that many classes to one function; the last has a hazard."""
    results = [f"x + {i}" for i in range(count - 1)] + ["x.item()"]
    lines = ["from torch import nn"]
    for i, result in enumerate(results):
        lines += [f"class P{i}(nn.Module):", "    def forward(self, x):", f"        return {result}"]
    lines += ["def use(x, part):", "    return part(x)"]
    lines += ["class Net(nn.Module):", "    def __init__(self):", "        super().__init__()"]
    lines += [f"        self.p{i} = P{i}()" for i in range(count)]
    lines += ["    def forward(self, x):", *[f"        use(x, self.p{i})" for i in range(count)], "        return x"]
    return "\n".join(lines) + "\n"


def test_a_function_of_many_kinds_of_arguments_is_followed_up_to_the_bound(lint: Lint, put: Put) -> None:
    put("net.py", parts(MAX_ALL_CONTEXTS))
    done = lint("net.py", "--output-format", "concise")
    assert "ONX202" in done.stdout and "ONX009" not in done.stdout


def test_a_function_of_too_many_kinds_of_arguments_is_reported(lint: Lint, put: Put) -> None:
    """One note a function, however many calls and entry points are concerned."""
    text = parts(MAX_ALL_CONTEXTS + 20)
    put("net.py", text + text[text.index("class Net") :].replace("class Net", "class Other"))
    done = lint("net.py", "--select", "ONX0,ONX2")
    assert done.stdout.count("info[ONX009]") == 1
    said = f"`use` is not analysed in full: calls beyond {MAX_ALL_CONTEXTS} kinds of arguments are not followed"
    assert said in done.stdout and "| def use(x, part):\n" in done.stdout
    assert done.stdout.endswith("1 function not analysed in full (ONX009).\n")
    assert "No hazard" not in done.stdout


ACTIVATIONS = (
    *("nn.ReLU", "nn.GELU", "nn.SiLU", "nn.Tanh", "nn.ELU", "nn.SELU", "nn.CELU", "nn.Mish", "nn.ReLU6", "nn.Sigmoid"),
    *("nn.Hardswish", "nn.Hardtanh", "nn.Softplus", "nn.Softsign", "nn.Tanhshrink", "nn.LogSigmoid", "nn.RReLU"),
)


def blocks(count: int, read: str) -> str:
    """A model with that many blocks of different kinds, and what a block does with its activation."""
    made = "".join(f"        self.b{i} = Block({ACTIVATIONS[i]}())\n" for i in range(count))
    return (
        "from torch import nn\n\n\nclass Block(nn.Module):\n    def __init__(self, act):\n"
        f"        super().__init__()\n        self.act = act\n\n    def forward(self, x):\n        return {read}\n\n\n"
        f"class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n{made}\n"
        f"    def forward(self, x):\n        return {'+'.join(f'self.b{i}(x)' for i in range(count))}\n"
    )


@pytest.mark.parametrize(
    ("count", "read", "is_told"),
    [
        (MAX_OBJECT_KINDS, "self.act(x)", False),
        (MAX_OBJECT_KINDS + 1, "self.act(x)", False),
        (len(ACTIVATIONS), "self.act(x)", True),
        (len(ACTIVATIONS), "x + 1", False),
    ],
)
def test_too_many_kinds_of_objects_are_told_where_something_is_lost(
    lint: Lint, put: Put, count: int, read: str, is_told: bool
) -> None:
    put("net.py", blocks(count, read))
    done = lint("net.py")
    reason = f"beyond {MAX_OBJECT_KINDS} kinds of arguments in one function, it is not known how objects are made"
    assert (f"info[ONX009] `Block` is not analysed in full: {reason}" in done.stdout) == is_told
    assert ("1 class not analysed in full (ONX009).\n" in done.stdout) == is_told
    told = json.loads(lint("net.py", "--output-format", "json").stdout)["coverage"]["not_analysed"]
    assert told == ([{"path": "net.py", "line": 4, "class": "Block", "reason": reason}] if is_told else [])


def test_a_limit_below_a_shared_call_is_reported_of_each_model(lint: Lint, put: Put) -> None:
    """What a limit had a part in is not remembered: the second model is followed as if it were the first."""
    put(
        "net.py",
        chain(MAX_DEPTH + 1) + "\n\nclass Other(nn.Module):\n    def forward(self, x):\n        return f0(x)\n",
    )
    done = lint("net.py", "--output-format", "concise")
    assert done.stdout.count("ONX009") == 2
    assert all(f"`{name}` is not analysed in full" in done.stdout for name in ("Net", "Other"))


def test_a_suppression_is_not_called_unused_where_the_analysis_is_cut_off(lint: Lint, put: Put) -> None:
    deep = chain(MAX_DEPTH + 1).replace("if x.sum() > 0:", "if x.sum() > 0:  # onnx-lint: ignore[ONX101] known")
    put("deep.py", deep.replace("class Net", "class Deep"))
    assert "ONX001" not in lint("deep.py", "--output-format", "concise").stdout
    put("flat.py", CLEAN.replace("return x + 1", "return x + 1  # onnx-lint: ignore[ONX101] known"))
    assert "ONX001" in lint("flat.py", "--output-format", "concise").stdout


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "Nothing to analyse: no Python files found.\n"),
        ({"a.py": "x = 1\n"}, "Nothing to analyse: no model found in 1 file (give --entry MODULE:CLASS).\n"),
        (
            {"a.py": "x = 1\n", "b.py": "", "c.py": "def forward(x):\n    return x.item()\n"},
            "Nothing to analyse: no model found in 3 files (give --entry MODULE:CLASS).\n",
        ),
        (
            {"a.py": BRANCH.replace("Net", "DiceLoss")},
            "Nothing to analyse: no model is exported in 1 file (give --entry MODULE:CLASS).\n",
        ),
        ({"data.json": "{}"}, "Nothing to analyse: no Python files found.\n"),
    ],
)
def test_nothing_followed_is_not_a_result(lint: Lint, put: Put, files: dict[str, str], said: str) -> None:
    for name, text in files.items():
        put(name, text)
    done = lint()
    assert (done.returncode, done.stdout) == (0, said)


def test_a_file_of_another_kind_is_not_clear(lint: Lint, put: Put) -> None:
    """JSON happens to be Python that parses."""
    put("data.json", '{"a": 1}')
    assert lint("data.json").stdout.startswith("Nothing to analyse: no model found in 1 file")


def test_broken_files_without_a_model(lint: Lint, put: Put) -> None:
    put("a.py", "def f(:\n")
    done = lint()
    assert done.returncode == 1
    assert done.stdout.endswith("\nFound 1 error in 1 file; no model found (give --entry MODULE:CLASS).\n")
    in_full = lint("-v").stdout
    assert "Found 1 error in 1 file: 0 models, 0 entry points, 0 functions followed." in in_full
    assert "Nothing to analyse: no model found in 1 file" in in_full


NESTED = """\
from torch import nn


class Part(nn.Module):
    def forward(self, x):
        return x + 1


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.part = Part()

    def half(self, x):
        return x / 2

    def forward(self, x):
        return self.half(self.part(x))
"""


def test_parts_are_models_and_not_entry_points(lint: Lint, put: Put) -> None:
    put("net.py", NESTED)
    found = f"No hazard found by {RULES} rules in 1 file: "
    assert lint().stdout == f"{found}1 entry point, 3 functions followed.\n"
    assert lint("-v").stdout == f"{found}2 models, 1 entry point, 3 functions followed.\n"


def test_what_was_left_out_is_said(lint: Lint, put: Put) -> None:
    put("net.py", BRANCH)
    followed = FOLLOWED.format("1 function")
    assert lint("--select", "ONX205").stdout == f"No hazard found by 1 of {RULES} rules in {followed}\n"
    put("onnx-lint.toml", '[severities]\nONX101 = "info"\n')
    said = lint("--severity", "warning").stdout
    assert said == f"No error or warning found by {RULES} rules in 1 file: 1 function followed.\n"


def test_the_rules_are_counted(lint: Lint, put: Put) -> None:
    from onnx_lint.registry import load

    put("net.py", CLEAN)
    stable = sum(not rule.preview for rule in load())
    assert lint().stdout.startswith(f"No hazard found by {stable} rules in ")


@pytest.mark.parametrize("options", [("--output-format", "json"), ("--output-format", "json", "--statistics")])
def test_json_has_the_coverage(lint: Lint, put: Put, options: tuple[str, ...]) -> None:
    put("net.py", chain(MAX_DEPTH + 1))
    coverage = json.loads(lint(*options).stdout)["coverage"]
    (cut_off,) = coverage.pop("not_analysed")
    assert coverage == {"files": 1, "models": 1, "entry_points": 1, "functions": MAX_DEPTH, "rules": RULES}
    assert cut_off["model"] == "Net" and cut_off["path"] == "net.py" and "40 deep" in cut_off["reason"]


def test_sarif_has_the_coverage(lint: Lint, put: Put) -> None:
    put("a.py", "x = 1\n")
    (run,) = json.loads(lint("--output-format", "sarif").stdout)["runs"]
    assert run["properties"]["coverage"]["functions"] == 0 and run["properties"]["coverage"]["files"] == 1


@pytest.mark.parametrize(
    ("error", "words"), [(MemoryError, "took more memory than there is"), (RecursionError, "nested too deeply")]
)
def test_an_entry_point_that_takes_too_much_costs_no_other(
    lint: Lint, put: Put, monkeypatch: pytest.MonkeyPatch, error: type[Exception], words: str
) -> None:
    put("net.py", BRANCH + "\n\nclass Greedy(nn.Module):\n    def forward(self, x):\n        return x\n")
    real = entry.outputs.report

    def fails(
        analysis: Analysis, summary: Summary, function: Function, info: ClassInfo, unit: Unit, statement: ir.FunctionDef
    ) -> None:
        if info.name == "Greedy":
            raise error
        real(analysis, summary, function, info, unit, statement)

    monkeypatch.setattr(entry.outputs, "report", fails)
    done = lint("--output-format", "concise", "net.py")
    assert "ONX101" in done.stdout and words in done.stdout and "`Greedy` is not analysed in full" in done.stdout


def test_time_is_bounded(lint: Lint, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnx_lint.semantics.evaluation.state.MAX_SECONDS", -1)
    put("net.py", chain(2))
    assert "seconds of analysis are not followed" in lint("--output-format", "concise", "net.py").stdout


def test_an_entry_point_that_names_no_class_is_told(lint: Lint, put: Put) -> None:
    put("pkg/nets.py", CLEAN.replace("Net", "TinyNet"))
    done = lint("--entry", "pkg.nets:TinNet", "--entry", "other:TinyNet", "--entry", "pkg.nets:TinyNet")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"onnx-lint: error: --entry {name} names no class in 1 file; did you mean pkg.nets:TinyNet?"
        for name in ("pkg.nets:TinNet", "other:TinyNet")
    ]
    assert lint("--entry", "Zzzzz").stderr == "onnx-lint: error: --entry Zzzzz names no class in 1 file\n"
    assert lint("--entry", "src/pkg/nets.py:TinyNet").returncode == 0


def test_the_entries_of_a_configuration_are_looked_for_in_all_that_it_is_for(lint: Lint, put: Put) -> None:
    put("a/net.py", CLEAN)
    put("b/net.py", CLEAN.replace("Net", "Other"))
    put("pyproject.toml", '[tool.onnx-lint]\nentry = ["a.net:Nett"]\n')
    done = lint()
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "pyproject.toml: entry a.net:Nett names no class in 2 files; did you mean a.net:Net?" in done.stderr
    assert lint("b").returncode == 0, "it may be in another folder"
    put("pyproject.toml", '[tool.onnx-lint]\nentry = ["a.net:Net"]\n')
    assert lint().returncode == 0
