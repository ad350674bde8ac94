"""What torch returns, as data says it: results of functions, methods and classes that have no model of their own."""

from __future__ import annotations

from onnx_lint.semantics import torch_kinds
from onnx_lint.semantics.catalogue import operator_calls
from onnx_lint.semantics.catalogue.registry import Call
from onnx_lint.semantics.domain.lattice import alternatives
from onnx_lint.semantics.domain.origin import Origin, StepKind
from onnx_lint.semantics.domain.parts import certain_parts, traced_parts
from onnx_lint.semantics.domain.sites import Conversion
from onnx_lint.semantics.domain.values import (
    NONE,
    STATIC,
    UNKNOWN,
    Const,
    ExternalInstance,
    Frozen,
    Seq,
    Size,
    Static,
    Tensor,
    Unknown,
    Value,
)
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.semantics.torch_kinds import Questions, ReturnKind

_COUNTS = {"split": 1, "chunk": 1, "roll": 1, "tensor_split": 1}
"""Functions that turn a size given at that position into a Python integer, and so freeze it; all others that were
tried keep it live. Measured with torch 2.13."""

_COMPARISONS = frozenset({"torch.equal", "torch.allclose", "torch.Tensor.equal", "torch.Tensor.allclose"})
"""Functions that answer with a Python ``bool``. The tracer does not warn; dynamo stops with
``DataDependentOutputException``. Measured with torch 2.13."""

_PARAMETERS = frozenset({"torch.nn.Parameter", "torch.nn.parameter.Buffer", "torch.nn.Buffer"})


def _is_true(value: object) -> bool | None:
    return bool(value.value) if isinstance(value, Const) else None


QUESTIONS = Questions(_is_true, lambda value: isinstance(value, Tensor))
"""How conditions in the data ask about arguments."""


def result(frame: Frame, call: Call, kind: ReturnKind) -> Value:
    """The value of a call that returns `kind`: traced as soon as one argument is."""
    args, name, node = call.args, call.name, call.node
    kind = kind.choose(args.positional, args.keyword, QUESTIONS)
    traced, origin = False, None
    for value in args.all():
        if value.is_traced:
            for part in traced_parts(value):
                traced = True
                origin = origin or part.origin
        traced = traced or (isinstance(value, Unknown) and frame.records_sites)  # constructors are not traced
    if node is not None and call.short in _COUNTS:
        _report_count(frame, call)
    if name in _COMPARISONS:
        compared = certain_parts(args.all())
        if compared and node is not None:
            converter = name.replace("torch.Tensor.", "torch.")
            frame.emit(Conversion, node, compared[0], converter=converter, argument=None)
            return Frozen(True, "bool", frame.origin(node, StepKind.READ, "", compared[0].origin))
    if torch_kinds.is_factory(name) and not traced:
        return Tensor(False)
    is_search = call.short == "where" and len(args.positional) == 1 and not args.keyword
    if (is_search or torch_kinds.data_dependent_size(name)) and traced:
        origin = frame.origin(node, StepKind.TENSOR, "", origin) if node is not None else origin
    return of_kind(kind, traced, origin)


def _report_count(frame: Frame, call: Call) -> None:
    position = _COUNTS[call.short]
    if len(call.args.positional) > position and call.node is not None:
        given = call.args.positional[position]
        hazard = next((v for v in alternatives(given) if isinstance(v, Size)), None)
        if hazard is not None:
            frame.emit(Conversion, call.node, hazard, converter=call.short, argument=None)


def method_result(frame: Frame, call: Call, tensor: Tensor) -> Value | None:
    """What a tensor's method returns; ``None`` if tensors have no such method."""
    name = call.name
    kind = torch_kinds.method_kind(name)
    if kind is None:
        return None
    given = Call(f"torch.Tensor.{name}", call.node, call.args.after(tensor))
    found = result(frame, given, kind)
    if torch_kinds.is_in_place(name) and not tensor.traced and isinstance(found, Tensor) and found.traced:
        found = Tensor(True, found.presumed, found.origin, None, False, tensor.addresses, tensor.type)
        frame.write(tensor, found)  # a constant buffer that receives computed values
    if isinstance(found, Tensor) and tensor.presumed and not torch_kinds.is_tensor_only_method(name):
        if name in ("copy", "clone", "to", "float", "sum", "max", "min", "mean") and not found.presumed:
            return Tensor(
                found.traced, True, found.origin, found.parameter, found.is_shape, found.addresses, found.type
            )
    return found


def of_kind(kind: ReturnKind, traced: bool, origin: Origin | None) -> Value:
    """The value of a kind of result."""
    name = kind.kind
    if name == "tensor":
        return Tensor(traced, False, origin)
    if name == "presumed":
        return Tensor(traced, True, origin)
    if name == "tuple":
        return Seq("tuple", tuple([of_kind(i, traced, origin) for i in kind.items]))
    if name in ("list", "tuple*"):
        inner = kind.element if kind.element is not None else ReturnKind("tensor")
        return Seq("list" if name == "list" else "tuple", None, of_kind(inner, traced, origin))
    if name == "size":
        return Seq("shape", None, Size(origin) if traced else Static("int"), origin)
    if name == "dim":
        return Size(origin) if traced else Static("int")
    if name == "none":
        return NONE
    if name in ("int", "float", "bool", "str"):
        return Static(name)
    if name == "number":
        return Frozen(True, None, origin) if traced else Static()
    return UNKNOWN if name == "unknown" and traced else STATIC


def construct(frame: Frame, call: Call) -> Value:
    """An object of a class outside the project."""
    name = call.name
    if name in _PARAMETERS:
        return Tensor(False)
    if name.startswith("torch.") or torch_kinds.module_kind(name) is not None:
        kept = dict(zip(operator_calls.KEPT_OPTIONS.get(name, ()), call.args.positional, strict=False))
        return ExternalInstance(name, None, {**kept, **call.args.keyword} or None, (), call.args)
    if any(a.is_traced for a in call.args.all()):
        return UNKNOWN  # an object that holds traced values
    return ExternalInstance(name)
