"""Call one object several times: a graph keeps nothing from call to call, and a model may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from .. import verify
from ..channel import clip
from ..execution import Event, Leaf, Model, Recorder, Reference, callable_of, fresh, same
from ..execution import leaves as leaves_of
from ..frames import UserCode
from ..protocol import Frame

_CALLS = 3
"""How often one object is called with the same input."""


@dataclass(frozen=True)
class Remembered:
    """That a model keeps something from call to call."""

    inputs: tuple[Reference, ...]
    """What one object has to be called with, in order; the last call is the one that goes wrong."""
    text: str

    @property
    def same_input(self) -> bool:
        """Whether all calls are with the first input."""
        return len({id(each) for each in self.inputs}) == 1


def remembered(model: Model, first: Reference, second: Reference | None) -> Remembered | None:
    """What one object gives otherwise on a later call than a new one does, or ``None``.

    First with one input again and again; then with a second input and the first again, since a table that the first
    call fills shows on another input only.
    """
    again, results = callable_of(fresh(model)), list[list[Leaf]]()
    for number in range(1, _CALLS + 1):
        results.append(_called(again, first))
        pairs = zip(results[0], results[-1], strict=False)
        for k, ((name, one), (_, other)) in enumerate(pairs):
            if k not in first.random and not same(one, other):
                text = f"wrong on call {number} of one object, with the same input: "
                text += f"output {name or k} differs from that of the first call"
                return Remembered((first,) * number, text)
    if second is None:
        return None
    used = callable_of(fresh(model))
    _called(used, first)
    order = [first]
    for given in (second, first):
        order.append(given)
        try:
            outputs = _called(used, given)
        except Exception as error:  # noqa: BLE001 - a new object takes this input, as was seen
            text = f"the model itself fails: {type(error).__name__}: {clip(error, 200)}"
        else:
            text = _difference(outputs, given)
        if text:
            how = "another input" if given is second else "the first input again, after another one"
            return Remembered(tuple(order), f"wrong on call {len(order)} of one object, with {how}: {text}")
    return None


def _called(runnable: Model, given: Reference) -> list[Leaf]:
    arguments = given.arguments.copy()
    torch.manual_seed(0)
    with torch.no_grad():
        return leaves_of(runnable(*arguments.args, **arguments.kwargs))


def _difference(outputs: Sequence[Leaf], new: Reference) -> str:
    """How the results of an object that was called before differ from those of a new one; a table that is longer than
    the input needs may round otherwise."""
    if len(outputs) != len(new.outputs):
        return f"it has {len(outputs)} outputs, that of a new object {len(new.outputs)}"
    for k, ((name, one), (_, other)) in enumerate(zip(outputs, new.outputs, strict=True)):
        if k in new.random or not isinstance(one, torch.Tensor) or not isinstance(other, torch.Tensor):
            continue
        if not same(one, other) and not verify.close(verify.array_of(one), verify.array_of(other)):
            return f"output {name or k} differs from that of a new object"
    return ""


def place_of_state(model: Model, kept: Remembered, user: UserCode) -> tuple[Frame, ...]:
    """The first torch call whose result is another one on the last call than on a new object."""

    def recorded(before: Sequence[Reference]) -> Recorder:
        runnable = callable_of(fresh(model))
        for given in before:
            _called(runnable, given)
        recorder = Recorder(user, keep_results=True)
        with recorder:
            _called(runnable, kept.inputs[-1])
        return recorder

    *before, _ = kept.inputs
    try:
        used, new = recorded(before).events, recorded(()).events
    except Exception:  # noqa: BLE001 - a model that fails on a later call has no results to compare
        return ()
    # an object that was called before may leave out what a new one does, so events are matched by their place
    known: dict[tuple[str, Frame], list[Event]] = {}
    for event in reversed(new):
        if event.stack:
            known.setdefault((event.name, event.stack[0]), []).append(event)
    alone: tuple[Frame, ...] = ()
    for event in used:
        others = known.get((event.name, event.stack[0]), []) if event.stack else []
        if not others:
            alone = alone or event.stack
        elif not all(map(same, others.pop().results, event.results)):
            return event.stack
    return alone
