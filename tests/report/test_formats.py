"""Every format says all of a small file, word for word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from cli.conftest import CLEAN, Lint, Put
from jsonschema import Draft7Validator

from onnx_lint.registry import load

from .conftest import FORMATS

SCHEMA = Path(__file__).parents[1] / "fixtures" / "sarif" / "sarif-2.1.0-rtm.5.json"
RULES = sum(not rule.preview for rule in load())
NET = """\
from torch import nn


class Net(nn.Module):
    def half(self, n):
        return int(n) // 2

    def forward(self, x):
        if x.sum() > 0:
            return x.data
        return x[: self.half(x.shape[0])]
"""
FULL = """\
warning[ONX201] `int` makes a Python number of `n`: torchscript keeps the example's number  (torchscript)
  --> net.py:6:16
   |
 5 |     def half(self, n):
   |                    - passed on as `n`
 6 |         return int(n) // 2
   |                ^^^^^^ python-cast
 7 |
 8 |     def forward(self, x):
   |                       - `x` is an input of the model
...
11 |         return x[: self.half(x.shape[0])]
   |                              ---------- `x.shape[0]` is a size that changes with the input
   |                    --------------------- `Net.half` is called here
   = help: use the size as it is, with integer arithmetic (`//`)
   = fix: Replace by `n` (--fix --unsafe-fixes)

error[ONX101] `if` depends on the values of a tensor: torchscript keeps only the branch taken for the example input, \
dynamo fails to export it  (both engines)
 --> net.py:9:12
  |
8 |     def forward(self, x):
  |                       - `x` is an input of the model
9 |         if x.sum() > 0:
  |            ^^^^^^^^^^^ data-dependent-branch
  = help: choose with `torch.where`; move checks out of `forward`; dynamo exports `torch.cond` as well

error[ONX205] `x.data` is not followed: torchscript silently makes it a constant, dynamo fails to export it  \
(both engines)
  --> net.py:10:20
   |
 8 |     def forward(self, x):
   |                       - `x` is an input of the model
 9 |         if x.sum() > 0:
10 |             return x.data
   |                    ^^^^^^ tensor-data
   = help: use `.detach()`
   = fix: Use `.detach()` (--fix --unsafe-fixes)

Found 2 errors, 1 warning in 1 file; 2 fixable with --fix --unsafe-fixes.
"""
CAST = "`int` makes a Python number of `n`: torchscript keeps the example's number"
BRANCH = (
    "`if` depends on the values of a tensor: torchscript keeps only the branch taken for the example input, "
    "dynamo fails to export it"
)
DATA = "`x.data` is not followed: torchscript silently makes it a constant, dynamo fails to export it"
CONCISE = f"""\
net.py:6:16: warning ONX201 {CAST} (torchscript)
net.py:9:12: error ONX101 {BRANCH} (both engines)
net.py:10:20: error ONX205 {DATA} (both engines)
"""
GITHUB = f"""\
::warning title=onnx-lint (ONX201),file=net.py,line=6,col=16,endLine=6,endColumn=22::net.py:6:16: ONX201 {CAST} \
(torchscript)
::error title=onnx-lint (ONX101),file=net.py,line=9,col=12,endLine=9,endColumn=23::net.py:9:12: ONX101 {BRANCH} \
(both engines)
::error title=onnx-lint (ONX205),file=net.py,line=10,col=20,endLine=10,endColumn=26::net.py:10:20: ONX205 {DATA} \
(both engines)
"""


@pytest.mark.parametrize(("name", "expected"), [("full", FULL), ("concise", CONCISE), ("github", GITHUB)])
def test_text(lint: Lint, put: Put, name: str, expected: str) -> None:
    put("net.py", NET)
    done = lint("net.py", "--output-format", name)
    assert (done.stdout, done.returncode) == (expected, 1)


def test_quiet_leaves_the_summary_out(lint: Lint, put: Put) -> None:
    put("net.py", NET)
    assert lint("net.py", "-q").stdout == FULL[: FULL.index("Found 2")]


def test_json(lint: Lint, put: Put) -> None:
    put("net.py", NET)
    said = json.loads(lint("net.py", "--output-format", "json").stdout)
    assert (said["version"], said["errors"]) == (1, [])
    assert [d["code"] for d in said["diagnostics"]] == ["ONX201", "ONX101", "ONX205"]
    place = {"path": "net.py", "line": 10, "column": 20, "end_line": 10, "end_column": 26}
    start = {"path": "net.py", "line": 8, "column": 23, "end_line": 8, "end_column": 24}
    assert said["diagnostics"][2] == {
        **place,
        "code": "ONX205",
        "name": "tensor-data",
        "severity": "error",
        "message": DATA,
        "engines": ["torchscript", "dynamo"],
        "opset": None,
        "origin": [{**start, "text": "`x` is an input of the model"}],
        "path_notes": [],
        "help": "use `.detach()`",
        "fix": {
            "title": "Use `.detach()`",
            "applicability": "unsafe",
            "edits": [{**place, "column": 22, "text": "detach()", "replaces": "data"}],
        },
        "source": "lint",
        "evidence": [],
    }


def test_gitlab(lint: Lint, put: Put) -> None:
    put("net.py", NET)
    said = json.loads(lint("net.py", "--output-format", "gitlab").stdout)
    assert [e["severity"] for e in said] == ["minor", "major", "major"]
    fingerprint = said[2].pop("fingerprint")
    assert said[2] == {
        "description": f"ONX205: {DATA} (both engines)",
        "check_name": "tensor-data",
        "severity": "major",
        "location": {"path": "net.py", "lines": {"begin": 10, "end": 10}},
    }
    assert len({fingerprint, *(e["fingerprint"] for e in said[:2])}) == 3
    put("net.py", "# moved\n" + NET)
    moved = json.loads(lint("net.py", "--output-format", "gitlab").stdout)
    assert moved[2]["fingerprint"] == fingerprint, "an older diagnostic stays the same when lines move"


def test_the_same_message_twice_has_two_fingerprints(lint: Lint, put: Put) -> None:
    put("net.py", NET.replace("return x.data", "return x.data + x.data"))
    said = json.loads(lint("net.py", "--output-format", "gitlab").stdout)
    assert said[2]["description"] == said[3]["description"]
    assert said[2]["fingerprint"] != said[3]["fingerprint"]


def test_junit(lint: Lint, put: Put) -> None:
    put("net.py", NET)
    suites = ElementTree.fromstring(lint("net.py", "--output-format", "junit").stdout)
    suite = suites[0]
    assert (suites.tag, suite.tag) == ("testsuites", "testsuite")
    assert suite.attrib == {"name": "onnx-lint", "tests": "3", "failures": "3"}
    case = suite[1]
    assert case.attrib == {"name": "ONX101 at 9:12", "classname": "net.py", "file": "net.py", "line": "9"}
    assert case[0].attrib == {"message": f"{BRANCH} (both engines)", "type": "error"}
    assert case[0].text == f"{BRANCH} (both engines)"


def valid_sarif(text: str) -> Any:
    """The only run of a document that keeps to the schema."""
    document = json.loads(text)
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert [e.message for e in Draft7Validator(schema).iter_errors(document)] == []
    (only,) = document["runs"]
    return only


def test_sarif(lint: Lint, put: Put) -> None:
    put("net.py", NET)
    run = valid_sarif(lint("net.py", "--output-format", "sarif").stdout)
    rules = run["tool"]["driver"]["rules"]
    assert [r["id"] for r in rules] == ["ONX101", "ONX201", "ONX205"]
    assert all(r["shortDescription"]["text"] and r["help"]["markdown"] for r in rules)
    assert [(r["ruleId"], r["level"]) for r in run["results"]] == [
        ("ONX201", "warning"),
        ("ONX101", "error"),
        ("ONX205", "error"),
    ]
    assert all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in run["results"])
    flow = run["results"][0]["codeFlows"][0]["threadFlows"][0]["locations"]
    steps = [(s["location"]["physicalLocation"]["region"]["startLine"], s["location"]["message"]["text"]) for s in flow]
    assert steps == [
        (11, "`Net.half` is called here"),
        (8, "`x` is an input of the model"),
        (11, "`x.shape` is a size that changes with the input"),
        (11, "`x.shape[0]` is a size that changes with the input"),
        (5, "passed on as `n`"),
        (6, CAST),
    ]
    (change,) = run["results"][2]["fixes"][0]["artifactChanges"]
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 10, "startColumn": 22, "endLine": 10, "endColumn": 26},
            "insertedContent": {"text": "detach()"},
        }
    ]


def test_sarif_counts_columns_in_utf_16(lint: Lint, put: Put) -> None:
    put("net.py", NET.replace("return x.data", 'return ("\U0001f600\u65e5", x.data)'))
    result = valid_sarif(lint("net.py", "--output-format", "sarif", "--select", "ONX205").stdout)["results"][0]
    before = '            return ("\U0001f600\u65e5", '
    units = len(before.encode("utf-16-le")) // 2
    region = result["locations"][0]["physicalLocation"]["region"]
    assert (region["startColumn"], region["endColumn"]) == (units + 1, units + 7)


def test_sarif_names_a_file_that_cannot_be_read(lint: Lint, put: Put) -> None:
    put("net.py", b"\xff\xfe\xfd")
    done = lint("net.py", "--output-format", "sarif")
    (invocation,) = valid_sarif(done.stdout)["invocations"]
    assert done.returncode == 2 and not invocation["executionSuccessful"]
    assert invocation["toolExecutionNotifications"][0]["message"]["text"].startswith("net.py: ")


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_to_say(lint: Lint, put: Put, name: str) -> None:
    put("net.py", CLEAN)
    done = lint("net.py", "--output-format", name)
    assert done.returncode == 0
    if name == "sarif":
        assert valid_sarif(done.stdout)["results"] == []
    elif name in ("json", "gitlab"):
        said = json.loads(done.stdout)
        assert said == [] or (said["version"], said["diagnostics"], said["errors"]) == (1, [], [])
    elif name == "rdjson":
        assert json.loads(done.stdout)["diagnostics"] == []
    elif name == "markdown":
        assert done.stdout.startswith(f"\n**No hazard found by {RULES} rules**")
    elif name == "junit":
        (suite,) = ElementTree.fromstring(done.stdout)
        assert (suite.attrib["tests"], suite.attrib["failures"], len(suite)) == ("1", "0", 1)
    else:
        full = f"No hazard found by {RULES} rules in 1 file: 1 entry point, 1 function followed.\n"
        assert done.stdout == (full if name == "full" else "")
