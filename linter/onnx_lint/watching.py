"""``--watch``: lint again whenever a file changes. watchfiles, an extra, tells of changes."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable

from onnx_lint.arguments import parse
from onnx_lint.config import FILES
from onnx_lint.run import run
from onnx_lint.source.notebook import SUFFIX

_INTERESTING = (".py", SUFFIX, *FILES)


def watch(argv: list[str]) -> int:
    """Run with these arguments, now and after every change, until interrupted."""
    options = parse(argv)
    arguments = [argument for argument in argv if argument not in ("--watch", "-w")]
    if options.fix or "-" in options.paths:
        sys.stderr.write("onnx-lint: error: --watch goes neither with --fix nor with standard input\n")
        return 2
    tops = ["."] if options.whole_project or options.changed_since else list(options.paths) or ["."]
    missing = [top for top in tops if not os.path.exists(top)]
    if missing:
        return run(arguments)  # says so
    try:
        from watchfiles import watch as changes
    except ModuleNotFoundError:
        sys.stderr.write("onnx-lint: error: --watch needs watchfiles; run: pip install 'onnx-lint[watch]'\n")
        return 2
    try:
        is_first = True
        # an empty set comes as soon as the watch stands: no change after the first run is missed
        for changed in changes(*tops, watch_filter=None, debounce=400, rust_timeout=200, yield_on_timeout=True):
            if is_first or _concerns(path for _, path in changed):
                _run_once(arguments, quiet=options.quiet)
            is_first = False
    except KeyboardInterrupt:
        pass  # how a watch is ended
    return 0


def _concerns(paths: Iterable[str]) -> bool:
    return any(path.endswith(_INTERESTING) for path in paths)


def _run_once(arguments: list[str], *, quiet: bool) -> None:
    if sys.stdout.isatty():
        sys.stdout.write("\x1b[2J\x1b[H")  # an empty screen
    run(arguments)
    gc.collect()  # what the run built up
    if not quiet and sys.stderr is not None:
        sys.stderr.write("onnx-lint: waiting for changes; Ctrl-C ends\n")
    sys.stdout.flush()
