"""Which rule of the linter explains what an export saw: the one that reports the code at that place.

The linter is asked once for everything that its rules say about the files that an export touched, whatever the
configuration selects or comments suppress. An observation then takes over the rule that speaks of its place. Nothing
is known here about what a rule looks for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import cache

from onnx_lint.diagnostic import Diagnostic, Span
from onnx_lint.registry import load
from onnx_lint.settings import Settings
from onnx_lint.target import BOTH, Engine, Target, Verdict
from onnx_lint_exporter.source_code import SourceFile, Sources
from onnx_lint_exporter.worker.protocol import Frame, Kind, Observation

EVERYTHING = Settings(Target(engines=BOTH), engine_given=True, suppressions=False)
"""A check with every stable rule for every engine, in which nothing is suppressed."""


class RuleSites:
    """What the rules say, by file and line."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self._by_line: dict[tuple[str, int], list[Diagnostic]] = {}
        for one in diagnostics:
            for line in range(one.span.line, one.span.end_line + 1):
                self._by_line.setdefault((one.span.path, line), []).append(one)

    @classmethod
    def of_files(cls, files: Collection[str], sources: Sources) -> RuleSites:
        """The rules' view of some files, read together."""
        if not files:
            return cls(())
        from onnx_lint.checker import check  # the analysis is loaded where there is something to explain
        from onnx_lint.project.project import Project

        texts = [found.source for file in files if (found := sources.get(file)) is not None]
        key = tuple((source.path, source.text) for source in texts)
        if key not in _KNOWN:
            project = Project()
            for source in texts:
                project.add(source)
            while len(_KNOWN) >= _MOST_KNOWN:
                del _KNOWN[next(iter(_KNOWN))]
            _KNOWN[key] = cls(check(project, EVERYTHING))
        return _KNOWN[key]

    @staticmethod
    def is_harmless(code: str) -> bool:
        """Whether a rule takes what it reports for harmless in every engine, as an ``assert`` is."""
        return code in _harmless()

    def within(self, span: Span, engine: Engine, fits: Callable[[str], bool] = lambda code: True) -> Diagnostic | None:
        """What is said of the code at a span: inside it, or of the smallest code around it.

        What holds for the engine goes before the rest; of several things inside, the outermost counts.
        """
        lines = range(span.line, span.end_line + 1)
        near = {id(d): d for line in lines for d in self._by_line.get((span.path, line), ())}.values()
        inside = [d for d in near if _contains(span, d.span) and fits(d.code)]
        around = [d for d in near if _contains(d.span, span) and fits(d.code)]
        inside.sort(key=lambda d: _size(d.span), reverse=True)
        around.sort(key=lambda d: _size(d.span))
        ranked = sorted([*inside, *around], key=lambda d: engine not in d.engines)
        return ranked[0] if ranked else None


_KNOWN: dict[tuple[tuple[str, str], ...], RuleSites] = {}
"""What the rules say of texts that were asked about lately: a program may export a hundred models of one file."""
_MOST_KNOWN = 8


@cache
def _harmless() -> frozenset[str]:
    harmless = (Verdict.WARNS, Verdict.FINE)
    return frozenset(rule.code for rule in load() if all(verdict in harmless for verdict in rule.verdicts.values()))


def _contains(outer: Span, inner: Span) -> bool:
    begins = (outer.line, outer.column) <= (inner.line, inner.column)
    return begins and (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)


def _size(span: Span) -> tuple[int, int]:
    lines = span.end_line - span.line
    return lines, span.end_column - span.column if not lines else span.end_column


def rule_at(
    rules: RuleSites,
    file: SourceFile,
    frame: Frame,
    item: Observation,
    engine: Engine,
    fits: Callable[[str], bool] = lambda code: True,
) -> Diagnostic | None:
    """The rule's own diagnostic that explains an observation at a frame, if there is one.

    `fits` says of a code whether its rule may be the cause at all.
    """
    if item.kind is Kind.STRUCTURE:
        decides = file.control_around(item.lines or (frame.line,))
        return rules.within(decides, engine, fits) if decides is not None else None
    if frame.column is not None and frame.end_line is not None and frame.end_column is not None:
        exact = Span(file.path, frame.line, frame.column, frame.end_line, frame.end_column)
        found = rules.within(exact, engine, fits)
        if found is not None:
            return found
    # several statements may share the line
    return rules.within(file.statement(frame.line), engine, fits) or rules.within(
        file.line_span(frame.line), engine, fits
    )
