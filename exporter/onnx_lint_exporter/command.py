"""The command ``onnx-lint --export TARGET [PATHS]``: arguments in, exit status out."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TextIO

from onnx_lint.config import ConfigError
from onnx_lint.diagnostic import Diagnostic, Severity
from onnx_lint.inputs import Settled, UsageError
from onnx_lint.registry import RegistryError
from onnx_lint.report.report import Report, printable, render
from onnx_lint.selection import UnknownRule
from onnx_lint.source.text import SourceText
from onnx_lint_exporter import evidence_cache, lint, options, table
from onnx_lint_exporter.engines import Request, Run
from onnx_lint_exporter.join import adopt, fold_engines, join
from onnx_lint_exporter.locate import diagnose
from onnx_lint_exporter.outcome import Outcome, WorkerError
from onnx_lint_exporter.outputs import Outputs
from onnx_lint_exporter.progress import shown
from onnx_lint_exporter.source_code import Sources

_PATIENCE = 10.0
"""Seconds for which a second signal is ignored: ending the workers takes about `child.GRACE`."""
_MAX_TOUCHED = 60
"""Files that a run without PATHs looks up rules for."""


class Interrupted(BaseException):
    """A signal that asks us to end; carries the exit status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def run(argv: list[str]) -> int:
    """Run with these arguments; the exit status."""
    given = options.parser().parse_args(argv)
    problems: list[str] = []
    try:
        with _ended_by_signals():
            return Command(given).run(problems)
    except Interrupted as interrupted:
        return interrupted.status
    except (UsageError, ConfigError, RegistryError, UnknownRule, WorkerError) as error:
        problems.append(str(error))
    except OSError:
        raise  # standard output is gone or full: there is nowhere to tell it
    except Exception as error:  # noqa: BLE001 - a fault of ours: whoever asked for a document shall get one
        problems.append(_our_fault(error))
    return _give_up(given, problems)


def _our_fault(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace is not None else "?"
    return f"internal error at {where}: {type(error).__name__}: {' '.join(str(error).split())[:300]}; please report it"


def _give_up(given: argparse.Namespace, problems: list[str]) -> int:
    """Tell why nothing could be done: in words, and as a document where one was asked for."""
    for problem in problems:
        _complain(problem)
    if given.output_format in ("json", "sarif", "gitlab", "junit"):
        render(given.output_format, Report([], problems), sys.stdout)
    return 2


def _complain(message: str) -> None:
    lines = message.strip().split("\n")
    sys.stderr.write(f"onnx-lint: error: {printable(lines[0])}\n")
    for line in lines[1:]:
        sys.stderr.write(f"  {printable(line)}\n")


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into an exception, so that the workers are ended on the way out.

    While that goes on, further signals (an impatient Ctrl-C, one for the group and one for us) change nothing.
    """
    first: list[float] = []

    def end(number: int, frame: FrameType | None) -> None:
        if first and time.monotonic() - first[0] < _PATIENCE:
            return
        first[:] = [time.monotonic()]
        raise Interrupted(128 + number)

    try:
        before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not in the main thread: whoever runs us there handles signals
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Command:
    """One run of the command."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.request: Request = options.request(given)
        given.entry = options.entries(given)
        self.settled = Settled(given)
        self.config = self.settled.of(".")
        self.sources = Sources(os.getcwd())

    def run(self, problems: list[str]) -> int:
        runner = Run(self.request)
        try:
            form = self.given.progress_format
            with shown(self.request.engines, sys.stderr, not self.given.quiet, form) as progress:
                runner = Run(self.request, progress)
                outcomes = runner.run()
            problems += [outcome.usage for outcome in outcomes[:1] if outcome.usage]
            if problems:
                return _give_up(self.given, problems)
            outputs = Outputs(self.given, self.request, self.sources)
            outputs.models(outcomes)
            checked = self._lint(outcomes)
            problems += checked.problems
            diagnostics = self._diagnostics(outcomes, checked)
            outputs.maps(outcomes)
            outputs.page(outcomes, diagnostics, checked.sources)
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
        checked = lint.check_paths(self.given, self.settled, paths) if paths else lint.Checked()
        for path, source in checked.sources.items():
            self.sources.show_as(path, path)
            del source
        if not self.given.paths:  # files that nobody asked for: only a configuration that cannot be used is told
            checked.problems = list(self.settled.problems)
        return checked

    def _touched(self, outcomes: list[Outcome]) -> list[str]:
        files = {file: None for outcome in outcomes for file in outcome.facts.get("executed") or {}}
        for outcome in outcomes:
            files.update({frame["file"]: None for item in outcome.observations for frame in item["stack"][:3]})
        return [self.sources.shown(file) for file in files if os.path.isfile(file) and file.endswith(".py")][
            :_MAX_TOUCHED
        ]

    def _diagnostics(self, outcomes: list[Outcome], checked: lint.Checked) -> list[Diagnostic]:
        found = [(o, checked.accepted(adopt(diagnose(o, self.sources), checked.diagnostics))) for o in outcomes]
        if self.given.paths:
            diagnostics = join(checked.diagnostics, found, self.sources, checked.sources)
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
            if self.given.text:
                entry["text"] = outcome.facts.get("text")
            exports.append(entry)
        report = Report(
            diagnostics,
            problems,
            sources,
            _rules(name),
            len(checked.sources),
            exports,
            colour=not self.given.output_file and _wants_colour(self.given),
        )
        with _stream(self.given) as stream:
            if name == "full":
                stream.write("\n".join(map(printable, table.lines(outcomes))) + "\n\n")
            render(name, report, stream)
            if name == "full":
                self._texts(outcomes, stream)
        if name != "full" and not self.given.quiet and self.given.progress_format != "json":
            sys.stderr.write("\n".join(map(printable, table.lines(outcomes))) + "\n")
        if self.given.log:
            for outcome in outcomes:
                sys.stderr.write(
                    f"--- log of {outcome.engine}\n" + "\n".join(map(printable, outcome.log.split("\n"))) + "\n"
                )

    def _texts(self, outcomes: list[Outcome], stream: TextIO) -> None:
        for outcome in outcomes:
            if self.given.text and outcome.facts.get("text"):
                stream.write(f"\n--- {outcome.engine}\n{outcome.facts['text']}\n")

    def _status(
        self, outcomes: list[Outcome], diagnostics: list[Diagnostic], checked: lint.Checked, problems: list[str]
    ) -> int:
        if problems:
            return 2
        if not all(outcome.ok for outcome in outcomes):
            return 1
        if self.given.exit_zero:
            return 0
        return int(any(d.severity >= checked.fail_level(d.span.path, self.config) for d in diagnostics))


def _note(message: str, given: argparse.Namespace) -> None:
    if not given.quiet:
        sys.stderr.write(f"onnx-lint: {printable(message)}\n")


def _rules(name: str) -> tuple[Any, ...]:
    if name != "sarif":
        return ()
    from onnx_lint.registry import load as load_rules

    return load_rules()


def _wants_colour(given: argparse.Namespace) -> bool:
    if given.color != "auto":
        return bool(given.color == "always")
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


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
