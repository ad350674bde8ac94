"""JSON from outside. Python's reader recurses in native code, as deep as the recursion limit allows; where that was
raised for a thread with a large stack (`deep_stack`), a deeply nested text overflows the stack of every other thread
and kills the process. So the depth is bounded before the text is read."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_NESTING = 500
"""Lists and objects inside one another; real documents have far fewer."""

_STRING = re.compile(rb'"[^"]*(?:"|\Z)')
_NOT_BRACKETS = re.compile(rb"[^\[\]{}]+")


def loads(data: bytes | str) -> Any:
    """The value of a text. Raises ``ValueError`` for what is not JSON, also for what is nested too deep."""
    body = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if too_deep(body):
        raise ValueError(f"more than {MAX_NESTING} nested lists and objects")
    return json.loads(data)


def too_deep(body: bytes) -> bool:
    """Whether a text nests deeper than any real one."""
    if body.count(b"[") + body.count(b"{") <= MAX_NESTING:
        return False
    depth = 0
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    for run in _NOT_BRACKETS.sub(b" ", _STRING.sub(b"", plain)).split():
        for byte in run:
            depth += 1 if byte in b"[{" else -1
            if depth > MAX_NESTING:
                return True
    return False
