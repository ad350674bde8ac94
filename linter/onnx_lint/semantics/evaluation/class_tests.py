"""``isinstance`` of what can be called, and of modules of ``torch.nn``: factories ask it to tell a class from a name
or a partial, and models of the layers that they hold."""

from __future__ import annotations

from onnx_lint.semantics import torch_kinds
from onnx_lint.semantics.domain.values import (
    Bound,
    ClassValue,
    ExternalInstance,
    ExternalValue,
    Function,
    Partial,
    Single,
)

_DERIVED = {
    "GRU": "RNNBase", "LSTM": "RNNBase", "RNN": "RNNBase",
    "GRUCell": "RNNCellBase", "LSTMCell": "RNNCellBase", "RNNCell": "RNNCellBase",
    "LazyConv1d": "Conv1d", "LazyConv2d": "Conv2d", "LazyConv3d": "Conv3d", "LazyLinear": "Linear",
    "LazyConvTranspose1d": "ConvTranspose1d", "LazyConvTranspose2d": "ConvTranspose2d",
    "LazyConvTranspose3d": "ConvTranspose3d", "NLLLoss2d": "NLLLoss", "ReLU6": "Hardtanh",
    "UpsamplingBilinear2d": "Upsample", "UpsamplingNearest2d": "Upsample",
    "ZeroPad1d": "ConstantPad1d", "ZeroPad2d": "ConstantPad2d", "ZeroPad3d": "ConstantPad3d",
}  # fmt: skip
"""The public modules of ``torch.nn`` that derive from another public one than ``Module`` (torch 2.13)."""

_OF_ALL = frozenset({"typing.Callable", "collections.abc.Callable"})
CALLABLE = frozenset({
    *_OF_ALL, "type", "functools.partial", "types.FunctionType", "types.LambdaType", "types.MethodType",
    "types.BuiltinFunctionType",
})  # fmt: skip
"""Classes whose objects can be called."""
PLAIN = frozenset({"int", "float", "str", "bool", "list", "tuple", "dict", "set", "bytes", "NoneType", "complex"})
"""Classes whose objects cannot be called."""


def is_callable_of(value: Single, names: set[str]) -> bool | None:
    """Whether something that can be called is an instance of one of the named classes, ``None`` where it is open."""
    own = _classes_of(value)
    if own is None:
        return None
    if names & (own | _OF_ALL):
        return True
    return False if all(n in PLAIN or n in CALLABLE or _is_module(n) or n == "torch.Tensor" for n in names) else None


def is_module_of(value: ExternalInstance, names: set[str]) -> bool | None:
    """Whether a module of ``torch.nn`` is an instance of one of the named classes, ``None`` where it is open."""
    if not _is_module(value.name):
        return None
    if "torch.nn.Module" in names:
        return True
    short = value.name.removeprefix("torch.nn.")
    own = {value.name, f"torch.nn.{_DERIVED.get(short, short)}"}
    if names & own:
        return True
    # an annotation may have said `Module`: then it is any of them
    closed = value.name != "torch.nn.Module" and all(n in PLAIN or _is_module(n) for n in names)
    return False if closed else None


def _classes_of(value: Single) -> set[str] | None:
    match value:
        case ClassValue():
            return {"type"}
        case ExternalValue() if _is_module(value.name):
            return {"type"}
        case ExternalValue() if torch_kinds.function_kind(value.name) is not None:
            return set()  # of Python or built in: both are not among the plain classes
        case Function() if not value.function.decorators:
            return {"types.FunctionType", "types.LambdaType"}
        case Bound() if not isinstance(value.function, str):
            return {"types.MethodType"}
        case Partial():
            return {"functools.partial"}
    return None


def _is_module(name: str) -> bool:
    is_public = name.startswith("torch.nn.") and name.count(".") == 2
    return is_public and (name == "torch.nn.Module" or torch_kinds.module_kind(name) is not None)
