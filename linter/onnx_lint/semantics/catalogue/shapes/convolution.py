"""Convolutions, pooling, resizing: what slides a window over the last dimensions."""

from __future__ import annotations

import math
from collections.abc import Callable

from onnx_lint.semantics.catalogue.shapes import arguments as read
from onnx_lint.semantics.catalogue.shapes.dtype_rules import same
from onnx_lint.semantics.catalogue.shapes.registry import Call, NotKnown, result, shape
from onnx_lint.semantics.domain.dims import UNKNOWN_SIZE, Dim, bounds, ceil_div
from onnx_lint.semantics.domain.shapes import Shape, ShapeError, TensorType, Value, product, size_like


def split_spatial(x: Shape, count: int) -> tuple[Shape, Dim, Shape]:
    """Batch (empty if there is none), channels, and the `count` dimensions that the window moves over.

    Raises:
        ShapeError: the number of dimensions is another one.
    """
    if len(x) not in (count + 1, count + 2):
        raise ShapeError(f"{len(x)} dimensions, wanted {count + 1} or {count + 2}")
    return x[: -count - 1], x[-count - 1], x[-count:]


def window_count(length: Dim, kernel: Dim, stride: Dim, padding: Dim, dilation: Dim) -> Dim:
    """How many positions a window has in a dimension."""
    return (length + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def convolved(
    call: Call, count: int, input: Value, weight: Value, stride: Value, padding: Value, dilation: Value, groups: Value
) -> Shape:
    """The shape of a convolution over `count` dimensions."""
    batch, channels, spatial = split_spatial(read.shape_of(input), count)
    out, per_group, *kernel = read.shape_of(weight)
    call.equal(channels, per_group * read.size(groups), "input channels of a convolution")
    steps, holes = read.sizes_of(stride, count), read.sizes_of(dilation, count)
    if padding == "same":
        return (*batch, out, *spatial)
    pads = (0,) * count if padding == "valid" else read.sizes_of(padding, count)
    return (*batch, out, *map(window_count, spatial, kernel, steps, pads, holes))


@shape("torch.conv1d", "torch.nn.functional.conv1d", dtype=same())
def conv1d(
    call: Call, input: Value, weight: Value, bias: Value = None, stride: Value = 1, padding: Value = 0,
    dilation: Value = 1, groups: Value = 1,
) -> Shape:  # fmt: skip
    return convolved(call, 1, input, weight, stride, padding, dilation, groups)


@shape("torch.conv2d", "torch.nn.functional.conv2d", dtype=same())
def conv2d(
    call: Call, input: Value, weight: Value, bias: Value = None, stride: Value = 1, padding: Value = 0,
    dilation: Value = 1, groups: Value = 1,
) -> Shape:  # fmt: skip
    return convolved(call, 2, input, weight, stride, padding, dilation, groups)


@shape("torch.conv3d", "torch.nn.functional.conv3d", dtype=same())
def conv3d(
    call: Call, input: Value, weight: Value, bias: Value = None, stride: Value = 1, padding: Value = 0,
    dilation: Value = 1, groups: Value = 1,
) -> Shape:  # fmt: skip
    return convolved(call, 3, input, weight, stride, padding, dilation, groups)


@shape("torch.conv_tbc", "torch.nn.functional.conv_tbc", dtype=same())
def conv_tbc(call: Call, input: Value, weight: Value, bias: Value, pad: Value = 0) -> Shape:
    time, batch, _ = read.shape_of(input)
    kernel, _, out = read.shape_of(weight)
    return time + 2 * read.size(pad) - kernel + 1, batch, out


def transposed(
    call: Call, count: int, input: Value, weight: Value, stride: Value, padding: Value, output_padding: Value,
    groups: Value, dilation: Value,
) -> Shape:  # fmt: skip
    """The shape of a transposed convolution over `count` dimensions."""
    batch, channels, spatial = split_spatial(read.shape_of(input), count)
    into, per_group, *kernel = read.shape_of(weight)
    call.equal(channels, into, "input channels of a transposed convolution")
    parts = (read.sizes_of(v, count) for v in (stride, padding, output_padding, dilation))
    lengths = [
        (n - 1) * s - 2 * p + d * (k - 1) + o + 1 for n, k, s, p, o, d in zip(spatial, kernel, *parts, strict=True)
    ]
    return (*batch, per_group * read.size(groups), *lengths)


@shape("torch.conv_transpose1d", "torch.nn.functional.conv_transpose1d", dtype=same())
def conv_transpose1d(
    call: Call, input: Value, weight: Value, bias: Value = None, stride: Value = 1, padding: Value = 0,
    output_padding: Value = 0, groups: Value = 1, dilation: Value = 1,
) -> Shape:  # fmt: skip
    return transposed(call, 1, input, weight, stride, padding, output_padding, groups, dilation)


@shape("torch.conv_transpose2d", "torch.nn.functional.conv_transpose2d", dtype=same())
def conv_transpose2d(
    call: Call, input: Value, weight: Value, bias: Value = None, stride: Value = 1, padding: Value = 0,
    output_padding: Value = 0, groups: Value = 1, dilation: Value = 1,
) -> Shape:  # fmt: skip
    return transposed(call, 2, input, weight, stride, padding, output_padding, groups, dilation)


@shape("torch.conv_transpose3d", "torch.nn.functional.conv_transpose3d", dtype=same())
def conv_transpose3d(
    call: Call, input: Value, weight: Value, bias: Value = None, stride: Value = 1, padding: Value = 0,
    output_padding: Value = 0, groups: Value = 1, dilation: Value = 1,
) -> Shape:  # fmt: skip
    return transposed(call, 3, input, weight, stride, padding, output_padding, groups, dilation)


def pooled(
    x: Shape, count: int, kernel: Value, stride: Value, padding: Value, dilation: Value, ceil_mode: Value
) -> Shape:
    """The shape of pooling over `count` dimensions."""
    lead, spatial = x[:-count], x[-count:]
    sizes = read.sizes_of(kernel, count)
    steps = sizes if stride is None or stride == () else read.sizes_of(stride, count)
    pads, holes = read.sizes_of(padding, count), read.sizes_of(dilation, count)
    up = read.flag(ceil_mode)
    return (*lead, *(_pooled_length(*part, up) for part in zip(spatial, sizes, steps, pads, holes, strict=True)))


def _pooled_length(n: Dim, kernel: Dim, stride: Dim, padding: Dim, dilation: Dim, up: bool) -> Dim:
    if not up:
        return window_count(n, kernel, stride, padding, dilation)
    length = ceil_div(n + 2 * padding - dilation * (kernel - 1) - 1, stride) + 1
    # a window that starts in the padding on the right is left out
    if isinstance(length, int) and isinstance(n, int) and isinstance(stride, int) and isinstance(padding, int):
        return length - 1 if (length - 1) * stride >= n + padding else length
    low, _ = bounds(n + padding - 1 - (length - 1) * stride)
    return length if low is not None and low >= 0 else size_like(n, length)


class _Pooling:
    """Models of one kind of pooling for one, two and three dimensions."""

    def __init__(self, kind: str, count: int) -> None:
        self.kind, self.count = kind, count

    def max(
        self, call: Call, input: Value, kernel_size: Value, stride: Value = None, padding: Value = 0,
        dilation: Value = 1,
        ceil_mode: Value = False, return_indices: Value = False,
    ) -> Value:  # fmt: skip
        x = read.tensor(input)
        found = _shape_or_none(x, self.count, kernel_size, stride, padding, dilation, ceil_mode)
        if self.kind == "with_indices" or read.flag(return_indices):
            return TensorType(found, x.dtype), TensorType(found, "int64")
        return TensorType(found, x.dtype)

    def average(
        self, call: Call, input: Value, kernel_size: Value, stride: Value = None, padding: Value = 0,
        ceil_mode: Value = False, count_include_pad: Value = True, divisor_override: Value = None,
    ) -> Value:  # fmt: skip
        x = read.tensor(input)
        return TensorType(_shape_or_none(x, self.count, kernel_size, stride, padding, 1, ceil_mode), x.dtype)

    def power(
        self, call: Call, input: Value, norm_type: Value, kernel_size: Value, stride: Value = None,
        ceil_mode: Value = False,
    ) -> Value:  # fmt: skip
        x = read.tensor(input)
        return TensorType(_shape_or_none(x, self.count, kernel_size, stride, 0, 1, ceil_mode), x.dtype)

    def adaptive_average(self, call: Call, input: Value, output_size: Value) -> Value:
        x = read.tensor(input)
        if x.shape is None:
            return x
        return TensorType(adapted(x.shape, self.count, output_size), x.dtype)

    def adaptive_max(self, call: Call, input: Value, output_size: Value, return_indices: Value = False) -> Value:
        x = read.tensor(input)
        found = None if x.shape is None else adapted(x.shape, self.count, output_size)
        if self.kind == "with_indices" or read.flag(return_indices):
            return TensorType(found, x.dtype), TensorType(found, "int64")
        return TensorType(found, x.dtype)

    def unpool(
        self, call: Call, input: Value, indices: Value, kernel_size: Value, stride: Value = None, padding: Value = 0,
        output_size: Value = None,
    ) -> Value:  # fmt: skip
        x = read.tensor(input)
        shape = read.shape_of(x)
        if output_size is not None:
            return TensorType((*shape[: -self.count], *read.sizes(output_size)[-self.count :]), x.dtype)
        sizes = read.sizes_of(kernel_size, self.count)
        steps = sizes if stride is None else read.sizes_of(stride, self.count)
        pads = read.sizes_of(padding, self.count)
        lengths = [(n - 1) * s - 2 * p + k for n, k, s, p in zip(shape[-self.count :], sizes, steps, pads, strict=True)]
        return TensorType((*shape[: -self.count], *lengths), x.dtype)

    def fractional(
        self, call: Call, input: Value, kernel_size: Value, output_size: Value = None, output_ratio: Value = None,
        return_indices: Value = False, _random_samples: Value = None,
    ) -> Value:  # fmt: skip
        x = read.tensor(input)
        shape = read.shape_of(x)
        if output_size is not None:
            lengths: Shape = read.sizes_of(output_size, self.count)
        else:
            ratios = output_ratio if isinstance(output_ratio, tuple) else (output_ratio,) * self.count
            lengths = tuple(scaled(n, r) for n, r in zip(shape[-self.count :], ratios, strict=True))
        found = (*shape[: -self.count], *lengths)
        if self.kind == "with_indices" or read.flag(return_indices):
            return TensorType(found, x.dtype), TensorType(found, "int64")
        return TensorType(found, x.dtype)


def _shape_or_none(
    x: TensorType, count: int, kernel: Value, stride: Value, padding: Value, dilation: Value, ceil_mode: Value
) -> Shape | None:
    try:
        return pooled(read.shape_of(x), count, kernel, stride, padding, dilation, ceil_mode)
    except NotKnown:
        return None


def adapted(x: Shape, count: int, output_size: Value) -> Shape:
    """The shape of adaptive pooling; None in `output_size` keeps a size."""
    wanted = output_size if isinstance(output_size, tuple) else (output_size,) * count
    lengths = [n if w is None else read.size(w) for n, w in zip(x[-count:], wanted, strict=True)]
    return (*x[:-count], *lengths)


def scaled(length: Dim, factor: Value) -> Dim:
    """``floor(length * factor)`` in floating point; exact only where the factor is a fraction with a power of two."""
    if isinstance(factor, int):
        return length * factor
    if not isinstance(factor, float):
        return size_like(length)
    if isinstance(length, int):
        return math.floor(length * factor)
    numerator, denominator = factor.as_integer_ratio()
    return (length * numerator) // denominator if denominator <= 1024 else size_like(length)


def _register_pooling() -> None:
    f = "torch.nn.functional."
    for n in (1, 2, 3):
        plain, indexed = _Pooling("plain", n), _Pooling("with_indices", n)
        table: dict[str, Callable[..., Value]] = {
            f"{f}max_pool{n}d": plain.max, f"torch.max_pool{n}d": plain.max,
            f"{f}max_pool{n}d_with_indices": indexed.max, f"torch.max_pool{n}d_with_indices": indexed.max,
            f"{f}avg_pool{n}d": plain.average, f"torch.avg_pool{n}d": plain.average,
            f"{f}lp_pool{n}d": plain.power,
            f"{f}adaptive_avg_pool{n}d": plain.adaptive_average, f"torch.adaptive_avg_pool{n}d": plain.adaptive_average,
            f"{f}adaptive_max_pool{n}d": plain.adaptive_max, f"torch.adaptive_max_pool{n}d": indexed.adaptive_max,
            f"{f}adaptive_max_pool{n}d_with_indices": indexed.adaptive_max,
            f"{f}max_unpool{n}d": plain.unpool,
        }  # fmt: skip
        if n > 1:
            table[f"{f}fractional_max_pool{n}d"] = plain.fractional
            table[f"{f}fractional_max_pool{n}d_with_indices"] = indexed.fractional
        for name, function in table.items():
            result(name)(function)


_register_pooling()


@result("torch.nn.functional.interpolate", "torch.nn.functional.upsample")
def interpolate(
    call: Call, input: Value, size: Value = None, scale_factor: Value = None, mode: Value = "nearest",
    align_corners: Value = None, recompute_scale_factor: Value = None, antialias: Value = False,
) -> Value:  # fmt: skip
    x = read.tensor(input)
    if x.shape is None:
        return x
    lead, spatial = x.shape[:2], x.shape[2:]
    if size is not None:
        try:
            return TensorType((*lead, *read.sizes_of(size, len(spatial))), x.dtype)
        except NotKnown:
            return TensorType((*lead, *(UNKNOWN_SIZE for _ in spatial)), x.dtype)
    factors = scale_factor if isinstance(scale_factor, tuple) else (scale_factor,) * len(spatial)
    return TensorType((*lead, *(scaled(n, s) for n, s in zip(spatial, factors, strict=True))), x.dtype)


@result("torch.nn.functional.upsample_nearest", "torch.nn.functional.upsample_bilinear")
def upsample(call: Call, input: Value, size: Value = None, scale_factor: Value = None) -> Value:
    return interpolate(call, input, size, scale_factor)


@shape("torch.nn.functional.grid_sample", "torch.grid_sampler", dtype=same())
def grid_sample(
    call: Call,
    input: Value,
    grid: Value,
    mode: Value = "bilinear",
    padding_mode: Value = "zeros",
    align_corners: Value = None,
) -> Shape:
    x, points = read.shape_of(input), read.shape_of(grid)
    batch = call.equal(x[0], points[0], "batch of image and grid")
    return (batch, x[1], *points[1:-1])


@shape("torch.grid_sampler_2d", "torch.grid_sampler_3d", dtype=same())
def grid_sampler(
    call: Call, input: Value, grid: Value, interpolation_mode: Value, padding_mode: Value, align_corners: Value
) -> Shape:
    return grid_sample(call, input, grid)


@shape("torch.nn.functional.affine_grid", "torch.affine_grid_generator", dtype=same("theta"))
def affine_grid(call: Call, theta: Value, size: Value, align_corners: Value = None) -> Shape:
    wanted = read.sizes(size)
    return (wanted[0], *wanted[2:], len(wanted) - 2)


@shape("torch.pixel_shuffle", "torch.nn.functional.pixel_shuffle", dtype=same())
def pixel_shuffle(call: Call, input: Value, upscale_factor: Value) -> Shape:
    *lead, channels, height, width = read.shape_of(input)
    by = read.size(upscale_factor)
    call.multiple(channels, by * by, "channels of a pixel shuffle")
    return (*lead, channels // (by * by), height * by, width * by)


@shape("torch.pixel_unshuffle", "torch.nn.functional.pixel_unshuffle", dtype=same())
def pixel_unshuffle(call: Call, input: Value, downscale_factor: Value) -> Shape:
    *lead, channels, height, width = read.shape_of(input)
    by = read.size(downscale_factor)
    for side in (height, width):
        call.multiple(side, by, "sides of a pixel unshuffle")
    return (*lead, channels * by * by, height // by, width // by)


@shape("torch.channel_shuffle", "torch.native_channel_shuffle", "torch.nn.functional.channel_shuffle",
       "torch.nn.functional.native_channel_shuffle", dtype=same())  # fmt: skip
def channel_shuffle(call: Call, input: Value, groups: Value) -> Shape:
    return read.shape_of(input)


@shape("torch.nn.functional.unfold", dtype=same())
def unfold(
    call: Call, input: Value, kernel_size: Value, dilation: Value = 1, padding: Value = 0, stride: Value = 1
) -> Shape:
    batch, channels, spatial = split_spatial(read.shape_of(input), 2)
    parts = [read.sizes_of(v, 2) for v in (kernel_size, stride, padding, dilation)]
    return (*batch, channels * product(parts[0]), product(map(window_count, spatial, *parts)))


@shape("torch.nn.functional.fold", dtype=same())
def fold(
    call: Call,
    input: Value,
    output_size: Value,
    kernel_size: Value,
    dilation: Value = 1,
    padding: Value = 0,
    stride: Value = 1,
) -> Shape:
    *batch, columns, length = read.shape_of(input)
    wanted = read.sizes_of(output_size, 2)
    parts = [read.sizes_of(v, 2) for v in (kernel_size, stride, padding, dilation)]
    call.multiple(columns, product(parts[0]), "columns of fold")
    call.equal(length, product(map(window_count, wanted, *parts)), "blocks of fold")
    return (*batch, columns // product(parts[0]), *wanted)
