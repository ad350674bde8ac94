"""What the engines print from C++ is kept off standard output."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from onnx_lint_exporter.log import LOGGER, printed


@contextmanager
def muted_stdout() -> Iterator[None]:
    """Keep what the engines print from C++ while they are verbose off standard output, for the whole process.

    It goes to the log instead, when that is on.
    """
    _flush()
    try:
        kept, other = os.dup(1), tempfile.TemporaryFile()  # noqa: SIM115 - closed below, after standard output is back
    except OSError:  # no standard output at all: nothing to keep silent
        yield
        return
    try:
        os.dup2(other.fileno(), 1)
        yield
    finally:
        _flush()
        os.dup2(kept, 1)
        os.close(kept)
        with other:
            if LOGGER.isEnabledFor(logging.INFO):
                other.seek(0)
                printed(other.read().decode("utf-8", "replace"))


def _flush() -> None:
    """Write out what waits in the buffers of Python and of the C library, which C++ streams share."""
    if sys.stdout is not None:
        sys.stdout.flush()
    library = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
    library.fflush(None)
