"""Python's functions on objects: ``isinstance``, ``getattr``, ``functools.partial``, ``copy``."""

from __future__ import annotations

from collections.abc import Hashable

from onnx_lint.semantics.catalogue.registry import Call, models
from onnx_lint.semantics.domain import versions
from onnx_lint.semantics.domain.exact_type import type_of
from onnx_lint.semantics.domain.lattice import alternatives, is_certain, join_all
from onnx_lint.semantics.domain.sites import Conversion
from onnx_lint.semantics.domain.truth import as_value
from onnx_lint.semantics.domain.values import (
    NONE,
    STATIC,
    UNKNOWN,
    Arguments,
    Bound,
    ClassValue,
    Const,
    Dict,
    ExternalInstance,
    ExternalValue,
    Function,
    Instance,
    Partial,
    Seq,
    Single,
    Size,
    Static,
    Tensor,
    Unknown,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.source import ir

_MAX_DEFINITIONS = 64
"""Of a file that defines more only the first are found by name."""


@models("builtins.isinstance")
def _isinstance(frame: Frame, call: Call) -> Value:
    given = call.args.positional
    return as_value(frame.interp.is_instance(given[0], given[1])) if len(given) == 2 else Static("bool")


@models(*versions.PARSERS)
def _parsed_version(frame: Frame, call: Call) -> Value:
    """The version of torch stays what it is; another one has an order that its text does not have."""
    given = call.first
    return given if isinstance(given, ExternalValue) and given.name == versions.TORCH else STATIC


@models("builtins.hasattr")
def _hasattr(frame: Frame, call: Call) -> Value:
    return Static("bool")


@models("builtins.callable")
def _callable(frame: Frame, call: Call) -> Value:
    answers = {_can_be_called(one) for one in alternatives(call.first)}
    return as_value(answers.pop()) if len(answers) == 1 else Static("bool")


def _can_be_called(value: Single) -> bool | None:
    if isinstance(value, (Const, Seq, Dict, Size)):
        return False
    return True if isinstance(value, (ClassValue, Function, Partial, Bound, ExternalInstance)) else None


@models("builtins.globals")
def _globals(frame: Frame, call: Call) -> Value:
    """What the file defines, by name: layers are chosen from it (``globals()[name]``)."""
    frame.analysis.tracker.read(frame.module.dependency)
    names = frame.module.own_names[:_MAX_DEFINITIONS]
    entries: dict[Hashable, Value] = {n: frame.interp.global_value(frame.analysis, frame.module, n) for n in names}
    return Dict(entries, UNKNOWN)


@models("builtins.getattr")
def _getattr(frame: Frame, call: Call) -> Value:
    given, node = call.args.positional, call.node
    if len(given) < 2:
        return UNKNOWN
    value, name = given[:2]
    if isinstance(name, Const) and isinstance(name.value, str) and node is not None:
        receiver = node.args[0] if node.args else node
        found = frame.read(frame.interp.attribute(frame, ir.Attribute(node.at, receiver, name.value), value))
        if len(given) > 2 and (found is STATIC or found is UNKNOWN):
            return found if isinstance(value, Unknown) else join_all([given[2], STATIC]) or found
        return found
    if isinstance(value, Instance) and value.cls.is_module:
        # a computed name: one of the sub-modules, if it has any that are known
        attributes = frame.interp.attributes_of(frame, value).values()
        return join_all([v for v in attributes if isinstance(v, (Instance, ExternalInstance))]) or STATIC
    return STATIC if not value.is_traced and value is not UNKNOWN else UNKNOWN


@models("builtins.setattr")
def _setattr(frame: Frame, call: Call) -> Value:
    given = call.args.positional
    if len(given) == 3 and isinstance(given[0], Instance):
        frame.interp.register(frame, given[0], given[1], given[2])
    return NONE


@models("builtins.type")
def _type(frame: Frame, call: Call) -> Value:
    if len(call.args.positional) != 1:
        return STATIC
    return join_all([type_of(one) for one in alternatives(call.first)]) or STATIC


@models("copy.copy", "copy.deepcopy")
def _copy(frame: Frame, call: Call) -> Value:
    value = call.first
    if isinstance(value, Tensor) and is_certain(value) and call.node is not None:
        frame.emit(Conversion, call.node, value, converter=call.name, argument=call.argument_node())
    if isinstance(value, Seq):
        return Seq(value.kind, value.elements, value.element, value.origin)
    return Dict(value.entries, value.rest) if isinstance(value, Dict) else value


@models("typing.cast")
def _cast(frame: Frame, call: Call) -> Value:
    return call.args.positional[1] if len(call.args.positional) > 1 else UNKNOWN


@models("functools.partial")
def _partial(frame: Frame, call: Call) -> Value:
    given = call.args.positional
    return Partial(given[0], Arguments(given[1:], call.args.keyword)) if given else UNKNOWN


@models("functools.wraps", "functools.lru_cache", "functools.cache")
def _decorator(frame: Frame, call: Call) -> Value:
    """What they return hands its argument on."""
    return STATIC
