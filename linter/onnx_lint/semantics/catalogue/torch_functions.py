"""Functions of torch of which no table says enough: what makes a result traced, and where a value leaves the graph."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.registry import Call, Model, models
from onnx_lint.semantics.domain.dtypes import dtype_named, promote
from onnx_lint.semantics.domain.engines import DYNAMO, TORCHSCRIPT
from onnx_lint.semantics.domain.parts import certain_parts
from onnx_lint.semantics.domain.sites import TensorFrom
from onnx_lint.semantics.domain.values import (
    NONE,
    STATIC,
    UNKNOWN,
    Arguments,
    Const,
    EngineFlag,
    ExternalValue,
    Seq,
    Size,
    Static,
    Tensor,
    Unknown,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.known_names import TYPED_TENSORS
from onnx_lint.source import ir

_CHECKS = frozenset({"torch._assert"})
"""Functions that only check their first argument, given a message."""


def check_call(frame: Frame, node: ir.Call, name: str) -> Value | None:
    """``torch._assert(condition, message)``: a check, and a message that formats what it checks; ``None`` for other
    functions. It comes before its arguments are evaluated, since these stand in a check."""
    if name not in _CHECKS:
        return None
    with frame.checking():
        if node.args:
            frame.interp.condition(frame, node.args[0], "torch._assert", node)
            for argument in node.args[1:]:
                frame.interp.evaluate(frame, argument)
            frame.interp.require(frame, node.args[0], True)
        for _, value in node.keywords:
            frame.interp.evaluate(frame, value)
    return NONE


# ----------------------------------------------------------------------------------------- what holds during an export
def _says(value: Value) -> Model:
    def model(frame: Frame, call: Call) -> Value:
        return value

    return model


# Measured with torch 2.13: `is_tracing` holds under the torchscript engine only, `is_exporting` under dynamo only,
# `is_in_onnx_export` under both.
for _value, _names in (
    (EngineFlag(TORCHSCRIPT, DYNAMO), ("torch.jit.is_tracing", "torch._C._get_tracing_state")),
    (
        EngineFlag(DYNAMO, TORCHSCRIPT),
        ("torch.compiler.is_compiling", "torch.compiler.is_exporting", "torch._dynamo.is_compiling"),
    ),
    (Const(True), ("torch.onnx.is_in_onnx_export",)),
    (Const(False), ("torch.jit.is_scripting", "torch.is_grad_enabled")),
    (Static("device"), ("torch.device", "torch.get_default_device")),
    (ExternalValue("torch.float32"), ("torch.get_default_dtype",)),
    (Static("bool"), ("torch.compiler.is_dynamo_compiling", "torch.is_autocast_enabled", "torch.cuda.is_available")),
):
    models(*_names)(_says(_value))


@models("torch.promote_types")
def _promoted(frame: Frame, call: Call) -> Value:
    """``torch.promote_types(a, b)`` of two dtypes that are known."""
    names = [dtype_named(v.name) for v in call.args.positional if isinstance(v, ExternalValue)]
    known = [name for name in names if name is not None]
    both = promote(known[0], known[1]) if len(known) == 2 else None
    return STATIC if both is None else ExternalValue(f"torch.{both}")


# ------------------------------------------------------------------------------------------------ values into tensors
@models("torch.tensor", "torch.as_tensor", "torch.asarray", "torch.Tensor", *sorted(TYPED_TENSORS))
def tensor_from(frame: Frame, call: Call) -> Value:
    """``torch.tensor(value)`` and the like: Python values become a constant of the graph."""
    given = call.args.get(0, "data") or call.args.keyword.get("obj")
    if given is None:
        return Tensor(False)
    node, keeps = call.node, call.name in ("torch.as_tensor", "torch.asarray")
    if isinstance(given, Tensor) and call.name == "torch.Tensor":
        if node is not None and given.traced and not given.presumed:
            frame.emit(TensorFrom, node, given, constructor=call.name, is_traced=True, elements=(), is_sequence=False)
        return given  # a copy, and live in both engines (torch 2.13)
    if isinstance(given, Tensor) and (keeps or not given.traced):
        if node is not None:  # right, but the tracer warns
            frame.emit(TensorFrom, node, given, constructor=call.name, is_traced=False, elements=())
        return given
    if isinstance(given, Unknown):
        return Tensor(True, True)
    parts = certain_parts((given,))
    if isinstance(given, Tensor) and given.presumed:
        return Tensor(given.traced, True, given.origin)
    if node is not None:
        first = node.args[0] if node.args else None
        frame.emit(
            TensorFrom,
            node,
            parts[0] if parts else given,
            constructor=call.name,
            is_traced=bool(parts),
            elements=first.elements if isinstance(first, ir.Sequence) else (),
            is_sequence=isinstance(given, Seq),
        )
    is_shape = isinstance(given, Seq) and any(isinstance(p, Size) for p in parts)
    return Tensor(bool(parts), False, parts[0].origin if parts else None, None, is_shape)


# ----------------------------------------------------------------------------------------- functions of other functions
@models("torch.utils.checkpoint.checkpoint", "torch.func.functional_call")
def _checkpoint(frame: Frame, call: Call) -> Value:
    args = call.args
    if not args.positional:
        return UNKNOWN
    keyword = {k: v for k, v in args.keyword.items() if k not in ("use_reentrant", "preserve_rng_state")}
    return frame.interp.apply(frame, call.node, args.positional[0], Arguments(args.positional[1:], keyword, args.star))


@models(
    "torch.jit.script", "torch.jit.trace", "torch.compile", "torch.no_grad", "torch.jit.ignore",
    "torch.nn.utils.weight_norm", "torch.nn.utils.spectral_norm", "torch.nn.utils.remove_weight_norm",
    "torch.nn.utils.remove_spectral_norm", "torch.nn.utils.parametrizations.weight_norm",
    "torch.nn.utils.parametrizations.spectral_norm", "torch.nn.utils.parametrizations.orthogonal",
)  # fmt: skip
def _wrapper(frame: Frame, call: Call) -> Value:
    """They return their first argument, in all that matters here."""
    return call.args.positional[0] if call.args.positional else STATIC


@models("torch.jit.annotate")
def _annotate(frame: Frame, call: Call) -> Value:
    return call.args.positional[1] if len(call.args.positional) == 2 else UNKNOWN


@models("torch.numel")
def _numel(frame: Frame, call: Call) -> Value:
    value = call.first
    return Size(value.origin) if value.is_traced else Static("int")


@models("torch.Size")
def _size(frame: Frame, call: Call) -> Value:
    value = call.first
    return Seq("shape", value.elements, value.element, value.origin) if isinstance(value, Seq) else UNKNOWN
