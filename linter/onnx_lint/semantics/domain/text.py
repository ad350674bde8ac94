"""Text that is known: what Python computes of it while all that it is given is constant.

Names of layers, modes and activations choose what a model is made of (``norm.replace("_", "").lower()``,
``pad.startswith("same")``, ``f"layer{i}"``), so that a text that gets lost here is a model of unknown parts.
Everything is bounded: what could grow beyond `_LONGEST` is not computed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from onnx_lint.semantics.domain.values import Arguments, Const, Seq, Value

_LONGEST = 1000
"""Characters of a text that is followed."""
_MANY = 64
"""Parts of a list of texts that is followed."""
_LARGE = 1 << 64
"""Numbers beyond are not written as text."""
_METHODS = frozenset({
    "capitalize", "casefold", "count", "endswith", "find", "index", "isalnum", "isalpha", "isascii", "isdecimal",
    "isdigit", "isidentifier", "islower", "isnumeric", "isspace", "istitle", "isupper", "join", "lower", "lstrip",
    "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rpartition", "rsplit", "rstrip",
    "split", "splitlines", "startswith", "strip", "swapcase", "title", "upper",
})  # fmt: skip
"""Methods of ``str`` that only read their arguments and whose result is not made longer by a number."""
_PLAIN_FIELD = re.compile(r"\{\w*\}")
"""A field of ``str.format`` without a width, an attribute or a conversion."""
_PLAIN_PERCENT = re.compile(r"%[sd]")


class _Open(Exception):
    """Not known as a constant."""


def _python(value: Value) -> object:
    """The Python object that a value stands for; raises `_Open` if there is not just one, or if it is too large."""
    if isinstance(value, Const):
        if isinstance(value.value, str) and len(value.value) > _LONGEST:
            raise _Open
        return value.value
    if isinstance(value, Seq) and value.kind in ("tuple", "list") and value.elements is not None:
        parts = [_python(e) for e in value.elements]
        return tuple(parts) if value.kind == "tuple" else parts
    raise _Open


def _value(result: object) -> Value | None:
    """The value of what was computed, ``None`` if it is too large to be followed."""
    if isinstance(result, str):
        return Const(result) if len(result) <= _LONGEST else None
    if isinstance(result, (list, tuple)):
        if len(result) > _MANY or any(not isinstance(r, str) or len(r) > _LONGEST for r in result):
            return None
        return Seq("list" if isinstance(result, list) else "tuple", tuple([Const(r) for r in result]))
    return Const(result)


def method_of_text(text: str, name: str, args: Arguments) -> Value | None:
    """What a method of a known text returns, ``None`` if it is not known, or raises."""
    if len(text) > _LONGEST or args.star is not None or args.double_star is not None:
        return None
    try:
        given = [_python(a) for a in args.positional]
        named = {key: _python(a) for key, a in args.keyword.items()}
        if name == "format":
            rest = _PLAIN_FIELD.sub("", text)
            return None if "{" in rest or "}" in rest else _value(text.format(*given, **named))
        return _value(getattr(text, name)(*given, **named)) if name in _METHODS else None
    except (_Open, TypeError, ValueError, LookupError):
        return None


def item_of_text(text: str, index: object) -> Value | None:
    """``text[index]`` of a number or a slice, ``None`` if there is no such item."""
    if not isinstance(index, (int, slice)):
        return None
    try:
        return _value(text[index])
    except (IndexError, TypeError, ValueError):
        return None


def percent_of_text(text: str, right: Value) -> Value | None:
    """``text % right`` of plain ``%s`` and ``%d``, ``None`` if it is not known."""
    if "%" in _PLAIN_PERCENT.sub("", text):
        return None
    try:
        return _value(text % _python(right))
    except (_Open, TypeError, ValueError):
        return None


def joined_text(between: Sequence[str], values: Sequence[Value]) -> Value | None:
    """An f-string of the texts around its values, one more than they are; ``None`` if a value is not known."""
    parts = [between[0]]
    for value, after in zip(values, between[1:], strict=True):
        text = text_of(value)
        if text is None:
            return None
        parts += [text, after]
    return _value("".join(parts))


def text_of(value: Value) -> str | None:
    """``str(value)``, ``None`` if the value is not a constant or its text is too long."""
    if not isinstance(value, Const):
        return None
    if isinstance(value.value, int) and abs(value.value) >= _LARGE:
        return None
    text = str(value.value)
    return text if len(text) <= _LONGEST else None
