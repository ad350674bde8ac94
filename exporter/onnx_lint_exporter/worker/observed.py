"""Run a script of the user's, and note how it calls its models: with which inputs, and which sizes differ between them.

A model is what is called from outside any other module. Its calls do what they would do without us. Calls of one form
belong together: the same arguments, of the same ranks and dtypes; those of the most frequent form count.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch.nn.modules.loss import _Loss

from . import trees
from .execution import Arguments, Model, call, duplicate, leaves, same, tensors
from .frames import UserCode
from .guess import whole, written_inputs
from .inputs import Inputs, axis_sizes, name_leaves, parameters, relations
from .protocol import Frame
from .script import ScriptError, execute
from .vary import Place, Variation, axes_of, axis_names

_MOST_KEPT = 16
"""Calls of one form whose arguments are copied: those with new sizes."""
_MOST_ALIKE = 2
"""Calls of one form with the same sizes that are copied: they have other values."""


@dataclass
class _Form:
    """The calls of one form."""

    count: int = 0
    kept: list[Arguments] = field(default_factory=list)
    sizes: dict[Hashable, int] = field(default_factory=dict)
    """How many calls with these sizes were kept."""


@dataclass
class Seen:
    """One model, and how it was called."""

    model: Model
    place: Frame | None
    """Where it was called first."""
    forms: dict[Hashable, _Form] = field(default_factory=dict)

    def note(self, arguments: Arguments) -> None:
        """One more call."""
        trees.register_known()  # what fills a cache is part of the form
        named = name_leaves(self.model, arguments)
        tensors = [(name, leaf) for name, leaf in named if isinstance(leaf, torch.Tensor)]
        if any(type(leaf) not in (torch.Tensor, torch.nn.Parameter) for _, leaf in tensors):
            return  # an export or a compiler in the script, which calls the model with tensors of its own
        kind = tuple(
            (name, leaf.dtype, leaf.dim()) if isinstance(leaf, torch.Tensor) else (name, type(leaf))
            for name, leaf in named
        )
        form = self.forms.setdefault(kind, _Form())
        form.count += 1
        sizes = tuple([leaf.shape for _, leaf in tensors])
        if len(form.kept) < _MOST_KEPT and form.sizes.get(sizes, 0) < _MOST_ALIKE:
            form.sizes[sizes] = form.sizes.get(sizes, 0) + 1
            form.kept.append(Arguments(duplicate(arguments.args), duplicate(arguments.kwargs)))

    def inputs(self) -> Inputs:
        """Both inputs from the calls of the most frequent form. Sizes that differ between them are axes, one where they
        are always equal; when none differs, every size that the model lets change."""
        form = max(self.forms.values(), key=lambda each: each.count)
        line = f", first on line {self.place.line}" if self.place is not None else ""
        calls = f"{form.count} calls" if form.count > 1 else "one call"
        origin = f"{calls} of `{type(self.model).__name__}`{line}: "
        idle = _idle_options(self.model, form.kept[0])
        for arguments in form.kept:
            arguments.kwargs = {key: value for key, value in arguments.kwargs.items() if key not in idle}
        found = _differing(self.model, form.kept)
        if not found.axes:
            inputs = whole(self.model, form.kept[0], origin)
            if len(form.kept) > 1 and not inputs.axes:
                inputs.second = form.kept[1]
            inputs.bounds = _bounds(self.model, form.kept)
            inputs.origin += "; no size differs between the calls, those that the model lets change vary"
            return inputs
        kept = sorted(form.kept, key=lambda each: _smallest(self.model, each, found) < 2)  # 0 and 1 are cases apart
        first = kept[0]
        named = name_leaves(self.model, first)
        names = axis_names([(name, leaf.dim()) for name, leaf in named if isinstance(leaf, torch.Tensor)], found)
        axes = axes_of(found, names)
        own = dict(_sizes(self.model, first))
        second = max(kept, key=lambda each: sum(own[place] != size for place, size in _sizes(self.model, each)))
        samples = [axis_sizes(self.model, each, axes) for each in kept]
        inputs = Inputs(first, second, axes, origin=origin + written_inputs(named, axes), relations=relations(samples))
        inputs.bounds = _bounds(self.model, form.kept)
        return inputs


def _idle_options(model: Model, arguments: Arguments) -> set[str]:
    """The plain arguments that ``forward`` takes by ``**kwargs`` only and that change nothing in what it gives, such as
    ``return_dict=True``. ``torch.export`` (2.13) takes no dynamic shapes together with such arguments."""
    known = parameters(model)
    names = {p.name for p in known}
    extra = {key for key, value in arguments.kwargs.items() if key not in names and not tensors(value)}
    if not extra or not any(p.kind is p.VAR_KEYWORD for p in known):
        return set()
    without = {key: value for key, value in arguments.kwargs.items() if key not in extra}
    before = leaves(call(model, arguments))
    try:
        after = leaves(call(model, Arguments(arguments.args, without)))
    except Exception:  # noqa: BLE001 - the model needs them, and says so in its own way
        return set()
    alike = [name for name, _ in before] == [name for name, _ in after]
    return extra if alike and all(same(a, b) for (_, a), (_, b) in zip(before, after, strict=True)) else set()


def _bounds(model: Model, calls: Sequence[Arguments]) -> dict[str, tuple[int, int]]:
    """What the script gave of integers and booleans: a mask of ones alone, say, and no word beyond the vocabulary. The
    range that a model takes cannot be seen from outside, and what it makes of other values nobody relies on."""
    found: dict[str, tuple[int, int]] = {}
    for arguments in calls:
        for name, leaf in name_leaves(model, arguments):
            if isinstance(leaf, torch.Tensor) and leaf.numel() and not (leaf.is_floating_point() or leaf.is_complex()):
                least, most = int(leaf.min()), int(leaf.max())
                low, high = found.get(name, (least, most + 1))
                found[name] = min(low, least), max(high, most + 1)
    return found


def _sizes(model: Model, arguments: Arguments) -> Iterator[tuple[Place, int]]:
    for name, leaf in name_leaves(model, arguments):
        if isinstance(leaf, torch.Tensor):
            yield from (((name, dim), size) for dim, size in enumerate(leaf.shape))


def _smallest(model: Model, arguments: Arguments, found: Variation) -> int:
    return min(size for place, size in _sizes(model, arguments) if place in found.axes)


def _differing(model: Model, calls: Sequence[Arguments]) -> Variation:
    """The dimensions whose sizes differ between calls; those that are equal in every call are one axis."""
    seen: dict[Place, list[int]] = {}
    for arguments in calls:
        for place, size in _sizes(model, arguments):
            seen.setdefault(place, []).append(size)
    found = Variation()
    numbers: dict[tuple[int, ...], int] = {}
    for place, sizes in seen.items():
        if len(set(sizes)) > 1:
            found.axes[place] = numbers.setdefault(tuple(sizes), len(numbers))
    return found


def run(path: str, arguments: Sequence[str], user: UserCode) -> list[Seen]:
    """Run a script as ``python path arguments`` does, to its end, and note the models that it calls, in the order of
    their first calls. An exception of its own counts as its end once a model was called; before that it is raised.

    Raises `ScriptError` when it calls none.
    """
    seen: dict[int, Seen] = {}
    try:
        with _listening(seen, user):
            execute(path, arguments)
    except (Exception, SystemExit):
        if not seen:
            raise
    called = [each for each in seen.values() if each.forms]
    if not called:
        raise ScriptError(f"{path}: the script called no torch.nn.Module (a call of `forward` itself is not seen)")
    return called


@contextmanager
def _listening(seen: dict[int, Seen], user: UserCode) -> Iterator[None]:
    original: Callable[..., object] = torch.nn.Module.__call__
    inside = threading.local()

    def called(self: torch.nn.Module, *args: object, **kwargs: object) -> object:
        if getattr(inside, "depth", 0) or isinstance(self, _Loss) or torch._C._get_tracing_state() is not None:
            return original(self, *args, **kwargs)
        model = getattr(self, "_orig_mod", self)  # of a compiled model the one that it was made of
        if id(model) not in seen:
            stack = user.choose_live(sys._getframe(1))
            seen[id(model)] = Seen(model, stack[0] if stack else None)
        seen[id(model)].note(Arguments(args, kwargs))
        inside.depth = 1
        try:
            return original(self, *args, **kwargs)
        finally:
            inside.depth = 0

    setattr(torch.nn.Module, "__call__", called)  # noqa: B010 - a method of torch, which mypy would not let us assign
    try:
        yield
    finally:
        setattr(torch.nn.Module, "__call__", original)  # noqa: B010 - as above
