"""Look for an input on which the exported model is wrong, as long as the time that is allowed lasts.

Every input is run by the model itself, whose reads are noted, and by ONNX Runtime. Branches that have gone one way only
are aimed at: the numbers that a test compares are moved towards each other from input to input.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from .. import verify
from ..channel import clip
from ..execution import Arguments, Leaf, Model, Reference, callable_of, fresh, leaves
from ..judging import judge
from ..model_file import ModelFile
from ..protocol import Comparison, State
from ..ties import tied_outputs
from ..unchanged import gives
from .notes import Notes
from .recipes import Kitchen, Recipe

if TYPE_CHECKING:
    import onnxruntime

_PER_PERCENT = 3
"""Inputs for each percent of effort, at most."""
_LEAST_SECONDS = 0.04
"""Processor time that a search gets at least, for each percent of effort: a small export would leave it none at all."""
_AIM_EVERY = 6


@dataclass
class Budget:
    """Processor time and number of inputs. `effort` is in percent of the processor time used up to now."""

    effort: int
    start: float = field(default_factory=time.process_time)

    @property
    def inputs(self) -> int:
        return self.effort * _PER_PERCENT

    @property
    def seconds(self) -> float:
        return self.effort * max(_LEAST_SECONDS, self.start / 100)

    def is_spent(self, tried: int) -> bool:
        """Whether one more input would be too many, or take longer than there is time."""
        used = time.process_time() - self.start
        return tried >= self.inputs or used + (used / tried if tried else 0.0) >= self.seconds


@dataclass
class Found:
    """What a search has found so far."""

    right: list[int] = field(default_factory=list)
    """The numbers of the noted runs on which the exported model was right."""
    sizes: dict[str, set[int]] = field(default_factory=dict)
    refused: int = 0
    unstable: int = 0
    failed: Comparison = field(default_factory=lambda: Comparison(State.NOT_RUN))
    witness: Reference | None = None
    run: int | None = None
    """The noted run of the witness."""
    digests: list[set[str]] = field(default_factory=list)
    """For each output what it was like: all values on the inputs so far."""


class Search:
    """One search. Without `feeding` it can only note what the model reads."""

    def __init__(
        self,
        model: Model,
        notes: Notes,
        kitchen: Kitchen,
        given: Reference,
        feeding: Feeding | None,
        original: Model | None = None,
    ) -> None:
        self._model = model
        self._original = original
        self._notes = notes
        self._kitchen = kitchen
        self._random = given.random
        self._feeding = feeding
        self._made: dict[int, Recipe] = {}
        self._aimed: list[Recipe] = []
        self.found = Found()

    def known(self, arguments: Arguments) -> int | None:
        """Note what the model reads on an input whose result was seen to be right."""
        outputs = self._eager(arguments)
        if outputs is None:
            return None
        run = self._notes.keep()
        self.found.right.append(run)
        self._digest(outputs)
        return run

    def go(self, budget: Budget) -> None:
        """Try inputs until one is wrong, or the budget is spent."""
        aimed: deque[Recipe] = deque()
        plain = self._kitchen.recipes()
        tried = 0
        while not budget.is_spent(tried):
            tried += 1
            if tried % _AIM_EVERY == 0:
                aimed.extend(self._aims(tried))
                while len(aimed) > 24:
                    aimed.popleft()
            recipe = aimed.pop() if aimed and tried % 2 else next(plain)
            self._try(recipe)
            if self.found.witness is not None:
                return

    def _try(self, recipe: Recipe) -> None:
        found = self.found
        arguments = self._kitchen.make(recipe)
        outputs = self._eager(arguments)
        if outputs is None:
            found.refused += 1
            for axis, size in recipe.sizes.items():
                self._kitchen.refused[axis, size] = self._kitchen.refused.get((axis, size), 0) + 1
            return
        run = self._notes.keep()
        self._made[run] = recipe
        given = Reference(arguments, outputs, self._random)
        if self._original is not None and not gives(self._original, given):
            compared = Comparison(State.WRONG, "the model gives something else than before it was changed")
        else:
            assert self._feeding is not None  # without, nothing is tried
            compared = self._feeding.compared(self._model, given)
        if compared.state is State.UNSTABLE:
            found.unstable += 1
        elif compared.state in (State.WRONG, State.FAILED):
            found.failed, found.witness, found.run = compared, given, run
        elif compared.state is State.RIGHT:
            found.right.append(run)
            self._digest(outputs)
            self._kitchen.taken.update(recipe.sizes.items())
            for axis, size in recipe.sizes.items():
                found.sizes.setdefault(axis, set()).add(size)

    def _eager(self, arguments: Arguments) -> list[Leaf] | None:
        """The model's own results, with what it reads noted; ``None`` when it refuses the input."""
        given = arguments.copy()
        torch.manual_seed(0)
        try:
            with torch.no_grad(), self._notes.taking():
                return leaves(callable_of(fresh(self._model))(*given.args, **given.kwargs))
        except (MemoryError, RecursionError):
            raise
        except Exception:  # noqa: BLE001 - the model's own code may refuse an input in any way
            return None

    def _aims(self, seed: int) -> Iterator[Recipe]:
        """Recipes that may turn the branches which went one way only."""
        for branch in self._notes.branches(self.found.right):
            if self._notes.both_ways(branch, self.found.right):
                continue
            near = [
                (abs(pair[0] - pair[1]), run, pair)
                for run in self.found.right
                if run in self._made and (pair := self._notes.distance(branch, run)) is not None
            ]
            if near:
                _, run, (number, literal) = min(near)
                for recipe in reversed(self._kitchen.nearer(self._made[run], number, literal, seed)):
                    if (key := replace(recipe, seed=0)) not in self._aimed:
                        self._aimed.append(key)
                        yield recipe

    def _digest(self, outputs: Sequence[Leaf]) -> None:
        arrays = [verify.array_of(value) for _, value in outputs if isinstance(value, torch.Tensor)]
        seen = self.found.digests
        seen.extend(set() for _ in range(len(arrays) - len(seen)))
        for known, array in zip(seen, arrays, strict=False):
            known.add(_likeness(array))


def _likeness(array: verify.Array) -> str:
    """What tells one result from another: equal for arrays of one and the same value, whatever their shapes."""
    if not array.size:
        return "empty"
    if array.dtype.kind == "f" and np.isnan(array).all():
        return "nan"
    flat = array.reshape(-1)
    if (flat == flat[0]).all():
        return f"all {flat[0]}"
    return f"{array.dtype.kind} {array.shape} {hash(array.tobytes())}"


@dataclass
class Feeding:
    """How an input reaches the graph, and the session that runs it."""

    arrays: Callable[[Reference], dict[str, verify.Array]]
    session: onnxruntime.InferenceSession
    exported: ModelFile

    def compared(self, model: Model, given: Reference) -> Comparison:
        """Run the graph and compare."""
        try:
            arrays = self.arrays(given)
            results = verify.run(self.session, arrays)
        except verify.RunError as error:
            return Comparison(State.FAILED, str(error))
        return judge(model, given, results, lambda: tied_outputs(self.exported, arrays))


def described_failure(compared: Comparison) -> str:
    """A failure on a generated input, in words."""
    return compared.text if compared.state is State.WRONG else f"ONNX Runtime fails: {clip(compared.text, 300)}"
