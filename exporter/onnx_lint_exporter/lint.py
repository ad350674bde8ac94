"""The static side of a combined run: the linter's own check over the files asked for, or those the export touched."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from onnx_lint.checker import check
from onnx_lint.config import Config, ConfigError, Configs, engines_of, load
from onnx_lint.diagnostic import Diagnostic, Severity
from onnx_lint.globs import matches
from onnx_lint.project.project import Project
from onnx_lint.settings import Settings
from onnx_lint.source.files import Problem, discover
from onnx_lint.source.text import SourceError, SourceText, read


@dataclass
class Checked:
    """What the linter says, and about which texts."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    sources: dict[str, SourceText] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    fail_level: Severity = Severity.WARNING
    output_format: str | None = None


def configs_for(options: argparse.Namespace) -> Configs:
    """The configuration that the options name. Raises `ConfigError`."""
    if options.isolated:
        return Configs(Config())
    if options.config is None:
        return Configs()
    config = load(options.config)
    if config is None:
        raise ConfigError(f"{options.config}: has no [tool.onnx-lint] table")
    return Configs(config)


def settings_for(options: argparse.Namespace, config: Config) -> Settings:
    """The configuration's settings with what the command line says on top."""
    settings = config.settings
    target = settings.target
    if options.engine is not None:
        target = replace(target, engines=engines_of(options.engine))
    if options.opset is not None:
        target = replace(target, opset=options.opset)
    return replace(
        settings,
        target=target,
        engine_given=settings.engine_given or options.engine is not None,
        select=tuple(options.select) if options.select else settings.select,
        ignore=(*settings.ignore, *(options.ignore or ())),
        extend_select=(*settings.extend_select, *(options.extend_select or ())),
        minimum=Severity(options.severity) if options.severity else settings.minimum,
        preview=settings.preview or options.preview,
    )


def check_paths(options: argparse.Namespace, configs: Configs, paths: list[str]) -> Checked:
    """Lint files and folders as ``onnx-lint PATHS`` does. Raises `ConfigError`."""
    checked = Checked()

    def excluded(path: str) -> bool:
        config = configs.of(os.path.dirname(path) or ".")
        return any(matches(p, path, config.settings.root) for p in config.exclude) or any(
            matches(p, path) for p in options.exclude or ()
        )

    by_config: dict[str | None, tuple[Config, list[str]]] = {}
    for found in discover(paths, excluded=excluded, respect_gitignore=not options.no_gitignore):
        if isinstance(found, Problem):
            checked.problems.append(found.message)
            continue
        try:
            checked.sources[found.path] = read(found.path)
        except SourceError as error:
            checked.problems.append(str(error))
            continue
        config = configs.of(found.path)
        by_config.setdefault(config.path, (config, []))[1].append(found.path)
    project = Project(_neighbour(checked.sources))
    for source in checked.sources.values():
        project.add(source)
    for config, files in by_config.values():
        checked.fail_level = config.fail_level
        checked.output_format = config.output_format
        checked.diagnostics += check(project, settings_for(options, config), set(files))
    checked.diagnostics.sort(key=lambda d: d.sort_key)
    return checked


def _neighbour(sources: dict[str, SourceText]) -> Callable[[str], SourceText | None]:
    """Reads what a linted file imports from its own package, for what it says only."""

    def load_file(path: str) -> SourceText | None:
        if path in sources or not os.path.isfile(path):
            return None
        try:
            return read(path)
        except SourceError:
            return None  # nobody asked for this file; its own run will tell

    return load_file
