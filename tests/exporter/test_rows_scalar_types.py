"""Scalar types on their way from torch to ONNX and back: rows P18, E14 and the scalar types of E15."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest
import torch
from torch import nn
from torch.onnx import JitScalarType

sys.path.insert(0, str(Path(__file__).parent))
from commands import export as command

from onnx_lint_exporter import ExportError, export, verify
from onnx_lint_exporter.worker import verify as running
from onnx_lint_exporter.worker.spec import DTYPES, parse

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("torchlib_once")]
ENGINES = pytest.mark.parametrize("dynamo", [False, True], ids=["torchscript", "dynamo"])
COMPLEX = {"complex64": onnx.TensorProto.FLOAT, "complex128": onnx.TensorProto.DOUBLE}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Turned(nn.Module):
    def forward(self, x):
        return x.reshape(3, 2)


@ENGINES
@pytest.mark.parametrize("name", DTYPES)
def test_every_scalar_type(tmp_path: Path, dynamo: bool, name: str) -> None:
    """The graph has the type that torch's own table gives, and ONNX Runtime gives the same values back."""
    dtype: torch.dtype = getattr(torch, name)
    given = (torch.arange(6).reshape(2, 3) % 4).to(dtype)
    path = tmp_path / "net.onnx"
    if name in COMPLEX and not dynamo:
        with pytest.raises(ExportError, match="is an unexpected tensor scalar type"):
            export(Turned(), (given,), str(path), dynamo=False)
        return
    export(Turned().eval(), (given,), str(path), dynamo=dynamo, verbose=False)
    graph = onnx.load(path).graph
    # dynamo takes a complex tensor as two real ones in a last dimension
    wanted = COMPLEX.get(name, JitScalarType.from_dtype(dtype).onnx_type())
    for value in (*graph.input, *graph.output):
        assert value.type.tensor_type.elem_type == int(wanted)
    result = verify(Turned(), path, (given,))
    assert result, result.results


@pytest.mark.parametrize("name", DTYPES)
def test_every_scalar_type_has_an_input_specification(name: str) -> None:
    (spec,) = parse([f"x:{name}[2,3]"])
    assert spec.dtype == name and JitScalarType.from_dtype(getattr(torch, name)).dtype() is getattr(torch, name)


def test_tolerances_are_those_of_the_narrowest_type() -> None:
    """A difference that float16 cannot tell is a difference in float32, and any in integers."""
    one, other = torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.004])
    assert not running.close(other.numpy(), one.numpy())
    assert running.close(other.half().numpy(), one.half().numpy())
    assert not running.close(torch.tensor([1, 3]).numpy(), torch.tensor([1, 2]).numpy())


IMPLICIT = """import torch


class Net(torch.nn.Module):
    def forward(self, x, y):
        half = x / 2  # an integer tensor becomes a float
        return half, x + 1.5, x + y, x > y, torch.where(x > 2, x, 0.5), x.sum(), x.float().mean().to(torch.int32)
"""


@pytest.mark.parametrize("kinds", [("int64", "float32"), ("int32", "float64"), ("uint8", "int64"), ("bool", "float16")])
def test_implicit_conversions_are_those_of_torch(tmp_path: Path, warm_python: str, kinds: tuple[str, str]) -> None:
    (tmp_path / "net.py").write_text(IMPLICIT)
    inputs = [argument for n, k in zip("xy", kinds, strict=True) for argument in ("--input", f"{n}:{k}[n,3]")]
    ran = command(tmp_path, warm_python, ["net.py:Net", *inputs, "--output-format", "json"])
    states = {
        entry["engine"]: (entry["input1"]["state"], entry["input2"]["state"]) for entry in ran.document["exports"]
    }
    assert states == {"torchscript": ("right", "right"), "dynamo": ("right", "right")}, ran.err
