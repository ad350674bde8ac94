"""Which rules run, where, and how grave they are: what the settings say, by code, prefix or name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from onnx_lint.diagnostic import Diagnostic
from onnx_lint.globs import matches
from onnx_lint.registry import load
from onnx_lint.rule import Rule
from onnx_lint.semantics.domain.sites import Site
from onnx_lint.settings import Settings

BUILT_IN = {
    "ONX000": "syntax-error",
    "ONX001": "unused-suppression",
    "ONX002": "unknown-rule-in-suppression",
    "ONX003": "malformed-suppression",
    "ONX009": "not-analysed",
    "ONX099": "internal-error",
}
"""Codes that no rule class stands behind."""


class UnknownRule(Exception):
    """A selector that names no rule; the message is one line and names the close match."""


class Selection:
    """The settings' choice among the rules. Raises `UnknownRule` for a selector that matches nothing."""

    def __init__(self, settings: Settings, rules: Iterable[Rule[Any]] | None = None) -> None:
        self.settings = settings
        self.rules = tuple(rules) if rules is not None else load()
        self.codes = {**BUILT_IN, **{r.code: r.name for r in self.rules}}
        chosen = self._codes(settings.select) if settings.select else self._default()
        ignored = self._codes(settings.ignore)
        extended = self._codes(settings.extend_select)
        # what is named more exactly wins: `select = ["ONX101"], ignore = ["ONX1"]` keeps ONX101
        exact = {c for c in self.codes if c in settings.select or self.codes[c] in settings.select}
        named_out = {c for c in self.codes if c in settings.ignore or self.codes[c] in settings.ignore}
        self.selected = ((chosen | extended) - (ignored - exact - extended)) - named_out
        self._per_file = [(pattern, self._codes(codes)) for pattern, codes in settings.per_file_ignores]
        self._severities = {
            code: severity for selector, severity in settings.severities.items() for code in self._codes((selector,))
        }

    def _default(self) -> set[str]:
        preview = {r.code for r in self.rules if r.preview} if not self.settings.preview else set()
        return set(self.codes) - preview

    def _codes(self, selectors: tuple[str, ...]) -> set[str]:
        out: set[str] = set()
        for selector in selectors:
            found = self.resolve(selector)
            if not found:
                from difflib import get_close_matches  # seldom needed

                close = get_close_matches(selector, [*self.codes, *self.codes.values()], 1)
                hint = f"; did you mean {close[0]}?" if close else "; --explain all lists the rules"
                raise UnknownRule(f"{selector!r} is no rule code, prefix or name{hint}")
            out |= found
        return out

    def resolve(self, selector: str) -> set[str]:
        """The codes that a selector stands for."""
        if selector in ("ALL", "all"):
            return set(self.codes)
        if selector in self.codes:
            return {selector}
        by_name = {c for c, name in self.codes.items() if name == selector}
        if by_name:
            return by_name
        return {c for c in self.codes if c.startswith(selector)} if selector.startswith("ONX") else set()

    def by_site(self) -> dict[type[Site], list[Rule[Any]]]:
        """The chosen rules by the site that they look at."""
        out: dict[type[Site], list[Rule[Any]]] = {}
        for rule in self.rules:
            if rule.code in self.selected:
                out.setdefault(rule.site, []).append(rule)
        return out

    def applies(self, diagnostic: Diagnostic, path: str) -> bool:
        """Whether a diagnostic is wanted in that file."""
        if diagnostic.code not in self.selected:
            return False
        root = self.settings.root
        return not any(diagnostic.code in codes and matches(pattern, path, root) for pattern, codes in self._per_file)

    def with_severity(self, diagnostic: Diagnostic) -> Diagnostic:
        severity = self._severities.get(diagnostic.code)
        return diagnostic if severity is None else replace(diagnostic, severity=severity)
