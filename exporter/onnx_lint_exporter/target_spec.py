"""``path/file.py:Name`` and ``pkg.module:Name``: what is named on the command line, before anything is imported."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

_MODULE = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")
_ATTRIBUTE = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")


class TargetError(ValueError):
    """A target that cannot be read; the message says what to write instead."""


@dataclass(frozen=True)
class TargetSpec:
    """A file or a module, and the name in it (``None``: its only Module)."""

    text: str
    file: str | None
    module: str | None
    attribute: str | None

    def as_job(self) -> dict[str, str | None]:
        return {"text": self.text, "file": self.file, "module": self.module, "attribute": self.attribute}


def parse(text: str, *, name_needed: bool = False) -> TargetSpec:
    """Read a target. Raises `TargetError`."""
    where, colon, name = text.rpartition(":")
    if not colon or "/" in name or "\\" in name or name.endswith(".py"):
        where, name = text, ""
    if name and not _ATTRIBUTE.match(name):
        raise TargetError(f"{text}: {name!r} is not a name; write path/file.py:Name or package.module:Name")
    if name_needed and not name:
        raise TargetError(f"{text}: name a function or value in it: {text}:name")
    if where.endswith(".py") or "/" in where or os.path.isfile(where):
        if not os.path.isfile(where):
            raise TargetError(f"{where}: no such file")
        return TargetSpec(text, os.path.abspath(where), None, name or None)
    if not _MODULE.match(where):
        raise TargetError(f"{text}: write path/file.py:Name or package.module:Name")
    return TargetSpec(text, None, where, name or None)
