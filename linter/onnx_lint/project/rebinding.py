"""Which top-level names of a file may stand for something else than its import statements say.

What a name is likely to stand for is the business of `resolution`. This is for who must be sure: Python's own symbol
table says which names a file assigns, and where functions reach for ``global`` ones.
"""

from __future__ import annotations

import symtable
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from onnx_lint.project.modules import Binding, ImportBinding, SourceModule


@dataclass(frozen=True, slots=True)
class _Scopes:
    """`rebound`: names that are bound by something else than an import, or by a function that calls them ``global``.
    `in_classes`: names that the body of a class binds, which its annotations and defaults see first."""

    rebound: frozenset[str]
    in_classes: frozenset[str]


def is_as_imported(module: SourceModule, name: str, *, in_class: bool = False) -> bool:
    """Whether a top-level name can be nothing but what the file imports under it, or Python's own function if it
    imports none; with `in_class`, also where the body of a class looks it up."""
    scopes = _scopes(module.whole_text)
    if scopes is None or module.stars or name in scopes.rebound:
        return False
    return not (in_class and name in scopes.in_classes) and len({_imported(b) for b in module.lookup(name)}) < 2


def _imported(binding: Binding) -> object:
    if isinstance(binding, ImportBinding):
        return binding.module, binding.level, binding.attribute
    return binding


@lru_cache(maxsize=16)
def _scopes(text: str) -> _Scopes | None:
    """``None`` for what this Python does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            top = symtable.symtable(text, "source", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return None
    rebound = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_namespace()}
    in_classes: set[str] = set()
    for table in _below(top):
        for symbol in table.get_symbols():
            is_bound = symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
            if is_bound and symbol.is_declared_global():
                rebound.add(symbol.get_name())
            elif is_bound and table.get_type() != "function":  # a class, or the parameters of a type
                in_classes.add(symbol.get_name())
    return _Scopes(frozenset(rebound), frozenset(in_classes))


def _below(top: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    waiting = list(top.get_children())
    while waiting:
        table = waiting.pop()
        yield table
        waiting.extend(table.get_children())
