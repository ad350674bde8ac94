"""The table of what torch returns, compared with what the installed torch does."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from onnx_lint.semantics import torch_kinds
from onnx_lint.semantics.torch_kinds import Questions, ReturnKind

ROOT = Path(__file__).parents[2]
DATA = ROOT / "linter/onnx_lint/semantics/catalogue/data"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_torch_api", ROOT / "tools/generate_torch_api.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.torch
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_table_is_what_the_generator_makes() -> None:
    torch = pytest.importorskip("torch")
    text = (DATA / "torch_api.json").read_text()
    known = json.loads(text)["torch"]
    if torch.__version__.partition("+")[0] != known:
        pytest.skip(f"the table is of torch {known}")
    made = generator()
    assert made.serialised(made.table()) == text, "stale: run tools/generate_torch_api.py"


def agrees(kind: ReturnKind, value: Any) -> bool:
    """Whether a value is what `kind` says."""
    import torch

    if kind.kind == "tensor":
        return isinstance(value, torch.Tensor)
    if kind.kind == "tuple":
        return (
            isinstance(value, tuple)
            and len(value) == len(kind.items)
            and all(agrees(k, v) for k, v in zip(kind.items, value, strict=True))
        )
    if kind.element is not None:
        expected = (list, tuple) if kind.kind == "tuple*" else (list,)
        return isinstance(value, expected) and all(agrees(kind.element, v) for v in value)
    types: dict[str, type | tuple[type, ...]] = {
        "size": torch.Size, "dim": int, "int": int, "float": float, "bool": bool, "str": str, "none": type(None),
        "number": (int, float),
    }  # fmt: skip
    return isinstance(value, types[kind.kind]) if kind.kind in types else not isinstance(value, torch.Tensor)


CALLS = """
torch.max(x)
torch.max(x, x)
torch.max(x, 1)
torch.min(x, dim=0)
torch.median(x, 0)
torch.mode(x)
torch.sort(x)
torch.argsort(x)
torch.topk(x, 2)
torch.kthvalue(x, 1)
torch.cummax(x, 0)
torch.aminmax(x)
torch.std_mean(x)
torch.var_mean(x)
torch.unique(x)
torch.unique(x, True, True)
torch.unique(x, return_inverse=True, return_counts=True)
torch.unique_consecutive(x, True, True)
torch.nonzero(x)
torch.nonzero(x, as_tuple=True)
torch.where(m)
torch.where(m, x, x)
torch.split(x, 2)
torch.chunk(x, 2)
torch.unbind(x)
torch.tensor_split(x, 2)
torch.hsplit(x, 2)
torch.meshgrid(v, v, indexing='ij')
torch.broadcast_tensors(x, x)
torch.atleast_2d(v)
torch.atleast_2d(v, v)
torch.numel(x)
torch.is_tensor(x)
torch.is_floating_point(x)
torch.is_nonzero(s)
torch.equal(x, x)
torch.allclose(x, x)
torch.is_complex(x)
torch.broadcast_shapes((2, 1), (1, 3))
torch.result_type(x, 1)
torch.finfo(f32)
torch.zeros(2)
torch.arange(3)
torch.rand(2)
torch.einsum('ij,ij->i', x, x)
torch.cartesian_prod(v, v)
torch.histc(x)
torch.frexp(x)
torch.svd(q)
torch.qr(q)
torch.lu(q)
torch.lu(q, get_infos=True)
torch.slogdet(q)
torch.autograd.Variable(x)
torch.linalg.cond(q)
torch.linalg.lu(q)
torch.linalg.svd(q)
torch.linalg.eigh(q)
torch.linalg.norm(x)
torch.linalg.inv_ex(q)
torch.fft.rfft(x)
torch.special.expit(x)
torch.stft(w, 4, return_complex=True)
torch.FloatTensor(2)
torch.nn.init.trunc_normal_(x)
torch.signal.windows.hann(4)
torch.nn.functional.max_pool2d(i, 2)
torch.nn.functional.max_pool2d(i, 2, return_indices=True)
torch.nn.functional.max_pool2d(i, 2, 2, 0, 1, False, True)
torch.nn.functional.adaptive_max_pool2d(i, 2, True)
torch.nn.functional.adaptive_max_pool2d(i, 2)
torch.nn.functional.interpolate(i, scale_factor=2.0)
torch.nn.functional.softmax(x, 1)
torch.nn.functional.logsigmoid(x)
torch.nn.functional.gelu(x)
torch.nn.functional.pad(x, (1, 1))
torch.nn.functional.unfold(i, 2)
torch.nn.functional.scaled_dot_product_attention(x, x, x)
torch.nn.functional.has_torch_function_unary(x)
torch.nn.functional.embedding_bag(l, x, None)
torch.nn.utils.rnn.pad_sequence([v, v])
torch.nn.utils.rnn.pack_sequence([v, v])
torch.nn.utils.rnn.pack_padded_sequence(x, [4, 4, 4, 4], batch_first=True)
"""


def arguments() -> dict[str, Any]:
    import torch

    x = torch.rand(4, 4)
    return {
        "x": x, "m": x > 0.5, "v": torch.rand(3), "s": torch.ones(1), "q": x @ x.T + torch.eye(4), "w": torch.rand(16),
        "i": torch.rand(1, 2, 8, 8), "l": torch.tensor([[0, 1], [1, 0]]), "f32": torch.float32,
    }  # fmt: skip


def called(call: str) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    """The name and the arguments of a call written as text, with the tensors of `arguments`."""
    name, _, rest = call.partition("(")
    positional, keyword = eval(f"capture({rest}", {**arguments(), "capture": lambda *args, **given: (args, given)})
    return name, positional, keyword


def resolved(name: str) -> Callable[..., Any]:
    import torch

    value: Any = torch
    for part in name.split(".")[1:]:
        value = getattr(value, part)
    function: Callable[..., Any] = value
    return function


def questions() -> Questions:
    import torch

    return Questions(lambda v: bool(v) if isinstance(v, (bool, int)) else None, lambda v: isinstance(v, torch.Tensor))


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call", CALLS.split("\n")[1:-1])
def test_functions_return_what_the_table_says(call: str) -> None:
    pytest.importorskip("torch")
    name, positional, keyword = called(call)
    kind = torch_kinds.function_kind(name)
    assert kind is not None
    chosen_kind = kind.choose(positional, keyword, questions())
    value = resolved(name)(*positional, **keyword)
    assert agrees(chosen_kind, value), f"{chosen_kind}, but torch returns {type(value)}"


METHODS = """
max()
max(1)
min(x)
sort()
size()
size(0)
numel()
nelement()
dim()
ndimension()
stride()
is_contiguous()
is_floating_point()
element_size()
storage_offset()
type()
type(f32)
tolist()
numpy()
data_ptr()
split(2)
chunk(2)
unbind()
split_with_sizes([1, 3])
where(m, x)
add_(1)
view(-1)
to(f32)
float()
long()
clone()
new_zeros(2)
new_tensor([1.0])
expand(4, 4)
repeat(2, 1)
type_as(x)
equal(x)
unique(return_counts=True)
get_device()
__add__(1)
__rsub__(1)
__getitem__(0)
__eq__(x)
__neg__()
is_same_size(x)
lu()
untyped_storage()
retain_grad()
any()
"""


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call", METHODS.split("\n")[1:-1])
def test_methods_return_what_the_table_says(call: str) -> None:
    torch = pytest.importorskip("torch")
    name, positional, keyword = called(call)
    tensor = torch.rand(4, 4, requires_grad=name == "retain_grad")
    kind = torch_kinds.method_kind(name)
    assert kind is not None
    chosen_kind = kind.choose([tensor, *positional], keyword, questions())
    value = getattr(tensor, name)(*positional, **keyword)
    assert agrees(chosen_kind, value), f"{chosen_kind}, but torch returns {type(value)}"


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
def test_every_function_of_the_table_exists() -> None:
    pytest.importorskip("torch")
    table = json.loads((DATA / "torch_api.json").read_text())
    for prefix, names in table["functions"].items():
        for name in names:
            assert callable(resolved(f"{prefix}.{name}")), f"{prefix}.{name}"


@pytest.mark.torch
@pytest.mark.parametrize(
    ("make", "call", "expected"),
    [
        ("LSTM(4, 4)", ("x",), "tuple(tensor,tuple(tensor,tensor))"),
        ("GRU(4, 4)", ("x",), "tuple(tensor,tensor)"),
        ("MultiheadAttention(4, 2)", ("x", "x", "x"), "tuple(tensor,tensor)"),
        ("MaxPool2d(2)", ("i",), "tensor"),
        ("AdaptiveAvgPool2d(2)", ("i",), "tensor"),
        ("Identity()", ("x",), "tensor"),
    ],
)
def test_modules_return_what_the_table_says(make: str, call: tuple[str, ...], expected: str) -> None:
    torch = pytest.importorskip("torch")
    name = "torch.nn." + make.partition("(")[0]
    kind = torch_kinds.module_kind(name)
    assert kind is not None
    assert (kind.kind, kind.items) == (torch_kinds.parse(expected).kind, torch_kinds.parse(expected).items)
    module = eval(f"nn.{make}", {"nn": torch.nn})
    with torch.no_grad():
        assert agrees(kind, module(*[arguments()[a] for a in call]))
