"""The table of what torch returns: read, asked, and compared with what torch does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from onnx_lint.semantics import torch_kinds
from onnx_lint.semantics.torch_kinds import Questions, ReturnKind

ROOT = Path(__file__).parents[2]
DATA = ROOT / "linter/onnx_lint/semantics/catalogue/data"

KINDS = {
    "tensor", "presumed", "tuple", "tuple*", "list", "size", "dim", "number", "int", "float", "bool", "str", "none",
    "static", "unknown",
}  # fmt: skip


def written(kind: ReturnKind | None) -> str:
    """A kind as it is written in the data."""
    if kind is None:
        return "not known"
    if kind.kind == "tuple":
        return "tuple(" + ",".join(written(i) for i in kind.items) + ")"
    if kind.element is not None:
        return f"{kind.kind}:{written(kind.element)}"
    return kind.kind


# ------------------------------------------------------------------------------------------------------- reading
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tensor", "tensor"),
        ("tuple2", "tuple(tensor,tensor)"),
        ("tuple:tensor,int", "tuple(tensor,int)"),
        ("tuple(tensor,tuple(tensor,tensor))", "tuple(tensor,tuple(tensor,tensor))"),
        ("tuple(tuple(tensor,none),tensor)", "tuple(tuple(tensor,none),tensor)"),
        ("tuple()", "tuple()"),
        ("list", "list:tensor"),
        ("list:int", "list:int"),
        ("tuple*", "tuple*:tensor"),
        ("unknown", "unknown"),
    ],
)
def test_kinds_are_read_as_written(text: str, expected: str) -> None:
    assert written(torch_kinds.parse(text)) == expected


@pytest.mark.parametrize(
    ("name", "public"),
    [
        ("torch.nn.modules.conv.Conv2d", "torch.nn.Conv2d"),
        ("torch.nn.modules.module.Module", "torch.nn.Module"),
        ("torch.nn.Conv2d", "torch.nn.Conv2d"),
        ("torch.functional.einsum", "torch.einsum"),
        ("torch._C._nn.gelu", "torch.nn.functional.gelu"),
        ("torch._C._VariableFunctions.relu", "torch.relu"),
        ("torch._VF.lstm", "torch.lstm"),
        ("torch.nn.parameter.Parameter", "torch.nn.Parameter"),
        ("torch._tensor.Tensor", "torch.Tensor"),
        ("torch.autograd.variable.Variable", "torch.autograd.Variable"),
        ("np.sqrt", "numpy.sqrt"),
        ("math.sqrt", "math.sqrt"),
    ],
)
def test_names_have_one_public_form(name: str, public: str) -> None:
    assert torch_kinds.canonical(name) == public


# ------------------------------------------------------------------------------------------ which arguments decide
def chosen(kind: ReturnKind | None, *positional: object, **keyword: object) -> str:
    assert kind is not None
    return written(kind.choose(positional, keyword, Questions(bool, lambda value: value == "tensor")))


def test_a_second_tensor_is_compared_a_dimension_is_reduced() -> None:
    largest = torch_kinds.function_kind("torch.max")
    assert chosen(largest, "tensor") == "tensor"
    assert chosen(largest, "tensor", "tensor") == "tensor"
    assert chosen(largest, "tensor", 1) == "tuple(tensor,tensor)"
    assert chosen(largest, "tensor", dim=1, keepdim=True) == "tuple(tensor,tensor)"


def test_unique_returns_what_is_asked_for() -> None:
    unique = torch_kinds.function_kind("torch.unique")
    assert chosen(unique, "tensor") == "tensor"
    assert chosen(unique, "tensor", return_counts=True) == "tuple(tensor,tensor)"
    assert chosen(unique, "tensor", return_inverse=True, return_counts=True) == "tuple(tensor,tensor,tensor)"
    assert chosen(unique, "tensor", True, True) == "tuple(tensor,tensor)"
    assert chosen(unique, "tensor", return_inverse=False) == "tensor"


def test_an_argument_of_unknown_truth_counts_as_true() -> None:
    unique = torch_kinds.function_kind("torch.unique")
    assert unique is not None
    unsure = Questions(lambda value: None, lambda value: False)
    assert written(unique.choose(["tensor"], {"return_inverse": object()}, unsure)) == "tuple(tensor,tensor)"


def test_attention_weights_can_be_left_out() -> None:
    attention = torch_kinds.module_kind("torch.nn.MultiheadAttention")
    assert chosen(attention, "tensor", "tensor", "tensor") == "tuple(tensor,tensor)"
    assert chosen(attention, "tensor", "tensor", "tensor", need_weights=False) == "tuple(tensor,none)"
    assert chosen(attention, "tensor", "tensor", "tensor", None, False) == "tuple(tensor,none)"


def test_where_of_a_condition_alone_returns_indices() -> None:
    where = torch_kinds.function_kind("torch.where")
    assert chosen(where, "tensor") == "tuple*:tensor"
    assert chosen(where, "tensor", "tensor", "tensor") == "tensor"


# ----------------------------------------------------------------------------------------------------- the answers
def test_nothing_is_known_of_unknown_names() -> None:
    assert torch_kinds.function_kind("torch.no_such_function") is None
    assert torch_kinds.function_kind("nothing") is None
    assert torch_kinds.function_kind("") is None
    assert torch_kinds.method_kind("no_such_method") is None
    assert torch_kinds.module_kind("torch.nn.NoSuchModule") is None
    assert torch_kinds.attribute_kind("no_such_attribute") is None
    assert torch_kinds.function_kind("einops.layers.torch.Rearrange") is None, "a class, not a function"
    assert torch_kinds.module_kind("einops.rearrange") is None, "a function, not a class"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("shape", "size"), ("ndim", "int"), ("dtype", "dtype"), ("device", "device"), ("is_cuda", "bool"), ("T", "tensor"),
     ("data", "tensor"), ("grad", "tensor"), ("real", "tensor"), ("view", "method"), ("requires_grad", "bool")],
)  # fmt: skip
def test_attributes(name: str, kind: str) -> None:
    assert torch_kinds.attribute_kind(name) == kind


def test_methods_that_only_tensors_have() -> None:
    for name in ("unsqueeze", "permute", "contiguous", "expand", "masked_fill", "softmax", "unbind", "numel"):
        assert torch_kinds.is_tensor_only_method(name), name
    for name in ("append", "items", "get", "format", "split", "copy", "index", "view", "reshape", "mean", "to", "item"):
        assert not torch_kinds.is_tensor_only_method(name), name


def test_in_place_methods() -> None:
    assert torch_kinds.is_in_place("add_")
    assert torch_kinds.is_in_place("requires_grad_")
    assert not torch_kinds.is_in_place("add")
    assert not torch_kinds.is_in_place("__add__")


def test_packed_sequences_are_no_tensors() -> None:
    assert written(torch_kinds.function_kind("torch.nn.utils.rnn.pack_padded_sequence")) == "unknown"
    assert written(torch_kinds.function_kind("torch.nn.utils.rnn.pad_packed_sequence")) == "tuple(tensor,tensor)"


def test_factories_and_results_of_unknown_size() -> None:
    for name in ("zeros", "ones", "arange", "full", "rand", "eye", "linspace", "empty"):
        assert torch_kinds.is_factory(f"torch.{name}"), name
    assert not torch_kinds.is_factory("torch.zeros_like")
    assert not torch_kinds.is_factory("numpy.zeros")
    assert torch_kinds.data_dependent_size("torch.nonzero")
    assert torch_kinds.data_dependent_size("torch.Tensor.masked_select")
    assert not torch_kinds.data_dependent_size("torch.sort")


def test_every_companion_has_a_known_kind() -> None:
    returns = json.loads((DATA / "companions.json").read_text())["returns"]
    assert len(returns) > 60

    def kinds(kind: ReturnKind) -> set[str]:
        inner = [*kind.items, *([kind.element] if kind.element is not None else [])]
        return {kind.kind}.union(*[kinds(i) for i in inner])

    for name, text in returns.items():
        assert kinds(torch_kinds.parse(text.removeprefix("module->"))) <= KINDS, name


def test_a_companion_is_found_wherever_its_library_offers_it() -> None:
    for name in ("timm.layers.DropPath", "timm.models.layers.DropPath", "timm.models.layers.drop.DropPath"):
        assert written(torch_kinds.module_kind(name)) == "tensor"
    assert written(torch_kinds.function_kind("einops.rearrange")) == "tensor"
    assert torch_kinds.module_kind("timm_like.layers.DropPath") is None


# ------------------------------------------------------------------------------------------------------------ cost
def test_reading_needs_no_torch() -> None:
    code = (
        "import sys; from onnx_lint.semantics import torch_kinds as t; t.function_kind('torch.relu');"
        "assert not {'torch', 'numpy'} & set(sys.modules)"
    )
    paths = [str(ROOT / "linter")]
    subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}; {code}"], check=True)


def test_the_table_stays_small() -> None:
    assert (DATA / "torch_api.json").stat().st_size < 120_000
