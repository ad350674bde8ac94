"""Control over the dynamo engine's capture: one strategy only, the guards it adds, and the shapes it is asked for."""

from __future__ import annotations

import inspect
import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch.fx.proxy import TracerBase

from .. import trees
from ..execution import Arguments, rebuilt
from ..frames import Rank, UserCode
from ..inputs import Axes
from ..protocol import Stack

_GUARD = re.compile(r"eval (?:\(forcing_spec\) )?(?P<expression>.*?) \[guard added\]")


class Guards(logging.Handler):
    """Listens to the shape environment: each guard it adds on a dynamic size, at the user's line that asked for it."""

    def __init__(self, user: UserCode) -> None:
        super().__init__(logging.INFO)
        self._user = user
        self.found: list[tuple[str, Stack]] = []

    def emit(self, record: logging.LogRecord) -> None:
        match = _GUARD.search(record.getMessage())
        if match and len(self.found) < 200:
            stack = self._user.choose_live(sys._getframe(1))
            if stack:
                self.found.append((match["expression"], stack))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen during the block."""
        logger = logging.getLogger("torch.fx.experimental.symbolic_shapes")
        before, spread = logger.level, logger.propagate
        logger.addHandler(self)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        try:
            yield
        finally:
            logger.removeHandler(self)
            logger.setLevel(before)
            logger.propagate = spread


@contextmanager
def whole_stacks(user: UserCode) -> Iterator[None]:
    """Have the captured nodes keep every frame of a person's code.

    By itself torch keeps those of functions named ``forward`` alone, so that what a helper does stands on its call. A
    torch without that filter is left as it is.
    """
    original = getattr(TracerBase, "_filter_traceback_frames", None)
    if original is None:
        yield
        return

    def kept(self: TracerBase, user_stack_summary: traceback.StackSummary) -> traceback.StackSummary:
        frames = user.on_the_way(reversed(user_stack_summary), lambda frame: frame.filename)
        return traceback.StackSummary.from_list(
            [frame for frame in reversed(list(frames)) if user.rank(frame.filename) is not Rank.ENGINE]
        )

    TracerBase._filter_traceback_frames = kept  # type: ignore[method-assign]
    try:
        yield
    finally:
        TracerBase._filter_traceback_frames = original  # type: ignore[method-assign]


@contextmanager
def only_strategy(strict: bool) -> Iterator[None]:
    """Have ``torch.onnx.export`` capture in one way only.

    By itself it silently falls back from non-strict to strict capture, and strict capture can kill the
    interpreter; the parent asks for it in another process instead. A torch without the list is left as it is.
    """
    try:
        from torch.onnx._internal.exporter import _capture_strategies as strategies
    except ImportError:
        yield
        return
    everything = getattr(strategies, "CAPTURE_STRATEGIES", None)
    name = "TorchExportStrictStrategy" if strict else "TorchExportNonStrictStrategy"
    chosen = getattr(strategies, name, None)
    if everything is None or chosen is None:
        yield
        return
    strategies.CAPTURE_STRATEGIES = (chosen,)
    try:
        yield
    finally:
        strategies.CAPTURE_STRATEGIES = everything


def axes_of_shapes(shapes: object) -> Axes:
    """The axes of ``--dynamic-shapes`` where they stand under the names of arguments."""
    axes: Axes = {}
    for name, dims in shapes.items() if isinstance(shapes, dict) else ():
        pairs = dims.items() if isinstance(dims, dict) else enumerate(dims) if isinstance(dims, list) else ()
        axes[name] = {int(dim): axis for dim, axis in pairs if isinstance(axis, str) and str(dim).isdigit()}
    return {name: dims for name, dims in axes.items() if dims}


def integer_keys(shapes: object) -> object:
    """JSON has no integer keys: ``{"0": "n"}`` means dimension 0."""
    if isinstance(shapes, dict):
        return {
            int(key) if isinstance(key, str) and key.isdigit() else key: integer_keys(value)
            for key, value in shapes.items()
        }
    if isinstance(shapes, tuple) and hasattr(shapes, "_fields"):
        named: Callable[..., object] = type(shapes)
        return named(*map(integer_keys, shapes))
    if isinstance(shapes, (list, tuple)):
        return type(shapes)(map(integer_keys, shapes))
    return shapes


def as_dims(shapes: object) -> object:
    """Axis names as the automatic dynamic dimensions that ``torch.export`` knows."""
    return rebuilt(shapes, lambda leaf: torch.export.Dim.DYNAMIC if isinstance(leaf, str) else leaf)


def dynamic_shapes(arguments: Arguments, axes: Axes, parameters: list[inspect.Parameter]) -> dict[str, object] | None:
    """Axis names in the nested form of the arguments, by parameter name, as ``dynamic_shapes`` wants it."""
    if not axes:
        return None
    order = [p.name for p in parameters]

    def shape(value: object, name: str) -> object:
        if isinstance(value, torch.Tensor):
            return axes.get(name)
        if isinstance(value, dict):
            return {key: shape(item, f"{name}_{key}") for key, item in value.items()}
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            named: Callable[..., object] = type(value)
            return named(*(shape(getattr(value, key), f"{name}_{key}") for key in value._fields))
        if isinstance(value, (tuple, list)):
            return type(value)(shape(item, f"{name}_{k}") for k, item in enumerate(value))
        if trees.is_node(value):  # torch.export wants the list of its parts
            return [shape(item, f"{name}_{key}") for key, item in trees.parts(value)]
        return None

    shapes: dict[str, object] = {}
    for index, value in enumerate(arguments.args):
        parameter = parameters[index] if index < len(parameters) else None
        if parameter is None or parameter.kind is parameter.VAR_POSITIONAL:
            rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "input")
            start = order.index(rest) if rest in order else 0
            shapes[rest] = tuple(shape(v, f"{rest}_{start + k}") for k, v in enumerate(arguments.args[start:]))
            break
        shapes[parameter.name] = shape(value, parameter.name)
    for key, value in arguments.kwargs.items():
        shapes[key] = shape(value, key)
    return shapes
