"""Parse one chunk by libcst's native parser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, get_ident

import libcst as cst
from libcst.native import parse_module

from onnx_lint.source import faults
from onnx_lint.source.faults import Fault

MEMBER_PREFIX = "class _:\n"
"""Put before a class member, so that it parses at its own indentation; costs one line."""

_PARSING = Lock()
_validate = cst.CSTNode.__post_init__
_thread_of_parse: int | None = None


def _post_init(node: cst.CSTNode) -> None:
    if get_ident() != _thread_of_parse:
        _validate(node)


# Put there once: what changes a class drops what Python remembers of it and of its subclasses, for every parse.
cst.CSTNode.__post_init__ = _post_init  # type: ignore[assignment, method-assign]  # the same but in `_unvalidated`


@contextmanager
def _unvalidated() -> Iterator[None]:
    """Without libcst's validation of the nodes that this thread makes.

    The native parser makes every node through its dataclass constructor, which validates it in Python: a quarter of the
    time of a parse (measured with libcst 1.9), for trees that are valid by construction. What others make, also
    meanwhile in another thread, is validated as ever.
    """
    global _thread_of_parse  # noqa: PLW0603 - a constructor has no other way to know
    with _PARSING:
        _thread_of_parse = get_ident()
        try:
            yield
        finally:
            _thread_of_parse = None


def parse(text: str, member: bool) -> cst.Module | Fault:
    """The tree of a chunk, or why there is none. The caller has applied the guards."""
    prefix = MEMBER_PREFIX if member else ""
    try:
        with _unvalidated():
            module = parse_module(prefix + text)
        assert isinstance(module, cst.Module)
        return module
    except cst.ParserSyntaxError as error:
        # its line is one too high, its column missing for half of the errors (libcst 1.9)
        return faults.of(text, prefix, error.message)
    except (UnicodeError, RecursionError, SyntaxError, ValueError) as error:
        return faults.of(text, prefix, str(error) or type(error).__name__)
