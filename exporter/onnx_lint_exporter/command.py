"""The command ``onnx-lint --export TARGET [PATHS]``: arguments in, exit status out."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TextIO

from onnx_lint.arguments import CheckOptions
from onnx_lint.config import ConfigError
from onnx_lint.crash import describe
from onnx_lint.diagnostic import Diagnostic, Severity
from onnx_lint.inputs import ResolvedConfigs, UsageError
from onnx_lint.report.report import Report, is_document, printable, render, rules_for
from onnx_lint.selection import UnknownRule
from onnx_lint.source.text import SourceText
from onnx_lint_exporter import evidence_cache, lint, opsets, options, table
from onnx_lint_exporter.join import attribute_to_rules, fold_engines, merge_evidence
from onnx_lint_exporter.locate import diagnose
from onnx_lint_exporter.outcome import Outcome, WorkerError
from onnx_lint_exporter.outputs import Outputs
from onnx_lint_exporter.processes import accuse_sender
from onnx_lint_exporter.progress import shown
from onnx_lint_exporter.repair import Repairer
from onnx_lint_exporter.runs import Request, Run
from onnx_lint_exporter.signals import Interrupted, ended_by_signals
from onnx_lint_exporter.source_code import Sources

NOT_PROVED = 3
"""The exit status of an export that is nowhere seen to be wrong, and of which something asked for is not proved."""
_MAX_TOUCHED = 60
"""Files that a run without PATHs looks up rules for."""


def run(argv: list[str]) -> int:
    """Run with these arguments; the exit status."""
    given = options.parse(argv)
    problems: list[str] = []
    try:
        with ended_by_signals(accuse_sender):
            return Command(given).run(problems)
    except Interrupted as interrupted:
        return interrupted.status
    except (UsageError, ConfigError, UnknownRule, WorkerError) as error:
        problems.append(str(error))
    except OSError:
        raise  # standard output is gone or full: there is nowhere to report it
    except Exception as error:  # noqa: BLE001 - an internal error: whoever asked for a document gets one
        problems.append(describe(error))
    return _give_up(given, problems)


def _give_up(given: argparse.Namespace, problems: list[str]) -> int:
    """Say why nothing could be done: in words, and as a document where one was asked for."""
    for problem in problems:
        _complain(problem)
    if is_document(given.output_format):
        render(given.output_format, Report([], problems), sys.stdout)
    return 2


def _complain(message: str) -> None:
    lines = message.strip().split("\n")
    sys.stderr.write(f"onnx-lint: error: {printable(lines[0])}\n")
    for line in lines[1:]:
        sys.stderr.write(f"  {printable(line)}\n")


class Command:
    """One run of the command."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.request: Request = options.request(given)
        given.entry = options.entries(given)
        self.options = CheckOptions.of(given)
        self.configs = ResolvedConfigs(self.options)
        self.config = self.configs.of(".")
        self.sources = Sources(os.getcwd())
        self.opsets: list[opsets.OpsetRow] = []

    def run(self, problems: list[str]) -> int:
        runner = Run(self.request)
        try:
            form = self.given.progress_format
            with shown(self.request.engines, sys.stderr, not self.given.quiet, form) as progress:
                if len(self.given.opsets) > 1:
                    self.opsets = opsets.sweep(self.request, self.given.opsets, progress)
                    job = replace(self.request.job, opset_version=opsets.best(self.opsets))
                    self.request = replace(self.request, job=job)
                runner = Run(self.request, progress)
                outcomes = runner.run()
            problems += [outcome.result.usage for outcome in outcomes[:1] if outcome.result.usage]
            if problems:
                return _give_up(self.given, problems)
            outputs = Outputs(self.given, self.request, self.sources)
            outputs.models(outcomes)
            outputs.witness(outcomes)
            checked = self._lint(outcomes)
            problems += checked.problems
            diagnostics = self._diagnostics(outcomes, checked)
            if self.given.repair:
                Repairer(self.request, checked.sources).repair(outcomes, diagnostics)
            outputs.maps(outcomes)
            outputs.page(outcomes, diagnostics, checked.sources, self.opsets)
            for text in outputs.notes:
                _note(text, self.given)
            problems += outputs.problems
            self._report(outcomes, diagnostics, checked, problems)
            return self._status(outcomes, diagnostics, checked, problems)
        finally:
            runner.close()

    # --- diagnostics -------------------------------------------------------------------------------------------------

    def _lint(self, outcomes: list[Outcome]) -> lint.Checked:
        """The linter's view: of the PATHs, or, without any, of the files that the export touched."""
        paths = self.given.paths or self._touched(outcomes)
        checked = lint.check_paths(self.options, self.configs, paths) if paths else lint.Checked()
        for path, source in checked.sources.items():
            self.sources.show_as(path, path)
            del source
        if not self.given.paths:  # files that nobody asked for: only a configuration that cannot be used is reported
            checked.problems = list(self.configs.problems)
        return checked

    def _touched(self, outcomes: list[Outcome]) -> list[str]:
        files = {file: None for outcome in outcomes for file in outcome.result.executed or {}}
        for outcome in outcomes:
            files.update({frame.file: None for item in outcome.observations for frame in item.stack[:3]})
        return [self.sources.shown(file) for file in files if os.path.isfile(file) and file.endswith(".py")][
            :_MAX_TOUCHED
        ]

    def _diagnostics(self, outcomes: list[Outcome], checked: lint.Checked) -> list[Diagnostic]:
        found = []
        for outcome in outcomes:
            seen = diagnose(outcome, self.sources, checked.rules)
            found.append((outcome, checked.accepted(attribute_to_rules(seen, checked.diagnostics, outcome))))
        if self.given.paths:
            diagnostics = merge_evidence(checked.diagnostics, found, self.sources, checked.sources)
        else:
            diagnostics = fold_engines([d for _, each in found for d in each])
        minimum = Severity(self.given.severity) if self.given.severity else Severity.INFO
        diagnostics = [d for d in diagnostics if d.severity >= minimum]
        if not any(outcome.cancelled for outcome in outcomes):
            evidence_cache.store(diagnostics, {**self.sources.texts(), **checked.sources})
        return sorted(diagnostics, key=lambda d: d.sort_key)

    # --- reporting ---------------------------------------------------------------------------------------------------

    def _report(
        self, outcomes: list[Outcome], diagnostics: list[Diagnostic], checked: lint.Checked, problems: list[str]
    ) -> None:
        for problem in problems:
            _complain(problem)
        name = self.given.output_format or checked.output_format or self.config.output_format or "full"
        sources: dict[str, SourceText] = {**self.sources.texts(), **checked.sources}
        exports: list[dict[str, object]] = []
        for outcome in outcomes:
            entry = outcome.as_json()
            if self.opsets:
                entry["opsets"] = opsets.as_json(self.opsets, outcome.engine)
            if self.given.text:
                entry["text"] = outcome.result.text or None
            exports.append(entry)
        report = Report(
            diagnostics,
            problems,
            sources,
            rules_for(name),
            checked.coverage,
            exports,
            colour=self.options.wants_colour(sys.stdout),
            links=self.options.wants_links(sys.stdout),
            verbose=self.options.verbose,
            quiet=self.options.quiet,
        )
        with _stream(self.given) as stream:
            if name == "full":
                stream.write("\n".join(map(printable, self._tables(outcomes))) + "\n\n")
            render(name, report, stream)
            if name == "full":
                self._texts(outcomes, stream)
        if name != "full" and not self.given.quiet and self.given.progress_format != "json":
            sys.stderr.write("\n".join(map(printable, self._tables(outcomes))) + "\n")
        if self.given.log:
            for outcome in outcomes:
                sys.stderr.write(
                    f"--- log of {outcome.engine}\n" + "\n".join(map(printable, outcome.log.split("\n"))) + "\n"
                )

    def _tables(self, outcomes: list[Outcome]) -> list[str]:
        return [*opsets.lines(self.opsets), *table.lines(outcomes)]

    def _texts(self, outcomes: list[Outcome], stream: TextIO) -> None:
        if self.given.repair:
            stream.write("\n".join(map(printable, table.repairs(outcomes))) + "\n")
        for outcome in outcomes:
            if self.given.text and outcome.result.text:
                stream.write(f"\n--- {outcome.engine}\n{outcome.result.text}\n")

    def _status(
        self, outcomes: list[Outcome], diagnostics: list[Diagnostic], checked: lint.Checked, problems: list[str]
    ) -> int:
        if problems:
            return 2
        if not all(outcome.ok for outcome in outcomes):
            return 1
        if self.given.exit_zero:
            return 0
        if any(d.severity >= checked.fail_level(d.span.path, self.config) for d in diagnostics):
            return 1
        return NOT_PROVED if any(outcome.shortfalls for outcome in outcomes) and self.request.job.verify else 0


def _note(message: str, given: argparse.Namespace) -> None:
    if not given.quiet:
        sys.stderr.write(f"onnx-lint: {printable(message)}\n")


@contextmanager
def _stream(given: argparse.Namespace) -> Iterator[TextIO]:
    if not given.output_file:
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
        yield sys.stdout
        return
    try:
        with open(given.output_file, "w", encoding="utf-8", errors="backslashreplace") as stream:
            yield stream
    except OSError as error:
        raise UsageError(f"--output-file {given.output_file}: {error.strerror}") from error
