"""What the text of a statement tells without a parse."""

from __future__ import annotations

import re

_SIMPLE = re.compile(r"[ \t]*([A-Za-z_]\w*)[ \t]*(?::[^=\n]*)?=(?!=)")
_QUOTED = re.compile(r"[ \t]*[rRuUbB]{0,2}[\"']")


def simple_target(text: str) -> str | None:
    """The name that a statement of the form ``name = …`` or ``name: type = …`` binds; ``None`` for any other."""
    match = _SIMPLE.match(text)
    if match is None or ";" in text or "=" in text[match.end() : text.find("\n", match.end()) % (len(text) + 1)]:
        return None  # several targets or statements; keyword arguments land here too, and are just lowered
    return match.group(1)


def is_docstring(text: str) -> bool:
    """Whether a statement begins with a string: a docstring, which binds nothing."""
    return _QUOTED.match(text) is not None
