"""What ``type(x)`` gives, and which classes are certain to be the same or different."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeGuard

from onnx_lint.semantics.domain.engines import ALL_ENGINES
from onnx_lint.semantics.domain.lattice import alternatives, is_certain, type_name
from onnx_lint.semantics.domain.truth import Truth, true_under
from onnx_lint.semantics.domain.values import (
    STATIC,
    ClassValue,
    Const,
    ExternalValue,
    Frozen,
    Instance,
    Seq,
    Single,
    Size,
    Static,
    Tensor,
)

_SYMBOLIC_INT = "torch.SymInt"
"""The type of a size of a dynamic dimension under dynamo. Under torchscript it is ``torch.Tensor``; under neither is it
``int``. A size that is fixed under dynamo is an ``int``, and nothing is frozen then that was not fixed before."""
_TENSOR = "torch.Tensor"
_TRACED = frozenset({_TENSOR, _SYMBOLIC_INT})
_PLAIN = frozenset({"int", "float", "str", "bool", "list", "tuple", "dict", "set", "bytes", "complex"})


def type_of(value: Single) -> ClassValue | ExternalValue | Static:
    """The class of a value, where it is known."""
    match value:
        case Instance():
            return ClassValue(value.cls)
        case Tensor() if is_certain(value):
            return ExternalValue(_TENSOR)
        case Size() if not value.boolean:
            return ExternalValue(_SYMBOLIC_INT)
        case Const() | Static() | Frozen(live=0):
            name = type_name(value)
            return ExternalValue(f"builtins.{name}") if name in _PLAIN else STATIC
        case Seq() if value.kind in _PLAIN:
            return ExternalValue(f"builtins.{value.kind}")
    return STATIC


def are_same(left: Single, right: Single) -> bool | None:
    """Whether two values are the same class; ``None`` where that is not known, or one is no class. A subclass of
    ``torch.Tensor`` may go by its name, and dynamo's tensors are of one."""
    match left, right:
        case ClassValue(), ClassValue():
            # an object that was not seen being made may be of a subclass
            is_related = left.cls in right.cls.mro or right.cls in left.cls.mro
            return None if is_related else False
        case ExternalValue(), ExternalValue():
            first, second = left.name.removeprefix("builtins."), right.name.removeprefix("builtins.")
            if first in _PLAIN and second in _PLAIN:
                return first == second
            if (first in _PLAIN or second in _PLAIN) and (first in _TRACED or second in _TRACED):
                return False
            if _is_layer(first) and _is_layer(second):
                return first == second
        case (ExternalValue(name), ClassValue()) | (ClassValue(), ExternalValue(name)) if _is_layer(name):
            return False
    return None


def _is_layer(name: str) -> bool:
    """Whether a name is a public one of ``torch.nn``: two of them are two classes or functions."""
    return name.startswith("torch.nn.") and name.count(".") == 2


def is_exactly(value: Single, classes: Iterable[Single]) -> Truth:
    """Whether the type of a value is one of these classes. A number that an engine still follows is a `torch.SymInt`
    there."""
    wanted = tuple(classes)
    if not isinstance(value, Frozen) or not value.live or value.type is None:
        return _is_among(type_of(value), wanted)
    frozen = _is_among(ExternalValue(f"builtins.{value.type}"), wanted)
    live = _is_among(ExternalValue(_SYMBOLIC_INT), wanted)
    if frozen is live or frozen is None or live is None:
        return frozen if frozen is live else None
    return true_under(ALL_ENGINES & ~value.live if frozen else value.live)


def is_frozen_then(value: Single, classes: Iterable[Single]) -> TypeGuard[Frozen]:
    """Whether a number is frozen under every engine under which its type is one of these classes."""
    plain = all(isinstance(one, ExternalValue) and one.name.removeprefix("builtins.") in _PLAIN for one in classes)
    return isinstance(value, Frozen) and plain


def _is_among(kind: Single, classes: tuple[Single, ...]) -> bool | None:
    answers = [are_same(kind, one) for one in classes]
    return True if True in answers else None if None in answers or not answers else False


def classes_in(value: Single) -> tuple[Single, ...] | None:
    """The classes that a tuple, list or set holds; ``None`` where they are not all known."""
    if not isinstance(value, Seq) or value.elements is None:
        return None
    found = [one for item in value.elements for one in alternatives(item)]
    return tuple(found) if len(found) == len(value.elements) else None
