"""The command: arguments in, exit status out. Loads only what the arguments ask for.

Exit status: 0 nothing at or above the fail level, 1 diagnostics, 2 usage, configuration or internal error.
"""

from __future__ import annotations

import sys

from onnx_lint import __version__

_EXTRAS = {"--export": ("export", "export"), "--lsp": ("lsp", "lsp")}


def main(argv: list[str] | None = None) -> int:
    """Run the command with `argv` (default: of the process)."""
    given = sys.argv[1:] if argv is None else argv
    if given in (["--version"], ["-V"]):
        sys.stdout.write(f"onnx-lint {__version__}\n")
        return 0
    for option, (command, extra) in _EXTRAS.items():
        if any(a == option or a.startswith(option + "=") for a in given):
            return _hand_over(command, extra, given)
    from onnx_lint.run import run

    try:
        return run(given)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # whoever read the output has left; writing the rest, also at exit, would fail again
        sys.stdout = None  # type: ignore[assignment]
        return 2


def _hand_over(command: str, extra: str, argv: list[str]) -> int:
    """Run the exporter or the language server, which are packages of their own behind an entry point."""
    from importlib.metadata import entry_points

    for entry in entry_points(group="onnx_lint.commands", name=command):
        try:
            handler = entry.load()
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            sys.stderr.write(
                f"onnx-lint: --{command} needs {missing}, which is not installed; run: pip install 'onnx-lint[{extra}]'\n"
            )
            return 2
        return int(handler(argv))
    sys.stderr.write(f"onnx-lint: --{command} is not part of this installation; run: pip install 'onnx-lint[{extra}]'\n")
    return 2
