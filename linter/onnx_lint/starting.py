"""``onnx-lint init``: a configuration file to begin with."""

from __future__ import annotations

import os
import sys

from onnx_lint.config import ConfigError, load

FILE = "onnx-lint.toml"
TEXT = """\
# Configuration of onnx-lint. `onnx-lint schema` prints all keys, as a JSON schema for editors.

# The engine of torch.onnx.export to check for: "torchscript" (dynamo=False), "dynamo" (dynamo=True) or "both".
# Without it, the export calls in the linted code decide.
# engine = "dynamo"

# The ONNX opset that is exported to.
# opset = 18

# Files that are left out, besides those of .gitignore.
exclude = []

# Rules that do not run: codes, prefixes or names.
ignore = []

# The lowest severity that fails a run: "error", "warning" or "info".
fail-level = "warning"

[per-file-ignores]
"tests/**" = ["ALL"]
"""


def init(*, quiet: bool) -> int:
    """Write the file, unless the folder has a configuration; the exit status."""
    for name in (FILE, "pyproject.toml"):
        if os.path.lexists(name) and _configures(name):
            sys.stderr.write(f"onnx-lint: error: {name} is there already; nothing was written\n")
            return 2
    try:
        with open(FILE, "x", encoding="utf-8") as file:
            file.write(TEXT)
    except OSError as error:
        sys.stderr.write(f"onnx-lint: error: {FILE}: {error.strerror}\n")
        return 2
    if not quiet:
        sys.stdout.write(f"{FILE} written. Next: onnx-lint check .\n")
    return 0


def _configures(name: str) -> bool:
    try:
        return name == FILE or load(name) is not None
    except ConfigError:
        return True  # whatever is wrong with it, a second file would hide it
