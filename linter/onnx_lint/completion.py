"""The completion of commands, options and paths in a shell, by shtab, which is an extra."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from onnx_lint.arguments import parser

SHELLS = ("bash", "zsh", "tcsh", "fish")
_FILES = ("paths", "output_file", "baseline", "config", "cache_dir", "export")
"""Options whose values are files or folders."""


class MissingExtra(Exception):
    """A package that is not installed; the message is the line that installs it."""


def script(shell: str, commands: Mapping[str, str]) -> str:
    """The script to source; `commands` are names with what they do. Raises `MissingExtra`."""
    try:
        import shtab
    except ModuleNotFoundError as error:
        raise MissingExtra("completion needs shtab; run: pip install 'onnx-lint[completion]'") from error
    whole = argparse.ArgumentParser(prog="onnx-lint", allow_abbrev=False)
    below = whole.add_subparsers(dest="command")
    for name, text in commands.items():
        # the options of `export` are the exporter's; those that it shares with `check` are completed
        shared = [_checked()] if name in ("check", "export") else []
        one = below.add_parser(name, help=text, parents=shared, add_help=not shared, allow_abbrev=False)
        if name == "completion":
            one.add_argument("shell", choices=SHELLS)
    out: str = shtab.complete(whole, shell=shell)
    return out


def _checked() -> argparse.ArgumentParser:
    """The options of a lint run, with files where files are meant."""
    import shtab

    out = parser()
    for action in out._actions:
        if action.dest in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # shtab's way to say it
    return out
