"""Who answers a call that leaves the project: its own model, else what data says of its library."""

from __future__ import annotations

from onnx_lint.semantics import torch_kinds
from onnx_lint.semantics.catalogue import numpy, offered, operator_calls, shaping, torch_results
from onnx_lint.semantics.catalogue.registry import Call, function_model, method_model
from onnx_lint.semantics.domain.lattice import vague_result
from onnx_lint.semantics.domain.values import (
    STATIC,
    UNKNOWN,
    Arguments,
    Tensor,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.source import ir

_PYTHON = ("builtins.", "math.", "functools.", "itertools.", "operator.", "copy.", "typing.", "collections.")


def call_external(frame: Frame, node: ir.Call | None, name: str, args: Arguments) -> Value:
    """Call a function or class outside the project by its full name."""
    name = torch_kinds.canonical(name)
    if name in offered.NAMES:
        return offered.contained(frame, name, lambda: _call_with_shape(frame, node, name, args))
    return _call_with_shape(frame, node, name, args)


def _call_with_shape(frame: Frame, node: ir.Call | None, name: str, args: Arguments) -> Value:
    return shaping.function(frame, node, name, args, _call_external(frame, node, name, args))


def _call_external(frame: Frame, node: ir.Call | None, name: str, args: Arguments) -> Value:
    call = Call(name, node, args)
    operator_calls.note(frame, call, args)
    model = function_model(name)
    if model is not None:
        return model(frame, call)
    if name.startswith(_PYTHON):
        return _of_python(call)
    if name.startswith(numpy.LIBRARIES):
        return numpy.call(frame, call)
    if name.startswith("torch.Tensor.") and args.positional:
        return frame.interp.call_method(frame, node, args.positional[0], call.short, args.without_first())
    kind = torch_kinds.function_kind(name)
    if kind is not None:
        return torch_results.result(frame, call, kind)
    if torch_kinds.module_kind(name) is not None or _looks_like_class(call.short):
        return torch_results.construct(frame, call)
    return vague_result(args)


def _of_python(call: Call) -> Value:
    """A function of the standard library without a model: fixed, when all that it is given is."""
    if call.name.startswith("builtins.") and call.short[:1].isupper():
        return STATIC  # an exception
    return STATIC if not any(a.is_traced or a is UNKNOWN for a in call.args.all()) else UNKNOWN


def _looks_like_class(short: str) -> bool:
    return short[:1].isupper() and not short.isupper()


def call_method(frame: Frame, node: ir.Call | None, receiver: Value, name: str, args: Arguments) -> Value:
    """Call a method by name of something that is no project object."""
    if isinstance(receiver, Tensor):
        operator_calls.note(frame, Call(f"torch.Tensor.{name}", node, args), args.after(receiver))
    model = method_model(receiver, name)
    result = UNKNOWN if model is None else model(frame, Call(name, node, args), receiver)
    return shaping.method(frame, node, name, receiver, args, result) if isinstance(receiver, Tensor) else result
