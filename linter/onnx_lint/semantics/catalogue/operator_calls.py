"""Calls of operators and modules that rules look at: which names these are, and the site of a call."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from onnx_lint.semantics.catalogue import verdicts
from onnx_lint.semantics.catalogue.registry import Call
from onnx_lint.semantics.domain.parts import traced_parts
from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.semantics.domain.values import UNKNOWN, Arguments, ExternalValue, Tensor, Value
from onnx_lint.semantics.evaluation.frame import Frame
from onnx_lint.source import ir

RANDOM = frozenset(
    {"rand", "randn", "randint", "rand_like", "randn_like", "randint_like", "randperm", "normal", "bernoulli",
     "multinomial", "poisson", "Tensor.normal_", "Tensor.uniform_", "Tensor.bernoulli_", "Tensor.random_",
     "Tensor.exponential_", "Tensor.bernoulli", "Tensor.multinomial", "nn.functional.gumbel_softmax",
     "nn.functional.dropout", "nn.functional.dropout1d", "nn.functional.dropout2d", "nn.functional.dropout3d",
     "nn.functional.alpha_dropout", "nn.functional.feature_alpha_dropout", "nn.functional.rrelu", "dropout",
     "nn.functional.scaled_dot_product_attention"}
)  # fmt: skip
"""Functions that may draw random numbers, without ``torch.``."""

SIZED = frozenset(
    {"nn.functional.max_pool1d", "nn.functional.avg_pool1d", "nn.functional.max_pool2d", "nn.functional.avg_pool2d",
     "nn.functional.layer_norm", "nn.functional.adaptive_avg_pool2d", "nn.functional.one_hot", "linspace",
     "nn.functional.scaled_dot_product_attention", "Tensor.unfold", "repeat_interleave", "Tensor.repeat_interleave",
     "nn.ConvTranspose1d", "nn.ConvTranspose2d", "nn.ConvTranspose3d"}
)  # fmt: skip
"""Functions with a parameter that is an attribute of the ONNX operator, without ``torch.``."""
CUT = frozenset({"chunk", "Tensor.chunk"})
"""Functions that cut a dimension into a number of pieces, without ``torch.``."""

_AUTOCAST = frozenset({"torch.autocast", "torch.amp.autocast", "torch.amp.autocast_mode.autocast"})
_CASTS = frozenset({"torch.Tensor.to", "torch.Tensor.type"})
_TRANSLATED = ("aten", "prims", "prim", "quantized", "torchvision", "higher_order", "onnx", "rngprims", "inductor")
"""Namespaces of ``torch.ops`` whose operators belong to torch, torchvision or the exporter."""
_LIBRARIES = ("torch.distributions.", "random.", "numpy.random.")

KEPT_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "torch.nn.AdaptiveAvgPool1d": ("output_size",),
    "torch.nn.AdaptiveAvgPool2d": ("output_size",),
    "torch.nn.AdaptiveAvgPool3d": ("output_size",),
    "torch.nn.AdaptiveMaxPool1d": ("output_size",),
    "torch.nn.AdaptiveMaxPool2d": ("output_size",),
    "torch.nn.AdaptiveMaxPool3d": ("output_size",),
}
"""Positional parameters of constructors that matter to a rule; of other modules only keywords are kept."""


@lru_cache(maxsize=8192)
def is_watched(name: str) -> bool:
    """Whether calls of a function, method or module are sites."""
    if name.startswith("torch.ops."):
        return name.count(".") > 2 and name.split(".")[2] not in _TRANSLATED
    if name in _AUTOCAST or name in ("torch.library.custom_op", "torch.Tensor.bfloat16"):
        return True
    return name in verdicts.names() or name.startswith(_LIBRARIES) or name[6:] in RANDOM | SIZED | CUT


def _is_bfloat16(value: Value) -> bool:
    return isinstance(value, ExternalValue) and value.name == "torch.bfloat16"


def note(frame: Frame, call: Call, args: Arguments, options: Mapping[str, Value] | None = None) -> None:
    """Record a call, if rules look at its name."""
    if call.node is not None:
        note_at(frame, call.node, call.name, args, options)


def note_at(
    frame: Frame, node: ir.Expr | ir.Stmt, name: str, args: Arguments, options: Mapping[str, Value] | None = None
) -> None:
    """Record that an operator is called at a node, if rules look at its name."""
    if not frame.records_sites:
        return
    is_known = is_watched(name) or name in verdicts.OFFERED
    if not is_known and not (name in _CASTS and any(_is_bfloat16(v) for v in args.all())):
        return
    traced = next((part for value in args.all() for part in traced_parts(value)), None)
    is_told = name[6:] in RANDOM or name in _AUTOCAST or name.startswith(_LIBRARIES[1:])
    if traced is None and not is_told:
        return
    subject: Value = traced if traced is not None else UNKNOWN
    if isinstance(subject, Tensor) and subject.presumed and name.startswith("torch.Tensor."):
        return  # it may be another thing with a method of that name
    frame.emit(OperatorCall, node, subject, name=name, args=args, options=options or {})
