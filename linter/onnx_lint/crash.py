"""What a user sees of an internal error: one line that is enough to find the place."""

from __future__ import annotations

import os

_MAX_TEXT = 300


def describe(error: BaseException) -> str:
    """The innermost place, the type and the text of an error, in ASCII and without control characters."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace is not None else "?"
    text = " ".join(f"{type(error).__name__}: {error}".split())[:_MAX_TEXT]
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
    return f"internal error at {where}: {shown.encode('ascii', 'backslashreplace').decode()}; please report it"
