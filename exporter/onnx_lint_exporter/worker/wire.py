"""The values of ``protocol`` as lines of JSON. Reading checks every field against its declared type.

Neither side ever sees an unchecked dictionary: a line that does not fit is a `ProtocolError`.
"""

from __future__ import annotations

import json
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TypeVar, Union, cast, get_args, get_origin, get_type_hints

from .asking import InputsKnown
from .protocol import Job, Message

T = TypeVar("T")
_KINDS: Mapping[str, type[Message]] = {kind.__name__: kind for kind in get_args(Message)}


class ProtocolError(ValueError):
    """Text that is not a message of the protocol; says which field is wrong."""


def plain(value: object) -> object:
    """A value as JSON has it: dataclasses become objects, tuples lists; anything else stays as it is."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value


def encode_job(job: Job) -> bytes:
    """One line."""
    return json.dumps(plain(job)).encode() + b"\n"


def decode_job(data: bytes) -> Job:
    """Raises `ProtocolError`."""
    return _of_type(Job, _json(data), "job")


def encode_answer(answer: InputsKnown) -> bytes:
    """One line."""
    return json.dumps(plain(answer)).encode() + b"\n"


def decode_answer(data: bytes) -> InputsKnown:
    """Raises `ProtocolError`."""
    return _of_type(InputsKnown, _json(data), "answer")


def encode(message: Message, number: int, dumps: Callable[..., str] = json.dumps) -> bytes:
    """A message as one line of text, without its end. `number` counts a worker's messages from 0.

    `dumps` is ``json.dumps`` as it was before the model could replace it.
    """
    body = {"number": number, "kind": type(message).__name__, "message": plain(message)}
    return dumps(body, default=str).encode()


def decode(data: bytes) -> tuple[int, Message]:
    """The number and the message of a line. Raises `ProtocolError`."""
    body = _json(data)
    if not isinstance(body, dict) or set(body) != {"number", "kind", "message"}:
        raise ProtocolError("not a message")
    kind = _KINDS.get(str(body["kind"]))
    if kind is None or type(body["number"]) is not int:
        raise ProtocolError(f"unknown kind {body['kind']!r}")
    return body["number"], _of_type(kind, body["message"], kind.__name__)


_MAX_NESTING = 200
"""Lists and objects inside one another; our own messages have far fewer."""
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\Z)', re.DOTALL)
_BRACKETS = re.compile(rb"[\[{]+|[\]}]+")


def _nesting(data: bytes) -> int:
    deepest = depth = 0
    for run in _BRACKETS.finditer(_STRING.sub(b"", data)):
        depth += len(run[0]) if run[0][:1] in b"[{" else -len(run[0])
        deepest = max(deepest, depth)
    return deepest


def _json(data: bytes) -> object:
    # Python's reader recurses as deep as the recursion limit allows; where the linter has raised that for a thread
    # with a large stack, any other thread would overflow its own.
    if data.count(b"[") + data.count(b"{") > _MAX_NESTING and _nesting(data) > _MAX_NESTING:
        raise ProtocolError(f"not a message: more than {_MAX_NESTING} lists and objects inside one another")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"not JSON: {error}") from error


_HINTS: dict[type, dict[str, object]] = {}


def _hints(kind: type) -> dict[str, object]:
    if kind not in _HINTS:
        _HINTS[kind] = dict(get_type_hints(kind))
    return _HINTS[kind]


def _of_type(kind: type[T], value: object, where: str) -> T:
    return cast("T", _checked(kind, value, where))


def _checked(kind: object, value: object, where: str) -> object:
    """The value of JSON as an instance of a type. Raises `ProtocolError`."""
    if kind is object:
        return value
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        for one in arguments:
            if one is type(None) and value is None:
                return None
            if one is not type(None) and value is not None:
                try:
                    return _checked(one, value, where)
                except ProtocolError:
                    continue  # another member of the union may fit
    elif origin is tuple and isinstance(value, list):
        return tuple([_checked(arguments[0], item, where) for item in value])
    elif origin is dict and isinstance(value, dict):
        return {_key(arguments[0], key, where): _checked(arguments[1], item, where) for key, item in value.items()}
    elif isinstance(kind, type) and is_dataclass(kind) and isinstance(value, dict):
        hints = _hints(kind)
        if not set(value) <= set(hints):
            raise ProtocolError(f"{where}: unknown fields {sorted(set(value) - set(hints))}")
        read = {name: _checked(hints[name], item, f"{where}.{name}") for name, item in value.items()}
        try:
            return cast("Callable[..., object]", kind)(**read)
        except TypeError as error:
            raise ProtocolError(f"{where}: {error}") from error
    elif isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(value)
        except ValueError as error:
            raise ProtocolError(f"{where}: {error}") from error
    elif type(value) is kind or (kind is float and type(value) is int):
        return value
    raise ProtocolError(f"{where}: {value!r:.80} is not {kind}")


def _key(kind: object, key: str, where: str) -> object:
    if kind is not int:
        return key
    try:
        return int(key)
    except ValueError as error:
        raise ProtocolError(f"{where}: {key!r:.80} is not a number") from error
