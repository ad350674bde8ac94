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
from onnx_lint_exporter.changes.candidates import candidates
from onnx_lint_exporter.outcome import Outcome, Repair
from onnx_lint_exporter.runs import Request, Run
from onnx_lint_exporter.source_code import SourceFile
from onnx_lint_exporter.warm import Warm
from onnx_lint_exporter.worker.protocol import Stage, State

MOST_ATTEMPTS = 12
"""Exports of one repair with the fixes of the rules, at most; and again with other changes."""
SCRIPT = "Export `torch.jit.script(model)` in place of the model"
MOST_CHANGES = 16
"""Changes by form that are tried one by one."""


class Repairer:
    """Repairs the exports of one request. `sources` are the linted texts by the paths that diagnostics show.

    Attempts are made by a warm interpreter, where there can be one, and without a search for inputs; what is right then
    is exported once more with it, which is what counts.
    """

    def __init__(self, request: Request, sources: Mapping[str, SourceText]) -> None:
        self._request = request
        self._sources = sources
        self._left = MOST_ATTEMPTS
        self._effort = 0
        self._scripted = False

    def repair(self, outcomes: Sequence[Outcome], diagnostics: Sequence[Diagnostic]) -> None:
        """Give each export that is not right its repair, where one is found."""
        with Warm(self._request.python) as self._warm:
            for outcome in outcomes:
                if not (outcome.verified or outcome.cancelled or outcome.result.usage):
                    outcome.repair = self._of(outcome, diagnostics)

    def _of(self, outcome: Outcome, diagnostics: Sequence[Diagnostic]) -> Repair | None:
        own = [d for d in diagnostics if outcome.engine in d.engines and d.span.path in self._sources]
        fixable = [d for d in own if d.fix is not None and d.fix.applicability is not Applicability.DISPLAY]
        is_seen = any(run.state in (State.WRONG, State.FAILED) for run in outcome.runs)
        shows = is_seen or not outcome.exported  # else only the search showed that it is wrong
        self._effort = 0 if shows else self._request.job.effort
        self._left = MOST_ATTEMPTS
        return self._found(outcome.engine, fixable) or self._by_form(outcome.engine, fixable, own)

    def _by_form(self, engine: Engine, fixes: list[Diagnostic], own: Sequence[Diagnostic]) -> Repair | None:
        """Changes that no rule promises: each by itself, then those that leave the model as it is, with the fixes."""
        changes = [each for file in self._files(own) for each in candidates(file, own)]
        sound = []
        for change in changes[:MOST_CHANGES]:
            self._left = 1
            outcome = self._export(engine, [change])
            if outcome is not None and outcome.verified:
                repair = self._confirmed(engine, [change])
                if repair is not None:
                    return repair
            if outcome is not None and self._is_same(outcome):
                sound.append(change)
        scripted = self._compiled(engine, [])
        if scripted is not None:
            return scripted
        if sound and len(sound) + len(fixes) > 1:
            self._left = MOST_ATTEMPTS
            found = self._found(engine, [*fixes, *sound])
            if found is not None:
                return found
        return self._compiled(engine, sound or fixes) if sound or fixes else None

    def _compiled(self, engine: Engine, chosen: Sequence[Diagnostic]) -> Repair | None:
        """The repair by ``torch.jit.script``, which keeps branches and loops where a trace keeps one way."""
        if engine is not Engine.TORCHSCRIPT:
            return None
        self._left = 1
        self._scripted = True
        try:
            return self._confirmed(engine, chosen)
        finally:
            self._scripted = False

    def _files(self, diagnostics: Sequence[Diagnostic]) -> Iterator[SourceFile]:
        for path in dict.fromkeys(d.span.path for d in diagnostics):
            source = self._sources[path]
            try:
                yield SourceFile(path, source, ast.parse(source.normal))
            except SyntaxError:  # nothing of it was exported
                continue

    def _confirmed(self, engine: Engine, chosen: Sequence[Diagnostic]) -> Repair | None:
        """The repair by changes with which an attempt was right, if the search finds nothing wrong either."""
        self._left = max(self._left, 1)
        outcome = self._export(engine, chosen, self._request.job.effort)
        if outcome is None or not outcome.verified:
            return None
        fixes = [d.fix.title for d in chosen if d.fix is not None]
        if self._scripted:
            fixes.append(SCRIPT)
        return Repair(self._patch(chosen), tuple(fixes), outcome.result.proof.inputs, self._scripted)

    def _found(self, engine: Engine, candidates: list[Diagnostic]) -> Repair | None:
        """All fixes together; else those that each leave the model as it is; then no more of them than are needed."""
        if not candidates:
            return None
        chosen = candidates
        is_right = self._attempt(engine, chosen)
        if not is_right and len(candidates) > 1:
            chosen = [d for d in candidates if self._is_harmless(engine, d)]
            is_right = 0 < len(chosen) < len(candidates) and self._attempt(engine, chosen)
        if not is_right:
            return None
        needed = chosen
        for one in chosen:
            fewer = [d for d in needed if d is not one]
            if fewer and self._attempt(engine, fewer):
                needed = fewer
        return self._confirmed(engine, needed) or (self._confirmed(engine, chosen) if needed != chosen else None)

    def _is_harmless(self, engine: Engine, one: Diagnostic) -> bool:
        """Whether the model still runs with a fix, and gives what it gave."""
        outcome = self._export(engine, [one])
        return outcome is not None and self._is_same(outcome)

    @staticmethod
    def _is_same(outcome: Outcome) -> bool:
        return not any(item.failure and item.stage in (Stage.LOAD, Stage.EAGER) for item in outcome.observations)

    def _attempt(self, engine: Engine, chosen: Sequence[Diagnostic]) -> bool:
        outcome = self._export(engine, chosen)
        return outcome is not None and outcome.verified

    def _export(self, engine: Engine, chosen: Sequence[Diagnostic], effort: int | None = None) -> Outcome | None:
        """The export with some fixes; ``None`` when there is nothing to change, or no attempt left."""
        texts = {os.path.abspath(path): fixed.text for path, fixed in self._fixed(chosen).items()}
        if not (texts or self._scripted) or not self._left:
            return None
        self._left -= 1
        job = replace(self._request.job, overlay=texts or None, scripted=self._scripted)
        job = replace(job, want_map=False, want_text=False, want_witness=False)
        job = replace(job, trial=True, effort=self._effort if effort is None else effort)
        job = replace(job, measure=False, differences=False, artifacts_dir=None, profile=False)
        command = self._warm.command
        run = Run(replace(self._request, job=job, engines=(engine,), outputs={}, command=command))
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
