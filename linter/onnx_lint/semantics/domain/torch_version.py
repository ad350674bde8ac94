"""Comparisons of the version of torch, as far as all supported versions answer them alike."""

from __future__ import annotations

import operator
import re

NAME = "torch.__version__"
OLDEST = (2, 5)
"""The oldest torch that exports are made with; the exporter's requirement in ``pyproject.toml``."""

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
_ANSWERS = {"<": False, "<=": False, "==": False, "!=": True, ">": True, ">=": True}


def compared(op: str, version: str) -> bool | None:
    """``torch.__version__ op version``, which torch compares number by number; ``None`` where that depends on the
    version that is installed."""
    found = _VERSION.fullmatch(version)
    if found is None or op not in _ANSWERS:
        return None
    parts = tuple(int(part) for part in found.groups(default="0"))
    return _ANSWERS[op] if operator.lt(parts, (*OLDEST, 0)) else None
