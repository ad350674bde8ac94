"""A lint run: find files, read them, check, fix, report."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TextIO

from onnx_lint.arguments import parser
from onnx_lint.config import Config, ConfigError, Configs, engines_of, load
from onnx_lint.diagnostic import Diagnostic, Severity
from onnx_lint.globs import matches
from onnx_lint.registry import RegistryError
from onnx_lint.report.report import Report, printable, render
from onnx_lint.source.files import Found, Problem, discover
from onnx_lint.source.text import SourceError, SourceText, read

if TYPE_CHECKING:
    import argparse

    from onnx_lint.fixer import Fixed

_FIX_ROUNDS = 10


class UsageError(Exception):
    """The message is one line."""


@dataclass
class Inputs:
    """What a run looks at."""

    sources: dict[str, SourceText] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    configs: dict[str, Config] = field(default_factory=dict)


def run(argv: list[str]) -> int:
    """Run with these arguments; the exit status."""
    options = parser().parse_args(argv)
    try:
        return _run(options)
    except (UsageError, ConfigError, RegistryError) as error:
        _complain(str(error))
        return 2


def _complain(message: str) -> None:
    sys.stderr.write(f"onnx-lint: error: {printable(message)}\n")


def _run(options: argparse.Namespace) -> int:
    colour = _wants_colour(options)
    if options.version:
        from onnx_lint.cli import main

        return main(["--version"])
    if options.explain is not None:
        return _explain(options.explain, colour)
    gc.disable()  # the run only builds up; collecting costs a tenth of it
    configs = _configs(options)
    inputs = _inputs(options, configs)
    if options.show_files:
        for path in inputs.sources:
            _write(sys.stdout, path + "\n")
        return 2 if inputs.problems else 0
    if options.show_settings:
        for path, config in {c.path: c for c in inputs.configs.values()}.items():
            _write(sys.stdout, f"{path or 'no configuration file'}: {_settings(options, config).settings}\n")
        return 0
    diagnostics, fixed = _check_and_fix(options, inputs)
    return _report(options, inputs, diagnostics, fixed, colour)


def _wants_colour(options: argparse.Namespace) -> bool:
    if options.color != "auto" or options.output_file:
        return options.color == "always"
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _explain(selector: str, colour: bool) -> int:
    from onnx_lint.explain import NoSuchRule, write

    try:
        write(selector, sys.stdout, colour=colour)
    except NoSuchRule as error:
        raise UsageError(str(error)) from error
    return 0


# ------------------------------------------------------------------------------------------------------- inputs
def _configs(options: argparse.Namespace) -> Configs:
    if options.isolated:
        return Configs(Config())
    if options.config is None:
        return Configs()
    config = load(options.config)
    if config is None:
        raise ConfigError(f"{options.config}: has no [tool.onnx-lint] table")
    return Configs(config)


def _settings(options: argparse.Namespace, config: Config) -> Config:
    """The configuration with what the command line says on top."""
    settings = config.settings
    target = settings.target
    if options.engine is not None:
        target = replace(target, engines=engines_of(options.engine))
    if options.opset is not None:
        if not 7 <= options.opset <= 30:
            raise UsageError(f"--opset {options.opset}: must be an opset version, 7 to 30")
        target = replace(target, opset=options.opset)
    settings = replace(
        settings,
        target=target,
        engine_given=settings.engine_given or options.engine is not None,
        select=tuple(options.select) if options.select else settings.select,
        ignore=(*settings.ignore, *(options.ignore or ())),
        extend_select=(*settings.extend_select, *(options.extend_select or ())),
        minimum=Severity(options.severity) if options.severity else settings.minimum,
        preview=settings.preview or options.preview,
    )
    fail_level = Severity(options.fail_level) if options.fail_level else config.fail_level
    return replace(config, settings=settings, fail_level=fail_level)


def _inputs(options: argparse.Namespace, configs: Configs) -> Inputs:
    inputs = Inputs()
    paths = options.paths or ["."]
    if "-" in paths:
        if len(paths) > 1:
            raise UsageError("- (standard input) goes with no other path")
        _add_stdin(options, inputs, configs)
        return inputs

    def excluded(path: str) -> bool:
        config = configs.of(os.path.dirname(path) or ".")
        root = config.settings.root
        return any(matches(p, path, root) for p in config.exclude) or any(matches(p, path) for p in options.exclude or ())

    gitignore = not options.no_gitignore and configs.of(paths[0] if os.path.isdir(paths[0]) else ".").respect_gitignore
    for found in discover(paths, excluded=excluded, respect_gitignore=gitignore):
        if isinstance(found, Problem):
            inputs.problems.append(found.message)
            continue
        assert isinstance(found, Found)
        inputs.configs[found.path] = configs.of(found.path)
        try:
            inputs.sources[found.path] = read(found.path)
        except SourceError as error:
            inputs.problems.append(str(error))
    return inputs


def _add_stdin(options: argparse.Namespace, inputs: Inputs, configs: Configs) -> None:
    name = options.stdin_filename
    data = sys.stdin.buffer.read()
    inputs.configs[name] = configs.of(os.path.dirname(name) or ".")
    try:
        inputs.sources[name] = SourceText.decode(name, data)
    except SourceError as error:
        inputs.problems.append(str(error))


# ------------------------------------------------------------------------------------------------ check and fix
def _check_and_fix(options: argparse.Namespace, inputs: Inputs) -> tuple[list[Diagnostic], dict[str, Fixed]]:
    """Check; with ``--fix`` or ``--diff`` apply fixes and check again, until nothing changes."""
    diagnostics = _check(options, inputs, progress=not options.quiet)
    if not (options.fix or options.diff):
        return diagnostics, {}
    from onnx_lint.fixer import FixError, Fixed, apply

    originals = dict(inputs.sources)
    done: dict[str, Fixed] = {}
    refused: set[str] = set()
    for _ in range(_FIX_ROUNDS):
        changed = False
        for path in sorted({d.span.path for d in diagnostics} - refused):
            source = inputs.sources[path]
            mine = [d for d in diagnostics if d.span.path == path]
            try:
                fixed = apply(source, mine, unsafe=options.unsafe_fixes)
            except FixError as error:
                inputs.problems.append(str(error))
                refused.add(path)
                continue
            if fixed.count and fixed.text != source.text:
                changed = True
                count = fixed.count + (done[path].count if path in done else 0)
                done[path] = Fixed(originals[path], fixed.text, count)
                inputs.sources[path] = SourceText(path, fixed.text, source.encoding, source.bom)
        if not changed:
            break
        diagnostics = _check(options, inputs, progress=False)
    if options.diff:
        inputs.sources = originals
        return diagnostics, done
    return _write_fixes(options, inputs, originals, done, diagnostics)


def _write_fixes(
    options: argparse.Namespace,
    inputs: Inputs,
    originals: dict[str, SourceText],
    done: dict[str, Fixed],
    diagnostics: list[Diagnostic],
) -> tuple[list[Diagnostic], dict[str, Fixed]]:
    from onnx_lint.fixer import FixError, write

    failed = False
    for path, fixed in list(done.items()):
        if path.startswith("<"):
            continue
        try:
            write(fixed, originals[path].encode(originals[path].text))
        except FixError as error:
            inputs.problems.append(str(error))
            inputs.sources[path] = originals[path]
            del done[path]
            failed = True
    return (_check(options, inputs, progress=False) if failed else diagnostics), done


def _check(options: argparse.Namespace, inputs: Inputs, *, progress: bool) -> list[Diagnostic]:
    """Check all files as one project, each with the settings that count for it."""
    from onnx_lint.checker import check
    from onnx_lint.project.project import Project
    from onnx_lint.selection import UnknownRule

    project = Project(_neighbour(inputs))
    for source in inputs.sources.values():
        project.add(source)
    by_config: dict[str | None, list[str]] = {}
    configs: dict[str | None, Config] = {}
    for path in inputs.sources:
        config = inputs.configs[path]
        by_config.setdefault(config.path, []).append(path)
        configs[config.path] = config
    out: list[Diagnostic] = []
    for key, paths in by_config.items():
        settings = _settings(options, configs[key]).settings
        try:
            with _progress(progress) as step:
                out += check(project, settings, None if len(by_config) == 1 else set(paths), progress=step)
        except UnknownRule as error:
            where = f"{key}: " if key and not (options.select or options.ignore or options.extend_select) else ""
            raise UsageError(f"{where}{error}") from error
    out.sort(key=lambda d: d.sort_key)
    return out


def _neighbour(inputs: Inputs) -> Callable[[str], SourceText | None]:
    """Reads what a linted file imports from its own package, when that was not named: for what it says only."""

    def load_file(path: str) -> SourceText | None:
        if path in inputs.sources or not os.path.isfile(path):
            return None
        try:
            return read(path)
        except SourceError:
            return None  # nobody asked for this file; its own run will tell

    return load_file


@contextmanager
def _progress(wanted: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on a terminal, once a run takes longer than a moment."""
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    import time

    start = time.monotonic()
    bar: list[object] = []

    def step(done: int, total: int) -> None:
        if not bar and time.monotonic() - start > 1.0:
            from rich.console import Console
            from rich.progress import Progress

            shown = Progress(console=Console(stderr=True), transient=True)
            shown.start()
            bar.extend([shown, shown.add_task("models", total=total)])
        if bar:
            bar[0].update(bar[1], completed=done)  # type: ignore[attr-defined]

    try:
        yield step
    finally:
        if bar:
            bar[0].stop()  # type: ignore[attr-defined]


# ------------------------------------------------------------------------------------------------------- report
def _report(
    options: argparse.Namespace,
    inputs: Inputs,
    diagnostics: list[Diagnostic],
    fixed: dict[str, Fixed],
    colour: bool,
) -> int:
    for problem in inputs.problems:
        _complain(problem)
    config = next(iter(inputs.configs.values()), Config())
    effective = _settings(options, config)
    if options.diff:
        from onnx_lint.fixer import diff

        for change in fixed.values():
            _write(sys.stdout, diff(change))
        return 2 if inputs.problems else int(bool(fixed))
    name = options.output_format or effective.output_format or "full"
    report = Report(diagnostics, inputs.problems, inputs.sources, _rules(name), len(inputs.sources), colour=colour)
    if options.statistics:
        _statistics(report)
    elif not (options.quiet and not diagnostics and name in ("full", "concise")):
        _render(name, report, options)
    count = sum(f.count for f in fixed.values())
    if count and not options.quiet:
        sys.stderr.write(f"onnx-lint: fixed {count} in {len(fixed)} file{'s' if len(fixed) != 1 else ''}\n")
    if inputs.problems:
        return 2
    if options.exit_zero:
        return 0
    return int(any(d.severity >= effective.fail_level for d in diagnostics))


def _rules(name: str) -> tuple[object, ...]:
    if name != "sarif":
        return ()
    from onnx_lint.registry import load as load_rules

    return load_rules()


def _render(name: str, report: Report, options: argparse.Namespace) -> None:
    if not options.output_file:
        _reconfigure(sys.stdout)
        render(name, report, sys.stdout)
        return
    try:
        with open(options.output_file, "w", encoding="utf-8", errors="backslashreplace") as stream:
            render(name, report, stream)
    except OSError as error:
        raise UsageError(f"--output-file {options.output_file}: {error.strerror}") from error


def _reconfigure(stream: TextIO) -> None:
    """Let no character that the terminal's encoding lacks stop the report."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _write(stream: TextIO, text: str) -> None:
    _reconfigure(stream)
    stream.write(text)


def _statistics(report: Report) -> None:
    counts: dict[tuple[str, str], int] = {}
    for d in report.diagnostics:
        counts[(d.code, d.name)] = counts.get((d.code, d.name), 0) + 1
    width = len(str(max(counts.values(), default=0)))
    for (code, name), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        sys.stdout.write(f"{count:>{width}}  {code}  {name}\n")
