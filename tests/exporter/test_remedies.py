"""Every remedy is executed: what it replaces fails or is wrong in an engine, and what it writes is right."""

from __future__ import annotations

from pathlib import Path

import commands
import pytest
import torch

from onnx_lint_exporter.remedies import REMEDIES, Remedy, remedy_for
from onnx_lint_exporter.worker.inputs import from_specs
from onnx_lint_exporter.worker.spec import parse


def _source(remedy: Remedy) -> str:
    names = ", ".join(spec.partition(":")[0] for spec in remedy.inputs)
    classes = [
        f"class {name}(torch.nn.Module):\n    def forward(self, {names}):\n        return {code}\n"
        for name, code in (("Written", remedy.written), ("Instead", remedy.instead))
    ]
    return "import torch\n\n\n" + "\n\n".join(classes)


@pytest.mark.parametrize("remedy", REMEDIES, ids=lambda remedy: remedy.operator)
def test_remedy(remedy: Remedy, tmp_path: Path, warm_python: str) -> None:
    (tmp_path / "net.py").write_text(_source(remedy))
    given = [part for spec in remedy.inputs for part in ("--input", spec)]
    given += ["--ignore", "ONX6", "--output-format", "json", "--effort", "0"]  # the linter has words of its own
    bad = commands.export(tmp_path, warm_python, ["net.py:Written", *given])
    assert not all(entry["ok"] for entry in bad.document["exports"])
    helped = [d for d in bad.document["diagnostics"] if remedy.instead in (d["help"] or "")]
    assert helped, [(d["code"], d["message"], d["help"]) for d in bad.document["diagnostics"]]
    good = commands.export(tmp_path, warm_python, ["net.py:Instead", *given])
    for engine in remedy.engines:
        assert good.export(engine.value)["ok"], good.export(engine.value)
    models: dict[str, object] = {}
    exec(compile(_source(remedy), "net.py", "exec"), models)
    names = ("Written", "Instead")
    made = from_specs(models["Written"](), parse(list(remedy.inputs)))  # type: ignore[operator]
    for arguments in (made.first, made.second):
        assert arguments is not None
        one, two = (models[name]()(*arguments.args) for name in names)  # type: ignore[operator]
        torch.testing.assert_close(two, one)


def test_an_operator_without_one() -> None:
    assert remedy_for("aten::special_airy_ai", "no symbolic function") is None
    assert "rounding_mode" in (remedy_for("aten::floor_divide.Scalar", "") or "")
