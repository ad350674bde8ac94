"""The process that checks whole folders for the server: ``python -I folder_child.py PATHS``.

It sees the modules that the server sees, reads a request in a line of standard input, answers in lines of JSON, and
ends when the server does: the server holds the other end of its standard input.
"""

import contextlib
import json
import os
import sys
import threading

_UNHURRIED = 10
"""Added to the niceness: what is open comes first."""
_EVERY = 0.1
"""Seconds between two reports of progress."""


def _serve() -> None:
    import time

    from onnx_lint_lsp import stdio
    from onnx_lint_lsp.folder_check import Request, check
    from onnx_lint_lsp.system import end_this_process

    incoming, outgoing = stdio.claim()
    with contextlib.suppress(AttributeError):  # Windows has no niceness
        os.nice(_UNHURRIED)
    requests = os.fdopen(incoming, "rb")
    request = Request(**json.loads(requests.readline()))

    def end_with_server() -> None:
        while requests.read(4096):
            continue
        end_this_process()

    threading.Thread(target=end_with_server, daemon=True).start()
    answers = os.fdopen(outgoing, "wb")
    last = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            answers.write(json.dumps({"done": done, "of": total}).encode() + b"\n")
            answers.flush()

    for answer in check(request, progress):
        answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    sys.path[:] = json.loads(sys.argv.pop(1))
    _serve()
