"""One table of all codes: of the linter itself, of the rules, and of what only an export can find.

Whatever a diagnostic carries can be selected, ignored, suppressed, given another severity and explained. Packages offer
codes of their own by the entry-point group ``onnx_lint.codes``; an entry point names an iterable of `Code`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from functools import lru_cache
from importlib import import_module
from textwrap import fill
from typing import TYPE_CHECKING, Any

from onnx_lint.diagnostic import Diagnostic, Fix, Severity, Span
from onnx_lint.plugins import offers
from onnx_lint.registry import load
from onnx_lint.target import Engine

if TYPE_CHECKING:
    from onnx_lint.rule import Rule

GROUP = "onnx_lint.codes"
_SHORTEST_MESSAGE = 12
"""Shorter texts are in too many messages."""


class Origin(str, Enum):
    """Where diagnostics of a code come from."""

    BUILT_IN = "built-in"
    """The linter itself: the source, its suppressions, what was not analysed."""
    RULE = "rule"
    EXPORT = "export"
    """An export that was run; never the source alone."""


@dataclass(frozen=True)
class Code:
    """One code."""

    code: str
    name: str
    summary: str
    """One sentence."""
    page: str
    """Markdown, without the title."""
    origin: Origin
    preview: bool = False
    """Whether it has to be selected by name."""
    messages: tuple[str, ...] = ()
    """What PyTorch or ONNX Runtime print about it."""

    def diagnostic(
        self, severity: Severity, span: Span, message: str, engines: tuple[Engine, ...], fix: Fix | None = None
    ) -> Diagnostic:
        """A diagnostic of this code that no rule makes."""
        return Diagnostic(self.code, self.name, severity, span, message, engines, fix=fix)


def _built_in(code: str, name: str, summary: str, more: str) -> Code:
    return Code(code, name, summary, fill(f"{summary} {more}", 120), Origin.BUILT_IN)


SYNTAX_ERROR = _built_in(
    "ONX000",
    "syntax-error",
    "A statement that is not valid Python.",
    "It is not analysed; the statements around it are, each method of a class by itself. Syntax that is newer than the "
    "Python that runs the linter is understood all the same.",
)
UNUSED_SUPPRESSION = _built_in(
    "ONX001",
    "unused-suppression",
    "A suppression without a diagnostic to suppress: the code was repaired, or the rule is off.",
    "The fix removes it. It is reported only when the file was analysed as a whole, with all rules and engines that "
    "the configuration asks for. A suppression that names only what an export can find is never reported as unused.",
)
UNKNOWN_CODE = _built_in(
    "ONX002",
    "unknown-rule-in-suppression",
    "A suppression that names a code, prefix or name that does not exist.",
    "The message has the closest match.",
)
MALFORMED_SUPPRESSION = _built_in(
    "ONX003",
    "malformed-suppression",
    "A comment that begins with `# onnx-lint:` and is not a suppression.",
    "It suppresses nothing. Write `# onnx-lint: ignore[CODE] reason`; the page on suppressions has the other forms.",
)
NOT_ANALYSED = _built_in(
    "ONX009",
    "not-analysed",
    "A statement that is too long or too deeply nested to be analysed.",
    "The parser would take minutes, or end the process. Generated code and large tables are the usual cause. Nothing "
    "is known about exporting it; exclude the file, or move the table into data. As information at the class of a "
    "model: a limit of the analysis was met below its `forward` (calls nested too deep, too many statements), and "
    "code behind it was not followed.",
)
INTERNAL_ERROR = _built_in(
    "ONX099",
    "internal-error",
    "The linter failed on this statement; the others are analysed.",
    "This is a bug of the linter: please report it with the code concerned.",
)
BUILT_IN = (SYNTAX_ERROR, UNUSED_SUPPRESSION, UNKNOWN_CODE, MALFORMED_SUPPRESSION, NOT_ANALYSED, INTERNAL_ERROR)
"""Codes of the linter itself."""


def of_rule(rule: Rule[Any]) -> Code:
    """The code of a rule; its page begins with what the engines make of the example."""
    page = f"*{rule.verdict_line}*\n\n{rule.documentation}"
    return Code(rule.code, rule.name, rule.summary, page, Origin.RULE, rule.preview, rule.messages)


def table(rules: Iterable[Rule[Any]] | None = None) -> Mapping[str, Code]:
    """All codes, in order; with the installed rules, or with these."""
    return _installed() if rules is None else _together(rules)


@lru_cache(maxsize=1)
def _installed() -> Mapping[str, Code]:
    return _together(load())


def _together(rules: Iterable[Rule[Any]]) -> Mapping[str, Code]:
    # in this order a package can give no other meaning to a code that somebody has seen before
    known = {each.code: each for each in (*_offered()[0], *map(of_rule, rules), *BUILT_IN)}
    return {code: known[code] for code in sorted(known)}


def problems() -> tuple[str, ...]:
    """One line for each offer of codes that cannot be loaded and is left out."""
    return _offered()[1]


@lru_cache(maxsize=1)
def _offered() -> tuple[tuple[Code, ...], tuple[str, ...]]:
    found: list[Code] = []
    failed: list[str] = []
    for name, target in sorted(set(offers(GROUP))):
        module, _, attribute = target.partition(":")
        try:
            found += getattr(import_module(module), attribute)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - code of others may raise anything; it is reported
            text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            failed.append(f"the codes of {name!r} ({target}) cannot be loaded and are left out: {text}")
    return tuple(found), tuple(failed)


def name_of(code: str) -> str:
    """The name that belongs to a code. Raises `KeyError` for an unknown one."""
    return table()[code].name


def resolve(selector: str, known: Mapping[str, Code]) -> set[str]:
    """The codes that a code, prefix, name or ``ALL`` stands for; none if it stands for nothing."""
    if selector in ("ALL", "all"):
        return set(known)
    if selector in known:
        return {selector}
    by_name = {each.code for each in known.values() if each.name == selector}
    if by_name:
        return by_name
    return {code for code in known if code.startswith(selector)} if selector.startswith("ONX") else set()


_MANY_SPACES = re.compile(r"\s+")


def by_message(text: str, known: Mapping[str, Code]) -> set[str]:
    """The codes that an error message or warning of PyTorch or ONNX Runtime speaks of, whole or in part."""
    wanted = _MANY_SPACES.sub(" ", text).strip().lower()
    if len(wanted) < _SHORTEST_MESSAGE:
        return set()
    return {
        each.code for each in known.values() if any(m.lower() in wanted or wanted in m.lower() for m in each.messages)
    }


def close_match(selector: str, known: Mapping[str, Code]) -> str | None:
    """The code or name that was probably meant."""
    close = get_close_matches(selector[:60], [text for each in known.values() for text in (each.code, each.name)], 1)
    return close[0] if close else None


def unknown(selector: str, known: Mapping[str, Code]) -> str:
    """What there is to say of a selector that stands for nothing."""
    close = close_match(selector, known)
    hint = f"; did you mean {close}?" if close else "; --explain all lists the rules"
    return f"{selector!r} is not a rule code, prefix or name{hint}"
