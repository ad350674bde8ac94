"""Which code belongs to training only, and is left out of the analysis; and what evidence overrules a name.

Losses and metrics are full of what would break an export, and are never exported: they are recognised by their names.
So are the attributes that a model has for its export: whoever exports it sets them.

A name is only a presumption. It is overruled where the linted code exports the class (`torch.onnx.export(TripletLoss(),
…)`), and where the configuration lists it as an entry point.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

TRAINING_CLASSES = re.compile(r"(?:Loss|Criterion|Metric|Losses)(?:\d|_|$|[A-Z])")
"""Found in the name of a class that belongs to training."""
TRAINING_FUNCTIONS = re.compile(r"(?:^|_)loss(?:es)?$|^(?:compute|calculate|get|calc)_\w*loss(?:es)?$|criterion$")
"""Found in the name of a function or method that belongs to training: traced code reaches it only with targets."""

EXPORT_FLAGS = re.compile(
    r"_?(?:is_|for_)?(?:onnx_)?export(?:able|ing|ed|_mode|_onnx|_to_onnx|_friendly)?|_?(?:to_)?onnx_mode"
)
"""Names of the attributes by which a model is told that it is being exported."""

_ENTRY = re.compile(r"(?:(?P<module>[^:]+):)?(?P<name>\w+)")


@dataclass(frozen=True, order=True)
class EntryPoint:
    """A class that is exported: `name`, in the file of the dotted name `module` (in any, if that is empty). Either
    may begin further out than the other: ``src/pkg/net.py`` is the module ``pkg.net``."""

    module: str
    name: str

    @classmethod
    def parse(cls, text: str) -> EntryPoint:
        """``pkg.module:Class``, ``path/module.py:Class`` or ``Class``. Raises `ValueError`."""
        match = _ENTRY.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text[:60]!r} is not of the form 'pkg.module:Class'")
        module = (match["module"] or "").removesuffix(".py").replace("\\", "/").replace("/", ".").strip(".")
        return cls(module, match["name"])

    def __str__(self) -> str:
        return f"{self.module}:{self.name}" if self.module else self.name

    def names(self, module: str, name: str) -> bool:
        """Whether it is the class `name` of the file with this dotted name."""
        if name != self.name or not self.module:
            return name == self.name
        return f".{module}".endswith(f".{self.module}") or f".{self.module}".endswith(f".{module}")


@dataclass(frozen=True)
class Policy:
    """The presumptions about names, with the evidence of one project."""

    entries: frozenset[EntryPoint] = frozenset()
    """The configured entry points."""
    exported: frozenset[str] = frozenset()
    """The names of the classes that the code exports."""

    def is_entry(self, module: str, name: str) -> bool:
        """Whether a class is a configured entry point: it is entered whatever it is called or derived from, and also
        where another model calls it."""
        return any(entry.names(module, name) for entry in self.entries)

    def is_exported(self, module: str, name: str) -> bool:
        """Whether there is evidence that a class is exported."""
        return name in self.exported or self.is_entry(module, name)

    def is_training_class(self, module: str, name: str) -> bool:
        """Whether a class belongs to training, and is not entered."""
        return TRAINING_CLASSES.search(name) is not None and not self.is_exported(module, name)

    def is_training_only(self, function: str, classes: Sequence[tuple[str, str]]) -> bool:
        """Whether a call in traced code is not followed. `classes` are module and name of the class that defines the
        function and of its receiver's; one of them that is exported speaks for both."""
        if TRAINING_FUNCTIONS.search(function) is not None:
            return True
        of_training = any(TRAINING_CLASSES.search(name) is not None for _, name in classes)
        return of_training and not any(self.is_exported(*each) for each in classes)


def is_export_flag(attribute: str) -> bool:
    """Whether a flag of a model is one that whoever exports the model sets, whatever it is before: ``exportable``."""
    return EXPORT_FLAGS.fullmatch(attribute) is not None
