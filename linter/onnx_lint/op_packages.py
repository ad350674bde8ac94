"""The op models that installed packages offer, by the entry-point group ``onnx_lint.op_models``.

An entry point names a module or a package; it and all below it are imported, and register their models by the
decorators of `onnx_lint.op_models`. Here it is only found out who offers some, for which no model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import lru_cache

from onnx_lint.plugins import in_a_line, modules_of, offers

GROUP = "onnx_lint.op_models"


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """The packages and modules that offer op models, without loading them."""
    return tuple(sorted({package for _, package in offers(GROUP)}))


_problems: dict[str, str] = {}
_loaded: set[str] = set()


def load(all_or_none: Callable[[], AbstractContextManager[None]]) -> None:
    """Load the packages that are not loaded yet. What one registers stays if `all_or_none`, which is entered for each,
    lets it; `problems` says what was passed over."""
    for package in names():
        if package in _loaded:
            continue
        _loaded.add(package)
        try:
            with all_or_none():
                for _ in modules_of(package):
                    pass
        except (Exception, SystemExit) as error:  # noqa: BLE001 - code of others may raise anything; it is reported
            said = f"the op model package {package!r} cannot be loaded and is passed over: {in_a_line(error)}"
            _problems[package] = said


def problems() -> tuple[str, ...]:
    """What is wrong with the packages that were loaded, one line for each that was passed over."""
    return tuple(_problems[package] for package in sorted(_problems))


def forget() -> None:
    """Find out anew who offers models, and load them again: for tests, which put the tables back too."""
    names.cache_clear()
    _loaded.clear()
    _problems.clear()
