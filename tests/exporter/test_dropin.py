"""`onnx_lint_exporter.export` in the place of ``torch.onnx.export``: what it takes, gives, raises and leaves behind."""

from __future__ import annotations

import inspect
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

import onnx_lint_exporter
from onnx_lint.target import Engine
from onnx_lint_exporter import ExportError, export, find_mismatch, to_text, unconvertible_ops, verify

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("torchlib_once")]
ENGINES = pytest.mark.parametrize("dynamo", [False, True], ids=["torchscript", "dynamo"])
X, Y = torch.randn(2, 3), torch.randn(2, 3)
HERE = Path(__file__)


class Scaled(nn.Module):
    def forward(self, x, y):
        return x + y * 2


class Mapping(nn.Module):
    def forward(self, x, table):
        return x + table["y"]


class Bessel(nn.Module):
    def forward(self, x):
        first = torch.special.bessel_y0(x)  # unconvertible: y0
        second = torch.special.bessel_j0(x)  # unconvertible: j0
        return first + second + torch.special.bessel_y0(second)  # unconvertible: y0 again


class Unrecordable(nn.Module):
    def forward(self, x):
        if x.sum() > 0 and not isinstance(x, float):
            raise KeyError("a key that is absent")  # fails
        return x


class Frozen(nn.Module):
    def forward(self, x):
        return x * float(x.abs().max())


class Positive(nn.Module):
    """An output that ONNX Runtime refuses to make for other sizes."""

    def forward(self, x):
        return x.reshape(int(x.shape[0]), 3)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def line_of(words: str) -> int:
    """The line of this file that ends in a comment with these words."""
    lines = HERE.read_text().split("\n")
    return next(number for number, line in enumerate(lines, 1) if line.endswith(f"# {words}"))


def run(exported: Any, *given: torch.Tensor) -> np.ndarray[Any, Any]:
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    feed = {entry.name: value.numpy() for entry, value in zip(session.get_inputs(), given, strict=False)}
    result: np.ndarray[Any, Any] = session.run(None, feed)[0]
    return result


def test_every_argument_of_torch_is_taken() -> None:
    theirs, ours = inspect.signature(torch.onnx.export), inspect.signature(export)
    given = {name: None for name in theirs.parameters if name not in ("model", "args", "f")}
    assert len(given) >= 15
    ours.bind(Scaled(), (X, Y), "net.onnx", **given)
    for name in ("model", "args", "f"):
        mine, other = ours.parameters[name], theirs.parameters[name]
        assert (mine.kind, mine.default) == (other.kind, other.default)


def test_the_module_offers_what_its_guide_names() -> None:
    names = {"ExportError", "export", "find_mismatch", "to_text", "unconvertible_ops", "verify"}
    assert names <= set(onnx_lint_exporter.__all__)
    assert all(inspect.getdoc(getattr(onnx_lint_exporter, name)) for name in names)


@ENGINES
@pytest.mark.parametrize("form", ["str", "path", "buffer"])
def test_where_the_model_goes(tmp_path: Path, dynamo: bool, form: str) -> None:
    path, buffer = tmp_path / "net.onnx", io.BytesIO()
    if form == "buffer" and dynamo:
        program = export(Scaled(), (X, Y), None, dynamo=True, verbose=False)
        buffer.write(program.model_proto.SerializeToString())
    else:
        target = {"str": str(path), "path": path, "buffer": buffer}[form]
        export(Scaled(), (X, Y), target, dynamo=dynamo, verbose=False)
    data = buffer.getvalue() if form == "buffer" else path.read_bytes()
    np.testing.assert_allclose(run(data, X, Y), X + Y * 2, rtol=1e-5)
    left = {entry.name for entry in tmp_path.iterdir()}
    if dynamo:
        left.discard("net.onnx.data")  # torch makes one by default, for a model without weights too
    assert left == (set() if form == "buffer" else {"net.onnx"})


def test_the_program_of_dynamo_is_given_back(tmp_path: Path) -> None:
    for f in (None, tmp_path / "net.onnx"):
        program = export(Scaled(), (X, Y), f, dynamo=True, verbose=False)
        assert isinstance(program, torch.onnx.ONNXProgram)
        assert program.exported_program is not None
        assert verify(Scaled(), program, (X, Y)).ok
    assert export(Scaled(), (X, Y), str(tmp_path / "old.onnx"), dynamo=False) is None


@ENGINES
@pytest.mark.parametrize("form", ["trailing dict", "kwargs"])
def test_keyword_arguments_of_the_model(tmp_path: Path, dynamo: bool, form: str) -> None:
    path = tmp_path / "net.onnx"
    if form == "kwargs":
        export(Scaled(), (X,), path, kwargs={"y": Y}, dynamo=dynamo, verbose=False)
    else:
        export(Scaled(), (X, {"y": Y}), path, dynamo=dynamo, verbose=False)
    np.testing.assert_allclose(run(path, X, Y), X + Y * 2, rtol=1e-5)


@ENGINES
def test_a_dict_that_is_an_argument_is_followed_by_an_empty_one(tmp_path: Path, dynamo: bool) -> None:
    path = tmp_path / "net.onnx"
    export(Mapping(), (X, {"y": Y}, {}), path, dynamo=dynamo, verbose=False)
    np.testing.assert_allclose(run(path, X, Y), X + Y, rtol=1e-5)
    assert verify(Mapping(), path, (X, {"y": Y}, {})).ok


@ENGINES
def test_a_failure_carries_its_lines_and_is_torchs_own_too(tmp_path: Path, dynamo: bool) -> None:
    with pytest.raises(ExportError) as caught:
        export(Bessel(), (X,), tmp_path / "net.onnx", dynamo=dynamo, verbose=False)
    error = caught.value
    assert error.stage == "translate" and error.__cause__ is not None
    assert isinstance(error, type(error.__cause__))
    (first, *_) = error.diagnostics
    assert (Path(first.span.path).name, first.span.line) == (HERE.name, line_of("unconvertible: y0"))
    assert (first.code, first.engines) == ("ONX903", (Engine.DYNAMO if dynamo else Engine.TORCHSCRIPT,))
    assert f"{HERE.name}:{first.span.line}:{first.span.column}: {first.message}" in str(error)
    assert str(error.__cause__) in str(error)
    assert not list(tmp_path.iterdir())


@ENGINES
def test_a_failure_of_the_models_own_code(tmp_path: Path, dynamo: bool) -> None:
    with pytest.raises(ExportError) as caught:
        export(Unrecordable(), (X.abs(),), tmp_path / "net.onnx", dynamo=dynamo, verbose=False)
    (found,) = caught.value.diagnostics
    wanted = line_of("fails") - (1 if dynamo else 0)  # dynamo stops at the branch, torchscript runs into it
    assert (caught.value.stage, found.span.line) == ("capture", wanted)
    assert not list(tmp_path.iterdir())


@ENGINES
def test_a_file_that_was_there_stays_when_the_export_fails(tmp_path: Path, dynamo: bool) -> None:
    path, data = tmp_path / "net.onnx", tmp_path / "net.onnx.data"
    path.write_bytes(b"a model")
    data.write_bytes(b"its weights")
    with pytest.raises(ExportError):
        export(Bessel(), (X,), path, dynamo=dynamo, verbose=False, external_data=True)
    assert (path.read_bytes(), data.read_bytes()) == (b"a model", b"its weights")


# --- verify ----------------------------------------------------------------------------------------------------------


def test_verify_takes_every_form_of_a_model(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    export(Scaled(), (X, Y), str(path), dynamo=False)
    forms: list[Any] = [path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes()), onnx.load(path)]
    for form in forms:
        result = verify(Scaled(), form, (X, Y), (X * 2, Y - 1))
        assert result and [entry.state for entry in result.results] == ["right", "right"]
    assert to_text(path) == to_text(path.read_bytes())


def test_verify_makes_a_second_input_of_its_own(tmp_path: Path) -> None:
    export(Frozen(), (X,), tmp_path / "net.onnx", dynamo=False)
    result = verify(Frozen(), tmp_path / "net.onnx", (X,))
    assert [entry.state for entry in result.results] == ["right", "wrong"] and not result


def test_verify_names_the_worst_value(tmp_path: Path) -> None:
    export(Frozen(), (X,), tmp_path / "net.onnx", dynamo=False)
    second = torch.tensor([[1.0, 1.0, 1.0], [1.0, 100.0, 1.0]])
    wrong = verify(Frozen(), tmp_path / "net.onnx", (X,), (second,)).results[1]
    assert wrong.worst is not None
    assert wrong.worst.index == (1, 1) and float(wrong.worst.want) == 10000.0
    assert (wrong.worst.wrong, wrong.worst.of) == (6, 6)


def test_verify_tells_of_a_model_that_does_not_run(tmp_path: Path) -> None:
    names = {"input_names": ["x"], "dynamic_axes": {"x": {0: "n"}}}
    export(Positive(), (X,), tmp_path / "net.onnx", dynamo=False, **names)
    result = verify(Positive(), tmp_path / "net.onnx", (X,), (torch.randn(4, 3),))
    assert [entry.state for entry in result.results] == ["right", "failed"]
    assert "Reshape" in result.results[1].text


def test_verify_refuses_what_is_no_model() -> None:
    model = onnx.helper.make_model(
        onnx.helper.make_graph([onnx.helper.make_node("Relu", ["absent"], ["y"])], "broken", [], [])
    )
    with pytest.raises(onnx.checker.ValidationError):
        verify(Scaled(), model, (X, Y))


# --- the other functions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["torchscript", "dynamo"])
def test_all_unconvertible_operators_with_all_their_places(engine: str) -> None:
    found = {
        op.operator: [place.line for place in op.places] for op in unconvertible_ops(Bessel(), (X,), engine=engine)
    }
    again = line_of("unconvertible: y0 again")
    assert found == {
        "aten::special_bessel_y0": [line_of("unconvertible: y0"), again],
        "aten::special_bessel_j0": [line_of("unconvertible: j0")],
    }
    assert unconvertible_ops(Scaled(), (X, Y), engine=engine) == []


def test_unconvertible_at_an_opset() -> None:
    class Gelu(nn.Module):
        def forward(self, x):
            return torch.nn.functional.grid_sample(x, torch.zeros(1, 2, 2, 2), align_corners=False)

    image = torch.randn(1, 1, 4, 4)
    assert [op.operator for op in unconvertible_ops(Gelu(), (image,), 15)] == ["aten::grid_sampler"]
    assert unconvertible_ops(Gelu(), (image,), 16) == []


def test_operators_of_a_model_that_cannot_be_recorded() -> None:
    for engine in ("torchscript", "dynamo"):
        with pytest.raises(ExportError):
            unconvertible_ops(Unrecordable(), (X.abs(),), engine=engine)


def test_find_mismatch_of_a_frozen_value(tmp_path: Path) -> None:
    report = find_mismatch(Frozen(), (X,), (X * 3,))
    assert report and (report.fault, report.operator, report.state) == ("tracing", "mul", "wrong")
    assert report.place is not None and report.place.line == line_of_frozen()
    assert "→ max" in str(report) and "✗ mul" in str(report)
    report.write_reproduction(tmp_path / "small.py")
    compile((tmp_path / "small.py").read_text(), "small.py", "exec")
    assert not find_mismatch(Frozen(), (X,))


def line_of_frozen() -> int:
    return HERE.read_text().split("\n").index("        return x * float(x.abs().max())") + 1


def test_text_holds_no_weights(tmp_path: Path) -> None:
    export(nn.Linear(30, 40), (torch.randn(2, 30),), str(tmp_path / "net.onnx"), dynamo=False)
    text = to_text(tmp_path / "net.onnx")
    assert "Gemm" in text and "float[40,30] weight" in text and len(text) < 1500
