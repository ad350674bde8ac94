"""``--export-from``: the script's own calls of ``torch.onnx.export`` are proved, and the script does what it did."""

from __future__ import annotations

from pathlib import Path

import commands

SCRIPT = """\
import argparse

import torch
from torch import nn


class Branching(nn.Module):
    def forward(self, x):
        if x.shape[0] > 16:
            return x * 2
        return x + 1


class Plain(nn.Module):
    def forward(self, ids, scale):
        return ids.float() * scale


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--engine")
    given = parser.parse_args()
    model = Branching()
    torch.onnx.export(
        model,
        (torch.randn(4, 3),),
        given.out + "/branching.onnx",
        dynamo=False,
        input_names=["picture"],
        dynamic_axes={"picture": {0: "batch"}},
    )
    sizes = {"ids": {0: torch.export.Dim("b")}, "scale": None}
    torch.onnx.export(
        Plain(), (torch.arange(4),), given.out + "/plain.onnx", kwargs={"scale": torch.ones(1)}, dynamic_shapes=sizes
    )
    print("the script came to its end:", given.engine)


if __name__ == "__main__":
    main()
"""


def _run(folder: Path, python: str, *before: str) -> commands.Ran:
    (folder / "export.py").write_text(SCRIPT)
    return commands.export_from(
        folder, python, [*before, "--output-format", "json", "--log"], ["export.py", "--out", "."]
    )


def test_each_call_is_a_target(tmp_path: Path, warm_python: str) -> None:
    ran = _run(tmp_path, warm_python)
    one, two = ran.document["exports"]
    assert (one["engine"], one["target"], one["ok"]) == ("torchscript", "export.py:25", False)
    assert one["proof"]["failed"]["state"] == "wrong" and one["inputs"][0]["name"] == "picture"
    assert (two["engine"], two["target"], two["ok"]) == ("dynamo", "export.py:34", True)
    assert two["proof"]["axes_varied"] == 1, two
    assert [d["line"] for d in ran.document["diagnostics"] if d["severity"] == "error"] == [9]
    assert ran.status == 1
    assert (tmp_path / "branching.onnx").exists() and (tmp_path / "plain.onnx").exists()
    assert "the script came to its end: None" in ran.err


def test_another_engine_for_all_calls(tmp_path: Path, warm_python: str) -> None:
    ran = _run(tmp_path, warm_python, "--engine", "torchscript")
    assert [(e["engine"], e["target"], e["ok"]) for e in ran.document["exports"]] == [
        ("torchscript", "export.py:25", False),
        ("torchscript", "export.py:34", True),
    ]


def test_options_behind_the_script_are_its_own(tmp_path: Path, warm_python: str) -> None:
    (tmp_path / "export.py").write_text(SCRIPT)
    ran = commands.export_from(tmp_path, warm_python, ["--log"], ["export.py", "--out", ".", "--engine", "mine"])
    assert "the script came to its end: mine" in ran.err


def test_a_script_without_a_call(tmp_path: Path, warm_python: str) -> None:
    (tmp_path / "nothing.py").write_text("print('nothing')\n")
    ran = commands.export_from(tmp_path, warm_python, [], ["nothing.py"])
    assert ran.status == 2 and "made no call of torch.onnx.export" in ran.err
    ran = commands.export_from(tmp_path, warm_python, [], ["missing.py"])
    assert ran.status == 2 and "missing.py: no such file" in ran.err


def test_a_script_that_fails(tmp_path: Path, warm_python: str) -> None:
    (tmp_path / "failing.py").write_text("import torch\n\nraise ValueError('not today')\n")
    ran = commands.export_from(tmp_path, warm_python, ["--output-format", "json"], ["failing.py"])
    assert ran.status == 1
    assert [(d["code"], d["line"]) for d in ran.document["diagnostics"]] == [("ONX901", 3)]


def test_a_traced_module_and_lightning_s_way(tmp_path: Path, warm_python: str) -> None:
    (tmp_path / "lit.py").write_text(
        "import torch\n\n\nclass Module(torch.nn.Module):\n"
        "    @torch.no_grad()\n"
        "    def to_onnx(self, path, input_sample, **kwargs):\n"
        "        mode = self.training\n"
        "        torch.onnx.export(self, input_sample, path, **kwargs)\n"
        "        self.train(mode)\n\n"
        "    def forward(self, x):\n        return torch.relu(x)\n\n\n"
        "x = torch.randn(3, 2)\n"
        "Module().to_onnx('lit.onnx', (x,), dynamo=False)\n"
        "traced = torch.jit.trace(Module().eval(), (x,))\n"
        "torch.onnx.export(traced, (x,), 'traced.onnx', dynamo=False, input_names=['x'], dynamic_axes={'x': [0]})\n"
    )
    ran = commands.export_from(tmp_path, warm_python, ["--output-format", "json"], ["lit.py"])
    assert [(e["target"], e["ok"]) for e in ran.document["exports"]] == [("lit.py:8", True), ("lit.py:18", True)], (
        ran.out
    )
    assert (tmp_path / "lit.onnx").exists() and (tmp_path / "traced.onnx").exists()
