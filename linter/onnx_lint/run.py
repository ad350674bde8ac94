"""A lint run: find files, read them, check, fix, report."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, TextIO

from onnx_lint import __version__
from onnx_lint.arguments import parser
from onnx_lint.config import Config, ConfigError
from onnx_lint.diagnostic import Diagnostic
from onnx_lint.inputs import Inputs, Settled, UsageError, gather
from onnx_lint.progress import progress
from onnx_lint.registry import RegistryError
from onnx_lint.report.report import Report, printable, render
from onnx_lint.rule import Rule
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceText

if TYPE_CHECKING:
    from onnx_lint.fixer import Fixed

_FIX_ROUNDS = 10
_DOCUMENTS = ("json", "sarif", "gitlab", "junit")
"""Formats whose reader needs a whole document, whatever went wrong."""


def run(argv: list[str]) -> int:
    """Run with these arguments; the exit status."""
    options = parser().parse_args(argv)
    try:
        return _run(options)
    except (UsageError, ConfigError, RegistryError) as error:
        _complain(str(error))
        if options.output_format in _DOCUMENTS and not options.output_file:
            render(options.output_format, Report([], [str(error)]), _out())
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


def _run(options: argparse.Namespace) -> int:
    if options.version:
        _out().write(f"onnx-lint {__version__}\n")
        return 0
    if options.explain is not None:
        return _explain(options.explain, _wants_colour(options, sys.stdout))
    settled = Settled(options)
    inputs = gather(options, settled)
    if options.show_files:
        for path in inputs.sources:
            _out().write(printable(path) + "\n")
        return _tell_problems(inputs)
    if options.show_settings:
        _show_settings(inputs)
        return _tell_problems(inputs)
    return Run(options, inputs).all()


def _tell_problems(inputs: Inputs) -> int:
    for problem in inputs.problems:
        _complain(problem)
    return 2 if inputs.problems else 0


def _wants_colour(options: argparse.Namespace, stream: TextIO) -> bool:
    if options.color != "auto" or options.output_file:
        return bool(options.color == "always")
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def _explain(selector: str, colour: bool) -> int:
    from onnx_lint.explain import NoSuchRule, write

    try:
        write(selector, _out(), colour=colour)
    except NoSuchRule as error:
        raise UsageError(str(error)) from error
    return 0


def _show_settings(inputs: Inputs) -> None:
    """What counts, in the words of the configuration file, for each configuration in use."""
    stream = _out()
    for config in {id(c): c for c in inputs.configs.values()}.values():
        settings = config.settings
        axes = settings.dynamic_axes
        shown = {
            "engine": [e.value for e in settings.target.engines] if settings.engine_given else "from the export calls",
            "opset": settings.target.opset,
            "select": list(settings.select) or "all stable rules",
            "extend-select": list(settings.extend_select),
            "ignore": list(settings.ignore),
            "per-file-ignores": {pattern: list(codes) for pattern, codes in settings.per_file_ignores},
            "severity": settings.minimum.value,
            "severities": {rule: severity.value for rule, severity in settings.severities.items()},
            "dynamic-axes": None if axes is None else {name: list(dims) for name, dims in axes.items()},
            "preview": settings.preview,
            "exclude": list(config.exclude),
            "fail-level": config.fail_level.value,
            "respect-gitignore": config.respect_gitignore,
            "output-format": config.output_format,
        }
        stream.write(f"# {printable(config.path or 'no configuration file')}\n")
        for key, value in shown.items():
            stream.write(f"{key} = {json.dumps(value)}\n" if value is not None else f"# {key} is not set\n")


class Run:
    """One run over what was gathered."""

    def __init__(self, options: argparse.Namespace, inputs: Inputs) -> None:
        from onnx_lint.project.project import Project

        self.options, self.inputs = options, inputs
        self.project = Project(inputs.neighbour)
        for source in inputs.sources.values():
            self.project.add(source)
        self._groups = self._by_settings()

    def all(self) -> int:
        """Check, fix, report; the exit status."""
        diagnostics = self._check("analysing models")
        fixed: dict[str, Fixed] = {}
        if self.options.fix or self.options.diff:
            diagnostics, fixed = self._fix(diagnostics)
        if self.options.diff:
            return self._show_diff(fixed)
        return self._report(diagnostics, fixed)

    # --------------------------------------------------------------------------------------------------- checking
    def _by_settings(self) -> list[tuple[Settings, set[str]]]:
        """The files by configuration. A configuration that names an unknown rule is told, and its files get the
        default one; an option that does is an error."""
        from onnx_lint.selection import Selection, UnknownRule

        options, inputs = self.options, self.inputs
        try:
            Selection(
                Settings(
                    select=tuple(options.select or ()),
                    ignore=tuple(options.ignore or ()),
                    extend_select=tuple(options.extend_select or ()),
                )
            )
        except UnknownRule as error:
            raise UsageError(str(error)) from error
        groups: dict[int, tuple[Settings, set[str]]] = {}
        for path, config in inputs.configs.items():
            group = groups.get(id(config))
            if group is None:
                settings = config.settings
                try:
                    Selection(settings)
                except UnknownRule as error:
                    inputs.problems.append(f"{config.path}: {error}; the default rules are used instead")
                    settings = replace(
                        settings, select=(), ignore=(), extend_select=(), per_file_ignores=(), severities={}
                    )
                group = groups[id(config)] = (settings, set())
            group[1].add(path)
        return list(groups.values())

    def _check(self, doing: str) -> list[Diagnostic]:
        """Check all files as one project, each with the settings that count for it; `doing` is the label of the
        progress bar."""
        from onnx_lint.checker import check_groups

        with progress(doing, wanted=not self.options.quiet) as step:
            return check_groups(self.project, self._groups, progress=step)

    # ----------------------------------------------------------------------------------------------------- fixing
    def _fix(self, diagnostics: list[Diagnostic]) -> tuple[list[Diagnostic], dict[str, Fixed]]:
        """Apply fixes and check again, until nothing changes; write the files unless only a diff is asked for.

        A file for which a round is refused gets its text back, and keeps it.
        """
        from onnx_lint.fixer import Fixed, FixError, apply

        originals = dict(self.inputs.sources)
        done: dict[str, Fixed] = {}
        refused: set[str] = set()
        problems: dict[str, None] = {}
        for number in range(1, _FIX_ROUNDS + 1):
            changed = False
            by_path: dict[str, list[Diagnostic]] = {}
            for diagnostic in diagnostics:
                if diagnostic.fix is not None and diagnostic.span.path not in refused:
                    by_path.setdefault(diagnostic.span.path, []).append(diagnostic)
            for path, mine in by_path.items():
                source = self.inputs.sources[path]
                try:
                    fixed = apply(source, mine, unsafe=self.options.unsafe_fixes)
                except FixError as error:
                    refused.add(path)
                    problems[f"{error}; the file is left as it was; please report this"] = None
                    if done.pop(path, None) is not None:
                        changed = True
                        self._put(originals[path])
                    continue
                problems.update(dict.fromkeys(fixed.refused))
                if fixed.text != source.text:
                    changed = True
                    before = done[path].count if path in done else 0
                    done[path] = Fixed(originals[path], fixed.text, before + fixed.count)
                    self._put(SourceText(path, fixed.text, source.encoding, source.bom))
            if not changed:
                break
            diagnostics = self._check(f"fixing, round {number}")
        self.inputs.problems += problems
        if self.options.diff:
            self.inputs.sources = originals
        elif self._write(originals, done):
            diagnostics = self._check("analysing again what could not be written")
        return diagnostics, done

    def _put(self, source: SourceText) -> None:
        self.inputs.sources[source.path] = source
        self.project.add(source)

    def _write(self, originals: dict[str, SourceText], done: dict[str, Fixed]) -> bool:
        """Write what was fixed; whether some file could not be, and stays as it was."""
        from onnx_lint.fixer import FixError, write

        failed = False
        for path, fixed in list(done.items()):
            if path == self.inputs.stdin:
                continue
            try:
                if path in self.inputs.linked_out:
                    raise FixError(f"{path}: not fixed: it is a link out of the folder; name the file that is meant")
                write(fixed, originals[path].encode(originals[path].text))
            except (FixError, UnicodeError) as error:
                self.inputs.problems.append(str(error))
                self._put(originals[path])
                del done[path]
                failed = True
        return failed

    def _show_diff(self, fixed: dict[str, Fixed]) -> int:
        from onnx_lint.fixer import diff

        out = _out()
        for change in fixed.values():
            data = diff(change)
            if isinstance(out, TextIOWrapper):
                out.flush()
                out.buffer.write(data)
            else:
                out.write(data.decode(change.source.encoding, "replace"))
        return _tell_problems(self.inputs) or int(bool(fixed) and not self.options.exit_zero)

    # -------------------------------------------------------------------------------------------------- reporting
    def _report(self, diagnostics: list[Diagnostic], fixed: dict[str, Fixed]) -> int:
        options, inputs = self.options, self.inputs
        _tell_problems(inputs)
        stream = _out()
        if inputs.stdin is not None and options.fix:
            # the fixed text is the result, as with any filter; the report goes beside it
            for source in inputs.sources.values():
                _write_source(stream, source)
            stream = _lenient(sys.stderr)
        name = self._format()
        report = Report(
            diagnostics, inputs.problems, inputs.sources, _rules(name), len(inputs.sources),
            colour=_wants_colour(options, stream), quiet=options.quiet,
        )  # fmt: skip
        self._render(name, report, stream)
        count = sum(f.count for f in fixed.values())
        if count and not options.quiet and sys.stderr is not None:
            files = f"{len(fixed)} file{'s' if len(fixed) != 1 else ''}"
            sys.stderr.write(f"onnx-lint: {count} fix{'es' if count != 1 else ''} applied in {files}\n")
        if inputs.problems:
            return 2
        if options.exit_zero:
            return 0
        if options.exit_non_zero_on_fix and count:
            return 1
        return int(any(d.severity >= inputs.configs[d.span.path].fail_level for d in diagnostics))

    def _format(self) -> str:
        config = next(iter(self.inputs.configs.values()), Config())
        return self.options.output_format or config.output_format or "full"

    def _render(self, name: str, report: Report, stream: TextIO) -> None:
        path = self.options.output_file
        write = self._write_statistics if self.options.statistics else render
        if not path:
            write(name, report, stream)
            return
        try:
            with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
                write(name, report, file)
        except OSError as error:
            raise UsageError(f"--output-file {path}: {error.strerror}") from error

    def _write_statistics(self, name: str, report: Report, stream: TextIO) -> None:
        from onnx_lint.report.statistics import write

        write(report, stream, as_json=name == "json")


def _write_source(stream: TextIO, source: SourceText) -> None:
    if isinstance(stream, TextIOWrapper):
        stream.flush()
        stream.buffer.write(source.encode(source.text))
    else:
        stream.write(source.text)


def _rules(name: str) -> tuple[Rule[Any], ...]:
    if name != "sarif":
        return ()
    from onnx_lint.registry import load

    return load()
