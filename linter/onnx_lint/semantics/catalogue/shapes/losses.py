"""Losses: one number, or one for each element or sample with ``reduction="none"``."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.shapes import arguments as read
from onnx_lint.semantics.catalogue.shapes.dtype_rules import floated, promoted, real, same
from onnx_lint.semantics.catalogue.shapes.registry import Call, shape
from onnx_lint.semantics.domain.shapes import Shape, Value


def reduced_loss(each: Shape, reduction: Value) -> Shape:
    """The shape for a reduction of the losses of elements."""
    return each if read.text(reduction) == "none" else ()


_distance = real(promoted("input", "target"))


@shape("torch.nn.functional.mse_loss", "torch.nn.functional.l1_loss", dtype=_distance)
def mse_loss(
    call: Call, input: Value, target: Value, size_average: Value = None, reduce: Value = None,
    reduction: Value = "mean",
    weight: Value = None,
) -> Shape:  # fmt: skip
    return reduced_loss(call.broadcast(read.shape_of(input), read.shape_of(target)), reduction)


@shape("torch.nn.functional.smooth_l1_loss", dtype=promoted("input", "target"))
def smooth_l1_loss(
    call: Call, input: Value, target: Value, size_average: Value = None, reduce: Value = None,
    reduction: Value = "mean",
    beta: Value = 1.0,
) -> Shape:  # fmt: skip
    return reduced_loss(call.broadcast(read.shape_of(input), read.shape_of(target)), reduction)


@shape("torch.nn.functional.huber_loss", dtype=promoted("input", "target"))
def huber_loss(
    call: Call, input: Value, target: Value, reduction: Value = "mean", delta: Value = 1.0, weight: Value = None
) -> Shape:
    return reduced_loss(call.broadcast(read.shape_of(input), read.shape_of(target)), reduction)


@shape("torch.nn.functional.soft_margin_loss", dtype=same())
def soft_margin_loss(
    call: Call, input: Value, target: Value, size_average: Value = None, reduce: Value = None, reduction: Value = "mean"
) -> Shape:
    return reduced_loss(call.broadcast(read.shape_of(input), read.shape_of(target)), reduction)


@shape("torch.nn.functional.hinge_embedding_loss", dtype=same())
def hinge_embedding_loss(
    call: Call, input: Value, target: Value, margin: Value = 1.0, size_average: Value = None, reduce: Value = None,
    reduction: Value = "mean",
) -> Shape:  # fmt: skip
    return reduced_loss(call.broadcast(read.shape_of(input), read.shape_of(target)), reduction)


@shape("torch.nn.functional.binary_cross_entropy", dtype=same())
def binary_cross_entropy(
    call: Call, input: Value, target: Value, weight: Value = None, size_average: Value = None, reduce: Value = None,
    reduction: Value = "mean",
) -> Shape:  # fmt: skip
    return reduced_loss(read.shape_of(input), reduction)


@shape("torch.nn.functional.binary_cross_entropy_with_logits", dtype=same())
def binary_cross_entropy_with_logits(
    call: Call, input: Value, target: Value, weight: Value = None, size_average: Value = None, reduce: Value = None,
    reduction: Value = "mean", pos_weight: Value = None,
) -> Shape:  # fmt: skip
    return reduced_loss(read.shape_of(input), reduction)


@shape("torch.nn.functional.kl_div", dtype=promoted("input", "target"))
def kl_div(
    call: Call, input: Value, target: Value, size_average: Value = None, reduce: Value = None,
    reduction: Value = "mean",
    log_target: Value = False,
) -> Shape:  # fmt: skip
    return reduced_loss(call.broadcast(read.shape_of(input), read.shape_of(target)), reduction)


@shape("torch.nn.functional.poisson_nll_loss", dtype=floated("input", "target"))
def poisson_nll_loss(
    call: Call, input: Value, target: Value, log_input: Value = True, full: Value = False, size_average: Value = None,
    eps: Value = 1e-8, reduce: Value = None, reduction: Value = "mean",
) -> Shape:  # fmt: skip
    return reduced_loss(call.broadcast(read.shape_of(input), read.shape_of(target)), reduction)


@shape("torch.nn.functional.gaussian_nll_loss", dtype=promoted("input", "target"))
def gaussian_nll_loss(
    call: Call,
    input: Value,
    target: Value,
    var: Value,
    full: Value = False,
    eps: Value = 1e-6,
    reduction: Value = "mean",
) -> Shape:
    return reduced_loss(call.broadcast(read.shape_of(input), read.shape_of(target)), reduction)


def _per_sample(x: Shape) -> Shape:
    """The shape without the classes, which are dimension 1, or 0 without a batch."""
    return (*x[:1], *x[2:]) if len(x) > 1 else ()


@shape("torch.nn.functional.cross_entropy", dtype=same())
def cross_entropy(
    call: Call, input: Value, target: Value, weight: Value = None, size_average: Value = None,
    ignore_index: Value = -100,
    reduce: Value = None, reduction: Value = "mean", label_smoothing: Value = 0.0,
) -> Shape:  # fmt: skip
    return reduced_loss(_per_sample(read.shape_of(input)), reduction)


@shape("torch.nn.functional.nll_loss", dtype=same())
def nll_loss(
    call: Call, input: Value, target: Value, weight: Value = None, size_average: Value = None,
    ignore_index: Value = -100,
    reduce: Value = None, reduction: Value = "mean",
) -> Shape:  # fmt: skip
    return reduced_loss(_per_sample(read.shape_of(input)), reduction)


@shape("torch.nn.functional.multi_margin_loss", dtype=same())
def multi_margin_loss(
    call: Call, input: Value, target: Value, p: Value = 1, margin: Value = 1.0, weight: Value = None,
    size_average: Value = None, reduce: Value = None, reduction: Value = "mean",
) -> Shape:  # fmt: skip
    return reduced_loss(read.shape_of(input)[:-1], reduction)


@shape("torch.nn.functional.multilabel_margin_loss", dtype=same())
def multilabel_margin_loss(
    call: Call, input: Value, target: Value, size_average: Value = None, reduce: Value = None, reduction: Value = "mean"
) -> Shape:
    return reduced_loss(read.shape_of(input)[:-1], reduction)


@shape("torch.nn.functional.multilabel_soft_margin_loss", dtype=same())
def multilabel_soft_margin_loss(
    call: Call, input: Value, target: Value, weight: Value = None, size_average: Value = None, reduce: Value = None,
    reduction: Value = "mean",
) -> Shape:  # fmt: skip
    return reduced_loss(read.shape_of(input)[:-1], reduction)


@shape("torch.nn.functional.cosine_embedding_loss", dtype=floated("input1", "input2"))
def cosine_embedding_loss(
    call: Call, input1: Value, input2: Value, target: Value, margin: Value = 0.0, size_average: Value = None,
    reduce: Value = None, reduction: Value = "mean",
) -> Shape:  # fmt: skip
    return reduced_loss(read.shape_of(target), reduction)


@shape("torch.nn.functional.margin_ranking_loss", dtype=floated("input1", "input2", "target"))
def margin_ranking_loss(
    call: Call, input1: Value, input2: Value, target: Value, margin: Value = 0.0, size_average: Value = None,
    reduce: Value = None, reduction: Value = "mean",
) -> Shape:  # fmt: skip
    return reduced_loss(call.broadcast(*(read.shape_of(v) for v in (input1, input2, target))), reduction)


@shape("torch.nn.functional.triplet_margin_loss", dtype=real(floated("anchor", "positive", "negative")))
def triplet_margin_loss(
    call: Call, anchor: Value, positive: Value, negative: Value, margin: Value = 1.0, p: Value = 2, eps: Value = 1e-6,
    swap: Value = False, size_average: Value = None, reduce: Value = None, reduction: Value = "mean",
) -> Shape:  # fmt: skip
    return reduced_loss(call.broadcast(*(read.shape_of(v) for v in (anchor, positive, negative)))[:-1], reduction)


@shape("torch.nn.functional.triplet_margin_with_distance_loss", dtype=real(floated("anchor", "positive", "negative")))
def triplet_margin_with_distance_loss(
    call: Call, anchor: Value, positive: Value, negative: Value, *, distance_function: Value = None,
    margin: Value = 1.0,
    swap: Value = False, reduction: Value = "mean",
) -> Shape:  # fmt: skip
    if distance_function is not None and read.text(reduction) == "none":
        return read.shape_of(None)
    return triplet_margin_loss(call, anchor, positive, negative, reduction=reduction)


@shape("torch.nn.functional.ctc_loss", dtype=same("log_probs"))
def ctc_loss(
    call: Call, log_probs: Value, targets: Value, input_lengths: Value, target_lengths: Value, blank: Value = 0,
    reduction: Value = "mean", zero_infinity: Value = False,
) -> Shape:  # fmt: skip
    x = read.shape_of(log_probs)
    return reduced_loss((x[1],) if len(x) == 3 else (), reduction)
