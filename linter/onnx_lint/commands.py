"""The commands by name: ``onnx-lint check``, ``export``, ``explain`` and so on, and the first page of help.

A path without a command is checked, so that ``onnx-lint src`` is ``onnx-lint check src``. A file or folder that is
called like a command is named with its folder: ``onnx-lint ./export``.
"""

from __future__ import annotations

import re
import sys

_NAMES = re.compile(r"((all|ONX|[A-Za-z]+[0-9]+|[a-z0-9]+(-[a-z0-9]+)+)(,|$))+")
"""Codes, prefixes and names of rules, as they are told from the words of a message."""

COMMANDS = {
    "check": "lint files, notebooks and folders (what is meant without a command)",
    "export": "export a model with each engine, verify it, and pin failures on lines",
    "explain": "print the documentation of rules",
    "server": "be a language server on standard input and output",
    "init": "write a configuration file to begin with",
    "schema": "print the JSON schema of the configuration file",
    "completion": "print the completion script for a shell",
    "clean": "remove the results that the cache keeps",
}
"""Each with what it does, in the order of the help."""

HELP = """\
onnx-lint: find PyTorch code that breaks ONNX export, before anything runs.

usage: onnx-lint [COMMAND] [PATH ...] [OPTION ...]

commands:
{commands}

examples:
  onnx-lint src                               lint a folder
  onnx-lint --diff src                        the safe fixes, as a patch
  onnx-lint --changed-since main              what concerns the files of a branch
  onnx-lint export model.py:Net               export, and prove the result
  onnx-lint explain ONX201                    what a rule finds, and why
  onnx-lint --baseline b.json --write-baseline   report what is new from now on

All options: onnx-lint check --help, onnx-lint export --help.
Exit status: 0 nothing at or above the fail level, 1 diagnostics, 2 an error of
usage or configuration.
"""


def help_text() -> str:
    """The first page: what there is, and how it is mostly used."""
    return HELP.format(commands="\n".join(f"  {name:12}{text}" for name, text in COMMANDS.items()))


def as_options(given: list[str]) -> list[str]:
    """Arguments with a command as those with options that mean the same; others as they are."""
    if not given or given[0] not in COMMANDS:
        return given
    command, rest = given[0], given[1:]
    if command == "check":
        return rest
    if command == "server":
        return ["--lsp", *rest]
    if command == "explain":
        return ["--explain", *_explained(rest)]
    if command == "export":
        return ["--export", *rest]
    return given


def _explained(words: list[str]) -> list[str]:
    """Codes and names as one value, and the words of an error message as they were printed."""
    if not words or words[0].startswith("-"):
        return words
    at = next((n for n, word in enumerate(words) if word.startswith("--")), len(words))
    is_message = not all(map(_NAMES.fullmatch, words[:at]))
    return [(" " if is_message else ",").join(words[:at]), *words[at:]]


def small(command: str, rest: list[str]) -> int:
    """Run one of the commands that neither lint nor export; the exit status."""
    import argparse

    parser = argparse.ArgumentParser(prog=f"onnx-lint {command}", description=COMMANDS[command], allow_abbrev=False)
    if command == "completion":
        from onnx_lint.completion import SHELLS, script

        parser.add_argument("shell", choices=SHELLS)
        sys.stdout.write(script(parser.parse_args(rest).shell, COMMANDS))
        return 0
    parser.add_argument("--quiet", "-q", action="store_true", help="print nothing but errors")
    if command == "schema":
        import json

        from onnx_lint.config_schema import schema

        parser.parse_args(rest)
        sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
        return 0
    if command == "init":
        from onnx_lint.starting import init

        options = parser.parse_args(rest)
        return init(quiet=options.quiet)
    parser.add_argument("--cache-dir", metavar="FOLDER", help="where the results are kept")
    options = parser.parse_args(rest)
    from onnx_lint.cache import clean, default_folder

    folder = options.cache_dir or default_folder()
    count = clean(folder)
    if not options.quiet:
        sys.stdout.write(f"{count} result{'' if count == 1 else 's'} removed from {folder}\n")
    return 0
