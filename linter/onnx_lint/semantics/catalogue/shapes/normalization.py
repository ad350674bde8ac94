"""Normalisation, dropout, embeddings: layers as functions."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.shapes import arguments as read
from onnx_lint.semantics.catalogue.shapes.dtype_rules import floated, given, promoted, real, same
from onnx_lint.semantics.catalogue.shapes.registry import Call, NotKnown, result, shape
from onnx_lint.semantics.domain.shapes import Shape, ShapeError, TensorType, Value


def _channels(call: Call, x: Shape, *per_channel: Value) -> Shape:
    for value in per_channel:
        if isinstance(value, TensorType) and value.shape is not None and len(x) > 1:
            call.equal(x[1], value.shape[0], "channels of a normalisation")
    return x


@shape("torch.nn.functional.batch_norm", dtype=same())
def batch_norm(
    call: Call, input: Value, running_mean: Value, running_var: Value, weight: Value = None, bias: Value = None,
    training: Value = False, momentum: Value = 0.1, eps: Value = 1e-5,
) -> Shape:  # fmt: skip
    return _channels(call, read.shape_of(input), running_mean, running_var, weight, bias)


@shape("torch.nn.functional.instance_norm", dtype=same())
def instance_norm(
    call: Call, input: Value, running_mean: Value = None, running_var: Value = None, weight: Value = None,
    bias: Value = None, use_input_stats: Value = True, momentum: Value = 0.1, eps: Value = 1e-5,
) -> Shape:  # fmt: skip
    return _channels(call, read.shape_of(input), running_mean, running_var, weight, bias)


@shape("torch.nn.functional.group_norm", dtype=same())
def group_norm(
    call: Call, input: Value, num_groups: Value, weight: Value = None, bias: Value = None, eps: Value = 1e-5
) -> Shape:
    x = _channels(call, read.shape_of(input), weight, bias)
    call.multiple(x[1], read.size(num_groups), "channels of a group normalisation")
    return x


def last_dimensions(call: Call, x: Shape, normalized: Value) -> Shape:
    """`x`, of which the last dimensions are the normalised ones."""
    try:
        wanted = read.sizes(normalized)
    except NotKnown:
        return x
    if len(wanted) > len(x):
        raise ShapeError("more dimensions to normalise than there are")
    kept = x[: len(x) - len(wanted)]
    return (*kept, *(call.equal(a, b, "normalised shape") for a, b in zip(x[len(kept) :], wanted, strict=True)))


@shape("torch.nn.functional.layer_norm", dtype=same())
def layer_norm(
    call: Call, input: Value, normalized_shape: Value, weight: Value = None, bias: Value = None, eps: Value = 1e-5
) -> Shape:
    return last_dimensions(call, read.shape_of(input), normalized_shape)


@shape("torch.nn.functional.rms_norm", "torch.rms_norm", dtype=same())
def rms_norm(call: Call, input: Value, normalized_shape: Value, weight: Value = None, eps: Value = None) -> Shape:
    return last_dimensions(call, read.shape_of(input), normalized_shape)


@shape("torch.nn.functional.embedding", dtype=same("weight"))
def embedding(
    call: Call, input: Value, weight: Value, padding_idx: Value = None, max_norm: Value = None, norm_type: Value = 2.0,
    scale_grad_by_freq: Value = False, sparse: Value = False,
) -> Shape:  # fmt: skip
    return (*read.shape_of(input), *read.shape_of(weight)[1:])


@shape("torch.nn.functional.embedding_bag", dtype=same("weight"))
def embedding_bag(
    call: Call, input: Value, weight: Value, offsets: Value = None, max_norm: Value = None, norm_type: Value = 2,
    scale_grad_by_freq: Value = False, mode: Value = "mean", sparse: Value = False, per_sample_weights: Value = None,
    include_last_offset: Value = False, padding_idx: Value = None,
) -> Shape:  # fmt: skip
    indices, width = read.shape_of(input), read.shape_of(weight)[1]
    if offsets is None:
        return indices[0], width
    return read.shape_of(offsets)[0] - int(read.flag(include_last_offset)), width


@shape("torch.nn.functional.softmax", "torch.nn.functional.log_softmax", "torch.nn.functional.softmin",
       dtype=given(same()))  # fmt: skip
def softmax(call: Call, input: Value, dim: Value = None, _stacklevel: Value = 3, dtype: Value = None) -> Shape:
    return read.shape_of(input)


@shape("torch.nn.functional.glu", dtype=same())
def glu(call: Call, input: Value, dim: Value = -1) -> Shape:
    x = read.shape_of(input)
    at = read.axis(dim, len(x))
    call.multiple(x[at], 2, "halves of a gated unit")
    return read.replaced(x, at, x[at] // 2)


@shape("torch.nn.functional.normalize", dtype=same())
def normalize(call: Call, input: Value, p: Value = 2.0, dim: Value = 1, eps: Value = 1e-12) -> Shape:
    return read.shape_of(input)


@shape("torch.nn.functional.gumbel_softmax", dtype=same("logits"))
def gumbel_softmax(
    call: Call, logits: Value, tau: Value = 1, hard: Value = False, eps: Value = 1e-10, dim: Value = -1
) -> Shape:
    return read.shape_of(logits)


def _without(call: Call, x1: Value, x2: Value, dim: int) -> Shape:
    both = call.broadcast(read.shape_of(x1), read.shape_of(x2))
    return read.replaced(both, read.axis(dim, len(both)))


@shape("torch.nn.functional.cosine_similarity", "torch.cosine_similarity", dtype=promoted("x1", "x2"))
def cosine_similarity(call: Call, x1: Value, x2: Value, dim: Value = 1, eps: Value = 1e-8) -> Shape:
    return _without(call, x1, x2, read.integer(dim))


@shape("torch.nn.functional.pairwise_distance", "torch.pairwise_distance", dtype=real(floated("x1", "x2")))
def pairwise_distance(
    call: Call, x1: Value, x2: Value, p: Value = 2.0, eps: Value = 1e-6, keepdim: Value = False
) -> Shape:
    both = call.broadcast(read.shape_of(x1), read.shape_of(x2))
    return (*both[:-1], 1) if read.flag(keepdim) else both[:-1]


@result("torch.native_layer_norm")
def native_layer_norm(
    call: Call, input: Value, normalized_shape: Value, weight: Value, bias: Value, eps: Value
) -> Value:
    x = read.tensor(input)
    shape = read.shape_of(x)
    count = len(read.sizes(normalized_shape))
    kept = (*shape[: len(shape) - count], *(1,) * count)
    last_dimensions(call, shape, normalized_shape)
    return x, TensorType(kept, x.dtype), TensorType(kept, x.dtype)
