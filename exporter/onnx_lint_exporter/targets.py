"""``path/file.py:Name`` and ``pkg.module:Name``: what is named on the command line, before anything is imported."""

from __future__ import annotations

import os
import re

from onnx_lint_exporter.worker.protocol import Target

_NAME = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")


class TargetError(ValueError):
    """A target that cannot be read; the message says what to write instead."""


def split(text: str) -> tuple[str, str]:
    """The file or module and the name in it, which may be empty. A drive's colon is part of the path."""
    where, colon, name = text.rpartition(":")
    if not colon or "/" in name or "\\" in name or name.endswith(".py"):
        return text, ""
    return where, name


def parse(text: str, *, name_needed: bool = False) -> Target:
    """Read a target. Raises `TargetError`."""
    where, name = split(text)
    if name and not _NAME.match(name):
        raise TargetError(f"{text}: {name!r} is not a name; write path/file.py:Name or package.module:Name")
    if name_needed and not name:
        raise TargetError(f"{text}: name a function or value in it: {text}:name")
    if where.endswith(".py") or "/" in where or "\\" in where or os.path.isfile(where):
        if not os.path.isfile(where):
            raise TargetError(f"{where}: no such file")
        return Target(text, os.path.abspath(where), None, name or None)
    if not _NAME.match(where):
        raise TargetError(f"{text}: write path/file.py:Name or package.module:Name")
    return Target(text, None, where, name or None)
