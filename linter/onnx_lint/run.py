"""A lint run: find files, read them, check, fix, report."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from io import TextIOWrapper
from typing import TYPE_CHECKING, TextIO

from onnx_lint import __version__, codes, entry_names, op_packages, registry
from onnx_lint.adoption import Adoption
from onnx_lint.arguments import CheckOptions, parse
from onnx_lint.baseline import BaselineError
from onnx_lint.cache import ResultCache, default_folder, is_wanted
from onnx_lint.config import Config, ConfigError
from onnx_lint.coverage import Coverage
from onnx_lint.diagnostic import Diagnostic, Severity
from onnx_lint.inputs import Inputs, ResolvedConfigs, UsageError, gather
from onnx_lint.progress import progress
from onnx_lint.report import cells
from onnx_lint.report.report import Report, is_document, printable, printable_line, render, rules_for
from onnx_lint.report.summary import counted
from onnx_lint.report.wrapping import columns_of
from onnx_lint.source.text import SourceText

if TYPE_CHECKING:
    from onnx_lint.fixer import Fixed
    from onnx_lint.project.project import Project
    from onnx_lint.result_codec import Result


def run(argv: list[str]) -> int:
    """Run with these arguments; the exit status."""
    options = parse(argv)
    try:
        if options.watch:  # it has been taken out where it stands by itself
            raise UsageError("write -w by itself, apart from other letters")
        return _run(options)
    except (UsageError, ConfigError, BaselineError) as error:
        _complain(str(error))
        name = options.output_format
        if name is not None and is_document(name) and not options.output_file:
            render(name, Report([], [str(error)]), _out())
        return 2


def _complain(message: str) -> None:
    if sys.stderr is not None:
        _lenient(sys.stderr).write(f"onnx-lint: error: {printable(message)}\n")


def _out() -> TextIO:
    return _lenient(sys.stdout)


def _lenient(stream: TextIO) -> TextIO:
    """Let no character that the stream's encoding lacks stop the output."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream


def _run(options: CheckOptions) -> int:
    if options.version:
        _out().write(f"onnx-lint {__version__}\n")
        return 0
    if options.explain is not None:
        return _explain(options.explain, options.wants_colour(sys.stdout))
    inputs = gather(options, ResolvedConfigs(options))
    if options.show_files:
        for path in inputs.sources:
            _out().write(printable_line(path) + "\n")
        return _report_problems(inputs)
    if options.show_settings:
        from onnx_lint import shown_settings

        shown_settings.write(inputs.configs.values(), _out())
        return _report_problems(inputs)
    if options.show_values:
        from onnx_lint.show_values import show

        show(options, inputs, _out())
        return _report_problems(inputs)
    return Run(options, inputs).all()


def _report_problems(inputs: Inputs) -> int:
    for problem in inputs.problems:
        _complain(problem)
    return 2 if inputs.problems else 0


def _explain(selector: str, colour: bool) -> int:
    from onnx_lint.explain import NoSuchRule, write

    try:
        write(selector, _out(), colour=colour)
    except NoSuchRule as error:
        raise UsageError(str(error)) from error
    return 0


class Run:
    """One run over what was gathered."""

    def __init__(self, options: CheckOptions, inputs: Inputs) -> None:
        self.options, self.inputs = options, inputs
        self._project: Project | None = None
        self._cache: ResultCache | None = None
        if is_wanted() and not options.no_cache:
            self._cache = ResultCache(options.cache_dir or default_folder(), inputs.neighbour)
        self._groups = inputs.by_settings(options)
        self._coverage = Coverage()
        self._fixes_left_out: dict[str, int] = {}
        self._adoption = Adoption(options, inputs.sources)
        inputs.problems += entry_names.problems(options, inputs.sources, inputs.configs.values())
        self._is_loaded = False
        if op_packages.names():
            from onnx_lint.semantics.interpreter import INTERPRETER

            INTERPRETER.prepare()
            self.inputs.problems += op_packages.problems()
        if not registry.is_only_ours():
            self._look_at_packages()

    def _look_at_packages(self) -> None:
        """Load the rules, and note what is wrong with packages. An answer from the cache needs ours not."""
        if not self._is_loaded:
            self._is_loaded = True
            self.inputs.problems += [*registry.problems(), *codes.problems()]

    def all(self) -> int:
        """Check, fix, report; the exit status."""
        if self.options.models:
            return self._models()
        diagnostics = self._check("analysing models")
        if self.options.write_baseline:
            said = self._adoption.write_baseline()
            if said:
                self._tell(said)
        if self.options.add_ignore is not None:
            return self._add_ignores(diagnostics)
        if not (self.options.fix or self.options.diff):
            return self._report(diagnostics, {})
        from onnx_lint.fixing import Fixing

        self._refuse_notebooks()
        fixing = Fixing(self.options, self.inputs, self._put, self._check)
        diagnostics = fixing.rounds(diagnostics)
        if self.options.diff:
            return self._show_diff(fixing.done)
        if self.options.show_fixes:
            for line in fixing.told():
                self._tell(line)
        return self._report([] if self.options.fix_only else diagnostics, fixing.done)

    def _models(self) -> int:
        """Which models are clean; the exit status."""
        from onnx_lint.exportability import by_model
        from onnx_lint.report import models

        self._look_at_packages()
        name = self._format()
        if name not in models.FORMATS:
            raise UsageError(f"--models is written as {', '.join(models.FORMATS)}, not as {name}")
        with progress("analysing models", wanted=not self.options.quiet) as step:
            found = by_model(self.project, self._groups, step)
        _report_problems(self.inputs)
        write = partial(models.write, name, found, self.inputs.problems, quiet=self.options.quiet)
        if self.options.output_file:
            self._write_file(f"--output-file {self.options.output_file}", self.options.output_file, write)
        else:
            write(_out())
        if self.options.badge:
            picture = models.badge(found)
            self._write_file(f"--badge {self.options.badge}", self.options.badge, lambda file: file.write(picture))
        is_clean = all(model.is_clean(engine) for model in found for engine in model.engines)
        return 2 if self.inputs.problems else int(not is_clean and not self.options.exit_zero)

    def _tell(self, text: str) -> None:
        """A line beside the report."""
        if sys.stderr is not None and not self.options.quiet:
            _lenient(sys.stderr).write(f"onnx-lint: {printable(text)}\n")

    def _add_ignores(self, diagnostics: list[Diagnostic]) -> int:
        """Put suppressions to the diagnostics; the exit status."""
        mine = [d for d in diagnostics if self.inputs.may_change(d.span.path)]
        done, left = self._adoption.with_ignores(mine)
        if self.options.diff:
            return self._show_diff(done)
        from onnx_lint.fixing import replace_text, write_changed

        originals = dict(self.inputs.sources)
        for change in done.values():
            self._put(replace_text(change.source, change.text))
        write_changed(self.inputs, originals, done, self._put)
        count = sum(each.count for each in done.values())
        self._tell(f"{counted(count, 'diagnostic')} suppressed in {counted(len(done), 'file')}")
        for d in left:
            self._tell(f"{d.span.path}:{d.span.line}: no comment can stand here; {d.code} is not suppressed")
        return _report_problems(self.inputs) or int(bool(left))

    def _refuse_notebooks(self) -> None:
        for path, count in self._fixes_left_out.items():
            fixes = counted(count, "fix", "fixes")
            self._tell(f"{path}: {fixes} not applied: notebooks are not rewritten; the editor applies fixes in cells")

    # --------------------------------------------------------------------------------------------------- checking
    @property
    def project(self) -> Project:
        """The files as a project; made when it is needed, which it is not for an answer from the cache."""
        if self._project is None:
            from onnx_lint.project.project import Project

            cache = self._cache
            loader = self.inputs.neighbour if cache is None else cache.neighbour
            self._project = Project(loader, recording=cache is not None)
            for source in self.inputs.sources.values():
                self._project.add(source)
        return self._project

    def _check(self, doing: str) -> list[Diagnostic]:
        """Check all files as one project, each with the settings that count for it; `doing` is the label of the
        progress bar."""
        diagnostics, self._coverage = self._result(doing)
        found = self._adoption.new([d for d in diagnostics if self.inputs.concern(d)])
        self._fixes_left_out = cells.fixes_left_out(found, self.inputs.sources)
        return cells.without_fixes(found, self.inputs.sources)

    def _result(self, doing: str) -> Result:
        """What a check of the files finds, or found the last time. Rounds of fixing are not kept."""
        cache = self._cache if self._project is None else None
        question = cache.question(self.inputs.sources, self._groups) if cache is not None else None
        if cache is not None and question is not None:
            known = cache.load(question)
            if known is not None:
                return known
        self._look_at_packages()
        from onnx_lint.checker import check_with_coverage
        from onnx_lint.part_cache import PartCache
        from onnx_lint.workers import available

        parts = PartCache(cache, question) if cache is not None and question is not None else None
        with progress(doing, wanted=not self.options.quiet) as step:
            workers = self.options.jobs or available()
            result = check_with_coverage(self.project, self._groups, progress=step, parts=parts, workers=workers)
        if cache is not None and question is not None and parts is not None:
            cache.store(question, (result.diagnostics, result.coverage))
            parts.store()
        return result.diagnostics, result.coverage

    def _put(self, source: SourceText) -> None:
        self.inputs.sources[source.path] = source
        self.project.add(source)

    # -------------------------------------------------------------------------------------------------- reporting
    def _show_diff(self, changed: dict[str, Fixed]) -> int:
        from onnx_lint.fixing import show_diff

        show_diff(changed, _out())
        return _report_problems(self.inputs) or int(bool(changed) and not self.options.exit_zero)

    def _report(self, diagnostics: list[Diagnostic], fixed: dict[str, Fixed]) -> int:
        options, inputs = self.options, self.inputs
        _report_problems(inputs)
        stream = _out()
        if inputs.stdin is not None and options.fix:
            # the fixed text is the result, as with any filter; the report goes beside it
            for source in inputs.sources.values():
                _write_source(stream, source)
            stream = _lenient(sys.stderr)
        name = self._format()
        report = Report(
            cells.in_cells(diagnostics, inputs.sources),
            inputs.problems,
            cells.cell_texts(inputs.sources),
            rules_for(name),
            self._coverage,
            colour=options.wants_colour(stream),
            links=options.wants_links(stream),
            columns=None if options.output_file else columns_of(stream),
            verbose=options.verbose,
            quiet=options.quiet,
            minimum=min((c.settings.minimum for c in inputs.configs.values()), default=Severity.INFO),
        )
        if not options.silent and not options.fix_only:
            self._render(name, report, stream)
        for other, path in options.reports:
            beside = replace(report, rules=rules_for(other), colour=False, links=False, columns=None)
            self._write_file(f"--output-format {other}={path}", path, partial(render, other, beside))
        self._tell_known()
        count = sum(f.count for f in fixed.values())
        if count:
            self._tell(f"{counted(count, 'fix', 'fixes')} applied in {counted(len(fixed), 'file')}")
        if inputs.problems:
            return 2
        if options.exit_zero:
            return 0
        if options.exit_non_zero_on_fix and count:
            return 1
        return int(any(d.severity >= inputs.configs[d.span.path].fail_level for d in diagnostics))

    def _tell_known(self) -> None:
        """How the run compares with the baseline."""
        for line in self._adoption.summary():
            self._tell(line)

    def _format(self) -> str:
        config = next(iter(self.inputs.configs.values()), Config())
        chosen = self.options.output_format or config.output_format
        if chosen is None and os.environ.get("GITHUB_ACTIONS") == "true" and not self.options.output_file:
            return "github"  # annotations, where the run is looked at
        return chosen or "full"

    def _render(self, name: str, report: Report, stream: TextIO) -> None:
        path = self.options.output_file
        write = self._write_statistics if self.options.statistics else render
        if not path:
            write(name, report, stream)
            return
        self._write_file(f"--output-file {path}", path, lambda file: write(name, report, file))

    def _write_file(self, option: str, path: str, write: Callable[[TextIO], object]) -> None:
        try:
            with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
                write(file)
        except OSError as error:
            raise UsageError(f"{option}: {error.strerror}") from error

    def _write_statistics(self, name: str, report: Report, stream: TextIO) -> None:
        from onnx_lint.report.statistics import write

        write(report, stream, as_json=name == "json")


def _write_source(stream: TextIO, source: SourceText) -> None:
    if isinstance(stream, TextIOWrapper):
        stream.flush()
        stream.buffer.write(source.encode(source.text))
    else:
        stream.write(source.text)
