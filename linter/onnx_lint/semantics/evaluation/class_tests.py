"""``isinstance``: of values, of what can be called (factories ask it to tell a class from a name or a partial), and of
modules of ``torch.nn``."""

from __future__ import annotations

from onnx_lint.project.classes import ClassInfo
from onnx_lint.semantics import torch_kinds
from onnx_lint.semantics.domain.dims import varies
from onnx_lint.semantics.domain.engines import DYNAMO, TORCHSCRIPT
from onnx_lint.semantics.domain.lattice import alternatives, truth_among, type_name
from onnx_lint.semantics.domain.parts import assert_never
from onnx_lint.semantics.domain.truth import Truth, engines_of, truth_of
from onnx_lint.semantics.domain.values import (
    Array,
    Bound,
    ClassValue,
    Const,
    Dict,
    EngineFlag,
    ExternalInstance,
    ExternalValue,
    Frozen,
    Function,
    Instance,
    ModuleValue,
    Partial,
    RangeValue,
    Seq,
    Single,
    Size,
    Static,
    Super,
    Tensor,
    Unknown,
    Value,
)
from onnx_lint.semantics.known_names import ANY_TENSOR, TENSOR_CLASSES, TYPED_TENSORS

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
_CALLABLE = frozenset({
    *_OF_ALL, "type", "functools.partial", "types.FunctionType", "types.LambdaType", "types.MethodType",
    "types.BuiltinFunctionType",
})  # fmt: skip
"""Classes whose objects can be called."""
_PLAIN = frozenset({"int", "float", "str", "bool", "list", "tuple", "dict", "set", "bytes", "NoneType", "complex"})
"""Classes whose objects cannot be called."""


def is_callable_of(value: Single, names: set[str]) -> bool | None:
    """Whether something that can be called is an instance of one of the named classes, ``None`` where it is open."""
    own = _classes_of(value)
    if own is None:
        return None
    if names & (own | _OF_ALL):
        return True
    return False if all(n in _PLAIN or n in _CALLABLE or _is_module(n) or n == "torch.Tensor" for n in names) else None


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
    closed = value.name != "torch.nn.Module" and all(n in _PLAIN or _is_module(n) for n in names)
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


_SEQUENCE_CLASSES = {"list": {"list"}, "tuple": {"tuple", "shape"}, "set": {"set"}}
_ABSTRACT_SEQUENCES = frozenset(
    {"typing.Sequence", "collections.abc.Sequence", "typing.Iterable", "collections.abc.Iterable"}
)


def class_names(classes: Value) -> set[str]:
    names: set[str] = set()
    for one in alternatives(classes):
        if isinstance(one, ExternalValue):
            names.add(one.name.removeprefix("builtins."))
        elif isinstance(one, Seq):
            for item in one.items():
                names |= class_names(item)
        else:
            names.add("?")
    return names


def is_instance(value: Value, classes: Value) -> Truth:
    """Whether a value is an instance of a class or of one of several, where known."""
    return truth_among(value, lambda one: _is_instance(one, classes))


def _is_instance(value: Single, classes: Value) -> Truth:
    names = class_names(classes)
    match value:
        case Tensor():
            if names & ANY_TENSOR:
                return True
            open_ = value.presumed or "?" in names or "torch.nn.Parameter" in names or names & TYPED_TENSORS
            return None if open_ else False
        case Array():
            return None if names & TENSOR_CLASSES or "?" in names or "torch.nn.Parameter" in names else False
        case Size():
            return _is_size_instance(value, names)
        case Seq():
            if names & _ABSTRACT_SEQUENCES:
                return None if value.kind == "set" else True
            if any(value.kind in kinds and name in names for name, kinds in _SEQUENCE_CLASSES.items()):
                return True
            return None if "?" in names or value.kind in ("generator", "iterator") else _plain_false(names)
        case Dict():
            return True if "dict" in names else None if "?" in names else _plain_false(names)
        case Const() | Static():
            name = type_name(value)
            if name is None or "?" in names:
                return None
            return True if name in names or (name == "bool" and "int" in names) else _plain_false(names)
        case Instance():
            return _is_object_of(value, classes)
        case ExternalInstance():
            return is_module_of(value, names)
        case ExternalValue() | ClassValue() | Function() | Bound() | Partial():
            return is_callable_of(value, names)
        case Unknown() | EngineFlag() | Frozen() | RangeValue() | ModuleValue() | Super():
            return None
    assert_never(value)


def _is_size_instance(value: Size, names: set[str]) -> Truth:
    """Under tracing a size is a 0-dim tensor. Under dynamo it is an ``int`` where it is fixed, else a `torch.SymInt`,
    which is no ``int`` (torch 2.13, run)."""
    if value.boolean:
        return None
    can_change = varies(value.dim)
    if can_change is None:
        as_dynamo: Truth = None if names & {"int", "torch.SymInt"} else False
    else:
        as_dynamo = ("torch.SymInt" if can_change else "int") in names
    if as_dynamo is False and not names & TENSOR_CLASSES:
        return _plain_false(names - {"int", "torch.SymInt"})
    may, may_not = engines_of(as_dynamo, DYNAMO)
    as_tensor, as_other = engines_of(bool(names & TENSOR_CLASSES), TORCHSCRIPT)
    return truth_of(may | as_tensor, may_not | as_other)


def _plain_false(names: set[str]) -> bool | None:
    """False when all classes are ones that cannot be a base of a plain Python value."""
    return False if all(n in _PLAIN or n in _CALLABLE or n.startswith("torch.") for n in names) else None


def _is_object_of(value: Instance, classes: Value) -> bool | None:
    wanted = [c for one in alternatives(classes) for c in (one.items() if isinstance(one, Seq) else (one,))]
    order = value.cls.mro
    for one in wanted:
        if isinstance(one, ClassValue) and one.cls in order:
            return True
        if isinstance(one, ExternalValue) and any(not isinstance(c, ClassInfo) and c.name == one.name for c in order):
            return True
    certain = all(isinstance(one, (ClassValue, ExternalValue)) for one in wanted)
    outside = any(not isinstance(c, ClassInfo) and not c.name.startswith("torch.") for c in order)
    return False if certain and not outside else None
