"""Classes of ``torch.nn`` with weights: linear layers, convolutions, normalisation, embeddings."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.shapes import arguments as read
from onnx_lint.semantics.catalogue.shapes.convolution import convolved, split_spatial, transposed
from onnx_lint.semantics.catalogue.shapes.module_registry import (
    Settings,
    Tensors,
    delegate,
    dtype_of,
    module,
    unknown_tensors,
)  # fmt: skip
from onnx_lint.semantics.catalogue.shapes.normalization import last_dimensions
from onnx_lint.semantics.catalogue.shapes.registry import Call, NotKnown
from onnx_lint.semantics.domain.dims import Dim
from onnx_lint.semantics.domain.shapes import Shape, ShapeError, TensorType, Value

_F = "torch.nn.functional."


def _with_bias(settings: Settings, weight: TensorType, out: Dim) -> Tensors:
    tensors = {"weight": weight}
    if read.flag(settings["bias"]):
        tensors["bias"] = TensorType((out,), weight.dtype)
    return tensors


def _linear_tensors(settings: Settings) -> Tensors:
    into, out = read.size(settings["in_features"]), read.size(settings["out_features"])
    return _with_bias(settings, TensorType((out, into), dtype_of(settings)), out)


def _features(call: Call, x: TensorType, into: Value, out: Value) -> TensorType:
    """`x` with its last dimension replaced."""
    try:
        width: Dim | None = read.size(out)
    except NotKnown:
        width = None
    if x.shape is None or width is None:
        return TensorType(None, x.dtype)
    if not x.shape:
        raise ShapeError("linear of a tensor without dimensions")
    try:
        call.equal(x.shape[-1], read.size(into), "features of a linear layer")
    except NotKnown:  # only the constraint is lost
        return TensorType((*x.shape[:-1], width), x.dtype)
    return TensorType((*x.shape[:-1], width), x.dtype)


@module("Linear", tensors=_linear_tensors)
def linear(call: Call, settings: Settings, input: Value) -> Value:
    return _features(call, read.tensor(input), settings["in_features"], settings["out_features"])


@module("LazyLinear", tensors=unknown_tensors)
def lazy_linear(call: Call, settings: Settings, input: Value) -> Value:
    x = read.tensor(input)
    return _features(call, x, x.shape[-1] if x.shape else None, settings["out_features"])


def _bilinear_tensors(settings: Settings) -> Tensors:
    out, first, second = (read.size(settings[n]) for n in ("out_features", "in1_features", "in2_features"))
    return _with_bias(settings, TensorType((out, first, second), dtype_of(settings)), out)


@module("Bilinear", tensors=_bilinear_tensors)
def bilinear(call: Call, settings: Settings, input1: Value, input2: Value) -> Value:
    return delegate(call, _F + "bilinear", input1, input2, _bilinear_tensors(settings)["weight"])


# ---- convolutions ----


def _kernel(settings: Settings, count: int) -> Shape:
    return read.sizes_of(settings["kernel_size"], count)


def _conv_weight(settings: Settings, count: int) -> TensorType:
    out = read.size(settings["out_channels"])
    groups = read.size(settings["groups"])
    return TensorType(
        (out, read.size(settings["in_channels"]) // groups, *_kernel(settings, count)), dtype_of(settings)
    )


def _transposed_weight(settings: Settings, count: int) -> TensorType:
    out = read.size(settings["out_channels"]) // read.size(settings["groups"])
    return TensorType((read.size(settings["in_channels"]), out, *_kernel(settings, count)), dtype_of(settings))


def _register_convolution(count: int) -> None:
    def tensors(settings: Settings) -> Tensors:
        return _with_bias(settings, _conv_weight(settings, count), read.size(settings["out_channels"]))

    def transposed_tensors(settings: Settings) -> Tensors:
        return _with_bias(settings, _transposed_weight(settings, count), read.size(settings["out_channels"]))

    def convolve(call: Call, settings: Settings, x: TensorType, weight: TensorType) -> Value:
        stride, padding, dilation, groups = (settings[n] for n in ("stride", "padding", "dilation", "groups"))
        return TensorType(convolved(call, count, x, weight, stride, padding, dilation, groups), x.dtype)

    def transpose(call: Call, settings: Settings, x: TensorType, weight: TensorType, output_size: Value) -> Value:
        names = ("stride", "padding", "output_padding", "groups", "dilation")
        found = transposed(call, count, x, weight, *(settings[n] for n in names))
        if output_size is not None:
            found = (*found[:-count], *read.sizes(output_size)[-count:])
        return TensorType(found, x.dtype)

    def with_channels(settings: Settings, x: TensorType) -> Settings:
        return {**settings, "in_channels": split_spatial(read.shape_of(x), count)[1]}

    @module(f"Conv{count}d", tensors=tensors)
    def conv(call: Call, settings: Settings, input: Value) -> Value:
        x = read.tensor(input)
        return (
            TensorType(None, x.dtype) if x.shape is None else convolve(call, settings, x, _conv_weight(settings, count))
        )

    @module(f"LazyConv{count}d", tensors=unknown_tensors)
    def lazy_conv(call: Call, settings: Settings, input: Value) -> Value:
        x = read.tensor(input)
        return convolve(call, settings, x, _conv_weight(with_channels(settings, x), count))

    @module(f"ConvTranspose{count}d", tensors=transposed_tensors)
    def conv_transpose(call: Call, settings: Settings, input: Value, output_size: Value = None) -> Value:
        x = read.tensor(input)
        return transpose(call, settings, x, _transposed_weight(settings, count), output_size)

    @module(f"LazyConvTranspose{count}d", tensors=unknown_tensors)
    def lazy_conv_transpose(call: Call, settings: Settings, input: Value, output_size: Value = None) -> Value:
        x = read.tensor(input)
        return transpose(call, settings, x, _transposed_weight(with_channels(settings, x), count), output_size)


for _count in (1, 2, 3):
    _register_convolution(_count)


# ---- normalisation ----


def _norm_tensors(settings: Settings) -> Tensors:
    count = (read.size(settings["num_features"]),)
    dtype = dtype_of(settings)
    tensors: Tensors = {}
    if read.flag(settings["affine"]):
        tensors["weight"] = TensorType(count, dtype)
        if read.flag(settings["bias"]):
            tensors["bias"] = TensorType(count, dtype)
    if read.flag(settings["track_running_stats"]):
        tensors |= {"running_mean": TensorType(count, dtype), "running_var": TensorType(count, dtype)}
        tensors["num_batches_tracked"] = TensorType((), "int64")
    return tensors


def _channels(call: Call, x: TensorType, channels: Value, at: int) -> TensorType:
    if x.shape is None or len(x.shape) <= at:
        return x
    try:
        wanted = read.size(channels)
    except NotKnown:  # only the constraint is lost
        return x
    dim = call.equal(x.shape[at], wanted, "channels of a normalisation")
    return TensorType(read.replaced(x.shape, at, dim), x.dtype)


@module("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm", tensors=_norm_tensors)
def batch_norm(call: Call, settings: Settings, input: Value) -> Value:
    x = read.tensor(input)
    return _channels(call, x, settings["num_features"], 1) if _knows_channels(settings) else x


def _knows_channels(settings: Settings) -> bool:
    """Whether there is a tensor that the channels of the input have to fit."""
    return read.flag(settings["affine"]) or read.flag(settings["track_running_stats"])


def _register_instance_norm(count: int) -> None:
    @module(f"InstanceNorm{count}d", tensors=_norm_tensors)
    def model(call: Call, settings: Settings, input: Value) -> Value:
        x = read.tensor(input)
        if x.shape is None or not _knows_channels(settings):
            return x
        return _channels(call, x, settings["num_features"], len(x.shape) - count - 1)


for _count in (1, 2, 3):
    _register_instance_norm(_count)


@module("LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyInstanceNorm1d", "LazyInstanceNorm2d",
        "LazyInstanceNorm3d", tensors=unknown_tensors)  # fmt: skip
def lazy_norm(call: Call, settings: Settings, input: Value) -> Value:
    return read.tensor(input)


def _group_norm_tensors(settings: Settings) -> Tensors:
    if not read.flag(settings["affine"]):
        return {}
    channels = read.size(settings["num_channels"])
    return _with_bias(settings, TensorType((channels,), dtype_of(settings)), channels)


@module("GroupNorm", tensors=_group_norm_tensors)
def group_norm(call: Call, settings: Settings, input: Value) -> Value:
    x = read.tensor(input)
    if x.shape is not None and len(x.shape) > 1:
        call.multiple(x.shape[1], read.size(settings["num_groups"]), "channels of a group normalisation")
    return _channels(call, x, settings["num_channels"], 1) if read.flag(settings["affine"]) else x


def _layer_norm_tensors(settings: Settings) -> Tensors:
    if not read.flag(settings["elementwise_affine"]):
        return {}
    weight = TensorType(read.sizes(settings["normalized_shape"]), dtype_of(settings))
    return {"weight": weight, "bias": weight} if read.flag(settings.get("bias")) else {"weight": weight}


def _normalized(call: Call, x: TensorType, shape: Value) -> TensorType:
    return x if x.shape is None else TensorType(last_dimensions(call, x.shape, shape), x.dtype)


@module("LayerNorm", tensors=_layer_norm_tensors)
def layer_norm(call: Call, settings: Settings, input: Value) -> Value:
    return _normalized(call, read.tensor(input), settings["normalized_shape"])


@module("RMSNorm", tensors=_layer_norm_tensors)
def rms_norm(call: Call, settings: Settings, x: Value) -> Value:
    return _normalized(call, read.tensor(x), settings["normalized_shape"])


# ---- embeddings ----


def _embedding_tensors(settings: Settings) -> Tensors:
    shape = (read.size(settings["num_embeddings"]), read.size(settings["embedding_dim"]))
    return {"weight": TensorType(shape, dtype_of(settings))}


@module("Embedding", tensors=_embedding_tensors)
def embedding(call: Call, settings: Settings, input: Value) -> Value:
    x = read.tensor(input)
    if x.shape is None:
        return TensorType(None, dtype_of(settings))
    return TensorType((*x.shape, read.size(settings["embedding_dim"])), dtype_of(settings))


@module("EmbeddingBag", tensors=_embedding_tensors)
def embedding_bag(
    call: Call, settings: Settings, input: Value, offsets: Value = None, per_sample_weights: Value = None
) -> Value:
    weight = _embedding_tensors(settings)["weight"]
    last = settings["include_last_offset"]
    return delegate(call, _F + "embedding_bag", input, weight, offsets, include_last_offset=last)


@module("AdaptiveLogSoftmaxWithLoss")
def adaptive_log_softmax(call: Call, settings: Settings, input_: Value, target_: Value) -> Value:
    x, target = read.tensor(input_), read.tensor(target_)
    return TensorType(target.shape, x.dtype), TensorType((), x.dtype)
