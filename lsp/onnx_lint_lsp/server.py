"""The command ``onnx-lint --lsp``: claim standard input and output, then load the rest and serve."""

from __future__ import annotations

import sys

import pygls  # noqa: F401 - a missing extra is reported by the caller in one line

from onnx_lint_lsp import stdio


def run(argv: list[str]) -> int:
    """Serve the client on standard input and output until it leaves; the exit status."""
    if any(argument in ("-h", "--help") for argument in argv):
        sys.stdout.write("usage: onnx-lint --lsp\n\nA language server on standard input and output.\n")
        return 0
    incoming, outgoing = stdio.claim()

    # only now: whatever these print while they are imported goes to standard error
    from onnx_lint_lsp.handlers import serve_until_end

    return serve_until_end(incoming, outgoing)
