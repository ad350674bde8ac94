"""The export engines. A new one is a file here with a class that fits `engine.Engine`, and its line in `ENGINES`."""

from __future__ import annotations

from collections.abc import Mapping

from .dynamo import Dynamo
from .engine import Engine
from .torchscript import TorchScript

ENGINES: Mapping[str, type[Engine]] = {TorchScript.name: TorchScript, Dynamo.name: Dynamo}
"""By the name that the command line and the results give to an engine."""

ANY_ENGINE = Dynamo.name
"""The engine that stands for the one of a script's call until that is known."""

__all__ = ["ANY_ENGINE", "ENGINES", "Engine"]
