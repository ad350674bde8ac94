"""What torch's functions, methods and modules return: a reader of the generated table, and of the companions.

`data/torch_api.json` is generated from an installed torch (`tools/generate_torch_api.py`; the version is in the file).
What no signature says (a result that depends on which arguments are given) stands here, from the documentation of the
function concerned. `data/companions.json` does the same for libraries that model code leans on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

_DATA = Path(__file__).parent / "catalogue" / "data"


@dataclass(frozen=True)
class ReturnKind:
    """What a call returns: ``tensor``, ``tuple`` (of `items`), ``list`` or ``tuple*`` (any number of `element`),
    ``size``, ``dim``, ``number``, a Python type name, ``none``, ``static`` (a plain value), ``unknown``. With
    `when`, the first alternative whose conditions hold counts instead."""

    kind: str
    items: tuple[ReturnKind, ...] = ()
    element: ReturnKind | None = None
    when: tuple[tuple[tuple[Condition, ...], ReturnKind], ...] = ()

    def choose(self, positional: Sequence[object], keyword: Mapping[str, object], ask: Questions) -> ReturnKind:
        """The kind for a call with these arguments; the tensor whose method is called is the first of them."""
        for conditions, kind in self.when:
            if all(c.holds(positional, keyword, ask) for c in conditions):
                return kind
        return self


@dataclass(frozen=True)
class Questions:
    """What a condition asks about an argument, whose type is the caller's own business.

    `is_true`: its truth as Python takes it, ``None`` if that is not known. `is_tensor`: whether it is one for certain.
    """

    is_true: Callable[[object], bool | None]
    is_tensor: Callable[[object], bool]


@dataclass(frozen=True)
class Condition:
    """A test of the argument `name`, which may be given at `position` too: ``given`` (as something else than a
    tensor), ``true`` (or not known to be false), ``false`` (for certain); ``only``: `position` arguments, no more."""

    test: Literal["given", "true", "false", "only"]
    name: str
    position: int = 99

    def holds(self, positional: Sequence[object], keyword: Mapping[str, object], ask: Questions) -> bool:
        if self.test == "only":
            return len(positional) == self.position and not keyword
        if self.name in keyword:
            value = keyword[self.name]
        elif self.position < len(positional):
            value = positional[self.position]
        else:
            return False
        if self.test == "given":
            return not ask.is_tensor(value)
        return (ask.is_true(value) is False) == (self.test == "false")


TENSOR = ReturnKind("tensor")
_TENSORS = ReturnKind("list", element=TENSOR)
_UNKNOWN = ReturnKind("unknown")


def _tensors(count: int) -> ReturnKind:
    return ReturnKind("tuple", (TENSOR,) * count)


_Test = Literal["given", "true", "false", "only"]


def _if(test: _Test, name: str, position: int, kind: ReturnKind, other: ReturnKind = TENSOR) -> ReturnKind:
    return ReturnKind(other.kind, other.items, other.element, (((Condition(test, name, position),), kind),))


def _unique(position: int) -> ReturnKind:
    inverse, counts = Condition("true", "return_inverse", position), Condition("true", "return_counts", position + 1)
    return ReturnKind(
        "tensor", when=(((inverse, counts), _tensors(3)), ((inverse,), _tensors(2)), ((counts,), _tensors(2)))
    )


_MANY = ReturnKind("tuple*", element=TENSOR)
_BOOL, _INT, _STATIC = ReturnKind("bool"), ReturnKind("int"), ReturnKind("static")
_BY_DIM = _if("given", "dim", 1, _tensors(2))
_AT_LEAST = _if("only", "", 1, TENSOR, _MANY)
_POOL = _if("true", "return_indices", 6, _tensors(2))
_ADAPTIVE_POOL = _if("true", "return_indices", 2, _tensors(2))
_FRACTIONAL_POOL = _if("true", "return_indices", 4, _tensors(2))
_WITHOUT_WEIGHTS = ReturnKind("tuple", (TENSOR, ReturnKind("none")))

# Results that depend on the arguments given (documentation of each function, torch 2.13).
_CONDITIONAL: dict[str, ReturnKind] = {
    "max": _BY_DIM, "min": _BY_DIM, "median": _BY_DIM, "nanmedian": _BY_DIM,
    "mode": _tensors(2), "sort": _tensors(2), "topk": _tensors(2), "kthvalue": _tensors(2), "cummax": _tensors(2),
    "cummin": _tensors(2), "aminmax": _tensors(2), "std_mean": _tensors(2), "var_mean": _tensors(2),
    "unique": _unique(2), "unique_consecutive": _unique(1),
    "nonzero": _if("true", "as_tuple", 99, _MANY), "where": _if("only", "", 1, _MANY),
    "split": _MANY, "chunk": _MANY, "unbind": _MANY, "tensor_split": _MANY, "hsplit": _MANY, "vsplit": _MANY,
    "dsplit": _MANY, "split_with_sizes": _MANY, "unsafe_split": _MANY, "unsafe_chunk": _MANY,
    "unsafe_split_with_sizes": _MANY, "meshgrid": _MANY, "broadcast_tensors": _MANY,
    "atleast_1d": _AT_LEAST, "atleast_2d": _AT_LEAST, "atleast_3d": _AT_LEAST,
    "size": _if("given", "dim", 1, ReturnKind("dim"), ReturnKind("size")),
    "numel": ReturnKind("dim"), "nelement": ReturnKind("dim"), "stride": _UNKNOWN,
    "item": ReturnKind("number"), "is_floating_point": _BOOL, "is_complex": _BOOL, "equal": _BOOL, "allclose": _BOOL,
    "is_tensor": _BOOL, "is_nonzero": _BOOL, "any": TENSOR, "all": TENSOR,
    "type": _if("given", "dtype", 1, TENSOR, ReturnKind("str")),
    "broadcast_shapes": ReturnKind("size"), "element_size": _INT, "get_device": _INT, "dim": _INT, "ndimension": _INT,
    "max_pool1d": _POOL, "max_pool2d": _POOL, "max_pool3d": _POOL, "adaptive_max_pool1d": _ADAPTIVE_POOL,
    "adaptive_max_pool2d": _ADAPTIVE_POOL, "adaptive_max_pool3d": _ADAPTIVE_POOL,
    "fractional_max_pool2d": _FRACTIONAL_POOL, "fractional_max_pool3d": _FRACTIONAL_POOL,
    "multi_head_attention_forward": _if("false", "need_weights", 99, _WITHOUT_WEIGHTS, _tensors(2)),
    "cond": _UNKNOWN, "vmap": _UNKNOWN, "manual_seed": ReturnKind("none"),
    "qr": _tensors(2), "svd": _tensors(3), "slogdet": _tensors(2), "eigh": _tensors(2), "eig": _tensors(2),
    "lu": _if("true", "get_infos", 2, _tensors(3), _tensors(2)), "inv_ex": _tensors(2), "cholesky_ex": _tensors(2),
    "lu_factor": _tensors(2), "finfo": _STATIC, "iinfo": _STATIC, "result_type": _STATIC, "_shape_as_tensor": TENSOR,
    # methods that hand out something else than a tensor; who reads data with them is the interpreter's business
    "numpy": _UNKNOWN, "tolist": _UNKNOWN, "data_ptr": _INT, "const_data_ptr": _INT, "dim_order": _STATIC,
    "register_hook": _UNKNOWN, "register_post_accumulate_grad_hook": _UNKNOWN, "storage": _UNKNOWN,
    "untyped_storage": _UNKNOWN, "storage_type": _UNKNOWN, "module_load": _UNKNOWN, "reinforce": _UNKNOWN,
}  # fmt: skip

# The same where the short name would mislead, by full name.
_BY_NAME: dict[str, ReturnKind] = {
    "torch.linalg.cond": TENSOR, "torch.linalg.lu": _tensors(3), "torch.embedding_bag": _tensors(4),
    "torch.nn.functional.embedding_bag": TENSOR, "torch.autograd.Variable": TENSOR,
    "torch.nn.utils.rnn.pack_padded_sequence": _UNKNOWN, "torch.nn.utils.rnn.pack_sequence": _UNKNOWN,
    "torch.nn.functional.has_torch_function": _BOOL, "torch.nn.functional.has_torch_function_unary": _BOOL,
    "torch.nn.functional.has_torch_function_variadic": _BOOL, "torch.nn.functional.handle_torch_function": _UNKNOWN,
    "torch.nn.functional.boolean_dispatch": _UNKNOWN, "torch.sparse.mm": TENSOR,
}  # fmt: skip

_MODULES: dict[str, ReturnKind] = {
    f"torch.nn.{name}": _POOL
    for name in ("MaxPool1d", "MaxPool2d", "MaxPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d")
}
_MODULES["torch.nn.MultiheadAttention"] = _if("false", "need_weights", 4, _WITHOUT_WEIGHTS, _tensors(2))

_FACTORIES = frozenset(
    {"zeros", "ones", "empty", "full", "rand", "randn", "randint", "randperm", "arange", "linspace", "logspace", "eye",
     "empty_strided", "tril_indices", "triu_indices", "hann_window", "hamming_window", "blackman_window",
     "bartlett_window", "kaiser_window", "normal", "complex", "cartesian_prod"}
)  # fmt: skip
_DATA_DEPENDENT_SIZE = frozenset(
    {"nonzero", "masked_select", "unique", "unique_consecutive", "argwhere", "bincount", "nms"}
)
_TYPED_TENSORS = frozenset(
    f"{kind}Tensor" for kind in ("Float", "Double", "Half", "BFloat16", "Byte", "Char", "Short", "Int", "Long", "Bool")
)
_OPERATORS = frozenset(
    f"__{prefix}{name}__"
    for name in ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow", "lshift", "rshift", "and", "xor",
                 "or")
    for prefix in ("", "r", "i")
) | frozenset(
    f"__{name}__" for name in ("neg", "pos", "invert", "abs", "eq", "ne", "lt", "le", "gt", "ge", "getitem")
)  # fmt: skip
_ALIASES = (
    ("torch.nn.modules.", "torch.nn."), ("torch.functional.", "torch."), ("torch._C._nn.", "torch.nn.functional."),
    ("torch.nn.parameter.Parameter", "torch.nn.Parameter"), ("torch._tensor.Tensor", "torch.Tensor"),
    ("np.", "numpy."), ("torch._VF.", "torch."),
    ("torch._C._VariableFunctions.", "torch."), ("torch.autograd.variable.Variable", "torch.autograd.Variable"),
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


def _is_typed_tensor(name: str) -> bool:
    """Whether `name` is one of the old constructors, such as ``torch.cuda.FloatTensor``."""
    prefix, _, last = name.rpartition(".")
    return prefix in ("torch", "torch.cuda") and last in _TYPED_TENSORS


@lru_cache(maxsize=8192)
def function_kind(name: str) -> ReturnKind | None:
    """What an external function returns, by canonical name; ``None`` if it is not known."""
    if not name.startswith("torch."):
        text = _companions().get(name)
        if text is None:
            library, _, last = name.partition(".")
            text = _companions().get(f"{library}.*.{last.rpartition('.')[2]}")
        return None if text is None or text.startswith("module") else parse(text)
    named = _BY_NAME.get(name)
    if named is not None:
        return named
    prefix, _, last = name.rpartition(".")
    table = _table()
    if prefix == "torch.nn.init":
        return TENSOR if last.endswith("_") else None
    if prefix == "torch.signal.windows" or _is_typed_tensor(name):
        return TENSOR
    if prefix == "torch" and last.startswith("_") and last in table["operators"]:
        return _operator(last)
    if prefix in ("torch", "torch.special"):
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
        return TENSOR if name in _OPERATORS else _UNKNOWN
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
