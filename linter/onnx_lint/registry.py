"""The rules that installed packages offer, by the entry-point group ``onnx_lint.rules``.

An entry point names a package; every module below it is searched for subclasses of `Rule`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from onnx_lint.plugins import in_a_line, modules_of, offers

if TYPE_CHECKING:  # a run that is answered from the cache needs no rule
    from onnx_lint.rule import Rule

GROUP = "onnx_lint.rules"
BUILT_IN = "builtin"
"""The name of our own entry point."""


def load() -> tuple[Rule[Any], ...]:
    """The rules of all packages that can be loaded, by code. `problems` says which cannot."""
    return _loaded()[0]


def problems() -> tuple[str, ...]:
    """What is wrong with installed rule packages, one line for each that was passed over."""
    return _loaded()[1]


def packages() -> tuple[str, ...]:
    """The names of the packages that offer rules, without loading them."""
    return tuple(sorted({package.partition(".")[0] for _, package in offers(GROUP)}))


def is_only_ours() -> bool:
    """Whether nobody else offers rules."""
    return all(name == BUILT_IN for name, _ in offers(GROUP))


@lru_cache(maxsize=1)
def _loaded() -> tuple[tuple[Rule[Any], ...], tuple[str, ...]]:
    found: dict[str, Rule[Any]] = {}
    problems: list[str] = []
    # the built-in rules come first: nobody else's package can take a code from them
    for _, package in sorted(set(offers(GROUP)), key=lambda offer: (offer[0] != BUILT_IN, offer[1])):
        try:
            rules = rules_of(package)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - code of others may raise anything; it is reported
            problems.append(f"the rule package {package!r} cannot be loaded and is passed over: {in_a_line(error)}")
            continue
        for rule in rules:
            other = next((o for o in found.values() if rule.code == o.code or rule.name == o.name), None)
            if other is None:
                found[rule.code] = rule
            elif type(other) is not type(rule):  # one package may be offered twice
                problems.append(f"{_described(rule)} is passed over: {_described(other)} has the same code or name")
    return tuple(found[code] for code in sorted(found)), tuple(problems)


def _described(rule: Rule[Any]) -> str:
    return f"{type(rule).__module__}.{type(rule).__name__} ({rule.code} {rule.name})"


def rules_of(package_name: str) -> list[Rule[Any]]:
    """The rules defined in the modules of one package. Raises what their import raises."""
    import inspect
    from types import GenericAlias

    from onnx_lint.rule import Rule

    def is_class(item: Any) -> bool:
        # Python 3.10 takes `list[int]` for one as well, and `issubclass` then refuses it
        return inspect.isclass(item) and not isinstance(item, GenericAlias)

    rules: list[Rule[Any]] = []
    for module in modules_of(package_name):
        for item in vars(module).values():
            if is_class(item) and issubclass(item, Rule) and item.__module__ == module.__name__:
                if not inspect.isabstract(item):
                    rules.append(item())
    return rules
