"""The rules that installed packages offer, by the entry-point group ``onnx_lint.rules``.

An entry point names a package; every module below it is searched for subclasses of `Rule`.
"""

from __future__ import annotations

import inspect
import pkgutil
from functools import lru_cache
from importlib import import_module
from typing import Any

from onnx_lint.plugins import offers
from onnx_lint.rule import Rule

GROUP = "onnx_lint.rules"


class RegistryError(Exception):
    """Two rules claim one code or name, or a rule package cannot be loaded. The message is one line."""


@lru_cache(maxsize=1)
def load() -> tuple[Rule[Any], ...]:
    """All rules, by code. Raises `RegistryError`."""
    found: dict[str, Rule[Any]] = {}
    for package_name in sorted({package for _, package in offers(GROUP)}):
        for rule in rules_of(package_name):
            for other in found.values():
                if rule.code == other.code or rule.name == other.name:
                    both = f"{type(rule).__name__} and {type(other).__name__}"
                    raise RegistryError(f"{both} are both {rule.code} {rule.name}")
            found[rule.code] = rule
    return tuple(found[code] for code in sorted(found))


def rules_of(package_name: str) -> list[Rule[Any]]:
    """The rules defined in the modules of one package."""
    package = import_module(package_name)
    rules: list[Rule[Any]] = []
    for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        module = import_module(info.name)
        for item in vars(module).values():
            if inspect.isclass(item) and issubclass(item, Rule) and item.__module__ == module.__name__:
                if not inspect.isabstract(item):
                    rules.append(item())
    return rules
