"""Classes of ``torch.nn`` that call one function with what they were constructed with."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.shapes import arguments as read
from onnx_lint.semantics.catalogue.shapes.module_registry import (
    Settings,
    Tensors,
    delegate,
    dtype_of,
    module,
    unknown_tensors,
)  # fmt: skip
from onnx_lint.semantics.catalogue.shapes.registry import Call, NotKnown, Parameter
from onnx_lint.semantics.domain.shapes import TensorType, Value

_F = "torch.nn.functional."

_SAME = (
    "AlphaDropout", "CELU", "CrossMapLRN2d", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "ELU",
    "FeatureAlphaDropout", "GELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU",
    "LocalResponseNorm",
    "LogSoftmax", "Mish", "RReLU", "ReLU", "ReLU6", "SELU", "SiLU", "Softmax", "Softmin", "Softplus", "Softshrink",
    "Threshold", "ChannelShuffle",
)  # fmt: skip
_SAME_WITHOUT_SETTINGS = ("Identity", "LogSigmoid", "Sigmoid", "Softmax2d", "Softsign", "Tanh", "Tanhshrink")


def unchanged(call: Call, settings: Settings, input: Value) -> Value:
    """A tensor of the same shape and dtype."""
    return read.tensor(input)


module(*_SAME)(unchanged)
module(*_SAME_WITHOUT_SETTINGS, init=(Parameter("args", (), required=False, variadic=True),))(unchanged)


def _prelu_tensors(settings: Settings) -> Tensors:
    return {"weight": TensorType((read.size(settings["num_parameters"]),), dtype_of(settings))}


module("PReLU", tensors=_prelu_tensors)(unchanged)

# class: function, and the settings that it is given
_ONE_INPUT = {
    **{f"AdaptiveAvgPool{n}d": (f"adaptive_avg_pool{n}d", "output_size") for n in (1, 2, 3)},
    **{f"AdaptiveMaxPool{n}d": (f"adaptive_max_pool{n}d", "output_size return_indices") for n in (1, 2, 3)},
    **{f"AvgPool{n}d": (f"avg_pool{n}d", "kernel_size stride padding ceil_mode") for n in (1, 2, 3)},
    **{
        f"MaxPool{n}d": (f"max_pool{n}d", "kernel_size stride padding dilation ceil_mode return_indices")
        for n in (1, 2, 3)
    },
    **{f"LPPool{n}d": (f"lp_pool{n}d", "norm_type kernel_size stride ceil_mode") for n in (1, 2, 3)},
    **{
        f"FractionalMaxPool{n}d": (f"fractional_max_pool{n}d", "kernel_size output_size output_ratio return_indices")
        for n in (2, 3)
    },
    "Fold": ("fold", "output_size kernel_size dilation padding stride"),
    "Unfold": ("unfold", "kernel_size dilation padding stride"),
    "PixelShuffle": ("pixel_shuffle", "upscale_factor"),
    "PixelUnshuffle": ("pixel_unshuffle", "downscale_factor"),
    "GLU": ("glu", "dim"),
    "Upsample": ("interpolate", "size scale_factor"),
    "UpsamplingBilinear2d": ("interpolate", "size scale_factor"),
    "UpsamplingNearest2d": ("interpolate", "size scale_factor"),
}  # fmt: skip


def _register_one_input(name: str, function: str, settings_names: str) -> None:
    @module(name)
    def model(call: Call, settings: Settings, input: Value) -> Value:
        return delegate(call, _F + function, input, **{n: settings[n] for n in settings_names.split()})


for _name, (_function, _settings) in _ONE_INPUT.items():
    _register_one_input(_name, _function, _settings)


def _register_padding(name: str, count: int) -> None:
    @module(name)
    def model(call: Call, settings: Settings, input: Value) -> Value:
        return delegate(call, _F + "pad", input, read.sizes_of(settings["padding"], 2 * count))


for _kind in ("CircularPad", "ConstantPad", "ReflectionPad", "ReplicationPad", "ZeroPad"):
    for _count in (1, 2, 3):
        _register_padding(f"{_kind}{_count}d", _count)


def _register_unpooling(count: int) -> None:
    @module(f"MaxUnpool{count}d")
    def model(call: Call, settings: Settings, input: Value, indices: Value, output_size: Value = None) -> Value:
        window = (settings["kernel_size"], settings["stride"], settings["padding"])
        return delegate(call, f"{_F}max_unpool{count}d", input, indices, *window, output_size)


for _count in (1, 2, 3):
    _register_unpooling(_count)


@module("Flatten")
def flatten(call: Call, settings: Settings, input: Value) -> Value:
    return delegate(call, "torch.flatten", input, settings["start_dim"], settings["end_dim"])


@module("Unflatten")
def unflatten(call: Call, settings: Settings, input: Value) -> Value:
    return delegate(call, "torch.unflatten", input, settings["dim"], settings["unflattened_size"])


@module("CosineSimilarity")
def cosine_similarity(call: Call, settings: Settings, x1: Value, x2: Value) -> Value:
    return delegate(call, _F + "cosine_similarity", x1, x2, settings["dim"])


@module("PairwiseDistance")
def pairwise_distance(call: Call, settings: Settings, x1: Value, x2: Value) -> Value:
    return delegate(call, _F + "pairwise_distance", x1, x2, keepdim=settings["keepdim"])


# ---- losses ----

_LOSSES = {
    "BCELoss": "binary_cross_entropy", "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
    "CrossEntropyLoss": "cross_entropy", "HingeEmbeddingLoss": "hinge_embedding_loss", "HuberLoss": "huber_loss",
    "KLDivLoss": "kl_div", "L1Loss": "l1_loss", "MSELoss": "mse_loss", "MultiLabelMarginLoss": "multilabel_margin_loss",
    "MultiLabelSoftMarginLoss": "multilabel_soft_margin_loss", "MultiMarginLoss": "multi_margin_loss",
    "NLLLoss": "nll_loss", "NLLLoss2d": "nll_loss", "SmoothL1Loss": "smooth_l1_loss",
    "SoftMarginLoss": "soft_margin_loss",
}  # fmt: skip


def _reduction(settings: Settings) -> Value:
    """The reduction, also by its two older names."""
    average, reduce = settings.get("size_average"), settings.get("reduce")
    if average is None and reduce is None:
        return settings["reduction"]
    if reduce is not None and not read.flag(reduce):
        return "none"
    return "mean" if average is None or read.flag(average) else "sum"


def _loss_tensors(settings: Settings) -> Tensors:
    given = {n: settings[n] for n in ("weight", "pos_weight") if n in settings}
    return {n: v for n, v in given.items() if isinstance(v, TensorType)}


def _register_loss(name: str, function: str) -> None:
    @module(name, tensors=_loss_tensors)
    def model(call: Call, settings: Settings, input: Value, target: Value) -> Value:
        return delegate(call, _F + function, input, target, reduction=_reduction(settings))


for _name, _loss in _LOSSES.items():
    _register_loss(_name, _loss)


@module("PoissonNLLLoss")
def poisson_nll_loss(call: Call, settings: Settings, log_input: Value, target: Value) -> Value:
    return delegate(call, _F + "poisson_nll_loss", log_input, target, reduction=_reduction(settings))


@module("GaussianNLLLoss")
def gaussian_nll_loss(call: Call, settings: Settings, input: Value, target: Value, var: Value) -> Value:
    return delegate(call, _F + "gaussian_nll_loss", input, target, var, reduction=settings["reduction"])


@module("CosineEmbeddingLoss")
def cosine_embedding_loss(call: Call, settings: Settings, input1: Value, input2: Value, target: Value) -> Value:
    return delegate(call, _F + "cosine_embedding_loss", input1, input2, target, reduction=_reduction(settings))


@module("MarginRankingLoss")
def margin_ranking_loss(call: Call, settings: Settings, input1: Value, input2: Value, target: Value) -> Value:
    return delegate(call, _F + "margin_ranking_loss", input1, input2, target, reduction=_reduction(settings))


@module("TripletMarginLoss", "TripletMarginWithDistanceLoss")
def triplet_margin_loss(call: Call, settings: Settings, anchor: Value, positive: Value, negative: Value) -> Value:
    name = _F + "triplet_margin_with_distance_loss"
    distance = settings.get("distance_function")
    return delegate(
        call, name, anchor, positive, negative, distance_function=distance, reduction=_reduction(settings)
    )  # fmt: skip


@module("CTCLoss")
def ctc_loss(
    call: Call, settings: Settings, log_probs: Value, targets: Value, input_lengths: Value, target_lengths: Value
) -> Value:
    return delegate(
        call, _F + "ctc_loss", log_probs, targets, input_lengths, target_lengths, reduction=settings["reduction"]
    )  # fmt: skip


@module("LinearCrossEntropyLoss", tensors=unknown_tensors)
def linear_cross_entropy(call: Call, settings: Settings, input: Value, target: Value) -> Value:
    if read.text(settings["reduction"]) == "none":
        raise NotKnown
    return TensorType((), read.tensor(input).dtype)
