"""What a code base that has diagnostics already needs: a baseline, or a suppression with a reason for each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from onnx_lint.arguments import CheckOptions
from onnx_lint.baseline import Baseline, Compared
from onnx_lint.diagnostic import Diagnostic
from onnx_lint.inputs import UsageError
from onnx_lint.source.notebook import NotebookText
from onnx_lint.source.text import SourceText

if TYPE_CHECKING:
    from onnx_lint.fixer import Fixed

_IN_PART = (
    "select",
    "ignore",
    "extend_select",
    "per_file_ignores",
    "severity",
    "engine",
    "opset",
    "preview",
    "changed_since",
)
"""Options with which a run sees another set of diagnostics than the one that the baseline is compared with."""


class Adoption:
    """One run's baseline and suppressions. Raises `UsageError` for options that do not go together, and
    `BaselineError` for a file that cannot be used."""

    def __init__(self, options: CheckOptions, sources: Mapping[str, SourceText]) -> None:
        self._options, self._sources = options, sources
        self._baseline: Baseline | None = None
        self._compared: Compared | None = None
        if options.write_baseline:
            self._demand_whole_run()
        if options.baseline is not None:
            is_new = options.write_baseline and not os.path.exists(options.baseline)
            self._baseline = Baseline(options.baseline) if is_new else Baseline.read(options.baseline)
            self._is_new = is_new
        reason = options.add_ignore
        if reason is not None and (not reason.strip() or "#" in reason or not reason.isprintable()):
            raise UsageError("--add-ignore needs a reason of one line, without #")

    def _demand_whole_run(self) -> None:
        if self._options.baseline is None:
            raise UsageError("--write-baseline needs --baseline FILE")
        for name in _IN_PART:
            if getattr(self._options, name):
                raise UsageError(f"--write-baseline is for a run with all rules, without --{name.replace('_', '-')}")

    def new(self, diagnostics: list[Diagnostic]) -> list[Diagnostic]:
        """Those that the baseline does not hold."""
        if self._baseline is None:
            return diagnostics
        if self._is_new:
            self._compared = Compared([], self._baseline.of(diagnostics, self._sources), 0)
        else:
            self._compared = self._baseline.compare(diagnostics, self._sources)
        return self._compared.new

    def write_baseline(self) -> str:
        """Make the file, or take out of it what is gone; what was done, in a line, or nothing."""
        if self._baseline is None or self._compared is None:
            return ""
        before, now = self._baseline.entries.total(), self._compared.known.total()
        if self._is_new or self._compared.known != self._baseline.entries:
            self._baseline.write(self._compared.known)
        self._compared = Compared(self._compared.new, self._compared.known, 0)
        if self._is_new:
            return f"{self._baseline.path}: written with {_diagnostics(now)}"
        return f"{self._baseline.path}: {before - now} gone, {now} left" if now != before else ""

    def summary(self) -> list[str]:
        """How many diagnostics the baseline hides, and how many of its entries nobody needs."""
        if self._baseline is None or self._compared is None or self._is_new:
            return []
        out = [f"{_diagnostics(self._compared.known.total())} in the baseline {self._baseline.path}"]
        if self._compared.gone:
            out.append(f"{self._compared.gone} of its entries are gone; --write-baseline takes them out")
        return out

    def with_ignores(self, diagnostics: list[Diagnostic]) -> tuple[dict[str, Fixed], list[Diagnostic]]:
        """The files with a suppression for each diagnostic, and the diagnostics where no comment can stand."""
        from onnx_lint.fixer import Fixed
        from onnx_lint.suppression_edits import with_suppressions

        by_path: dict[str, list[Diagnostic]] = {}
        for diagnostic in diagnostics:
            by_path.setdefault(diagnostic.span.path, []).append(diagnostic)
        done: dict[str, Fixed] = {}
        left: list[Diagnostic] = []
        reason = (self._options.add_ignore or "").strip()
        for path, mine in by_path.items():
            source = self._sources[path]
            if isinstance(source, NotebookText):  # they are not rewritten
                left += mine
                continue
            text, count, not_taken = with_suppressions(source, mine, reason)
            left += not_taken
            if count:
                done[path] = Fixed(source, text, count)
        return done, left


def _diagnostics(number: int) -> str:
    return f"{number:,} diagnostic{'' if number == 1 else 's'}"
