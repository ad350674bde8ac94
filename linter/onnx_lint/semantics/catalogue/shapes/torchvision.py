"""The functions of ``torchvision.ops``."""

from __future__ import annotations

from onnx_lint.semantics.catalogue.shapes import arguments as read
from onnx_lint.semantics.catalogue.shapes.dtype_rules import fixed, same
from onnx_lint.semantics.catalogue.shapes.registry import Call, NotKnown, shape
from onnx_lint.semantics.domain.dims import VARYING_SIZE, Dim
from onnx_lint.semantics.domain.shapes import Shape, TensorType, Value


@shape("torchvision.ops.nms", "torchvision.ops.boxes.nms", dtype=fixed("int64"))
def nms(call: Call, boxes: Value, scores: Value, iou_threshold: Value) -> Shape:
    return (VARYING_SIZE,)


@shape("torchvision.ops.batched_nms", "torchvision.ops.boxes.batched_nms", dtype=fixed("int64"))
def batched_nms(call: Call, boxes: Value, scores: Value, idxs: Value, iou_threshold: Value) -> Shape:
    return (VARYING_SIZE,)


@shape("torchvision.ops.remove_small_boxes", dtype=fixed("int64"))
def remove_small_boxes(call: Call, boxes: Value, min_size: Value) -> Shape:
    return (VARYING_SIZE,)


@shape("torchvision.ops.clip_boxes_to_image", dtype=same("boxes"))
def clip_boxes_to_image(call: Call, boxes: Value, size: Value) -> Shape:
    return read.shape_of(boxes)


@shape("torchvision.ops.box_convert", dtype=same("boxes"))
def box_convert(call: Call, boxes: Value, in_fmt: Value, out_fmt: Value) -> Shape:
    return read.shape_of(boxes)


@shape("torchvision.ops.box_iou", "torchvision.ops.generalized_box_iou", dtype=lambda bound: None)
def box_iou(call: Call, boxes1: Value, boxes2: Value, fmt: Value = "xyxy") -> Shape:
    return (*read.shape_of(boxes1)[:-1], read.shape_of(boxes2)[-2])


def _regions(boxes: Value) -> Dim:
    """How many regions there are: rows of one tensor, or of one for each image."""
    if isinstance(boxes, TensorType):
        return read.shape_of(boxes)[0]
    counts = [read.shape_of(b)[0] for b in read.items(boxes)]
    if not counts:
        raise NotKnown
    total = counts[0]
    for count in counts[1:]:
        total = total + count
    return total


@shape("torchvision.ops.roi_align", dtype=same())
def roi_align(
    call: Call, input: Value, boxes: Value, output_size: Value, spatial_scale: Value = 1.0, sampling_ratio: Value = -1,
    aligned: Value = False,
) -> Shape:  # fmt: skip
    return (_regions(boxes), read.shape_of(input)[1], *read.sizes_of(output_size, 2))


@shape("torchvision.ops.roi_pool", dtype=same())
def roi_pool(call: Call, input: Value, boxes: Value, output_size: Value, spatial_scale: Value = 1.0) -> Shape:
    return (_regions(boxes), read.shape_of(input)[1], *read.sizes_of(output_size, 2))


@shape("torchvision.ops.stochastic_depth", dtype=same())
def stochastic_depth(call: Call, input: Value, p: Value, mode: Value, training: Value = True) -> Shape:
    return read.shape_of(input)


@shape("torchvision.ops.sigmoid_focal_loss", dtype=same("inputs"))
def sigmoid_focal_loss(
    call: Call, inputs: Value, targets: Value, alpha: Value = 0.25, gamma: Value = 2, reduction: Value = "none"
) -> Shape:
    return read.shape_of(inputs) if read.text(reduction) == "none" else ()
