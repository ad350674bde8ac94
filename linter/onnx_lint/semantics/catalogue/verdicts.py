"""What each export engine makes of operators and modules: a table made by running them.

The table is data (``data/verdicts.json``, made by ``tools/generate_verdicts.py``) with the versions it was made with.
A *form* is an operator or module with what of its arguments matters, run with dynamic dimensions; an operator without
forms was run with PyTorch's own samples. The key of a form is a full name, and after ``:`` conditions on arguments:
``name=literal``, or ``name`` alone where it is given and not off. Keys with ``@`` are about other inputs than usual; no
call is looked up there.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from onnx_lint.target import Engine

_DATA = Path(__file__).with_name("data") / "verdicts.json"


@dataclass(frozen=True)
class Outcome:
    """What one engine made of an operator. `verdict`: ``fine``, ``fails``, ``silently wrong``, ``random`` or ``mixed``
    (its samples disagree). `stage`: where it failed (``capture``, ``translate``, ``check``, ``run, example``,
    ``run, other size``) or was wrong (``example``, ``other size``)."""

    verdict: str
    stage: str = ""
    message: str = ""
    right_if_fixed: bool = False
    """Whether it is right when no dimension is dynamic."""

    @property
    def at_other_size(self) -> bool:
        """Whether it is right for the size of the example."""
        return self.right_if_fixed or self.stage.endswith("other size")


@dataclass(frozen=True)
class Entry:
    """What both engines made of an operator or form."""

    outcomes: Mapping[Engine, Outcome]
    lowest: int | None = None
    """The lowest opset at which torchscript exports it; ``None`` where the lowest that was tried works."""


@dataclass(frozen=True)
class Verdicts:
    """The table, by full name. `versions` are those of the libraries it was made with, `opset` that of the runs."""

    versions: Mapping[str, str]
    opset: int
    operators: Mapping[str, Entry]
    forms: Mapping[str, Entry]


@lru_cache(maxsize=1)
def table() -> Verdicts:
    """The table that comes with the linter."""
    data: dict[str, Any] = json.loads(_DATA.read_text(encoding="utf-8"))
    operators = {name: _entry(found) for name, found in data["operators"].items()}
    forms = {name: _entry(found) for name, found in data["forms"].items()}
    return Verdicts(data["versions"], data["opset"], operators, forms)


def _entry(found: dict[str, Any]) -> Entry:
    fixed = found.get("fixed", ())
    outcomes = {}
    for engine in Engine:
        if engine.value in found:
            verdict, stage, message = (*found[engine.value], "", "")[:3]
            outcomes[engine] = Outcome(verdict, stage, message, engine.value in fixed)
    return Entry(outcomes, found.get("lowest"))


OFFERED: dict[str, Entry] = {}
"""What installed packages say of their own functions, by full name."""
_WRONG = {"fails": "translate", "silently wrong": "example"}


def verdict(name: str, *, torchscript: str = "fine", dynamo: str = "fine") -> None:
    """Say what the export engines make of a function or class, by its full name: ``fine``, ``fails`` (it is not
    exported) or ``silently wrong`` (what is exported gives another result).

    Raises:
        ValueError: another verdict, or a name of which something is said already.
    """
    if name in OFFERED or name in names():
        raise ValueError(f"there are two verdicts of {name}")
    said = {Engine.TORCHSCRIPT: torchscript, Engine.DYNAMO: dynamo}
    for each in said.values():
        if each != "fine" and each not in _WRONG:
            raise ValueError(f"{each!r} is not a verdict; these are fine, {', '.join(_WRONG)}")
    OFFERED[name] = Entry({engine: Outcome(each, _WRONG.get(each, "")) for engine, each in said.items()})


UNSURE = object()
"""An argument that is given, with a value that is not known."""

Lookup = Callable[[str], object]
"""The value of an argument by name; ``None`` if it is not given, `UNSURE` if it is not known."""

_SAME = {
    f"torch.nn.functional.adaptive_{kind}_pool{rank}d": f"torch.nn.Adaptive{kind.capitalize()}Pool{rank}d"
    for kind in ("avg", "max")
    for rank in (1, 2)
} | {
    "torch.nn.Upsample": "torch.nn.functional.interpolate",
    "torch.nn.functional.max_unpool2d": "torch.nn.MaxUnpool2d",
}
"""Functions and modules that are the same operator."""


def find(name: str, argument: Lookup) -> Entry | None:
    """What is known of a call; ``None`` if nothing is, or if it depends on an argument that is not known."""
    if name in OFFERED:
        return OFFERED[name]
    known = _known_name(name)
    if known is None:
        return None
    forms = _forms().get(known)
    if forms is None:
        return table().operators.get(known)
    best: Entry | None = None
    weight = -1
    for conditions, entry in forms:
        holds = [_holds(argument(parameter), wanted) for parameter, wanted in conditions]
        if None in holds and False not in holds:
            return None
        if all(holds) and len(conditions) > weight:
            best, weight = entry, len(conditions)
    return best


@lru_cache(maxsize=1024)
def _known_name(name: str) -> str | None:
    """The name in the table under which a function or method stands."""
    short = name.removeprefix("torch.Tensor.")
    candidates = [name, _SAME.get(name, name)]
    if short != name:
        candidates += [f"torch.{short}", f"torch.{short.rstrip('_')}"]
    return next((c for c in candidates if c in _forms() or c in table().operators), None)


_Conditions = tuple[tuple[str, object], ...]
_GIVEN = object()


@lru_cache(maxsize=1)
def _forms() -> Mapping[str, list[tuple[_Conditions, Entry]]]:
    found: dict[str, list[tuple[_Conditions, Entry]]] = {}
    for key, entry in table().forms.items():
        if "@" not in key:
            name, _, conditions = key.partition(":")
            found.setdefault(name, []).append((tuple(_conditions(conditions)), entry))
    return found


def _conditions(text: str) -> Iterator[tuple[str, object]]:
    for part in filter(None, text.split(",")):
        parameter, equals, value = part.partition("=")
        yield parameter, ast.literal_eval(value) if equals else _GIVEN


def _holds(value: object, wanted: object) -> bool | None:
    if value is UNSURE:
        return None
    if wanted is _GIVEN:
        return value not in (None, False, 0)
    if isinstance(value, tuple):
        return all(v == wanted for v in value)
    return value is not None and value == wanted


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """The full names of all operators and modules in the table, methods of tensors included."""
    known = {*table().operators, *_forms(), *_SAME}
    short = [name[6:] for name in known if name.startswith("torch.") and name.count(".") == 1]
    return frozenset(known | {f"torch.Tensor.{n}{suffix}" for n in short for suffix in ("", "_")})
