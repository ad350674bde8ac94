"""Which code is left out as training only, and what evidence overrules a name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from onnx_lint.checker import check
from onnx_lint.policy import EntryPoint, Policy
from onnx_lint.project.project import Project
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceText
from onnx_lint.testing import check_source

HEAD = "import torch\nfrom torch import nn\n\n\n"
LOSS = HEAD + (
    "class ContrastiveLossHead(nn.Module):\n"
    "    def forward(self, x):\n"
    "        if x.sum() > 0:\n"
    "            x = x + 1\n"
    "        return x\n"
)
EXPORT = 'torch.onnx.export(ContrastiveLossHead(), torch.randn(1), "a.onnx")\n'


def codes(text: str, *entries: str, **files: str) -> list[str]:
    settings = Settings(entry=tuple(map(EntryPoint.parse, entries)))
    found = check_source(text, settings=settings, files={f"{name}.py": other for name, other in files.items()})
    return [d.code for d in found]


def test_a_name_that_says_loss_is_left_out() -> None:
    assert codes(LOSS) == []


def test_an_export_call_overrules_the_name() -> None:
    assert codes(LOSS + EXPORT) == ["ONX101"]
    assert codes(LOSS, script=f"import torch\nfrom model import ContrastiveLossHead\n{EXPORT}") == ["ONX101"]


def test_an_export_call_of_another_class_does_not() -> None:
    assert codes(LOSS + EXPORT.replace("ContrastiveLossHead", "nn.ReLU")) == []


@pytest.mark.parametrize("entry", ["model:ContrastiveLossHead", "model.py:ContrastiveLossHead", "ContrastiveLossHead"])
def test_a_configured_entry_overrules_the_name(entry: str) -> None:
    assert codes(LOSS, entry) == ["ONX101"]


def test_an_entry_in_another_file_does_not() -> None:
    assert codes(LOSS, "other:ContrastiveLossHead") == []


def test_a_forward_that_is_inherited_from_a_loss_is_entered_with_its_class() -> None:
    text = LOSS + "\n\nclass Part(ContrastiveLossHead):\n    def __init__(self):\n        super().__init__()\n"
    assert codes(text, "Part") == codes(text, "ContrastiveLossHead") == ["ONX101"]


def test_a_loss_that_is_a_part_of_a_model_is_followed_when_it_is_an_entry() -> None:
    text = LOSS + (
        "\n\nclass Model(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.head = ContrastiveLossHead()\n\n    def forward(self, x):\n        return self.head(x)\n"
    )
    assert codes(text) == []
    assert codes(text, "ContrastiveLossHead") == ["ONX101"]


def test_an_entry_need_not_be_a_module() -> None:
    text = LOSS.replace("ContrastiveLossHead(nn.Module)", "Head")
    assert codes(text) == []
    assert codes(text, "model:Head") == ["ONX101"]


def test_an_editor_follows_the_export_call() -> None:
    project, settings = Project(editor=True), Settings()
    said = []
    for text in (LOSS, LOSS + EXPORT, LOSS):
        project.add(SourceText.from_text("model.py", text))
        said.append([d.code for d in check(project, settings)])
    assert said == [[], ["ONX101"], []]


@pytest.mark.parametrize(
    ("text", "module", "name"),
    [
        ("pkg.net:Net", "pkg.net", "Net"),
        ("src/pkg/net.py:Net", "src.pkg.net", "Net"),
        ("./net.py:Net", "net", "Net"),
        ("Net", "", "Net"),
    ],
)
def test_entry_points_are_read(text: str, module: str, name: str) -> None:
    assert EntryPoint.parse(text) == EntryPoint(module, name)


@pytest.mark.parametrize("text", ["", "pkg.net:", "a:b:c", "pkg.net.Net", "net:Net()"])
def test_what_is_not_an_entry_point_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not of the form"):
        EntryPoint.parse(text)


def test_modules_match_at_dots_only() -> None:
    entry = EntryPoint.parse("net:Net")
    assert entry.names("pkg.net", "Net") and entry.names("net", "Net")
    assert EntryPoint.parse("src/pkg/net.py:Net").names("pkg.net", "Net")
    assert not EntryPoint.parse("src/pkg/net.py:Net").names("other.net", "Net")
    assert not entry.names("subnet", "Net") and not entry.names("net.other", "Net") and not entry.names("net", "Other")


@pytest.mark.parametrize("name", ["TripletLoss", "CrossEntropyLoss2d", "SetCriterion", "AccuracyMetric", "MyLosses"])
def test_names_of_training_classes(name: str) -> None:
    policy = Policy(exported=frozenset(["Other"]))
    assert policy.is_training_class("m", name) and policy.is_training_only("forward", [("m", name)])
    assert not Policy(exported=frozenset([name])).is_training_class("m", name)


@pytest.mark.parametrize("name", ["Glossary", "LosslessNet", "Metrical", "Closs"])
def test_names_that_only_look_like_it(name: str) -> None:
    assert not Policy().is_training_class("m", name)


@pytest.mark.parametrize("name", ["loss", "compute_loss", "get_kd_losses", "contrastive_loss", "criterion"])
def test_names_of_training_functions(name: str) -> None:
    assert Policy().is_training_only(name, [])


def lint(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "onnx_lint", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_entries_come_from_the_configuration_and_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(LOSS)
    assert lint(tmp_path, "net.py").returncode == 0
    assert "ONX101" in lint(tmp_path, "--entry", "net:ContrastiveLossHead", "--entry", "net:Other", "net.py").stdout
    (tmp_path / "onnx-lint.toml").write_text('entry = ["net:ContrastiveLossHead"]\n')
    assert "ONX101" in lint(tmp_path, "net.py").stdout
    shown = lint(tmp_path, "--show-settings", "--entry", "net.py:Net").stdout
    assert 'entry = ["net:ContrastiveLossHead", "net:Net"]\n' in shown
    assert "Loss|Criterion|Metric" in shown


def test_a_wrong_entry_is_an_error_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(LOSS)
    done = lint(tmp_path, "--entry", "net.Net()", "net.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "onnx-lint: error: --entry: 'net.Net()' is not of the form 'pkg.module:Class'\n"
    (tmp_path / "onnx-lint.toml").write_text('entry = ["a:b:c"]\n')
    assert "entry 'a:b:c' is not of the form" in lint(tmp_path, "net.py").stderr
