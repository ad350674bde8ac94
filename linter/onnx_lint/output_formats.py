"""The names of the output formats, found by their files, so that a new format is registered nowhere."""

from __future__ import annotations

import os
import pkgutil

DEFAULT = "full"
_FOLDER = os.path.join(os.path.dirname(__file__), "report", "formats")

# by file name: importing seven renderers to know what they are called would cost more than any of them
_found = {module.name.replace("_", "-") for module in pkgutil.iter_modules([_FOLDER])}
NAMES: tuple[str, ...] = (DEFAULT, *sorted(_found - {DEFAULT}))
