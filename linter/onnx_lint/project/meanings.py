"""What a name can stand for besides something that the project defines."""

from __future__ import annotations

from dataclasses import dataclass

from onnx_lint.project.modules import SourceModule


@dataclass(frozen=True, slots=True)
class External:
    """Something outside the project, by its full dotted name (``torch.nn.functional.relu``)."""

    name: str


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the project, or a folder of modules without ``__init__.py``."""

    name: str
    source: SourceModule | None
