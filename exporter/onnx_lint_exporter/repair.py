"""``--repair``: try the fixes of the rules, then other changes, export again, and keep what makes an engine right.

No file is touched: the worker imports the model from the changed texts. It runs the original model beside the changed
one, and a change after which any result of the model itself differs is not kept.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from onnx_lint import fixer
from onnx_lint.diagnostic import Applicability, Diagnostic
from onnx_lint.source.text import SourceText
from onnx_lint.target import Engine
from onnx_lint_exporter.candidates import candidates
from onnx_lint_exporter.outcome import Outcome, Repair
from onnx_lint_exporter.runs import Request, Run
from onnx_lint_exporter.source_code import SourceFile

MOST_ATTEMPTS = 12
"""Exports of one repair with the fixes of the rules, at most; and again with other changes."""
MOST_CHANGES = 8
"""Changes by form that are tried one by one."""


class Repairer:
    """Repairs the exports of one request. `sources` are the linted texts by the paths that diagnostics show."""

    def __init__(self, request: Request, sources: Mapping[str, SourceText]) -> None:
        self._request = request
        self._sources = sources
        self._left = MOST_ATTEMPTS

    def repair(self, outcomes: Sequence[Outcome], diagnostics: Sequence[Diagnostic]) -> None:
        """Give each export that is not right its repair, where one is found."""
        for outcome in outcomes:
            if outcome.verified or outcome.cancelled or outcome.result.usage:
                continue
            fixable = [
                d
                for d in diagnostics
                if d.fix is not None
                and d.fix.applicability is not Applicability.DISPLAY
                and d.span.path in self._sources
                and outcome.engine in d.engines
            ]
            own = [d for d in diagnostics if outcome.engine in d.engines and d.span.path in self._sources]
            self._left = MOST_ATTEMPTS
            outcome.repair = self._found(outcome.engine, fixable) or self._by_form(outcome.engine, fixable, own)

    def _by_form(self, engine: Engine, fixes: list[Diagnostic], own: Sequence[Diagnostic]) -> Repair | None:
        """Changes that no rule promises: each by itself, then those that leave the model as it is, with the fixes."""
        changes = [each for file in self._files(own) for each in candidates(file, own)]
        sound = []
        for change in changes[:MOST_CHANGES]:
            self._left = max(self._left, 1)
            outcome = self._export(engine, [change])
            if outcome is not None and outcome.verified:
                return self._repair([change], outcome)
            if outcome is not None and not any(item.failure and item.stage == "load" for item in outcome.observations):
                sound.append(change)
        if not sound or len(sound) + len(fixes) < 2:
            return None
        self._left = MOST_ATTEMPTS
        return self._found(engine, [*fixes, *sound])

    def _files(self, diagnostics: Sequence[Diagnostic]) -> Iterator[SourceFile]:
        for path in dict.fromkeys(d.span.path for d in diagnostics):
            source = self._sources[path]
            try:
                yield SourceFile(path, source, ast.parse(source.normal))
            except SyntaxError:  # nothing of it was exported
                continue

    def _repair(self, chosen: Sequence[Diagnostic], outcome: Outcome) -> Repair:
        fixes = tuple(d.fix.title for d in chosen if d.fix is not None)
        return Repair(self._patch(chosen), fixes, outcome.result.proof.inputs)

    def _found(self, engine: Engine, candidates: list[Diagnostic]) -> Repair | None:
        """All fixes together; else those that each leave the model as it is; then no more of them than are needed."""
        if not candidates:
            return None
        chosen = candidates
        right = self._attempt(engine, chosen)
        if right is None and len(candidates) > 1:
            chosen = [d for d in candidates if self._is_harmless(engine, d)]
            right = self._attempt(engine, chosen) if 0 < len(chosen) < len(candidates) else None
        if right is None:
            return None
        for one in list(chosen):
            fewer = [d for d in chosen if d is not one]
            again = self._attempt(engine, fewer) if fewer else None
            if again is not None:
                chosen, right = fewer, again
        return self._repair(chosen, right)

    def _is_harmless(self, engine: Engine, one: Diagnostic) -> bool:
        """Whether the model still runs with a fix, and gives what it gave."""
        outcome = self._export(engine, [one])
        return outcome is not None and not any(o.failure and o.stage == "load" for o in outcome.observations)

    def _attempt(self, engine: Engine, chosen: Sequence[Diagnostic]) -> Outcome | None:
        outcome = self._export(engine, chosen)
        return outcome if outcome is not None and outcome.verified else None

    def _export(self, engine: Engine, chosen: Sequence[Diagnostic]) -> Outcome | None:
        """The export with some fixes; ``None`` when there is nothing to change, or no attempt left."""
        texts = {os.path.abspath(path): fixed.text for path, fixed in self._fixed(chosen).items()}
        if not texts or not self._left:
            return None
        self._left -= 1
        job = replace(self._request.job, overlay=texts, want_map=False, want_text=False, want_witness=False)
        run = Run(replace(self._request, job=job, engines=(engine,), outputs={}))
        try:
            return run.run()[0]
        finally:
            run.close()

    def _fixed(self, chosen: Sequence[Diagnostic]) -> dict[str, fixer.Fixed]:
        found: dict[str, fixer.Fixed] = {}
        for path in dict.fromkeys(d.span.path for d in chosen):
            try:
                fixed = fixer.apply(self._sources[path], [d for d in chosen if d.span.path == path], unsafe=True)
            except fixer.FixError:  # the file is no longer the one that was linted
                continue
            if fixed.count:
                found[path] = fixed
        return found

    def _patch(self, chosen: Sequence[Diagnostic]) -> str:
        return "".join(fixer.diff(fixed).decode("utf-8", "replace") for fixed in self._fixed(chosen).values())
