"""What the tests of the exporter share."""

from __future__ import annotations

import sys
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
