"""What a run looks at: the files, their text, and the settings that count for each."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from onnx_lint.arguments import CheckOptions
from onnx_lint.config import Config, ConfigError, Configs, engines_of, load, with_value
from onnx_lint.diagnostic import Diagnostic, Severity
from onnx_lint.git import GitError, changed_files, top_folder
from onnx_lint.globs import matches_any
from onnx_lint.policy import EntryPoint
from onnx_lint.settings import Settings
from onnx_lint.source import notebook
from onnx_lint.source.files import Problem, discover
from onnx_lint.source.text import SourceError, SourceText, read

_SUFFIXES = (".py", notebook.SUFFIX)
"""Of the files that are looked for in folders."""


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
    linked_out: set[str] = field(default_factory=set)
    """Files that were found as links to what lies outside the folder that was named."""
    stdin: str | None = None
    """The name that standard input goes by, if it was read."""
    given: frozenset[str] | None = None
    """Where the whole project is looked at for the sake of some files: these files. ``None``: all of `sources`."""

    def concern(self, diagnostic: Diagnostic) -> bool:
        """Whether a diagnostic is to be reported: it stands in a file that was asked for, or its chain passes one."""
        if self.given is None:
            return True
        places = (diagnostic.span, *(note.span for note in (*diagnostic.path, *diagnostic.origin)))
        return any(place.path in self.given for place in places)

    def may_change(self, path: str) -> bool:
        """Whether fixes in a file are asked for."""
        return self.given is None or path in self.given

    def by_settings(self, options: CheckOptions) -> list[tuple[Settings, set[str]]]:
        """The files by configuration. The files of a configuration that names an unknown rule get the default rules,
        and that is reported; an option that names one raises `UsageError`."""
        given = _of_rules(Settings(), options)
        unknown = _unknown_rule(given)
        if unknown is not None:
            raise UsageError(unknown)
        groups: dict[int, tuple[Settings, set[str]]] = {}
        for path, config in self.configs.items():
            group = groups.get(id(config))
            if group is None:
                settings = config.settings
                unknown = _unknown_rule(settings)
                if unknown is not None:
                    self.problems.append(f"{config.path}: {unknown}; the default rules are used instead")
                    settings = settings.without_rules()
                group = groups[id(config)] = (settings, set())
            group[1].add(path)
        return list(groups.values())

    def neighbour(self, path: str) -> SourceText | None:
        """A file that a linted one imports and that was not named: read for what it says only."""
        if path in self.sources or not os.path.isfile(path):
            return None
        try:
            return read(path)
        except SourceError:
            return None  # nobody asked for this file; a run over it reports what is wrong


def _of_rules(settings: Settings, options: CheckOptions) -> Settings:
    """The settings with the rules that the command line names on top."""
    return replace(
        settings,
        select=options.select or settings.select,
        ignore=(*settings.ignore, *options.ignore),
        extend_select=(*settings.extend_select, *options.extend_select),
        per_file_ignores=(*settings.per_file_ignores, *options.per_file_ignores),
        fixable=options.fixable or settings.fixable,
        unfixable=(*settings.unfixable, *options.unfixable),
    )


def _unknown_rule(settings: Settings) -> str | None:
    """What is wrong with the selectors among settings. The rules are loaded only where there is one."""
    if settings == settings.without_rules():
        return None
    from onnx_lint.selection import Selection, UnknownRule

    try:
        Selection(settings)
    except UnknownRule as error:
        return str(error)
    return None


class ResolvedConfigs:
    """The configuration that counts for a file, with the options on top; a configuration that cannot be used is
    reported once, and its files get the default."""

    def __init__(self, options: CheckOptions) -> None:
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


def configs_of(options: CheckOptions) -> Configs:
    """The configurations that the options ask for. Raises `ConfigError` for one that was named and cannot be used."""
    if options.isolated:
        return Configs(Config())
    if options.config is None:
        return Configs()
    config = load(options.config)
    if config is None:
        raise ConfigError(f"{options.config}: has no [tool.onnx-lint] table")
    return Configs(config)


def with_options(config: Config, options: CheckOptions) -> Config:
    """The configuration with what the command line says on top. Raises `UsageError`."""
    for text in options.config_values:
        try:
            config = with_value(config, text)
        except ConfigError as error:
            raise UsageError(str(error)) from error
    settings = config.settings
    target = settings.target
    if options.engine is not None:
        target = replace(target, engines=engines_of(options.engine))
    if options.opset is not None:
        if not 7 <= options.opset <= 30:
            raise UsageError(f"--opset {options.opset}: must be an opset version, 7 to 30")
        target = replace(target, opset=options.opset)
    try:
        entries = [EntryPoint.parse(text) for text in options.entry]
    except ValueError as error:
        raise UsageError(f"--entry: {error}") from error
    other_rules = bool(options.select or options.ignore or options.per_file_ignores)
    other_engines = options.engine is not None and target.engines != settings.target.engines
    settings = replace(
        _of_rules(settings, options),
        target=target,
        engine_given=settings.engine_given or options.engine is not None,
        minimum=Severity(options.severity) if options.severity else settings.minimum,
        entry=(*settings.entry, *entries),
        preview=settings.preview or options.preview,
        partial=settings.partial or other_rules or other_engines,
        suppressions=settings.suppressions and not options.ignore_suppressions,
    )
    fail_level = Severity(options.fail_level) if options.fail_level else config.fail_level
    output_format = options.output_format or config.output_format
    return replace(config, settings=settings, fail_level=fail_level, output_format=output_format)


def gather(options: CheckOptions, configs: ResolvedConfigs) -> Inputs:
    """Find and read what the arguments name. Raises `UsageError`, and `ConfigError` for a configuration that was
    named."""
    inputs = Inputs()
    paths = list(options.paths) or ["."]
    if "-" in paths:
        if len(paths) > 1:
            raise UsageError("- (standard input) cannot be combined with other paths")
        if options.whole_project or options.changed_since is not None:
            raise UsageError("- (standard input) is one file, and no project")
        _add_stdin(options, inputs, configs)
    else:
        if options.changed_since is not None:
            paths = _changed(paths, options.changed_since)
        if options.whole_project or options.changed_since is not None:
            top = os.path.relpath(top_folder(".") or ".")
            paths = [_from(top, path) for path in paths]
        for group, respect_gitignore in _by_gitignore(paths, options, configs):
            _add_files(options, inputs, configs, group, respect_gitignore)
        if options.whole_project or options.changed_since is not None:
            _add_surroundings(options, inputs, configs, top)
    inputs.problems += configs.problems
    return inputs


def _changed(paths: list[str], revision: str) -> list[str]:
    """The files below `paths` that differ from a revision, in full."""
    try:
        changed = changed_files(revision)
    except GitError as error:
        raise UsageError(f"--changed-since {revision}: {error}") from error
    tops = [os.path.realpath(path) for path in paths]
    out = []
    for path in (os.path.realpath(each) for each in changed):
        if path.endswith(_SUFFIXES) and any(path == top or path.startswith(os.path.join(top, "")) for top in tops):
            out.append(path)
    return out


def _from(top: str, path: str) -> str:
    """A path in the words in which a walk from `top` finds it: which modules belong together is known by their paths.
    One that lies elsewhere, or is not there, stays as it is."""
    folder, real = os.path.join(os.path.realpath(top), ""), os.path.realpath(path)
    if not real.startswith(folder) or not os.path.exists(path):
        return path
    below = real.removeprefix(folder)
    return below if top == "." else os.path.join(top, below)


def _add_surroundings(options: CheckOptions, inputs: Inputs, configs: ResolvedConfigs, top: str) -> None:
    """Add the rest of the project, which is below `top`. What is wrong with files that nobody asked for is not
    reported."""
    inputs.given = frozenset(inputs.sources)
    if not inputs.given:
        return
    around = Inputs(sources=inputs.sources, configs=inputs.configs, linked_out=inputs.linked_out)
    known = {os.path.realpath(path) for path in inputs.given}
    for group, respect_gitignore in _by_gitignore([top], options, configs):
        _add_files(options, around, configs, group, respect_gitignore, known)


def _by_gitignore(paths: list[str], options: CheckOptions, configs: ResolvedConfigs) -> list[tuple[list[str], bool]]:
    """Neighbouring paths together, whose configuration agrees on whether ``.gitignore`` counts."""
    groups: list[tuple[list[str], bool]] = []
    for path in paths:
        respected = not options.no_gitignore and configs.of(path).respect_gitignore
        if groups and groups[-1][1] == respected:
            groups[-1][0].append(path)
        else:
            groups.append(([path], respected))
    return groups


def _add_files(
    options: CheckOptions,
    inputs: Inputs,
    configs: ResolvedConfigs,
    paths: list[str],
    respect_gitignore: bool,
    known: Collection[str] = (),
) -> None:
    """Add the files below paths, except those that are there already; `known` are such, in full."""

    def excluded(path: str) -> bool:
        config = configs.of(os.path.dirname(path) or ".")
        root = config.settings.root
        if matches_any(config.exclude, path, root):
            return True
        return matches_any(options.exclude, path)

    for found in discover(paths, excluded=excluded, respect_gitignore=respect_gitignore, suffixes=_SUFFIXES):
        if isinstance(found, Problem):
            inputs.problems.append(found.message)
        elif known and os.path.realpath(found.path) in known:
            continue
        elif found.path not in inputs.sources and not (options.force_exclude and excluded(found.path)):
            config = configs.of(os.path.dirname(found.path) or ".")
            is_notebook = found.path.endswith(notebook.SUFFIX)
            if is_notebook and not found.is_named and not config.notebooks:
                continue
            try:
                inputs.sources[found.path] = (notebook.read if is_notebook else read)(found.path)
                inputs.configs[found.path] = config
            except notebook.OtherLanguage as error:
                if found.is_named:  # in a folder, it is a file of another kind like any other
                    inputs.problems.append(str(error))
            except SourceError as error:
                inputs.problems.append(str(error))
            if found.leads_out:
                inputs.linked_out.add(found.path)


def _add_stdin(options: CheckOptions, inputs: Inputs, configs: ResolvedConfigs) -> None:
    name = inputs.stdin = options.stdin_filename
    if sys.stdin is None:
        raise UsageError("- (standard input) is closed")
    is_notebook = name.endswith(notebook.SUFFIX)
    if is_notebook and options.fix:
        raise UsageError("--fix does not rewrite notebooks")
    data = sys.stdin.buffer.read()
    try:
        inputs.sources[name] = notebook.decode(name, data) if is_notebook else SourceText.decode(name, data)
        inputs.configs[name] = configs.of(os.path.dirname(name) or ".")
    except SourceError as error:
        inputs.problems.append(str(error))
