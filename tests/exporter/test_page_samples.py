"""The samples of PyTorch's page on the exporter, each run as its reader would: the result, the lines, what to do."""

from __future__ import annotations

import io
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import onnx
import onnxruntime
import onnxscript
import pytest
import torch
from onnxscript import opset15
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))
from commands import Ran, export
from page_samples import SAMPLES, Sample

import onnx_lint_exporter as product

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("torchlib_once")]
_EXPECTED = re.compile(r"(torchscript|dynamo|both): (\w+)")
_ENGINES = ("torchscript", "dynamo")


def _result(ran: Ran, engine: str) -> str:
    entry = ran.export(engine)
    if any(d["code"] == "ONX914" for d in ran.document["diagnostics"]):
        return "random"
    if entry["stage"] in ("capture", "translate"):
        return "error"
    states = [entry["input1"]["state"], entry["input2"]["state"]]
    if entry["proof"] is not None:
        states += [state for state in (entry["proof"]["failed"]["state"],) if state != "not run"]
    return next((word for state, word in _WORDS.items() if state in states), "right" if entry["ok"] else "not ok")


_WORDS = {"failed": "fails", "wrong": "wrong", "not run": "not run"}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_sample(sample: Sample, tmp_path: Path, warm_python: str) -> None:
    """Every line that is marked is told for its engines, with nothing at warning or above on another one."""
    (tmp_path / "net.py").write_text(sample.source)
    named = sample.inputs[0].startswith("--")
    given = sample.inputs if named else tuple(part for spec in sample.inputs for part in ("--input", spec))
    ran = export(tmp_path, warm_python, ["net.py:Net", "net.py", *given, "--output-format", "json"])
    assert ran.status == sample.status
    assert (_result(ran, "torchscript"), _result(ran, "dynamo")) == (sample.torchscript, sample.dynamo)
    told = ran.document["diagnostics"]
    marked: set[int] = set()
    for line, text in enumerate(sample.source.split("\n"), 1):
        for engine, code in _EXPECTED.findall(text.partition("#")[2]):
            marked.add(line)
            for one in _ENGINES if engine == "both" else (engine,):
                assert any(d["line"] == line and d["code"] == code and one in d["engines"] for d in told), (line, one)
    assert {d["line"] for d in told if d["severity"] != "info"} <= marked
    for words in sample.says:
        texts = [ran.err, *(f"{d['message']} {d['help']}" for d in told)]
        assert any(words in text for text in texts), words


def test_there_is_a_sample_for_each_row() -> None:
    assert len({sample.name for sample in SAMPLES}) == len(SAMPLES) >= 25


class Convolutions(nn.Module):
    """A small one of AlexNet's kind: two convolutions and two linear layers, of eight parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.ReLU())
        self.pool = nn.AdaptiveAvgPool2d((2, 2))
        self.classifier = nn.Sequential(nn.Dropout(), nn.Linear(24, 8), nn.ReLU(), nn.Linear(8, 5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(torch.flatten(self.pool(self.features(x)), 1))  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def test_the_model_with_names_for_its_inputs_and_parameters(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """torchscript names the parameters too; dynamo has no place for the names, which is told."""
    model, image = Convolutions().eval(), torch.randn(2, 3, 14, 14)
    names = ["image", *(f"learned_{k}" for k in range(8))]
    path = tmp_path / "net.onnx"
    product.export(model, (image,), str(path), input_names=names, output_names=["scores"], dynamo=False, verbose=True)
    assert "learned_7" in capfd.readouterr().out  # verbose prints the graph
    proto = onnx.load(path)
    onnx.checker.check_model(proto)
    assert {tensor.name for tensor in proto.graph.initializer} >= set(names[1:])
    assert "scores" in onnx.helper.printable_graph(proto.graph) and "scores" in product.to_text(path)
    session = onnxruntime.InferenceSession(str(path))
    (scores,) = session.run(["scores"], {"image": image.numpy()})
    torch.testing.assert_close(torch.from_numpy(scores), model(image).detach(), rtol=1e-3, atol=1e-4)
    with pytest.warns(
        UserWarning, match="8 of the `input_names` name no input in the dynamo engine, first `learned_0`"
    ):
        product.export(model, (image,), str(path), input_names=names, dynamo=True, verbose=False)


@pytest.mark.parametrize("dynamo", [False, True])
def test_a_dict_as_the_only_argument(dynamo: bool) -> None:
    class Net(nn.Module):
        def forward(self, d: dict[str, torch.Tensor]) -> torch.Tensor:
            return d["a"] + d["b"]

    given = {"a": torch.ones(2), "b": torch.ones(2)}
    with pytest.raises(product.ExportError, match=r"put an empty one behind it, `\(d, \{\}\)`"):
        product.export(Net(), (given,), io.BytesIO(), dynamo=dynamo)
    product.export(Net(), (given, {}), io.BytesIO(), dynamo=dynamo, verbose=False)


DOMAIN = onnxscript.values.Opset("onnx_lint_page.script", 1)


@onnxscript.script(DOMAIN)
def Selu(X):  # type: ignore[no-untyped-def]  # onnxscript reads the body, and takes no annotations
    positive = opset15.Max(X, opset15.CastLike(opset15.Constant(value_float=0.0), X))
    negative = opset15.Min(X, opset15.CastLike(opset15.Constant(value_float=0.0), X))
    return 1.0507 * (positive + 1.67326 * (opset15.Exp(negative) - 1.0))


class Scaled(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.selu(x)


def test_an_onnxscript_function(tmp_path: Path) -> None:
    """The version of its domain is the one that it was written with; dynamo does not use it, which is told."""
    x, path = torch.randn(3, 4), str(tmp_path / "net.onnx")
    torch.onnx.register_custom_op_symbolic("aten::selu", lambda g, x: g.onnxscript_op(Selu, x).setType(x.type()), 9)
    try:
        asked = {"opset_version": 15, "dynamo": False}
        with pytest.raises(product.ExportError, match="added in version 1, try exporting with this version"):
            product.export(Scaled(), (x,), path, custom_opsets={"onnx_lint_page.script": 2}, **asked)
        product.export(Scaled(), (x,), path, custom_opsets={"onnx_lint_page.script": 1}, **asked)
        assert "onnx_lint_page.script.Selu" in product.to_text(path)
        assert product.verify(Scaled(), path, (x,))
        with pytest.warns(UserWarning, match="registered for `aten::selu` has no effect in the dynamo engine"):
            product.export(Scaled(), (x,), path, dynamo=True, verbose=False)
        with pytest.warns(UserWarning, match="`custom_opsets` has no effect in the dynamo engine"):
            product.export(Scaled(), (x,), path, dynamo=True, custom_opsets={"onnx_lint_page.script": 1}, verbose=False)
    finally:
        torch.onnx.unregister_custom_op_symbolic("aten::selu", 9)


class Layers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)  # type: ignore[no-any-return]


def test_every_wrong_translation_is_found() -> None:
    """The page finds both calls of a wrong relu; a wrong tanh between them is found as well."""
    wrong = {"aten::relu": "Abs", "aten::tanh": "Sin"}
    for name, operator in wrong.items():
        torch.onnx.register_custom_op_symbolic(name, lambda g, x, operator=operator: g.op(operator, x), 9)
    try:
        report = product.find_mismatch(Layers().eval(), (torch.randn(2, 3),))
    finally:
        for name in wrong:
            torch.onnx.unregister_custom_op_symbolic(name, 9)
    assert report.operator == "relu" and [name for _, name in report.others] == ["tanh", "relu"]
    assert str(report).count("wrong by itself, too") == 2


def test_all_operators_without_a_translation() -> None:
    class Net(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = torch.special.bessel_j0(x)
            return torch.special.airy_ai(y) + torch.special.bessel_j0(y)

    for engine in _ENGINES:
        found = product.unconvertible_ops(Net(), (torch.randn(2, 3),), engine=engine)
        places = {op.operator: len(op.places) for op in found}
        assert places == {"aten::special_bessel_j0": 2, "aten::special_airy_ai": 1}


@pytest.mark.parametrize("axes", [{"x": {0: "n", 1: "s"}}, {"x": [0, 1]}])
def test_dynamic_axes_as_a_dict_and_as_a_list(axes: dict[str, object]) -> None:
    class Net(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.sum(x, dim=1)

    made = io.BytesIO()
    options = {"input_names": ["x"], "output_names": ["sum"], "dynamo": False}
    product.export(Net(), (torch.ones(2, 2),), made, dynamic_axes=axes, **options)
    shape = onnx.load_from_string(made.getvalue()).graph.input[0].type.tensor_type.shape.dim
    assert all(dim.dim_param for dim in shape)
    assert product.verify(Net(), made, (torch.ones(2, 2),), (torch.randn(5, 7),))


def test_the_mode_and_the_scalar_types() -> None:
    model = Convolutions().train()
    with torch.onnx.select_model_mode_for_export(model, torch.onnx.TrainingMode.EVAL):
        assert not model.training
    assert model.training
    assert torch.onnx.JitScalarType.from_dtype(torch.float32).onnx_type() == torch.onnx.TensorProtoDataType.FLOAT
