"""What a model is exported with: specifications, the user's function, ONNX_LINT_INPUTS, guesses."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from commands import Ran, export

from onnx_lint_exporter.worker.spec import Dim, SpecError, parse

# --- the grammar, without torch --------------------------------------------------------------------------------------


def test_an_axis_is_shared_by_name_over_all_inputs() -> None:
    x, y = parse(["x:float32[n=2,3,h=224]", "y:int64[n,h]=10"])
    assert x.dims == (Dim(2, 3, "n"), Dim(3, 3), Dim(224, 225, "h"))
    assert y.dims == (Dim(2, 3, "n"), Dim(224, 225, "h"))
    assert (y.dtype, y.low, y.high) == ("int64", 0.0, 10.0)


def test_sizes_that_are_not_given_are_at_least_two_and_differ_pairwise() -> None:
    (x, y) = parse(["x:float32[a,b,3,c=4]", "y:float32[d,e]"])
    sizes = [dim.first for spec in (x, y) for dim in spec.dims]
    assert min(sizes) >= 2 and len(set(sizes)) == len(sizes)
    assert all(dim.second != dim.first for spec in (x, y) for dim in spec.dims if dim.axis)


@pytest.mark.parametrize(
    ("text", "dtype", "dims", "low", "high"),
    [
        ("x:float32[]", "float32", (), None, None),
        ("x:float[4]", "float32", (Dim(4, 4),), None, None),
        ("x:half[n=2|6]", "float16", (Dim(2, 6, "n"),), None, None),
        ("x : bool [ 3 , n = 5 ]".replace(" = ", "="), "bool", (Dim(3, 3), Dim(5, 6, "n")), None, None),
        ("ids:long[b=2,7]=5..30522", "int64", (Dim(2, 3, "b"), Dim(7, 7)), 5.0, 30522.0),
        ("t:float64[2]=-1.5..2.5", "float64", (Dim(2, 2),), -1.5, 2.5),
        ("i:int8[2]=-3..3", "int8", (Dim(2, 2),), -3.0, 3.0),
    ],
)
def test_forms_of_a_tensor(text: str, dtype: str, dims: tuple[Dim, ...], low: float | None, high: float | None) -> None:
    (spec,) = parse([text])
    assert (spec.dtype, spec.dims, spec.low, spec.high) == (dtype, dims, low, high)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("k:int=-3", -3),
        ("s:float=0.5", 0.5),
        ("f:bool=true", True),
        ("f:bool=0", False),
        ("m:str=a b", "a b"),
        ("z:none", None),
    ],
)
def test_forms_of_a_plain_argument(text: str, value: object) -> None:
    (spec,) = parse([text])
    assert spec.dtype is None and spec.value == value and type(spec.value) is type(value)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["x"], "cannot read the input 'x': write NAME:DTYPE[SIZES]"),
        (["x:float33[2]"], "unknown dtype 'float33' in 'x:float33[2]': one of float32,"),
        (["x:float32[2;3]"], "cannot read the size '2;3'"),
        (["x:float32[-1]"], "cannot read the size '-1'"),
        (["x:float32[n=2]", "y:float32[n=3]"], "the axis 'n' has two sizes: 2 and 3"),
        (["x:float32[2]", "x:float32[3]"], "'x' is given twice"),
        (["x:int64[2]=9..3"], "the range '9..3' in 'x:int64[2]=9..3' is empty"),
        (["x:int64[2]=many"], "cannot read the range 'many'"),
        (["x:float32"], "a tensor needs brackets (x:float32[n,3])"),
        (["k:int=two"], "cannot read the value in 'k:int=two'"),
        (["x:float32[n=1.5]"], "cannot read the size 'n=1.5'"),
    ],
)
def test_what_cannot_be_read_is_told_with_what_to_write(texts: list[str], words: str) -> None:
    with pytest.raises(SpecError) as told:
        parse(texts)
    assert words in str(told.value) and "\n" not in str(told.value)


# --- through the command ---------------------------------------------------------------------------------------------

NETS = '''import collections

import torch
from torch import Tensor, nn


class Add(nn.Module):
    def forward(self, x, y):
        return x + y


class Pick(nn.Module):
    """Fails on indices out of range and on another dtype."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(7, 4)

    def forward(self, ids, keep, scale: float = 1.0, mode: str = "add", mask=None):
        assert keep.dtype is torch.bool and mask is None
        y = self.table(ids) * keep.unsqueeze(-1)
        return y + scale if mode == "add" else y * scale


class Halves(nn.Module):
    def forward(self, x, t):
        assert x.dtype is torch.float16 and t.dim() == 0
        return x * t


class Layers(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)

    def forward(self, image: Tensor, factor: int, shift: float = 0.5, *, flag: bool = True):
        return self.conv(image) * factor + shift


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(11, 4)

    def forward(self, ids):
        return self.words(ids)


class Choosy(nn.Module):
    def forward(self, x):
        return x.reshape(17, 19)


Pair = collections.namedtuple("Pair", "left right")


def made():
    class Local(nn.Module):
        def forward(self, x, y):
            return x + y.reshape(x.shape)

    return Local()


class Nested(nn.Module):
    def forward(self, pair, scale=2.0):
        return pair[0] + pair[1] * scale


def args():
    return torch.randn(2, 3), torch.randn(2, 3)


def with_kwargs():
    return (torch.randn(2, 3),), {"y": torch.randn(2, 3)}


def dict_last():
    return torch.randn(2, 3), {"y": torch.randn(2, 3)}


def several():
    return [(torch.randn(2, 3), torch.randn(2, 3)), (torch.randn(5, 3), torch.randn(5, 3))]


def nested():
    return [(Pair(torch.randn(2, 3), torch.randn(2, 3)),), (Pair(torch.randn(4, 3), torch.randn(4, 3)),)]


def refused():
    return [(torch.randn(2, 3), torch.randn(2, 3)), (torch.randn(5, 3), torch.randn(4, 3))]


def broken():
    raise RuntimeError("no data here")


specs = ["x:float32[n,3]", "y:float32[n,3]"]
value = (torch.ones(2, 3), torch.ones(2, 3))
empty = []
'''
QUICK = ["--engine", "torchscript", "--output-format", "json"]


@pytest.fixture(scope="module")
def nets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "nets.py").write_text(NETS)
    return folder


def kinds(ran: Ran, engine: str = "torchscript") -> dict[str, tuple[str, str]]:
    """Name → what the first and the second input are."""
    return {a["name"]: (a["kind"], a["second"]) for a in ran.export(engine)["arguments"]}


def shapes(ran: Ran, engine: str = "torchscript") -> dict[str, list[Any]]:
    return {entry["name"]: entry["shape"] for entry in ran.export(engine)["inputs"]}


@pytest.mark.torch
def test_one_specification_serves_both_engines(nets: Path, warm_python: str) -> None:
    """Names, shared axes, and a second input with other sizes."""
    arguments = ["nets.py:Add", "--input", "x:float32[n,3,h=4]", "--input", "y:float32[n,3,h]"]
    ran = export(nets, warm_python, [*arguments, "--output-format", "json"])
    assert ran.status == 0, ran.err
    for engine in ("torchscript", "dynamo"):
        assert shapes(ran, engine) == {"x": ["n", 3, "h"], "y": ["n", 3, "h"]}
        assert kinds(ran, engine)["x"] == ("float32[2,3,4]", "float32[3,3,5]")


@pytest.mark.torch
def test_every_kind_of_argument(nets: Path, warm_python: str) -> None:
    given = ["ids:int64[b,s]=7", "keep:bool[b,s]", "scale:float=0.25", "mode:str=mul", "mask:none"]
    ran = export(nets, warm_python, ["nets.py:Pick", *(x for spec in given for x in ("--input", spec)), *QUICK])
    entry = ran.export("torchscript")
    assert (ran.status, entry["input1"]["state"], entry["input2"]["state"]) == (0, "right", "right"), ran.out
    found = kinds(ran)
    assert found["ids"] == ("int64[2,3]", "int64[3,4]") and found["keep"] == ("bool[2,3]", "bool[3,4]")
    assert found["scale"][0] == "float 0.25" and found["mode"][0] == "str 'mul'"


@pytest.mark.torch
def test_half_precision_and_scalars(nets: Path, warm_python: str) -> None:
    arguments = ["nets.py:Halves", "--input", "x:float16[n,3]", "--input", "t:float16[]"]
    ran = export(nets, warm_python, [*arguments, *QUICK])
    assert (ran.status, kinds(ran)["t"]) == (0, ("float16[]", "float16[]")), ran.out
    assert shapes(ran) == {"x": ["n", 3], "t": []}


@pytest.mark.torch
def test_values_stay_in_their_range(nets: Path, warm_python: str) -> None:
    """An index beyond the table would fail in the model itself."""
    ran = export(nets, warm_python, ["nets.py:Tokens", "--input", "ids:int64[200,s=50]=9..11", *QUICK])
    assert (ran.status, ran.export("torchscript")["input2"]["state"]) == (0, "right")
    ran = export(nets, warm_python, ["nets.py:Tokens", "--input", "ids:int64[200,s=50]=12", *QUICK])
    assert ran.status == 1 and [code for code, _, _ in ran.said] == ["ONX901"]


@pytest.mark.torch
@pytest.mark.parametrize(
    ("source", "first", "second", "shape"),
    [
        ("args", "float32[2,3]", "float32[2,3]", [2, 3]),
        ("with_kwargs", "float32[2,3]", "float32[2,3]", [2, 3]),
        ("dict_last", "float32[2,3]", "float32[2,3]", [2, 3]),
        ("several", "float32[2,3]", "float32[5,3]", ["d0", 3]),
        ("specs", "float32[2,3]", "float32[3,3]", ["n", 3]),
        ("value", "float32[2,3]", "float32[2,3]", [2, 3]),
    ],
)
def test_inputs_from(nets: Path, warm_python: str, source: str, first: str, second: str, shape: list[Any]) -> None:
    ran = export(nets, warm_python, ["nets.py:Add", "--inputs-from", f"nets.py:{source}", *QUICK])
    entry = ran.export("torchscript")
    assert (ran.status, entry["input1"]["state"], entry["input2"]["state"]) == (0, "right", "right"), ran.out
    assert entry["inputs_from"] == f"--inputs-from nets.py:{source}"
    assert shapes(ran) == {"x": shape, "y": shape}
    assert kinds(ran) == {"x": (first, second), "y": (first, second)}


@pytest.mark.torch
def test_nested_arguments_are_named_by_their_place(nets: Path, warm_python: str) -> None:
    arguments = ["nets.py:Nested", "--inputs-from", "nets.py:nested", "--output-format", "json"]
    ran = export(nets, warm_python, arguments)
    assert shapes(ran)["pair_left"] == shapes(ran)["pair_right"] == ["d0", 3]
    assert [ran.export(engine)["input2"]["state"] for engine in ("torchscript", "dynamo")] == ["right", "right"]


@pytest.mark.torch
def test_a_bare_assertion_is_named(nets: Path, warm_python: str) -> None:
    given = ["--input", "ids:int64[2,3]=7", "--input", "keep:int64[2,3]"]
    ran = export(nets, warm_python, ["nets.py:Pick", *given, *QUICK])
    assert ran.status == 1 and "AssertionError" in ran.document["diagnostics"][0]["message"]


@pytest.mark.torch
def test_a_second_input_that_the_model_refuses_is_told(nets: Path, warm_python: str) -> None:
    ran = export(nets, warm_python, ["nets.py:Add", "--inputs-from", "nets.py:refused", *QUICK])
    second = ran.export("torchscript")["input2"]
    assert second["state"] == "not run" and "the model itself fails on the second input: RuntimeError" in second["text"]


@pytest.mark.torch
@pytest.mark.parametrize(
    ("given", "kind"),
    [("['x:float32[n=3,2]']", "float32[3,2]"), ("(torch.ones(4, 1),)", "float32[4,1]"), ("lambda: torch.ones(5)", "")],
)
def test_inputs_in_the_module_of_the_target(tmp_path: Path, warm_python: str, given: str, kind: str) -> None:
    (tmp_path / "net.py").write_text(
        "import torch\n\n\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        return x + 1\n\n\n"
        f"ONNX_LINT_INPUTS = {given}\n"
    )
    ran = export(tmp_path, warm_python, ["net.py", *QUICK])
    assert ran.status == 0, ran.err
    assert ran.export("torchscript")["inputs_from"] == "ONNX_LINT_INPUTS"
    assert kinds(ran)["x"][0] == (kind or "float32[5]")


@pytest.mark.torch
def test_without_inputs_they_come_from_the_analysis_and_vary(nets: Path, warm_python: str) -> None:
    ran = export(nets, warm_python, ["nets.py:Layers", "--engine", "dynamo", "--output-format", "json"])
    entry = ran.export("dynamo")
    assert (entry["input1"]["state"], entry["input2"]["state"]) == ("right", "right"), ran.out
    assert kinds(ran, "dynamo")["image"] == ("float32[2,3,64,64]", "float32[3,3,65,65]")
    assert kinds(ran, "dynamo")["factor"][0] == "int 2"
    assert entry["inputs_from"] == "inputs from the analysis: image: float32[N, 3, H, W]; factor: 2"
    ran = export(nets, warm_python, ["nets.py:Tokens", *QUICK])
    assert ran.status == 0 and kinds(ran)["ids"] == ("int64[2,7]", "int64[3,8]")
    assert ran.export("torchscript")["inputs_from"] == "inputs from the analysis: ids: int64[N, S] below 11"


@pytest.mark.torch
def test_what_the_analysis_does_not_know_is_guessed_and_varies_too(nets: Path, warm_python: str) -> None:
    ran = export(nets, warm_python, ["nets.py:made", *QUICK])
    said = ran.export("torchscript")["inputs_from"]
    why = "`made.<locals>.Local` is not a class that nets.py defines"
    assert said == f"guessed x: float32[N, S]; y: float32[N, S] (not from the analysis: {why})"
    assert kinds(ran)["x"] == ("float32[2,3]", "float32[3,4]") == kinds(ran)["y"], ran.out


@pytest.mark.torch
def test_a_guess_that_the_model_refuses_is_told_on_its_line(nets: Path, warm_python: str) -> None:
    ran = export(nets, warm_python, ["nets.py:Choosy", *QUICK])
    (found,) = ran.document["diagnostics"]
    line = NETS.split("\n").index("        return x.reshape(17, 19)") + 1
    assert (ran.status, found["code"], found["line"]) == (1, "ONX901", line)
    assert "--input" in (found["help"] or "")


@pytest.mark.torch
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("nets.py:Add --input z:float32[2]", "no input `z`: forward takes x, y"),
        ("nets.py:Add --input x:float32[2] --inputs-from nets.py:args", "exclude each other"),
        ("nets.py:Add --inputs-from nets.py", "name a function or value in it: nets.py:name"),
        ("nets.py:Add --inputs-from nets.py:gone", "nets.py:gone: no `gone` there"),
        ("nets.py:Add --inputs-from gone.py:fn", "gone.py: no such file"),
        ("nets.py:Add --inputs-from nets.py:empty", "an empty list; give an args tuple"),
        ("nets.py:Add --input x:float32[n", "cannot read the input 'x:float32[n': write NAME:DTYPE[SIZES]"),
        ("gone.module:Net", "no module named 'gone'"),
        ("nets.py:args", "`args()` gives a tuple, not a Module"),
        ("nets.py:value", "`value` is a tuple, not a Module"),
        ("nets.py:1x", "'1x' is not a name"),
    ],
)
def test_bad_inputs_and_targets_give_one_line(nets: Path, warm_python: str, arguments: str, words: str) -> None:
    ran = export(nets, warm_python, [*arguments.split(), "--engine", "torchscript"])
    assert ran.status == 2, ran.out
    assert words.lower() in ran.err.lower() and ran.err.count("\n") == 1


@pytest.mark.torch
def test_a_function_for_inputs_that_fails_is_told_on_its_line(nets: Path, warm_python: str) -> None:
    ran = export(nets, warm_python, ["nets.py:Add", "--inputs-from", "nets.py:broken", *QUICK])
    line = NETS.split("\n").index('    raise RuntimeError("no data here")') + 1
    assert (ran.status, ran.said) == (1, [("ONX901", line, "torchscript")])


@pytest.mark.torch
def test_a_module_by_its_dotted_name(tmp_path: Path, warm_python: str) -> None:
    package = tmp_path / "family" / "inner"
    package.mkdir(parents=True)
    (tmp_path / "family" / "__init__.py").write_text("")
    (package / "__init__.py").write_text("from .. import base\n")
    (tmp_path / "family" / "base.py").write_text("SCALE = 3\n")
    (package / "net.py").write_text(
        "from torch import nn\n\nfrom . import base\nfrom ..base import SCALE\n\n\n"
        "class Net(nn.Module):\n    def forward(self, x):\n        return x * SCALE + base.SCALE\n"
    )
    for target in ("family.inner.net:Net", "family.inner.net", "family/inner/net.py"):
        ran = export(tmp_path, warm_python, [target, "--input", "x:float32[n,3]", *QUICK])
        assert (ran.status, ran.export("torchscript")["target"]) == (0, target), ran.err
