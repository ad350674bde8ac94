"""What was read at each place, on each input; and from that, what the inputs have tested."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import CodeType

import numpy as np
import torch

from .places import NOTE, Place, functions_with, rewritten, scripted_in_traces, standing_in

_KEPT = 12
"""Values of one place that are kept of one run: a loop comes by often."""
_MAX_NUMBER = 1e6
"""Beyond this a number of the model's code is no size, index or bound of a value."""
_PLAIN = (bool, int, float, str)
_READ_OUT = (".data", ".numpy(", ".detach(", ".tolist(", ".cpu(")
"""Ends of expressions whose values leave the recording although they are tensors or arrays."""
Values = tuple[object, ...]


class Notes:
    """Rewrites the functions that ran, and keeps what they read on each input."""

    def __init__(self, codes: Sequence[CodeType]) -> None:
        self.places: list[Place] = []
        self._codes = rewritten(codes, self.places)
        self._functions = functions_with(self._codes)
        self._scripted = scripted_in_traces(codes)
        self._current: dict[int, list[object]] = {}
        self._of_tensors: set[int] = set()
        """The places whose values were tensors or arrays."""
        self.runs: list[dict[int, Values]] = []
        """Of each run that was kept: place → its first values."""

    @contextmanager
    def taking(self) -> Iterator[None]:
        """Note what is read during the block; `keep` or `forget` it afterwards."""
        self._current = {}
        setattr(builtins, NOTE, self._note)
        try:
            with standing_in(self._functions):
                yield
        finally:
            delattr(builtins, NOTE)

    def is_scripted_in_traces(self, number: int) -> bool:
        """Whether a place lies in a function that a trace does not go through."""
        place = self.places[number]
        return any(place.file == file and place.line in lines for file, lines in self._scripted)

    def keep(self) -> int:
        """Keep what was noted last; the number of the run."""
        self.runs.append({place: tuple(values) for place, values in self._current.items()})
        return len(self.runs) - 1

    def _note(self, number: int, value: object) -> object:
        seen = self._current.setdefault(number, [])
        if isinstance(value, (torch.Tensor, np.ndarray)):
            self._of_tensors.add(number)
        if len(seen) < _KEPT:
            place = self.places[number]
            told = _told(value, place)
            if told is not None:
                seen.append(told)
        return value

    # --- what the inputs have tested
    def differed(self, number: int, runs: Sequence[int]) -> bool:
        """Whether not all of some runs read the same at a place."""
        seen = {self.runs[run].get(number, ()) for run in runs}
        return len(seen) > 1

    def values(self, number: int, runs: Sequence[int]) -> list[object]:
        """The different values that were read at a place."""
        return list(dict.fromkeys(value for run in runs for value in self.runs[run].get(number, ())))

    def branches(self, runs: Sequence[int]) -> list[int]:
        """The tests of branches that an input can turn: what they look at is a tensor's, or was seen to change."""
        found = []
        for number, place in enumerate(self.places):
            if place.decides and self.values(number, runs) and self._turns(number, runs):
                found.append(number)
        return found

    def made_alike(self, runs: Sequence[int]) -> list[int]:
        """Where Python made of what differs, or of a tensor, a plain value that was always the same; the outermost."""
        found = []
        for number, place in enumerate(self.places):
            values = self.values(number, runs) if place.makes and number not in self._of_tensors else []
            if len(values) == 1 and type(values[0]) in _PLAIN and not self.differed(number, runs):
                passed = place.picked_from
                if any(self._turns(each, runs) for each in place.within if each not in passed):
                    found.append(number)
        within = {each for number in found for each in self._below(number)}
        return [number for number in found if number not in within]

    def both_ways(self, number: int, runs: Sequence[int]) -> bool:
        """Whether a test was true and false."""
        return len({bool(value) for value in self.values(number, runs)}) > 1

    @property
    def numbers(self) -> list[float]:
        """The numbers that stand in the functions that ran, those in comparisons first."""
        compared = [number for place in self.places for number in place.literals]
        constants = [constant for code in self._codes for constant in code.co_consts]
        plain = [float(constant) for constant in constants if type(constant) in (int, float)]
        return [number for number in dict.fromkeys([*compared, *plain]) if abs(number) <= _MAX_NUMBER]

    def _turns(self, number: int, runs: Sequence[int]) -> bool:
        place = self.places[number]
        if number in self._of_tensors or self.differed(number, runs):
            return True
        if place.of_kind:
            return False
        # of a shape, say, the one size counts that is picked
        passed = place.picked_from if self.values(number, runs) else ()
        return any(self._turns(each, runs) for each in place.within if each not in passed)

    def _below(self, number: int) -> Iterator[int]:
        for each in self.places[number].within:
            yield each
            yield from self._below(each)

    def distance(self, number: int, run: int) -> tuple[float, float] | None:
        """Of a comparison in a test: the number that was looked at, and what it was compared with."""
        for each in (number, *self._below(number)):
            place = self.places[each]
            if not place.compares:
                continue
            sides = [(inner, value) for inner in place.within if (value := self._number(inner, run)) is not None]
            if len(place.literals) == 1 and sides:
                return sides[0][1], place.literals[0]
            if len(sides) == 2 and not place.literals:
                fixed = [inner for inner, _ in sides if not self._turns(inner, range(len(self.runs)))]
                (_, looked_at), (_, other) = reversed(sides) if fixed[:1] == [sides[0][0]] else sides
                return looked_at, other
        return None

    def _number(self, number: int, run: int) -> float | None:
        numbers = [value for value in self.runs[run].get(number, ()) if isinstance(value, (int, float))]
        return float(numbers[-1]) if numbers else None

    def compared_with(self, runs: Sequence[int]) -> list[float]:
        """The numbers that stand on one side of a comparison and were the same in all runs, as attributes are."""
        found: list[float] = []
        for place in self.places:
            if not place.compares:
                continue
            for inner in place.within:
                if self._turns(inner, runs):
                    continue
                for value in self.values(inner, runs):
                    each = value if isinstance(value, tuple) else (value,)
                    found += [float(v) for v in each if type(v) in (int, float) and abs(v) <= _MAX_NUMBER]
        return list(dict.fromkeys(found))


def _told(value: object, place: Place) -> object:
    """A value in a small form that compares by what it is; ``None`` for what Python cannot branch on."""
    if isinstance(value, torch.Tensor):
        return _of_tensor(value, place)
    if type(value) in _PLAIN:
        return value if not isinstance(value, str) else hash(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, range):
        return (value.start, value.stop, value.step)
    if isinstance(value, (tuple, list)):
        if place.repeats:
            return len(value)
        return tuple(value) if len(value) <= _KEPT and all(type(each) in _PLAIN for each in value) else None
    if isinstance(value, np.ndarray):
        return value.shape, hash(value.tobytes())
    return None


def _of_tensor(value: torch.Tensor, place: Place) -> object:
    if value.numel() == 1 and not value.is_complex():
        return bool(value) if place.decides else value.item()
    if place.repeats:
        return len(value) if value.dim() else None
    if any(end in place.text for end in _READ_OUT) and value.numel() and not value.is_sparse:
        flat = value.detach().reshape(-1)
        middle = flat[[0, flat.numel() // 2, -1]].tolist()
        return tuple(value.shape), str(middle)
    return None
