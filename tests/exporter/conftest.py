"""What the tests of the exporter share."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from warm import WarmPython


@pytest.fixture(scope="session")
def warm_python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A program for ``--python`` that has torch loaded already."""
    server = WarmPython(tmp_path_factory.mktemp("warm"))
    yield str(server.program)
    server.close()


@pytest.fixture(scope="session")
def torchlib_once() -> Iterator[None]:
    """For exports in this process: each parses all of torchlib again, most of its time; once is enough."""
    from torch.onnx._internal.exporter import _registration

    before = _registration.onnxscript_apis
    ops = functools.cache(before.get_torchlib_ops)
    _registration.onnxscript_apis = types.SimpleNamespace(get_torchlib_ops=ops)
    yield
    _registration.onnxscript_apis = before
