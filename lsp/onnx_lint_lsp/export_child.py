"""The process that runs an export for the server: ``python -I export_child.py PATHS ARGUMENTS…``.

It sees the modules that the server sees, and ends when the server does: the server holds the other end of its standard
input.
"""

import json
import os
import sys
import threading
from collections.abc import Callable


def end_with_server(end: Callable[[], None]) -> None:
    """Wait for the end of standard input, then end this process, with all that it started."""
    while os.read(0, 4096):
        continue
    end()


if __name__ == "__main__":
    sys.path[:] = json.loads(sys.argv.pop(1))

    # only after the path is set:
    from onnx_lint_lsp.system import end_this_process

    threading.Thread(target=end_with_server, args=(end_this_process,), daemon=True).start()

    from onnx_lint.cli import main

    raise SystemExit(main(sys.argv[1:]))
