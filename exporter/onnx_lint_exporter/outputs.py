"""What a run leaves behind besides its report: the models, their maps from nodes to lines, the page."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence

from onnx_lint.diagnostic import Diagnostic
from onnx_lint.source.text import SourceText
from onnx_lint_exporter.onnx_map import map_path, write_map
from onnx_lint_exporter.opsets import OpsetRow
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.received import model_of
from onnx_lint_exporter.runs import Request
from onnx_lint_exporter.source_code import Sources
from onnx_lint_exporter.witness_test import write_witness
from onnx_lint_exporter.writer import WriteError, install


class Outputs:
    """The files that the options ask for. A problem with one of them is kept and does not stop the others."""

    def __init__(self, given: argparse.Namespace, request: Request, sources: Sources) -> None:
        self._given = given
        self._request = request
        self._sources = sources
        self.problems: list[str] = []
        self.notes: list[str] = []

    def models(self, outcomes: Sequence[Outcome]) -> None:
        """Install the models that are right. One path for several engines is written only when all are."""
        paths = self._request.outputs
        if not paths:
            return
        shared = len({path.path for path in paths.values()}) < len(paths)
        chosen = [outcome for outcome in outcomes if outcome.ok]
        if shared:
            if len(chosen) < len(outcomes):
                good = ", ".join(str(outcome.engine) for outcome in chosen)
                text = f"{self._given.output} is not written: not every engine is right"
                self.notes.append(text + (f"; --engine {good} alone would be" if good else ""))
                return
            chosen = chosen[-1:]  # dynamo, torch's own default, is asked for last
        for outcome in chosen:
            path = paths[outcome.engine]
            try:
                install(path, model_of(outcome, path), outcome.result.old_data)
            except WriteError as error:
                self.problems.append(str(error))
                continue
            outcome.written = self._sources.shown(path.path)

    def witness(self, outcomes: Sequence[Outcome]) -> None:
        """Write the test of ``--save-witness`` for the first engine that gives something wrong."""
        if not self._given.save_witness:
            return
        wrong = [outcome for outcome in outcomes if outcome.result.proof.has_witness]
        if not wrong:
            self.notes.append(f"{self._given.save_witness} is not written: nothing was seen to go wrong in a file")
            return
        try:
            write_witness(self._given.save_witness, wrong[0], self._request.job.target)
        except WriteError as error:
            self.problems.append(str(error))
            return
        self.notes.append(f"{self._given.save_witness}: a test that fails today ({wrong[0].engine})")

    def maps(self, outcomes: Sequence[Outcome]) -> None:
        """Write the maps: beside the model where one is written, else beside the page.

        A map that lies there from an earlier export is replaced also without being asked for: it would be false now.
        """
        for outcome in outcomes:
            path = self._map_path(outcome)
            if path is None or not (self._given.map or self._given.report or os.path.lexists(path)):
                continue
            try:
                write_map(outcome, path)
            except WriteError as error:
                self.problems.append(str(error))
                continue
            outcome.map_file = self._sources.shown(path)

    def _map_path(self, outcome: Outcome) -> str | None:
        if outcome.written:
            return map_path(self._request.outputs[outcome.engine].path)
        if self._given.report and outcome.result.node_map:
            return f"{self._given.report.removesuffix('.html')}.{outcome.engine}.onnxmap.json"
        return None

    def page(
        self,
        outcomes: Sequence[Outcome],
        diagnostics: Sequence[Diagnostic],
        linted: Mapping[str, SourceText],
        opsets: Sequence[OpsetRow] = (),
    ) -> None:
        """Write the page of ``--report``."""
        if not self._given.report:
            return
        from onnx_lint_exporter.report_html import write_report

        try:
            write_report(self._given.report, self._request.text, outcomes, diagnostics, self._sources, linted, opsets)
        except WriteError as error:
            self.problems.append(str(error))
            return
        for outcome in outcomes:
            outcome.report_file = self._sources.shown(self._given.report)
