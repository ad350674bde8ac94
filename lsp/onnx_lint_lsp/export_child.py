"""The process that runs an export for the server: ``python -I export_child.py PATHS ARGUMENTS…``.

It sees the modules that the server sees, and ends when the server does: the server holds the other end of its standard
input.
"""

import json
import os
import signal
import sys
import threading
import time
from _thread import interrupt_main

GRACE = 3.0
"""Seconds that Windows leaves the main thread to clean up."""


def end_with_server() -> None:
    """Wait for the end of standard input, then ask this process to end, with all that it started."""
    while os.read(0, 4096):
        continue
    if sys.platform == "win32":  # there a signal from outside ends the process at once, without any handler
        interrupt_main(signal.SIGTERM)
        time.sleep(GRACE)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.path[:] = json.loads(sys.argv.pop(1))
    threading.Thread(target=end_with_server, daemon=True).start()

    # only after the path is set:
    from onnx_lint.cli import main

    raise SystemExit(main(sys.argv[1:]))
