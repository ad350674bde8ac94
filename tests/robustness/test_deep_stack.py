"""Threads with a deep stack: recursion is not paid with requests to the system."""

from __future__ import annotations

import sys

import pytest

from onnx_lint.deep_stack import with_deep_stack

resource = pytest.importorskip("resource")  # not on Windows

CALLS = 1000
DEPTH = 300


def _page_faults() -> int:
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)


def _leaf() -> None:
    pass


def _worst(depth: int) -> int:
    """The most page faults that many calls of one function cost, at any depth of a recursion."""
    before = _page_faults()
    for _ in range(CALLS):
        _leaf()
    here = _page_faults() - before
    return max(here, _worst(depth - 1)) if depth else here


@pytest.mark.skipif(sys.version_info < (3, 11), reason="frames are not kept in chunks")
def test_calls_at_any_depth_ask_for_no_memory() -> None:
    assert with_deep_stack(lambda: _worst(DEPTH)) < CALLS / 4
