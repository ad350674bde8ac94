"""The command: arguments in, exit status out. Loads only what the arguments ask for.

Exit status: 0 nothing at or above the fail level, 1 diagnostics, 2 usage, configuration or internal error.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Callable
from itertools import pairwise

from onnx_lint import __version__
from onnx_lint.safe_path import drop_current_folder

_COMMANDS = {"--export-from": "export", "--observe": "export", "--export": "export", "--lsp": "lsp"}
"""Options that are packages of their own, behind an entry point. The extra that they need has the same name."""


def main(argv: list[str] | None = None) -> int:
    """Run the command with `argv` (default: of the process)."""
    given = sys.argv[1:] if argv is None else argv
    is_process = argv is None
    drop_current_folder()
    if sys.stdout is None:  # closed by whoever started us: run for the exit status
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - it lives as long as the process
    try:
        status = _dispatch(given)
        sys.stdout.flush()
        if is_process and not gc.isenabled():  # a lint run is over, and this process with it
            _leave(status)
        return status
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        return _output_failed(error)
    except Exception as error:  # noqa: BLE001 - one line for the user instead of a traceback
        _report_crash(error)
        return 2


def _dispatch(given: list[str]) -> int:
    if given in (["--version"], ["-V"]):
        sys.stdout.write(f"onnx-lint {__version__}\n")
        return 0
    from onnx_lint.commands import COMMANDS, as_options, help_text, small

    if given and given[0] in COMMANDS and given[0] not in ("check", "export", "explain", "server"):
        return _small(small, given)
    if given in (["--help"], ["-h"], ["help"]):
        sys.stdout.write(help_text())
        return 0
    if given == ["explain"]:
        from onnx_lint.explain import index

        sys.stdout.write(index())
        return 0
    if given[:1] == ["export"] and not (given[1:2] and (given[1] in ("-h", "--help") or not given[1].startswith("-"))):
        sys.stderr.write("onnx-lint: error: export: name the model first, as in: onnx-lint export model.py:Net\n")
        return 2
    given = as_options(given)
    options = given[: given.index("--")] if "--" in given else given
    if "--export" in options and any(o in options for o in ("--help", "-h")):
        return _hand_over("export", ["--help"])
    for option, command in _COMMANDS.items():
        if any(a == option or a.startswith(option + "=") for a in options):
            refusal = _refusal(options) if command == "export" else None
            if refusal is not None:
                sys.stderr.write(f"onnx-lint: error: {refusal}\n")
                return 2
            return _hand_over(command, given)
    if "--watch" in options or "-w" in options:
        from onnx_lint.watching import watch

        return watch(given)
    gc.disable()  # a run only builds up, and ends: collecting costs a tenth of it
    from onnx_lint.run import run

    return run(given)


def _small(run: Callable[[str, list[str]], int], given: list[str]) -> int:
    from onnx_lint.completion import MissingExtra

    try:
        return run(given[0], given[1:])
    except MissingExtra as error:
        sys.stderr.write(f"onnx-lint: error: {error}\n")
        return 2


_OF_A_CHECK = (
    "--add-ignore", "--badge", "--baseline", "--changed-since", "--fix-only", "--fixable", "--models", "--show-fixes",
    "--unfixable", "--watch", "--whole-project", "--write-baseline", "-w",
)  # fmt: skip
"""Options of the parser that exports share which only a lint run obeys."""


def _refusal(options: list[str]) -> str | None:
    """Why these options do not go with an export."""
    if any("=" in a for a in _formats(options)):
        return "--export writes one report; give --output-format without a file"
    for option in options:
        if option.partition("=")[0] in _OF_A_CHECK:
            return f"{option.partition('=')[0]} is an option of onnx-lint check, and an export does not obey it"
    return None


def _formats(options: list[str]) -> list[str]:
    """What is given to ``--output-format``."""
    joined = [a.partition("=")[2] for a in options if a.startswith("--output-format=")]
    return joined + [after for a, after in pairwise(options) if a == "--output-format"]


def _leave(status: int) -> None:
    """End the process without taking apart what the run built up: that costs a fifth of the run on a large library."""
    if sys.stderr is not None:
        sys.stderr.flush()
    os._exit(status)


def _output_failed(error: OSError) -> int:
    """Standard output is gone or full. What is left in its buffer goes nowhere: writing it at exit would fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    # Windows answers "invalid argument" where a pipe has no reader any more
    is_unread = isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL)
    if not is_unread and sys.stderr is not None:
        what = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"onnx-lint: error: {what}{error.strerror or error}\n")
    return 2


def _report_crash(error: Exception) -> None:
    if sys.stderr is not None:
        from onnx_lint.crash import describe

        sys.stderr.write(f"onnx-lint: {describe(error)}\n")


def _hand_over(command: str, argv: list[str]) -> int:
    """Run the exporter or the language server."""
    from importlib import import_module

    from onnx_lint.plugins import offers

    install = f"pip install 'onnx-lint[{command}]'"
    for name, value in offers("onnx_lint.commands"):
        if name != command:
            continue
        module, _, function = value.partition(":")
        try:
            handler = getattr(import_module(module), function)
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            sys.stderr.write(f"onnx-lint: error: --{command} needs {missing}, which is not installed; run: {install}\n")
            return 2
        return int(handler(argv))
    sys.stderr.write(f"onnx-lint: error: --{command} is not part of this installation; run: {install}\n")
    return 2
