"""What a run looks at: the files, their text, and the settings that count for each."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass, field, replace

from onnx_lint.config import Config, ConfigError, Configs, engines_of, load
from onnx_lint.diagnostic import Severity
from onnx_lint.globs import matches_any
from onnx_lint.source.files import Problem, discover
from onnx_lint.source.text import SourceError, SourceText, read


class UsageError(Exception):
    """Arguments that make no sense; the message is one line."""


@dataclass
class Inputs:
    """The files of a run, in the order in which they were found."""

    sources: dict[str, SourceText] = field(default_factory=dict)
    configs: dict[str, Config] = field(default_factory=dict)
    """For each file, with what the command line says on top."""
    problems: list[str] = field(default_factory=list)
    """What could not be read or used, one line each. The rest is looked at all the same."""
    stdin: str | None = None
    """The name that standard input goes by, if it was read."""

    def neighbour(self, path: str) -> SourceText | None:
        """A file that a linted one imports and that was not named: read for what it says only."""
        if path in self.sources or not os.path.isfile(path):
            return None
        try:
            return read(path)
        except SourceError:
            return None  # nobody asked for this file; its own run will tell


class Settled:
    """The configuration that counts for a file, with the options on top; a configuration that cannot be used is told
    once, and its files get the default."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._configs = configs_of(options)
        self._known: dict[int, Config] = {}
        self.problems: list[str] = []

    def of(self, path: str) -> Config:
        """For a file or a folder."""
        try:
            config = self._configs.of(path)
        except ConfigError as error:
            problem = f"{error}; the default settings are used instead"
            if problem not in self.problems:
                self.problems.append(problem)
            config = _DEFAULT
        found = self._known.get(id(config))
        if found is None:
            found = self._known[id(config)] = with_options(config, self._options)
        return found


_DEFAULT = Config()


def configs_of(options: argparse.Namespace) -> Configs:
    """The configurations that the options ask for. Raises `ConfigError` for one that was named and cannot be used."""
    if options.isolated:
        return Configs(Config())
    if options.config is None:
        return Configs()
    config = load(options.config)
    if config is None:
        raise ConfigError(f"{options.config}: has no [tool.onnx-lint] table")
    return Configs(config)


def with_options(config: Config, options: argparse.Namespace) -> Config:
    """The configuration with what the command line says on top. Raises `UsageError`."""
    settings = config.settings
    target = settings.target
    if options.engine is not None:
        target = replace(target, engines=engines_of(options.engine))
    if options.opset is not None:
        if not 7 <= options.opset <= 30:
            raise UsageError(f"--opset {options.opset}: must be an opset version, 7 to 30")
        target = replace(target, opset=options.opset)
    other_rules = bool(options.select or options.ignore)
    other_engines = options.engine is not None and target.engines != settings.target.engines
    settings = replace(
        settings,
        target=target,
        engine_given=settings.engine_given or options.engine is not None,
        select=tuple(options.select) if options.select else settings.select,
        ignore=(*settings.ignore, *(options.ignore or ())),
        extend_select=(*settings.extend_select, *(options.extend_select or ())),
        minimum=Severity(options.severity) if options.severity else settings.minimum,
        preview=settings.preview or options.preview,
        partial=settings.partial or other_rules or other_engines,
        suppressions=settings.suppressions and not options.ignore_suppressions,
    )
    fail_level = Severity(options.fail_level) if options.fail_level else config.fail_level
    output_format = options.output_format or config.output_format
    return replace(config, settings=settings, fail_level=fail_level, output_format=output_format)


def gather(options: argparse.Namespace, settled: Settled) -> Inputs:
    """Find and read what the arguments name. Raises `UsageError`, and `ConfigError` for a configuration that was
    named."""
    inputs = Inputs()
    paths = options.paths or ["."]
    if "-" in paths:
        if len(paths) > 1:
            raise UsageError("- (standard input) goes with no other path")
        _add_stdin(options, inputs, settled)
    else:
        for group, respect_gitignore in _by_gitignore(paths, options, settled):
            _add_files(options, inputs, settled, group, respect_gitignore)
    inputs.problems += settled.problems
    return inputs


def _by_gitignore(paths: list[str], options: argparse.Namespace, settled: Settled) -> list[tuple[list[str], bool]]:
    """Neighbouring paths together, whose configuration agrees on whether ``.gitignore`` counts."""
    groups: list[tuple[list[str], bool]] = []
    for path in paths:
        respected = not options.no_gitignore and settled.of(path).respect_gitignore
        if groups and groups[-1][1] == respected:
            groups[-1][0].append(path)
        else:
            groups.append(([path], respected))
    return groups


def _add_files(
    options: argparse.Namespace, inputs: Inputs, settled: Settled, paths: list[str], respect_gitignore: bool
) -> None:
    def excluded(path: str) -> bool:
        config = settled.of(os.path.dirname(path) or ".")
        root = config.settings.root
        if matches_any(config.exclude, path, root):
            return True
        return matches_any(options.exclude or (), path)

    for found in discover(paths, excluded=excluded, respect_gitignore=respect_gitignore):
        if isinstance(found, Problem):
            inputs.problems.append(found.message)
        elif found.path not in inputs.sources and not (options.force_exclude and excluded(found.path)):
            try:
                inputs.sources[found.path] = read(found.path)
                inputs.configs[found.path] = settled.of(os.path.dirname(found.path) or ".")
            except SourceError as error:
                inputs.problems.append(str(error))


def _add_stdin(options: argparse.Namespace, inputs: Inputs, settled: Settled) -> None:
    name = inputs.stdin = options.stdin_filename
    if sys.stdin is None:
        raise UsageError("- (standard input) is closed")
    data = sys.stdin.buffer.read()
    try:
        inputs.sources[name] = SourceText.decode(name, data)
        inputs.configs[name] = settled.of(os.path.dirname(name) or ".")
    except SourceError as error:
        inputs.problems.append(str(error))
