"""The options of the command line. argparse ends here: everybody else is given `CheckOptions`."""

from __future__ import annotations

import argparse
import os
import re
import sys
from dataclasses import dataclass, fields
from typing import Any, NoReturn, TextIO

from onnx_lint.output_formats import NAMES
from onnx_lint.report import hyperlinks

_SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True)
class CheckOptions:
    """What the command line asks of a lint run, as `parser` describes it option by option.

    ``None`` and ``()`` mean that an option was not given, so that the configuration decides.
    """

    paths: tuple[str, ...] = ()
    stdin_filename: str = "<stdin>.py"
    output_format: str | None = None
    output_file: str | None = None
    reports: tuple[tuple[str, str], ...] = ()
    """More reports: format and file."""
    statistics: bool = False
    verbose: bool = False
    quiet: bool = False
    silent: bool = False
    color: str = "auto"
    show_files: bool = False
    show_settings: bool = False
    show_values: bool = False
    explain: str | None = None
    version: bool = False
    engine: str | None = None
    opset: int | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    fixable: tuple[str, ...] = ()
    unfixable: tuple[str, ...] = ()
    severity: str | None = None
    fail_level: str | None = None
    exit_zero: bool = False
    exit_non_zero_on_fix: bool = False
    preview: bool = False
    entry: tuple[str, ...] = ()
    ignore_suppressions: bool = False
    fix: bool = False
    fix_only: bool = False
    show_fixes: bool = False
    unsafe_fixes: bool = False
    diff: bool = False
    config: str | None = None
    isolated: bool = False
    exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    no_gitignore: bool = False
    config_values: tuple[str, ...] = ()
    """Keys of the configuration, as ``key = value``."""
    watch: bool = False
    models: bool = False
    badge: str | None = None
    no_cache: bool = False
    cache_dir: str | None = None
    jobs: int | None = None
    whole_project: bool = False
    changed_since: str | None = None
    baseline: str | None = None
    write_baseline: bool = False
    add_ignore: str | None = None

    @classmethod
    def of(cls, given: argparse.Namespace) -> CheckOptions:
        """The options of a lint run among those parsed; a command that extends `parser` has more."""
        values: dict[str, Any] = {}
        for field in fields(cls):
            value = getattr(given, field.name, None)
            if value is not None:
                values[field.name] = tuple(value) if isinstance(value, list) else value
        return cls(**values)

    def wants_colour(self, stream: TextIO) -> bool:
        """Whether to write to `stream` in colour: as asked for, else if it is a terminal and the environment agrees."""
        if self.color != "auto" or self.output_file:
            return self.color == "always"
        if os.environ.get("NO_COLOR"):
            return False
        return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")

    def wants_links(self, stream: TextIO) -> bool:
        """Whether what is written to `stream` in colour has hyperlinks: if it is a terminal that has them.
        FORCE_HYPERLINK overrules what is known of the terminal; NO_COLOR and a dumb one mean that nobody wants any."""
        if not self.wants_colour(stream) or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            return False
        forced = hyperlinks.forced(os.environ)
        if forced is not None:
            return forced
        return not self.output_file and stream.isatty() and hyperlinks.are_known_to(os.environ)


def parse(argv: list[str]) -> CheckOptions:
    """The options of these arguments. Wrong ones end the process with a line on standard error and status 2."""
    # argparse takes paths between options only without the mark behind which everything is a path
    at = argv.index("--") if "--" in argv else len(argv)
    given = parser().parse_intermixed_args(argv[:at])
    given.paths = [*given.paths, *argv[at + 1 :]]
    if given.output_format is None:
        given.output_format = _format_of_environment()
    if given.output_file is None:
        given.output_file = os.environ.get("ONNX_LINT_OUTPUT_FILE") or None
    given.fix = given.fix or given.fix_only
    given.quiet = given.quiet or given.silent
    return CheckOptions.of(given)


def _format_of_environment() -> str | None:
    """What templates of platforms set for every call. Another value ends the process like a wrong option."""
    name = os.environ.get("ONNX_LINT_OUTPUT_FORMAT")
    if name and name not in NAMES:
        parser().error(f"ONNX_LINT_OUTPUT_FORMAT={name}: is not a format; the formats are {', '.join(NAMES)}")
    return name or None


def _positive(text: str) -> int:
    """A number of processes."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


_positive.__name__ = "positive number"  # what argparse calls a value that is none


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; the whole usage above it would push that line out of sight."""

    def error(self, message: str) -> NoReturn:
        unknown = re.match(r"unrecognized arguments: (--[^\s=]+)", message)
        if unknown is not None:
            from difflib import get_close_matches

            options = [o for a in self._actions for o in a.option_strings if o.startswith("--")]
            close = get_close_matches(unknown[1], options, 1, cutoff=0.75)  # further off it is noise
            message = f"unknown option {unknown[1]}; " + (f"did you mean {close[0]}?" if close else "see --help")
        text = f"onnx-lint: error: {message}"
        if sys.stderr is not None:
            shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
            sys.stderr.write(shown.encode("ascii", "backslashreplace").decode() + "\n")
        raise SystemExit(2)


class _FormatAction(argparse.Action):
    """A format for the report, or, with a file, for another one beside it."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        name, equals, file = values.partition("=")
        if name not in NAMES or (equals and not file):
            from difflib import get_close_matches

            close = get_close_matches(name, NAMES, 1)
            hint = f"did you mean {close[0]}?" if close else f"the formats are {', '.join(NAMES)}"
            parser.error(f"argument --output-format: {values!r} is not a format; {hint}")
        if equals:
            namespace.reports = [*(getattr(namespace, "reports", None) or ()), (name, file)]
        else:
            namespace.output_format = name


class _ConfigAction(argparse.Action):
    """A configuration file, or a key with its value in TOML."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        if re.match(r"[A-Za-z][\w.\"-]*\s*=", values) and not os.path.exists(values):
            namespace.config_values = [*(getattr(namespace, "config_values", None) or ()), values]
        else:
            namespace.config = values


def _names(text: str) -> tuple[str, ...]:
    return tuple(t.strip() for t in text.split(",") if t.strip())


def _per_file(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Pairs of a pattern and a rule."""
    pairs = []
    for each in _names(text):
        pattern, _, rule = each.rpartition(":")
        if not (pattern.strip() and rule.strip()):
            raise argparse.ArgumentTypeError(f"{each!r} is not GLOB:RULE, such as 'tests/*:ONX101'")
        pairs.append((pattern.strip(), (rule.strip(),)))
    return tuple(pairs)


_EPILOG = """\
examples:
  onnx-lint src                                  lint a folder
  onnx-lint --diff src                           show what the safe fixes change
  onnx-lint --output-format sarif=out.sarif src  a second report, for a platform
  onnx-lint --config 'exclude=["old"]' src       set a key for one run
  onnx-lint --watch src                          lint again after every change

Exit status: 0 nothing at or above the fail level, 1 diagnostics, 2 an error of
usage or configuration."""


def parser() -> argparse.ArgumentParser:
    """The parser of all options of a lint run."""
    out = _Parser(
        prog="onnx-lint",
        usage="onnx-lint [check] [PATH ...] [OPTION ...]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Find PyTorch code that breaks ONNX export, before anything runs.",
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    out.add_argument("paths", nargs="*", metavar="PATH", help="files or folders (default: .); - for standard input")
    out.add_argument("--stdin-filename", metavar="NAME", default="<stdin>.py", help="the name of standard input")
    output = out.add_argument_group("output")
    output.add_argument(
        "--output-format",
        action=_FormatAction,
        metavar="FORMAT[=FILE]",
        help=f"{', '.join(NAMES)} (default: full, and github on GitHub Actions); with a file: another report",
    )
    output.add_argument("--output-file", "-o", metavar="FILE", help="write the report there")
    output.add_argument(
        "--watch", "-w", action="store_true", help="lint again whenever a file changes (needs watchfiles)"
    )
    output.add_argument("--statistics", action="store_true", help="count diagnostics by rule instead of listing them")
    output.add_argument("--models", action="store_true", help="tell which model is clean for which engine")
    output.add_argument("--badge", metavar="FILE", help="with --models: draw how many are clean, as a picture (SVG)")
    output.add_argument(
        "--verbose", "-v", action="store_true", help="a summary of all that was looked at and is fixable"
    )
    output.add_argument("--quiet", "-q", action="store_true", help="print diagnostics only, no summary, no progress")
    output.add_argument("--silent", "-s", action="store_true", help="print no report either, only what went wrong")
    output.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="default: on a terminal")
    output.add_argument("--show-files", action="store_true", help="print the files that would be linted, and stop")
    output.add_argument("--show-settings", action="store_true", help="print the settings in effect, and stop")
    output.add_argument(
        "--show-values",
        action="store_true",
        help="print the files with the shape and dtype of each assigned tensor, and stop",
    )
    output.add_argument(
        "--explain",
        metavar="RULES",
        help="print the documentation: code, name, prefix, all, or an error message (also: onnx-lint explain)",
    )
    output.add_argument("--version", "-V", action="store_true", help="print the version, and stop")
    target = out.add_argument_group("target")
    target.add_argument("--engine", choices=("torchscript", "dynamo", "both"), help="the export engine to check for")
    target.add_argument(
        "--entry",
        action="append",
        metavar="CLASS",
        help="a model to analyse whatever its name or base class, as pkg.module:Class; may be repeated",
    )
    target.add_argument("--opset", type=int, metavar="N", help="the ONNX opset to check for")
    rules = out.add_argument_group("rules")
    for option, text in (
        ("--select", "only these rules: codes, prefixes or names, separated by commas"),
        ("--ignore", "skip these rules"),
        ("--extend-select", "enable these rules as well"),
    ):
        rules.add_argument(option, type=_names, metavar="RULES", action="extend", help=text)
    rules.add_argument(
        "--per-file-ignores",
        type=_per_file,
        metavar="GLOB:RULE,…",
        action="extend",
        help="skip rules in the files that match: pairs, separated by commas",
    )
    rules.add_argument("--severity", choices=_SEVERITIES, help="the lowest severity that is reported (default: info)")
    rules.add_argument(
        "--fail-level", choices=_SEVERITIES, help="the lowest severity that fails the run (default: warning)"
    )
    rules.add_argument("--exit-zero", "-e", action="store_true", help="exit with 0 in spite of diagnostics")
    rules.add_argument("--exit-non-zero-on-fix", action="store_true", help="exit with 1 when a fix was applied")
    rules.add_argument("--preview", action="store_true", help="run preview rules as well")
    rules.add_argument("--ignore-suppressions", action="store_true", help="ignore suppression comments")
    adoption = out.add_argument_group("adoption in a code base")
    adoption.add_argument("--baseline", metavar="FILE", help="do not report the diagnostics that this file holds")
    adoption.add_argument(
        "--write-baseline",
        action="store_true",
        help="make the file of --baseline from what is found; if it is there, take out what is gone, and add nothing",
    )
    adoption.add_argument(
        "--add-ignore", metavar="REASON", help="put a suppression comment with this reason to what is found"
    )
    fixes = out.add_argument_group("fixes")
    fixes.add_argument("--fix", action="store_true", help="apply the safe fixes")
    fixes.add_argument("--fix-only", action="store_true", help="apply the safe fixes, and do not report what is left")
    fixes.add_argument("--unsafe-fixes", action="store_true", help="with --fix or --diff: unsafe fixes as well")
    fixes.add_argument("--diff", action="store_true", help="show what --fix would change, change nothing")
    fixes.add_argument("--show-fixes", action="store_true", help="tell which fixes were applied, by file and rule")
    for option, text in (
        ("--fixable", "apply fixes of these rules only"),
        ("--unfixable", "show fixes of these rules, and do not apply them"),
    ):
        fixes.add_argument(option, type=_names, metavar="RULES", action="extend", help=text)
    files = out.add_argument_group("files and configuration")
    files.add_argument(
        "--config",
        action=_ConfigAction,
        metavar="FILE|KEY=VALUE",
        help="use this configuration file for everything; or set one of its keys, such as 'exclude=[\"old\"]'",
    )
    files.add_argument("--isolated", action="store_true", help="ignore all configuration files")
    files.add_argument("--exclude", type=_names, metavar="GLOBS", action="extend", help="exclude these as well")
    files.add_argument("--force-exclude", action="store_true", help="exclude files even if they are named")
    files.add_argument("--no-gitignore", action="store_true", help="lint what .gitignore names as well")
    files.add_argument(
        "--whole-project",
        action="store_true",
        help="follow values through the whole working tree, and report what concerns the files that are given",
    )
    files.add_argument(
        "--changed-since",
        metavar="REV",
        help="report what concerns the files that differ from this revision of git, with --whole-project",
    )
    files.add_argument("--no-cache", "-n", action="store_true", help="neither read nor write the cache of results")
    files.add_argument("--cache-dir", metavar="FOLDER", help="where results are kept (default: in the user's cache)")
    files.add_argument(
        "-j", "--jobs", type=_positive, metavar="N", help="processes that share the work (default: one a processor)"
    )
    more = out.add_argument_group("other commands")
    more.add_argument("--export-from", metavar="SCRIPT", help="run a script, and verify what it exports")
    more.add_argument("--observe", metavar="SCRIPT", help="run a script, and export the models that it calls")
    more.add_argument(
        "--export",
        metavar="TARGET",
        help="the command export; see onnx-lint export --help",
    )
    more.add_argument("--lsp", action="store_true", help="the command server")
    return out
