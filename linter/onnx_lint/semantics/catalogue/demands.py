"""What functions, methods and modules of torch demand of a tensor of which the shape is not known.

Modules that take one sample as well as a batch of them are taken to get a batch: an exported model does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from onnx_lint.semantics.catalogue.shapes import registry
from onnx_lint.semantics.catalogue.shapes.module_registry import MODULES
from onnx_lint.semantics.domain.demands import Demand
from onnx_lint.semantics.domain.dims import Dim, Expression, UnknownSize, varies
from onnx_lint.semantics.domain.shapes import TensorType
from onnx_lint.semantics.domain.shapes import Value as Described

_SPATIAL = re.compile(
    r"(?:Lazy)?(?:Conv|ConvTranspose|MaxPool|AvgPool|AdaptiveAvgPool|AdaptiveMaxPool|LPPool|FractionalMaxPool|"
    r"BatchNorm|InstanceNorm|ReflectionPad|ReplicationPad|ZeroPad|ConstantPad|CircularPad|Dropout|"
    r"UpsamplingBilinear|UpsamplingNearest)([123])d"
)
_SPATIAL_FUNCTION = re.compile(
    r"(?:conv|conv_transpose|max_pool|avg_pool|adaptive_avg_pool|adaptive_max_pool|lp_pool)([123])d"
)
_CHANNELS = ("in_channels", "num_features", "num_channels")
_LAST = {"Linear": "in_features", "Bilinear": "in1_features", "RMSNorm": "normalized_shape"}
_SEQUENCES = {"LSTM": "input_size", "GRU": "input_size", "RNN": "input_size", "MultiheadAttention": "embed_dim"}
_RANKS = {
    "PixelShuffle": 4, "PixelUnshuffle": 4, "Unfold": 4, "TransformerEncoder": 3, "TransformerEncoderLayer": 3,
    "pixel_shuffle": 4, "pixel_unshuffle": 4, "bmm": 3, "baddbmm": 3, "unfold": 4, "affine_grid": 3,
    "upsample_bilinear": 4, "dropout2d": 4, "channel_shuffle": 4,
}  # fmt: skip
_FUNCTIONS_ONLY = frozenset({"unfold"})
"""Of these the method of the same name does something else: ``x.unfold(-2, 4, 4)`` takes any number of dimensions."""
_INDICES = {
    "gather": (2, "int64"), "index_select": (2, "int64"), "scatter": (2, "int64"), "scatter_add": (2, "int64"),
    "one_hot": (0, "int64"), "take_along_dim": (1, "int64"), "where": (0, "bool"), "masked_fill": (1, "bool"),
    "masked_select": (1, "bool"), "bitwise_not": (0, ""), "logical_not": (0, "bool"), "nll_loss": (1, "int64"),
    "cross_entropy": (1, ""), "masked_scatter": (1, "bool"),
}  # fmt: skip
"""Functions with an argument of integers or truth values: its position, and its dtype."""
_INTERPOLATED = {"bilinear": 4, "bicubic": 4, "linear": 3, "trilinear": 5}


def of_module(name: str, settings: Sequence[Described], named: Mapping[str, Described]) -> Demand | None:
    """What a module of ``torch.nn`` demands of its first input."""
    model = MODULES.get(name)
    if model is None:
        return None
    short = name.rpartition(".")[2]
    try:
        made = registry.bind(model.init, settings, named, lenient=True)
    except registry.BindingError:
        made = {}
    spatial = _SPATIAL.fullmatch(short)
    if spatial is not None:
        rank = int(spatial.group(1)) + 2
        size = next((s for n in _CHANNELS if (s := _size(made.get(n))) is not None), None)
        if short in ("BatchNorm1d", "Dropout1d"):
            return Demand(None, {}, "float32")
        has_channels = any(p.name in _CHANNELS for p in model.init)
        return Demand(rank, {1: _fixed(size)} if has_channels else {}, "float32")
    if short == "GroupNorm":
        return Demand(None, {1: _fixed(made.get("num_channels"))}, "float32")
    if short in _LAST:
        return Demand(None, {-1: _fixed(made.get(_LAST[short]))}, "float32")
    if short == "LayerNorm":
        return Demand(None, _normalized(made.get("normalized_shape")), "float32")
    if short in _SEQUENCES:
        return Demand(3, {2: _fixed(made.get(_SEQUENCES[short]))}, "float32")
    if short == "Embedding":
        return Demand(2, {}, "int64")
    return Demand(_RANKS[short], {}, "float32") if short in _RANKS else None


def _normalized(value: Described) -> dict[int, Dim]:
    if isinstance(value, tuple):
        sizes = [_size(v) for v in value]
        return {i - len(sizes): s for i, s in enumerate(sizes) if s is not None}
    size = _size(value)
    return {} if size is None else {-1: size}


def _size(value: Described) -> Dim | None:
    if isinstance(value, bool) or not isinstance(value, int | Expression | UnknownSize):
        return None
    return value


def _fixed(value: Described) -> Dim:
    """A size that the weights of a module fix, whatever it is."""
    size = _size(value)
    return UnknownSize(False) if size is None or varies(size) is not False else size


def of_function(name: str, given: Sequence[Described], named: Mapping[str, Described]) -> list[tuple[int, Demand]]:
    """What a function demands of its arguments, by their position."""
    short = name.rpartition(".")[2]
    spatial = _SPATIAL_FUNCTION.fullmatch(short)
    if spatial is not None:
        return [(0, Demand(int(spatial.group(1)) + 2, _channels(short, given), "float32"))]
    if short in ("interpolate", "upsample"):
        mode = named.get("mode", given[3] if len(given) > 3 else None)
        rank = _INTERPOLATED.get(mode) if isinstance(mode, str) else None
        return [] if rank is None else [(0, Demand(rank, {}, "float32"))]
    if short == "embedding":
        return [(0, Demand(None, {}, "int64"))]
    if short in _INDICES and len(given) > _INDICES[short][0]:
        at, dtype = _INDICES[short]
        return [(at, Demand(None, {}, dtype))]
    if short == "linear" and len(given) > 1 and isinstance(given[1], TensorType) and given[1].shape:
        return [(0, Demand(None, {-1: given[1].shape[-1]}, "float32"))]
    if short == "grid_sample":
        return [(0, Demand(4, {}, "float32")), (1, Demand(4, {}, "float32"))]
    if name in ("einops.rearrange", "einops.reduce", "einops.repeat") and len(given) > 1:
        rank = _pattern_rank(given[1])
        return [] if rank is None else [(0, Demand(rank))]
    if short == "einsum" and given and isinstance(given[0], str):
        inputs = given[0].partition("->")[0].replace(" ", "").split(",")
        return [(i + 1, _of_subscripts(letters)) for i, letters in enumerate(inputs)]
    if short in _REDUCTIONS:
        demand = of_axes(given[1:], named)
        return [] if demand is None else [(0, demand)]
    return [(0, Demand(_RANKS[short], {}, "float32"))] if short in _RANKS else []


def _of_subscripts(letters: str) -> Demand:
    """What the letters of one operand of ``einsum`` demand."""
    return Demand(last=len(letters) - 3) if letters.startswith("...") else Demand(len(letters.replace(".", "")))


def _channels(short: str, given: Sequence[Described]) -> dict[int, Dim]:
    weight = given[1] if len(given) > 1 else None
    if short.startswith("conv") and isinstance(weight, TensorType) and weight.shape is not None:
        at = 0 if "transpose" in short else 1
        size = weight.shape[at] if len(weight.shape) > at else None
        return {1: size} if isinstance(size, int) and "transpose" in short else {}
    return {}


def _pattern_rank(pattern: Described) -> int | None:
    """The number of dimensions that the left side of an einops pattern names."""
    if not isinstance(pattern, str) or "..." in pattern:
        return None
    left = re.sub(r"\([^)]*\)", "_", pattern.partition("->")[0])
    return len(left.split())


def of_axes(given: Sequence[Described], named: Mapping[str, Described]) -> Demand | None:
    """What axes counted from the end say of the tensor whose method is given them."""
    axes = [named.get("dim"), named.get("axis"), *given]
    flat = [a for axis in axes for a in (axis if isinstance(axis, tuple) else (axis,))]
    last = max([-a for a in flat if isinstance(a, int) and not isinstance(a, bool) and -8 < a < 0], default=0)
    return Demand(last=last) if last else None


_REDUCTIONS = frozenset({
    "sum", "mean", "amax", "amin", "max", "min", "var", "std", "std_mean", "norm", "softmax", "argmax", "argmin",
    "select", "chunk", "split", "unbind", "narrow", "flatten", "cumsum", "size", "log_softmax", "prod",
})  # fmt: skip
"""Functions and methods whose small negative numbers are axes."""


def of_index() -> Demand:
    """What indexing demands of a tensor that is an index."""
    return Demand(None, {}, "")


def of_method(name: str, given: Sequence[Described]) -> Demand | None:
    """What a method demands of its receiver."""
    if name == "permute":
        order = given[0] if len(given) == 1 and isinstance(given[0], tuple) else given
        return Demand(len(order)) if len(order) > 1 else None
    if name in _RANKS and name not in _FUNCTIONS_ONLY:
        return Demand(_RANKS[name])
    return of_axes(given, {}) if name in _REDUCTIONS else None
