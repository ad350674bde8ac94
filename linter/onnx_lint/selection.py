"""Which codes are reported, where, and how severe they are: what the settings say, by code, prefix or name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from onnx_lint.codes import resolve, table, unknown
from onnx_lint.diagnostic import Applicability, Diagnostic
from onnx_lint.globs import matches
from onnx_lint.registry import load
from onnx_lint.rule import Rule
from onnx_lint.semantics.domain.sites import Site
from onnx_lint.settings import Settings


class UnknownRule(Exception):
    """A selector that stands for nothing; the message is one line and names the closest match."""


class Selection:
    """The settings' choice among the rules. Raises `UnknownRule` for a selector that matches nothing."""

    def __init__(self, settings: Settings, rules: Iterable[Rule[Any]] | None = None) -> None:
        self.settings = settings
        self.rules = tuple(rules) if rules is not None else load()
        self.codes = table(None if rules is None else self.rules)
        chosen = self._codes(settings.select) if settings.select else self._default()
        ignored = self._codes(settings.ignore)
        extended = self._codes(settings.extend_select)
        # what is named more exactly wins: `select = ["ONX101"], ignore = ["ONX1"]` keeps ONX101
        exact = {c for c in self.codes if c in settings.select or self.codes[c].name in settings.select}
        named_out = {c for c in self.codes if c in settings.ignore or self.codes[c].name in settings.ignore}
        self.selected = ((chosen | extended) - (ignored - exact - extended)) - named_out
        self._per_file = [(pattern, self._codes(codes)) for pattern, codes in settings.per_file_ignores]
        self._fixed = (self._codes(settings.fixable) or set(self.codes)) - self._codes(settings.unfixable)
        self._severities = {
            code: severity for selector, severity in settings.severities.items() for code in self._codes((selector,))
        }

    def _default(self) -> set[str]:
        return {code for code, each in self.codes.items() if self.settings.preview or not each.preview}

    def _codes(self, selectors: tuple[str, ...]) -> set[str]:
        out: set[str] = set()
        for selector in selectors:
            found = self.resolve(selector)
            if not found:
                raise UnknownRule(unknown(selector, self.codes))
            out |= found
        return out

    def resolve(self, selector: str) -> set[str]:
        """The codes that a selector stands for."""
        return resolve(selector, self.codes)

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

    def as_set(self, diagnostic: Diagnostic) -> Diagnostic:
        """The diagnostic with the severity that the settings give its code, and with a fix that is only shown where
        they do not let it be applied."""
        severity = self._severities.get(diagnostic.code)
        if severity is not None:
            diagnostic = replace(diagnostic, severity=severity)
        if diagnostic.fix is not None and diagnostic.code not in self._fixed:
            shown = replace(diagnostic.fix, applicability=Applicability.DISPLAY)
            diagnostic = replace(diagnostic, fix=shown)
        return diagnostic
