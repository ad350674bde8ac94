"""What a worker asks the exporter, which has the linter beside it: what is known of the inputs of a class of models."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KnownDim:
    """One dimension of an input: its `size` if that is fixed and known; else whether it `varies` between runs, and the
    `name` that the code gives it, which may be empty."""

    size: int | None = None
    varies: bool | None = None
    name: str = ""


@dataclass(frozen=True)
class KnownInput:
    """One parameter of ``forward``: ``tensor``, ``list``, ``dict``, ``number`` or ``unknown``. `is_given`: it is one of
    those that the model needs. Of a tensor, dimensions and dtype as far as they are known."""

    name: str
    kind: str
    is_given: bool
    dims: tuple[KnownDim, ...] | None = None
    dtype: str | None = None


@dataclass(frozen=True)
class InputsAsked:
    """The worker's question, about a class by name in the file that defines it. `InputsKnown` is the answer, one line
    on its standard input."""

    file: str
    name: str


@dataclass(frozen=True)
class InputsKnown:
    """What the analysis knows; `inputs` is empty when that is nothing, and `why` then says why."""

    inputs: tuple[KnownInput, ...] = ()
    why: str = ""
