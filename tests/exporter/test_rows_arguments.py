"""The arguments of ``torch.onnx.export`` through our own ``export`` and the command: rows P21, P22, E2–E4, E12."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))
from commands import export as command

from onnx_lint_exporter import ExportError, export, verify

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("torchlib_once")]
ENGINES = pytest.mark.parametrize("dynamo", [False, True], ids=["torchscript", "dynamo"])
X, Y = torch.randn(2, 3), torch.randn(2, 3)


class Sum(nn.Module):
    def forward(self, x, y):
        return x + y


class Dense(nn.Module):
    """Dropout and batch norm: what differs between the modes."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        return self.drop(self.norm(self.linear(x)))


class Fails(nn.Module):
    def forward(self, x):
        return torch.special.airy_ai(x)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def graph(folder: Path, model: Any, args: Any, **options: Any) -> onnx.GraphProto:
    """What `export` writes."""
    path = folder / "net.onnx"
    export(model, args, str(path), verbose=False, **options)
    model_proto = onnx.load(path, load_external_data=False)
    onnx.checker.check_model(model_proto)
    return model_proto.graph


def names(values: Any) -> list[str]:
    return [value.name for value in values]


def shapes(graph: onnx.GraphProto) -> list[list[Any]]:
    return [[dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in graph.input]


def line_of(mark: str) -> int:
    """The line of this file that ends with a comment."""
    lines = Path(__file__).read_text().split("\n")
    return 1 + next(number for number, text in enumerate(lines) if text.endswith(f"# {mark}"))


# --- P21 -------------------------------------------------------------------------------------------------------------


@ENGINES
def test_deprecated_arguments_are_taken_as_torch_takes_them(tmp_path: Path, dynamo: bool) -> None:
    model = Sum().eval()
    graph(
        tmp_path,
        model,
        (X, Y),
        dynamo=dynamo,
        training=torch.onnx.TrainingMode.PRESERVE,
        operator_export_type=torch.onnx.OperatorExportTypes.ONNX_FALLTHROUGH,
        do_constant_folding=False,
        custom_opsets={"some.domain": 2},
        export_modules_as_functions=False,
        autograd_inlining=False,
    )
    assert verify(model, tmp_path / "net.onnx", (X, Y))


@ENGINES
@pytest.mark.parametrize("argument", ["example_outputs", "use_external_data_format", "enable_onnx_checker", "fallback"])
def test_a_removed_argument_is_told_on_the_line_of_the_call(dynamo: bool, argument: str) -> None:
    with pytest.raises(ExportError, match=argument) as raised:
        export(Sum(), (X, Y), dynamo=dynamo, **{argument: True})  # removed
    assert isinstance(raised.value, TypeError)
    (found,) = raised.value.diagnostics
    assert (found.code, found.span.line) == ("ONX902", line_of("removed"))


@ENGINES
def test_too_many_input_names(tmp_path: Path, dynamo: bool) -> None:
    """An error in torchscript; dynamo leaves out those that are too many, without a word."""
    given = ["a", "b", "c"]
    if dynamo:
        assert names(graph(tmp_path, Sum().eval(), (X, Y), dynamo=True, input_names=given).input) == ["a", "b"]
        return
    with pytest.raises(ExportError, match="exceeded number of inputs") as raised:
        export(Sum(), (X, Y), "", dynamo=False, input_names=given)  # too many
    assert raised.value.diagnostics[0].span.line == line_of("too many")


@ENGINES
def test_axes_of_an_unknown_name(tmp_path: Path, dynamo: bool) -> None:
    """torchscript only warns, and the axis stays static; dynamo cannot convert them."""
    options = {"dynamo": dynamo, "input_names": ["x", "y"], "dynamic_axes": {"typo": {0: "n"}}}
    if not dynamo:
        with pytest.warns(UserWarning, match="Provided key typo for dynamic axes"):
            assert shapes(graph(tmp_path, Sum(), (X, Y), **options)) == [[2, 3], [2, 3]]
        return
    with pytest.raises(ExportError, match="Failed to convert 'dynamic_axes'") as raised:
        export(Sum(), (X, Y), **options)  # unknown name
    assert raised.value.diagnostics[0].span.line == line_of("unknown name")


@ENGINES
def test_both_forms_of_dynamic_axes(tmp_path: Path, dynamo: bool) -> None:
    """dynamo takes the shapes and ignores the axes; torchscript has no shapes."""
    axes = {"x": {0: "axis"}, "y": {0: "axis"}}
    options = {"dynamo": dynamo, "dynamic_axes": axes, "dynamic_shapes": {"x": {0: "n"}, "y": {0: "n"}}}
    if dynamo:
        assert shapes(graph(tmp_path, Sum(), (X, Y), **options)) == [["n", 3], ["n", 3]]
        return
    with pytest.raises(ExportError, match="only supports dynamic shapes") as raised:
        export(Sum(), (X, Y), "", **options)  # both
    assert raised.value.diagnostics[0].span.line == line_of("both")


@ENGINES
@pytest.mark.parametrize("opset", [6, 17])
def test_old_opsets(tmp_path: Path, dynamo: bool, opset: int) -> None:
    """Below 7 torchscript exports all the same, against its documentation; dynamo keeps 18 where it cannot go down."""
    graph(tmp_path, Sum(), (X, Y), dynamo=dynamo, opset_version=opset)
    (made,) = onnx.load(tmp_path / "net.onnx").opset_import
    assert made.version == (18 if dynamo and opset < 17 else opset)


class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, given):
        return given * 2


class Applies(nn.Module):
    def forward(self, x):
        return Twice.apply(x)  # applied


def test_a_function_without_symbolic_is_inlined_unless_told_not_to(tmp_path: Path) -> None:
    assert [node.op_type for node in graph(tmp_path, Applies(), (X,), dynamo=False).node][-1] == "Mul"
    with pytest.raises(ExportError, match="Couldn't export Python operator") as raised:
        export(Applies(), (X,), "", dynamo=False, autograd_inlining=False)
    assert [(d.code, d.span.line) for d in raised.value.diagnostics] == [("ONX903", line_of("applied"))]


class Raises(nn.Module):
    def __init__(self, error: Exception):
        super().__init__()
        self.error = error

    def forward(self, x):
        raise self.error  # raises


@pytest.mark.parametrize("error", [KeyError("a key"), FileNotFoundError(2, "No such file", "a.txt"), ValueError()])
def test_an_error_of_the_model_keeps_its_class_and_is_told_on_its_line(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        export(Raises(error), (X,), "", dynamo=False)
    assert isinstance(raised.value, ExportError) and raised.value.__cause__ is error
    assert raised.value.diagnostics[0].span.line == line_of("raises")
    assert str(raised.value).startswith(f"{raised.value.diagnostics[0].span.path}:{line_of('raises')}:")
    assert getattr(raised.value, "errno", None) == getattr(error, "errno", None)


NETS = """import torch
from torch import nn


class Sum(nn.Module):
    def forward(self, x, y):
        return x + y


class Dense(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 4)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        return self.drop(self.linear(x))
"""
JSON = ["--output-format", "json"]
SUM = ["nets.py:Sum", "--input", "x:float32[n=2,3]", "--input", "y:float32[n,3]"]


@pytest.fixture
def nets(tmp_path: Path) -> Path:
    (tmp_path / "nets.py").write_text(NETS)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dynamic-axes", '{"typo": {"0": "n"}}'], "no input `typo`; the inputs are x, y"),
        (["--opset", "6"], "7 is the oldest"),
        (["--dynamic-axes", '["x"]'], 'write {"input": {"0": "axis"}}'),
    ],
)
def test_the_command_refuses_what_torch_only_warns_of(
    nets: Path, warm_python: str, arguments: list[str], words: str
) -> None:
    ran = command(nets, warm_python, [*SUM, *arguments])
    assert ran.status == 2 and words in ran.err


def test_the_command_tells_of_names_too_many(nets: Path, warm_python: str) -> None:
    ran = command(nets, warm_python, [*SUM, "--input-names", "a,b,c", *JSON])
    messages = {d["engines"][0]: (d["code"], d["line"], d["message"]) for d in ran.document["diagnostics"]}
    line = 1 + NETS.split("\n").index("    def forward(self, x, y):")
    assert messages["torchscript"][:2] == ("ONX902", line)
    assert "number of input names provided (3) exceeded" in messages["torchscript"][2]
    assert messages["dynamo"] == ("ONX915", line, "no input has the name c: the model has 2 tensor inputs")


# --- P22, E12 --------------------------------------------------------------------------------------------------------


@ENGINES
def test_the_mode_of_the_export(tmp_path: Path, dynamo: bool) -> None:
    """torchscript switches to eval by itself, dynamo exports the mode that it finds."""
    made = {node.op_type for node in graph(tmp_path, Dense().train(), (X,), dynamo=dynamo).node}
    assert ("Dropout" in made) == dynamo
    assert "Dropout" not in {node.op_type for node in graph(tmp_path, Dense().eval(), (X,), dynamo=dynamo).node}


def test_torchscript_keeps_the_training_mode_when_told(tmp_path: Path) -> None:
    kept = graph(tmp_path, Dense().train(), (X,), dynamo=False, training=torch.onnx.TrainingMode.PRESERVE)
    assert "Dropout" in {node.op_type for node in kept.node}


@pytest.mark.parametrize("mode", ["eval", "train", "preserve"])
def test_the_command_chooses_the_mode_for_both_engines(nets: Path, warm_python: str, mode: str) -> None:
    ran = command(nets, warm_python, ["nets.py:Dense", "--input", "x:float32[n,3]", "--training", mode, *JSON])
    states = {entry["engine"]: entry["input1"]["state"] for entry in ran.document["exports"]}
    found = [(code, line) for code, line, _ in ran.said if code != "ONX915"]
    if mode == "eval":
        assert states == {"torchscript": "right", "dynamo": "right"} and not found
    else:  # a model is made in training mode
        assert states == {"torchscript": "not run", "dynamo": "not run"}
        assert found == [("ONX914", 1 + NETS.split("\n").index("        return self.drop(self.linear(x))"))]


def modes(model: nn.Module) -> list[bool]:
    return [module.training for module in model.modules()]


@ENGINES
def test_modes_are_restored(tmp_path: Path, dynamo: bool) -> None:
    """Also that of a frozen layer, which torch itself puts into training mode with the rest."""
    model = Dense().train()
    model.norm.eval()
    before = modes(model)
    graph(tmp_path, model, (X,), dynamo=dynamo)
    assert modes(model) == before == [True, True, False, True]
    if not dynamo:
        torch.onnx.export(model, (X,), str(tmp_path / "torch.onnx"), dynamo=False)
        assert modes(model) == [True, True, True, True]


@ENGINES
def test_modes_are_restored_when_the_export_fails(dynamo: bool) -> None:
    model = nn.Sequential(Dense(), Fails()).train()
    model[0].norm.eval()
    before = modes(model)
    with pytest.raises(ExportError, match="airy_ai"):
        export(model, (X,), "", dynamo=dynamo)
    assert modes(model) == before


# --- E2 --------------------------------------------------------------------------------------------------------------


@ENGINES
def test_partial_input_names(tmp_path: Path, dynamo: bool) -> None:
    (first, second) = names(graph(tmp_path, Sum().eval(), (X, Y), dynamo=dynamo, input_names=["a"]).input)
    assert first == "a"
    assert second == ("y" if dynamo else "onnx::Add_1")


@ENGINES
def test_names_that_reach_into_the_parameters(tmp_path: Path, dynamo: bool) -> None:
    """torchscript names parameters too; dynamo keeps their own names."""
    given = ["given", "weight", "bias"]
    made = graph(tmp_path, nn.Linear(3, 4).eval(), (X,), dynamo=dynamo, input_names=given, output_names=["made"])
    assert (names(made.input), names(made.output)) == (["given"], ["made"])
    assert set(names(made.initializer)) == {"weight", "bias"}
    renamed = graph(tmp_path, Dense().eval(), (X,), dynamo=dynamo, input_names=["given", "w", "b"])
    assert {"w", "b"} <= set(names(renamed.initializer)) if not dynamo else "w" not in names(renamed.initializer)


def test_the_command_names_inputs_after_forward(nets: Path, warm_python: str) -> None:
    """Also those that a partial list leaves out, whose dynamic axes stay dynamic."""
    for given, wanted in ((None, ["x", "y"]), ("a", ["a", "y"]), ("a,b", ["a", "b"])):
        ran = command(nets, warm_python, [*SUM, *(["--input-names", given] if given else []), *JSON])
        assert ran.status == 0, ran.err
        for entry in ran.document["exports"]:
            assert [value["name"] for value in entry["inputs"]] == wanted
            assert [value["shape"] for value in entry["inputs"]] == [["n", 3], ["n", 3]]


# --- E3 --------------------------------------------------------------------------------------------------------------


@ENGINES
@pytest.mark.parametrize("form", ["dict", "list", "shapes"])
def test_dynamic_axes_in_each_form(tmp_path: Path, dynamo: bool, form: str) -> None:
    options: dict[str, Any] = {
        "dict": {"dynamic_axes": {"x": {0: "n"}, "y": {0: "n"}}, "input_names": ["x", "y"]},
        "list": {"dynamic_axes": {"x": [0], "y": [0]}, "input_names": ["x", "y"]},
        "shapes": {"dynamic_shapes": {"x": {0: "n"}, "y": {0: "n"}}},
    }[form]
    model = Sum().eval()
    if form == "shapes" and not dynamo:
        with pytest.raises(ExportError):
            export(model, (X, Y), "", dynamo=False, **options)
        return
    (first, second) = shapes(graph(tmp_path, model, (X, Y), dynamo=dynamo, **options))
    if form == "list":  # names are made: torchscript one for each input, dynamo one for equal axes
        wanted = ["x_dynamic_axes_1", "y_dynamic_axes_1"]
        assert [first[0], second[0]] == wanted if not dynamo else first[0] == second[0] and isinstance(first[0], str)
    else:
        assert first == second == ["n", 3]
    assert verify(model, tmp_path / "net.onnx", (X, Y), (torch.randn(5, 3), torch.randn(5, 3)))


# --- E4 --------------------------------------------------------------------------------------------------------------


@ENGINES
def test_opset_version(tmp_path: Path, dynamo: bool) -> None:
    graph(tmp_path, Sum(), (X, Y), dynamo=dynamo, opset_version=19)
    assert [entry.version for entry in onnx.load(tmp_path / "net.onnx").opset_import] == [19]


@ENGINES
def test_keep_initializers_as_inputs(tmp_path: Path, dynamo: bool) -> None:
    model = nn.Linear(3, 4).eval()
    assert len(graph(tmp_path, model, (X,), dynamo=dynamo).input) == 1
    kept = graph(tmp_path, model, (X,), dynamo=dynamo, keep_initializers_as_inputs=True)
    assert set(names(kept.input)) >= {"weight", "bias"}


@ENGINES
def test_export_params(tmp_path: Path, dynamo: bool) -> None:
    """Without them torchscript makes inputs of the parameters; dynamo leaves the names undefined, an invalid model."""
    model, path = nn.Linear(3, 4).eval(), tmp_path / "net.onnx"
    export(model, (X,), str(path), dynamo=dynamo, verbose=False, export_params=False)
    made = onnx.load(path)
    assert not made.graph.initializer
    if dynamo:
        with pytest.raises(onnx.checker.ValidationError):
            onnx.checker.check_model(made)
    else:
        assert set(names(made.graph.input)) >= {"weight", "bias"}


@pytest.mark.parametrize("outside", [True, False])
def test_external_data(tmp_path: Path, outside: bool) -> None:
    """dynamo's argument; torchscript writes a data file only above 2 GB."""
    model = nn.Linear(3, 4).eval()
    graph(tmp_path, model, (X,), dynamo=True, external_data=outside)
    assert (tmp_path / "net.onnx.data").exists() == outside
    assert verify(model, tmp_path / "net.onnx", (X,))


@ENGINES
def test_keyword_arguments_of_the_model(tmp_path: Path, dynamo: bool) -> None:
    """By ``kwargs``, and by a dict at the end of the arguments."""
    for args, options in (((X,), {"kwargs": {"y": Y}}), ((X, {"y": Y}), {})):
        assert len(graph(tmp_path, Sum().eval(), args, dynamo=dynamo, **options).input) == 2
        assert verify(Sum(), tmp_path / "net.onnx", (X, {"y": Y}))


def test_optimize(tmp_path: Path) -> None:
    """dynamo's argument; constant folding is what torchscript has."""
    sizes = [len(graph(tmp_path, Dense().eval(), (X,), dynamo=True, optimize=flag).node) for flag in (True, False)]
    assert sizes[0] < sizes[1]


def test_report_and_program_of_dynamo(tmp_path: Path) -> None:
    folder = tmp_path / "artifacts"
    folder.mkdir()
    options = {"report": True, "verify": True, "dump_exported_program": True, "artifacts_dir": str(folder)}
    graph(tmp_path, Sum().eval(), (X, Y), dynamo=True, **options)
    assert {file.suffix for file in folder.iterdir()} == {".md", ".pt2"}


def test_profile_needs_a_profiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyinstrument", None)
    with pytest.raises(ExportError, match="pyinstrument") as raised:
        export(Sum().eval(), (X, Y), dynamo=True, profile=True)  # profiler
    assert isinstance(raised.value, ImportError)
    assert raised.value.diagnostics[0].span.line == line_of("profiler")


@ENGINES
def test_a_file_that_cannot_be_written_is_no_failed_export(tmp_path: Path, dynamo: bool) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        export(Sum().eval(), (X, Y), str(tmp_path / "absent" / "net.onnx"), dynamo=dynamo, verbose=False)
    assert not isinstance(raised.value, ExportError) and raised.value.errno
