"""Notebooks on the command line: their cells are linted, places are those of the cell, nothing is rewritten."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from cli.conftest import DATA, RULES, Lint, Put
from report.test_formats import valid_sarif

from onnx_lint.output_formats import NAMES


def notebook(*cells: str | tuple[str, str], language: str = "python") -> str:
    """A notebook of code cells; ``("markdown", text)`` is another kind of cell."""
    made = []
    for cell in cells:
        kind, text = cell if isinstance(cell, tuple) else ("code", cell)
        made.append({"cell_type": kind, "source": text.splitlines(keepends=True), "metadata": {}})
    metadata = {"language_info": {"name": language}}
    return json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1)


IMPORTS = "%matplotlib inline\n!pip install torch\nfrom torch import nn"
HELPER = "def length(x):\n    return x * len(x)"
NET = "class Net(nn.Module):\n    def forward(self, x):\n        x = x.data\n        return length(x)"
BOOK = notebook(("markdown", "# A model"), IMPORTS, HELPER, NET)


def test_cells_are_one_module(lint: Lint, put: Put) -> None:
    put("nb.ipynb", BOOK)
    done = lint("nb.ipynb", "--output-format", "concise")
    assert done.returncode == 1
    places = [line.partition(" ")[0] for line in done.stdout.splitlines() if "ONX207" in line or "ONX205" in line]
    assert done.stdout.startswith("nb.ipynb:cell 3:2:16: warning ONX207 ")
    assert "nb.ipynb:cell 4:3:13: error ONX205 " in done.stdout
    assert len(places) == 2


def test_full_shows_the_cells(lint: Lint, put: Put) -> None:
    put("nb.ipynb", BOOK)
    shown = lint("nb.ipynb").stdout
    assert " --> nb.ipynb:cell 3:2:16\n" in shown and " ::: nb.ipynb:cell 4:" in shown
    assert "2 |     return x * len(x)\n  |                ^^^^^^ len-of-tensor\n" in shown
    assert "4 |         return length(x)\n" in shown
    assert "--fix" not in shown, "no fix is offered that would be refused"
    assert "in 1 file" in shown


def test_json_has_path_and_cell(lint: Lint, put: Put) -> None:
    put("nb.ipynb", BOOK)
    found = json.loads(lint("nb.ipynb", "--output-format", "json").stdout)["diagnostics"]
    (d,) = [d for d in found if d["code"] == "ONX205"]
    assert (d["path"], d["cell"], d["line"], d["column"], d["end_line"]) == ("nb.ipynb", 4, 3, 13, 3)
    assert d["fix"]["applicability"] == "display"
    (edit,) = d["fix"]["edits"]
    assert (edit["path"], edit["cell"], edit["line"]) == ("nb.ipynb", 4, 3)
    assert all(note["cell"] in (3, 4) for each in found for note in (*each["origin"], *each["path_notes"]))


def test_platform_formats_name_the_file_and_say_the_cell(lint: Lint, put: Put) -> None:
    put("nb.ipynb", BOOK)
    github = lint("nb.ipynb", "--output-format", "github", "--select", "ONX205").stdout
    assert ",file=nb.ipynb,line=1::nb.ipynb:cell 4:3:13: ONX205 " in github
    (entry,) = json.loads(lint("nb.ipynb", "--output-format", "gitlab", "--select", "ONX205").stdout)
    assert entry["location"] == {"path": "nb.ipynb", "lines": {"begin": 1, "end": 1}}
    assert entry["description"].endswith(" at cell 4:3:13")
    sarif = valid_sarif(lint("nb.ipynb", "--output-format", "sarif", "--select", "ONX205").stdout)
    (location,) = sarif["results"][0]["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "nb.ipynb"
    assert location["logicalLocations"] == [{"name": "cell 4:3:13", "fullyQualifiedName": "nb.ipynb:cell 4:3:13"}]
    (suite,) = ElementTree.fromstring(lint("nb.ipynb", "--output-format", "junit", "--select", "ONX205").stdout)
    assert suite[0].attrib == {
        "name": "ONX205 at 3:13", "classname": "nb.ipynb:cell 4", "file": "nb.ipynb", "line": "1",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_clean_notebook_in_every_format(lint: Lint, put: Put, name: str) -> None:
    put("nb.ipynb", notebook(IMPORTS, NET.replace("x = x.data", "x = x + 1").replace("length(x)", "x")))
    done = lint("nb.ipynb", "--output-format", name)
    assert (done.returncode, done.stderr) == (0, "")
    if name == "full":
        assert done.stdout == f"No hazard found by {RULES} rules in 1 file: 1 entry point, 1 function followed.\n"


def test_the_place_of_a_syntax_error_stays_in_its_cell(lint: Lint, put: Put) -> None:
    put("nb.ipynb", notebook("x = 1", "def f(:\n    pass", IMPORTS, HELPER, NET))
    done = lint("nb.ipynb", "--output-format", "concise")
    assert done.stdout.startswith("nb.ipynb:cell 2:1:7: error ONX000 ")
    assert "nb.ipynb:cell 5:3:13: error ONX205 " in done.stdout


def test_suppressions_count_in_cells(lint: Lint, put: Put) -> None:
    put("nb.ipynb", BOOK.replace("x.data", "x.data  # onnx-lint: ignore[ONX205] known"))
    assert "ONX205" not in lint("nb.ipynb", "--output-format", "concise").stdout


@pytest.mark.parametrize("option", ["--fix", "--diff"])
def test_nothing_is_rewritten_and_that_is_said(lint: Lint, put: Put, option: str) -> None:
    path = put("nb.ipynb", BOOK)
    other = put("net.py", DATA)
    done = lint(option, "--select", "ONX205")
    assert path.read_text() == BOOK
    assert "nb.ipynb: 1 fix not applied: notebooks are not rewritten" in done.stderr
    assert ("x.detach()" in other.read_text()) is (option == "--fix"), "the others are fixed"
    if option == "--fix":
        assert done.returncode == 1 and "nb.ipynb:cell 4:3:13" in done.stdout


def test_a_notebook_on_standard_input(lint: Lint) -> None:
    done = lint("-", "--stdin-filename", "nb.ipynb", "--output-format", "concise", stdin=BOOK)
    assert "nb.ipynb:cell 4:3:13: error ONX205 " in done.stdout
    done = lint("-", "--stdin-filename", "nb.ipynb", "--fix", stdin=BOOK)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "onnx-lint: error: --fix does not rewrite notebooks\n"


def test_notebooks_in_folders_are_a_setting(lint: Lint, put: Put) -> None:
    put("lab/nb.ipynb", BOOK)
    put("src/nb.ipynb", BOOK)
    put("src/onnx-lint.toml", "notebooks = false\n")
    put("lab/.ipynb_checkpoints/nb.ipynb", BOOK)
    assert lint("--show-files").stdout.split() == ["lab/nb.ipynb"]
    assert lint("--show-files", "src/nb.ipynb").stdout.split() == ["src/nb.ipynb"], "one that is named is linted"
    assert "notebooks = false" in lint("--show-settings", "src/nb.ipynb").stdout


def test_other_languages_and_broken_notebooks(lint: Lint, put: Put) -> None:
    put("r.ipynb", notebook("x <- 1", language="R"))
    assert lint().stderr == "", "in a folder it is a file of another kind"
    done = lint("r.ipynb")
    assert (done.returncode, done.stderr) == (2, "onnx-lint: error: r.ipynb: a notebook in r, not in Python\n")
    put("broken.ipynb", "{")
    done = lint()
    assert done.returncode == 2 and "broken.ipynb: cannot be read as a notebook: " in done.stderr
