"""What torch's functions, methods and modules return: a reader of the generated table, and of the companions.

`data/torch_api.json` is generated from an installed torch (`tools/generate_torch_api.py`; the version is in the file).
What no signature says (a result that depends on which arguments are given) stands here, from the documentation of the
function concerned. `data/companions.json` does the same for libraries that model code leans on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class ReturnKind:
    """What a call returns: ``tensor``, ``tuple`` (of `items`), ``list`` or ``tuple*`` (any number of `element`),
    ``size``, ``dim``, ``number``, a Python type name, ``none``, ``unknown``. With `when`, the first alternative whose
    condition holds counts instead."""

    kind: str
    items: tuple[ReturnKind, ...] = ()
    element: ReturnKind | None = None
    when: tuple[tuple[Condition, ReturnKind], ...] = ()

    def choose(
        self, count: int, keyword: Mapping[str, object], is_true: Callable[[object], bool | None]
    ) -> ReturnKind:
        """The kind for a call with `count` positional arguments (the tensor of a method included)."""
        for condition, kind in self.when:
            if condition.holds(count, keyword, is_true):
                return kind
        return self


@dataclass(frozen=True)
class Condition:
    """`given`: the argument of that name, or a positional one at `position`; `true`: the keyword is given and true;
    `count`: exactly that many positional arguments."""

    given: str = ""
    position: int = 99
    true: tuple[str, ...] = ()
    count: int = -1

    def holds(self, count: int, keyword: Mapping[str, object], is_true: Callable[[object], bool | None]) -> bool:
        if self.count >= 0:
            return count == self.count and not keyword
        if self.true:
            return any(name in keyword and is_true(keyword[name]) is not False for name in self.true)
        return self.given in keyword or count > self.position


TENSOR = ReturnKind("tensor")
_TENSORS = ReturnKind("list", element=TENSOR)
_UNKNOWN = ReturnKind("unknown")


def _tensors(count: int) -> ReturnKind:
    return ReturnKind("tuple", (TENSOR,) * count)


_BY_DIM = ReturnKind("tensor", when=((Condition("dim", 1), _tensors(2)),))
_UNIQUE = ReturnKind(
    "tensor",
    when=(
        (Condition(true=("return_inverse",)), _tensors(2)),
        (Condition(true=("return_counts",)), _tensors(2)),
    ),
)
_POOL = ReturnKind("tensor", when=((Condition(true=("return_indices",)), _tensors(2)),))

# Results that depend on the arguments given (documentation of each function, torch 2.13).
_CONDITIONAL: dict[str, ReturnKind] = {
    "max": _BY_DIM, "min": _BY_DIM, "median": _BY_DIM, "nanmedian": _BY_DIM,
    "mode": _tensors(2), "sort": _tensors(2), "topk": _tensors(2), "kthvalue": _tensors(2), "cummax": _tensors(2),
    "cummin": _tensors(2), "aminmax": _tensors(2), "std_mean": _tensors(2), "var_mean": _tensors(2),
    "unique": _UNIQUE, "unique_consecutive": _UNIQUE,
    "nonzero": ReturnKind("tensor", when=((Condition(true=("as_tuple",)), ReturnKind("tuple*", element=TENSOR)),)),
    "where": ReturnKind("tensor", when=((Condition(count=1), ReturnKind("tuple*", element=TENSOR)),)),
    "split": ReturnKind("tuple*", element=ReturnKind("tensor")), "chunk": ReturnKind("tuple*", element=TENSOR),
    "unbind": ReturnKind("tuple*", element=TENSOR), "tensor_split": ReturnKind("tuple*", element=TENSOR),
    "meshgrid": ReturnKind("tuple*", element=TENSOR), "broadcast_tensors": ReturnKind("tuple*", element=TENSOR),
    "size": ReturnKind("size", when=((Condition("dim", 1), ReturnKind("dim")),)),
    "numel": ReturnKind("dim"), "nelement": ReturnKind("dim"), "stride": ReturnKind("unknown"),
    "item": ReturnKind("number"), "is_floating_point": ReturnKind("bool"), "is_complex": ReturnKind("bool"),
    "type": ReturnKind("str", when=((Condition("dtype", 1), TENSOR),)),
    "max_pool1d": _POOL, "max_pool2d": _POOL, "max_pool3d": _POOL, "adaptive_max_pool1d": _POOL,
    "adaptive_max_pool2d": _POOL, "adaptive_max_pool3d": _POOL, "fractional_max_pool2d": _POOL,
    "fractional_max_pool3d": _POOL, "is_tensor": ReturnKind("bool"), "any": TENSOR, "all": TENSOR, "equal": ReturnKind("bool"),
    "allclose": ReturnKind("bool"), "broadcast_shapes": ReturnKind("size"), "is_nonzero": ReturnKind("bool"),
    "element_size": ReturnKind("int"), "get_device": ReturnKind("int"), "dim": ReturnKind("int"),
    "cond": ReturnKind("unknown"), "vmap": ReturnKind("unknown"), "manual_seed": ReturnKind("none"),
    "qr": _tensors(2), "svd": _tensors(3), "slogdet": _tensors(2), "eigh": _tensors(2), "eig": _tensors(2),
    "lu": _tensors(3), "inv_ex": _tensors(2), "cholesky_ex": _tensors(2), "lu_factor": _tensors(2),
    "embedding_bag": TENSOR, "finfo": ReturnKind("static"), "iinfo": ReturnKind("static"), "_shape_as_tensor": TENSOR,
}  # fmt: skip

_MODULES: dict[str, ReturnKind] = {
    f"torch.nn.{name}": _POOL
    for name in ("MaxPool1d", "MaxPool2d", "MaxPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d")
}
_MODULES["torch.nn.AdaptiveLogSoftmaxWithLoss"] = _tensors(2)

_FACTORIES = frozenset(
    {"zeros", "ones", "empty", "full", "rand", "randn", "randint", "randperm", "arange", "linspace", "logspace", "eye",
     "empty_strided", "tril_indices", "triu_indices", "hann_window", "hamming_window", "blackman_window",
     "bartlett_window", "kaiser_window", "normal", "complex", "cartesian_prod"}
)  # fmt: skip
_DATA_DEPENDENT_SIZE = frozenset(
    {"nonzero", "masked_select", "unique", "unique_consecutive", "argwhere", "bincount", "nms"}
)
_ALIASES = (
    ("torch.nn.modules.", "torch.nn."), ("torch.functional.", "torch."), ("torch._C._nn.", "torch.nn.functional."),
    ("torch.nn.parameter.Parameter", "torch.nn.Parameter"), ("torch._tensor.Tensor", "torch.Tensor"),
    ("np.", "numpy."), ("torch._VF.", "torch."), ("torch.compiler.is_exporting", "torch.compiler.is_exporting"),
)  # fmt: skip


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    data: dict[str, Any] = json.loads((_DATA / "torch_api.json").read_text())
    data["methods"] = frozenset(data["methods"])
    data["tensor_only_methods"] = frozenset(data["tensor_only_methods"])
    data["constants"] = frozenset(data["constants"])
    data["functions"] = {prefix: frozenset(names) for prefix, names in data["functions"].items()}
    return data


@lru_cache(maxsize=1)
def _companions() -> dict[str, str]:
    table: dict[str, str] = json.loads((_DATA / "companions.json").read_text())["returns"]
    return table


@lru_cache(maxsize=4096)
def canonical(name: str) -> str:
    """The public name of something torch offers in several places (``torch.nn.modules.conv.Conv2d``)."""
    for alias, public in _ALIASES:
        if name.startswith(alias):
            name = public + name[len(alias) :]
            if public == "torch.nn." and name.count(".") > 2:
                name = public + name.rpartition(".")[2]
            break
    return name


def parse(text: str) -> ReturnKind:
    """A kind as written in the data: ``tensor``, ``tuple2``, ``tuple(tensor,int)``, ``list``, ``tuple*`` …."""
    if text.startswith("tuple(") and text.endswith(")"):
        items: list[str] = []
        depth, start = 0, 6
        for i in range(6, len(text)):
            if text[i] == "(":
                depth += 1
            elif text[i] == ")" and i < len(text) - 1:
                depth -= 1
            elif (text[i] == "," and depth == 0) or i == len(text) - 1:
                items.append(text[start:i])
                start = i + 1
        return ReturnKind("tuple", tuple([parse(i) for i in items if i]))
    if text.startswith("tuple:"):
        return ReturnKind("tuple", tuple([parse(i) for i in text[6:].split(",")]))
    if text.startswith("tuple") and text[5:].isdigit():
        return _tensors(int(text[5:]))
    if text in ("list", "tuple*"):
        return ReturnKind(text, element=TENSOR)
    if text.startswith("list:"):
        return ReturnKind("list", element=parse(text[5:]))
    return ReturnKind(text)


def _operator(name: str) -> ReturnKind | None:
    conditional = _CONDITIONAL.get(name)
    if conditional is not None:
        return conditional
    kinds = _table()["operators"].get(name)
    if kinds is None:
        return None
    if "tensor" in kinds:
        return TENSOR
    return parse(kinds[0]) if len(kinds) == 1 else _UNKNOWN


@lru_cache(maxsize=8192)
def function_kind(name: str) -> ReturnKind | None:
    """What an external function returns, by canonical name; ``None`` if it is not known."""
    if not name.startswith("torch."):
        text = _companions().get(name)
        if text is None:
            library, _, last = name.partition(".")
            text = _companions().get(f"{library}.*.{last.rpartition('.')[2]}")
        return None if text is None or text.startswith("module") else parse(text)
    prefix, _, last = name.rpartition(".")
    table = _table()
    if prefix == "torch" and last.startswith("_") and last in table["operators"]:
        return _operator(last)
    if prefix == "torch" or prefix == "torch.special":
        if last not in table["functions"][prefix] and last not in _CONDITIONAL:
            return None
        annotated = table["annotated"].get(name)
        kind = _operator(last) or (_operator(f"special_{last}") if prefix.endswith("special") else None)
        return kind or (parse(annotated) if annotated is not None else None)
    if prefix in ("torch.nn.functional", "torch.nn.utils.rnn"):
        if last not in table["functions"][prefix]:
            return None
        annotated = table["annotated"].get(name)
        return _CONDITIONAL.get(last) or (parse(annotated) if annotated is not None else _operator(last) or TENSOR)
    if prefix in ("torch.linalg", "torch.fft"):
        return _CONDITIONAL.get(last) or _operator(f"{prefix[6:]}_{last}")
    if prefix.startswith("torch.ops."):
        return ReturnKind("presumed")
    return None


@lru_cache(maxsize=4096)
def method_kind(name: str) -> ReturnKind | None:
    """What a method of `torch.Tensor` returns; ``None`` if it has no such method."""
    if name not in _table()["methods"] and not name.startswith("__"):
        return None
    if name.endswith("_") and not name.startswith("__"):
        return TENSOR
    kind = _operator(name)
    if kind is not None:
        return kind
    if name.startswith("is_"):
        return ReturnKind("bool")
    if name.startswith("__"):
        return _UNKNOWN
    return TENSOR


def attribute_kind(name: str) -> str | None:
    """``tensor``, ``size``, ``method`` or a Python type name, for an attribute of `torch.Tensor`."""
    table = _table()
    kind = table["attributes"].get(name)
    if kind is not None:
        return str(kind)
    return "method" if name in table["methods"] else None


@lru_cache(maxsize=4096)
def module_kind(name: str) -> ReturnKind | None:
    """What calling an instance of an external module class returns."""
    conditional = _MODULES.get(name)
    if conditional is not None:
        return conditional
    text = _table()["modules"].get(name)
    if text is not None:
        return parse(text)
    if name.startswith("torch."):
        return None
    text = _companions().get(name)
    if text is None:
        library, _, last = name.partition(".")
        text = _companions().get(f"{library}.*.{last.rpartition('.')[2]}")
    return parse(text[8:]) if text is not None and text.startswith("module->") else None


def is_tensor_only_method(name: str) -> bool:
    """Whether only tensors have a method of that name, among what model code calls methods of."""
    return name in _table()["tensor_only_methods"]


def is_plain_constant(name: str) -> bool:
    """Whether ``torch.<name>`` is a dtype, layout, memory format or number."""
    return name in _table()["constants"]


def is_in_place(name: str) -> bool:
    return name.endswith("_") and not name.endswith("__")


def is_factory(name: str) -> bool:
    """Whether a function makes a tensor from Python values alone; it is traced through its size arguments."""
    return name.startswith("torch.") and name.count(".") == 1 and name[6:] in _FACTORIES


def data_dependent_size(name: str) -> bool:
    """Whether the size of the result depends on what a tensor holds."""
    return name.rpartition(".")[2] in _DATA_DEPENDENT_SIZE
