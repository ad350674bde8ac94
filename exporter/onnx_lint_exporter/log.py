"""The log switch of the Python functions, in place of the ``torch.onnx.enable_log`` that torch no longer has.

Everything goes through the logger ``onnx_lint_exporter`` of the standard library, at level ``INFO``: each step with its
time, and what the engines print, which is otherwise kept silent. So ``logging`` itself can do all that the two
functions here do, and more.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

LOGGER = logging.getLogger("onnx_lint_exporter")


class _Handler(logging.StreamHandler):  # type: ignore[type-arg]  # generic in the stubs only
    """The handler of `enable_log`. Its class sets it apart from those of the user's own configuration."""


def enable_log(level: int = logging.INFO) -> None:
    """Write the log to standard error, from `level` on. Calling it again changes the level."""
    handler = next((known for known in LOGGER.handlers if isinstance(known, _Handler)), None)
    if handler is None:
        handler = _Handler()
        handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
        LOGGER.addHandler(handler)
    LOGGER.setLevel(level)


def disable_log() -> None:
    """Undo `enable_log`; handlers that the user's own configuration gave to the logger stay."""
    for handler in [known for known in LOGGER.handlers if isinstance(known, _Handler)]:
        LOGGER.removeHandler(handler)
    LOGGER.setLevel(logging.NOTSET)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Log a step, and how it ended."""
    LOGGER.info("%s", what)
    start = time.monotonic()
    try:
        yield
    except BaseException as error:
        LOGGER.info("%s: %s after %.2f s", what, type(error).__name__, time.monotonic() - start)
        raise
    LOGGER.info("%s: %.2f s", what, time.monotonic() - start)


def printed(text: str) -> None:
    """Log what an engine printed."""
    for line in text.splitlines():
        LOGGER.info("| %s", line)
