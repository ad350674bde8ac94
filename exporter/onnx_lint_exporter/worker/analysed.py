"""The example input from what the analysis knows of the parameters of ``forward``.

Kinds, ranks, dtypes and fixed sizes come from the analysis. What it does not know is taken from the model that was
built: the features that its layers take, the size of picture that it says it is for, the number of rows of a table that
an input is an index of. Sizes that nothing fixes are tried.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .asking import KnownDim, KnownInput
from .execution import Arguments, Model
from .guess import plain_value, shapes_of
from .inputs import Inputs, from_specs, parameters
from .model_sizes import layer_sizes, picture_sizes
from .spec import Dim, InputSpec
from .tables import rows_indexed
from .vary import Variation, axis_names, variation

_MOST_TRIALS = 40
_MOST_SECONDS = 10.0
_BATCH = 2
_SIDES = (64, 224, 32, 128, 256)
"""Heights and widths that pictures are tried with, after those that the model says it is for."""
_LENGTHS = (7, 64, 2000, 16000)
"""Lengths of other dimensions: words, then samples of sound."""
_MOST_CHANNELS = 8
_LONGEST_INNER = 64
"""The largest size of volumes, and of all dimensions but the last of sequences: two long ones make gigabytes."""


class UnfitError(Exception):
    """No input that agrees with what the analysis knows runs; the message says what was tried."""


def from_analysis(model: Model, known: Sequence[KnownInput]) -> Inputs:
    """Inputs of the kinds, ranks, dtypes and sizes that are known, in which every dimension varies that may.

    Raises `UnfitError` when nothing of that kind runs.
    """
    given = [item for item in known if item.is_given]
    if not given:
        raise UnfitError("the analysis knows of no input")
    plain: list[InputSpec] = []
    tensors: list[KnownInput] = []
    annotated = {p.name: p for p in parameters(model)}
    for item in given:
        if item.kind in ("list", "dict"):
            raise UnfitError(f"`{item.name}` is a {item.kind}")
        value = plain_value(annotated[item.name].annotation) if item.name in annotated else None
        if value is None and item.kind == "number":
            value = 2
        if value is not None:
            plain.append(InputSpec(item.name, value=value))
        else:
            tensors.append(item)
    specs = _example(model, tensors, plain)
    first = _arguments(model, specs)
    fixed = {(t.name, k) for t in tensors for k, dim in enumerate(t.dims or ()) if dim.size is not None}
    found = variation(model, first, fixed)
    return assembled(model, specs, found, {t.name: t.dims for t in tensors}, "the analysis")


def assembled(
    model: Model,
    specs: Sequence[InputSpec],
    found: Variation,
    dims: Mapping[str, tuple[KnownDim, ...] | None],
    origin: str,
) -> Inputs:
    """Both inputs from the example and what of it varies."""
    given = {(n, k): dim.name for n, known in dims.items() for k, dim in enumerate(known or ()) if _is_name(dim.name)}
    names = axis_names([(spec.name, len(spec.dims)) for spec in specs], found, given)
    whole = []
    for spec in specs:
        sizes = []
        for k, dim in enumerate(spec.dims):
            axis = found.axes.get((spec.name, k))
            second = found.sizes.get((spec.name, k), dim.first)
            sizes.append(Dim(dim.first, second, names[axis] if axis is not None else None))
        whole.append(InputSpec(spec.name, spec.dtype, tuple(sizes), spec.low, spec.high, spec.value))
    inputs = from_specs(model, whole)
    inputs.origin = f"inputs from {origin}: {'; '.join(map(written, whole))}"
    inputs.second_given = False
    return inputs


def _is_name(text: str) -> bool:
    """Whether the code's name of a size can be that of an axis."""
    return text.isascii() and text.isidentifier()


def written(spec: InputSpec) -> str:
    """An input as it is printed: ``x: float32[N, 3, H, W]``."""
    if spec.dtype is None:
        return f"{spec.name}: {spec.value!r}"
    low = f" from {int(spec.low)}" if spec.low else ""
    bound = f"{low} below {int(spec.high)}" if spec.high is not None else ""
    return f"{spec.name}: {spec.dtype}[{', '.join(dim.axis or str(dim.first) for dim in spec.dims)}]{bound}"


def _arguments(model: Model, specs: Sequence[InputSpec]) -> Arguments:
    return from_specs(model, list(specs)).first


# --- trying ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scale:
    """Sizes for the dimensions of which nothing is known."""

    side: int
    length: int
    batch: int = _BATCH


def _example(model: Model, tensors: Sequence[KnownInput], plain: list[InputSpec]) -> list[InputSpec]:
    """The specifications of an example that runs, with the bounds of integers that are indices of a table."""
    end, refusal = time.monotonic() + _MOST_SECONDS, ""
    tried: list[list[InputSpec]] = []
    for specs in _candidates(model, tensors):
        if len(tried) >= _MOST_TRIALS or time.monotonic() > end:
            break
        if specs in tried:
            continue
        tried.append(specs)
        arguments = _arguments(model, [*specs, *plain])
        try:
            rows = rows_indexed(model, arguments)
        except (MemoryError, RecursionError):
            raise
        except Exception as error:  # noqa: BLE001 - the model's own code may raise anything on a wrong guess
            refusal = refusal or f"{type(error).__name__}: {error}"
            continue
        bounded = [_bounded(spec, rows.get(spec.name)) for spec in specs]
        return _in_order(model, [*bounded, *plain])
    shown = "; ".join(map(_known_text, tensors))
    raise UnfitError(f"the model refuses {shown or 'them'}: {refusal[:160]}")


def _in_order(model: Model, specs: list[InputSpec]) -> list[InputSpec]:
    order = [p.name for p in parameters(model)]
    return sorted(specs, key=lambda spec: order.index(spec.name) if spec.name in order else len(order))


def _bounded(spec: InputSpec, rows: int | None) -> InputSpec:
    return spec if rows is None else InputSpec(spec.name, spec.dtype, spec.dims, spec.low, float(rows))


def _known_text(item: KnownInput) -> str:
    if item.dims is None:
        return f"{item.name}: {item.dtype or 'tensor'}"
    return f"{item.name}: {item.dtype or 'tensor'}[{', '.join(str(d.size or d.name or '?') for d in item.dims)}]"


def _candidates(model: Model, tensors: Sequence[KnownInput]) -> Iterator[list[InputSpec]]:
    """Specifications of all tensors together, likely ones first."""
    if not tensors:
        yield []
        return
    scales = list(_scales(model))
    choices = [list(_choices(model, item)) for item in tensors]
    for step in range(max(map(len, choices)) + len(scales)):
        for at, scale in enumerate(scales[: step + 1]):
            if all(step - at >= len(each) for each in choices):
                continue
            yield [
                each[min(step - at, len(each) - 1)](item, scale) for item, each in zip(tensors, choices, strict=True)
            ]
    yield [each[0](item, _Scale(4, 4, 4)) for item, each in zip(tensors, choices, strict=True)]
    one_up = [each[0](item, scales[0]) for item, each in zip(tensors, choices, strict=True)]
    yield [_raised(spec) for spec in one_up]


def _raised(spec: InputSpec) -> InputSpec:
    """Integers from 1 on: lengths and counts must not be 0."""
    integers = spec.dtype is not None and spec.dtype.startswith(("int", "uint"))
    return InputSpec(spec.name, spec.dtype, spec.dims, 1.0, 3.0) if integers else spec


_Choice = Callable[[KnownInput, _Scale], InputSpec]


def _choices(model: Model, item: KnownInput) -> Iterator[_Choice]:
    """Ways to complete what is known of a tensor."""
    if item.dims is not None:
        for dtype in [item.dtype] if item.dtype else ["float32", "int64"]:
            for sizes in _completions(model, item.dims, dtype):
                yield _sized(item.dims, sizes, dtype)
        return
    for shape, high in shapes_of(model):
        integers = item.dtype is not None and item.dtype.startswith(("int", "uint"))
        if item.dtype is None or integers == bool(high):
            dims = tuple(KnownDim(size if k and size > 5 else None) for k, size in enumerate(shape))
            if len(shape) > 3:
                dims = tuple(KnownDim(size) if k == 1 else KnownDim() for k, size in enumerate(shape))
            yield _sized(dims, {}, item.dtype or ("int64" if high else "float32"))
    if item.dtype in (None, "float32"):
        yield _sized((KnownDim(), KnownDim()), {}, "float32")


def _open_size(dim: int, rank: int, scale: _Scale) -> int:
    """The size of a dimension of which nothing is known: the first is the batch, the last of up to three a length,
    those behind the channels of a picture its side."""
    if dim == 0:
        return scale.batch
    if rank > 3:
        if dim == 1:
            return min(scale.length, _MOST_CHANNELS)
        return scale.side if rank == 4 else min(scale.side, _LONGEST_INNER)
    return scale.length if dim == rank - 1 else min(scale.length, _LONGEST_INNER)


def _sized(dims: tuple[KnownDim, ...], sizes: Mapping[int, int], dtype: str) -> _Choice:
    def made(item: KnownInput, scale: _Scale) -> InputSpec:
        out = []
        for k, dim in enumerate(dims):
            size = dim.size if dim.size is not None else sizes.get(k)
            if size is None:
                size = _open_size(k, len(dims), scale)
            out.append(Dim(size, size))
        return InputSpec(item.name, dtype, tuple(out))

    return made


def _completions(model: Model, dims: Sequence[KnownDim], dtype: str) -> Iterator[dict[int, int]]:
    """Sizes for dimensions that are fixed or unknown, by what the first layers take: all of them, then none."""
    rank = len(dims)
    open_ = [k for k, dim in enumerate(dims) if dim.size is None and k > 0]
    seen: list[dict[int, int]] = []
    if dtype.startswith("float") and open_:
        for number, (place, size) in enumerate(layer_sizes(model, rank)):
            if number == 0 and place not in open_:
                break  # the first layer's size is known: what later ones take says nothing of the input
            if place in open_ and {place: size} not in seen:
                seen.append({place: size})
    if rank > 3 and 1 in open_:
        seen += [found for found in ({1: 3}, {1: 1}) if found not in seen]
    yield from seen[:6] if dtype.startswith("float") else []
    yield {}


def _scales(model: Model) -> Iterator[_Scale]:
    sides = list(dict.fromkeys([*picture_sizes(model), *_SIDES]))
    for place, side in enumerate(sides):
        yield _Scale(side, _LENGTHS[min(place, len(_LENGTHS) - 1)])
