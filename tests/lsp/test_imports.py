"""Each module of the server can be the first that is imported, also where there is no module of POSIX systems."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import onnx_lint_lsp

SCRIPT = """\
import asyncio, sys
from importlib import import_module

sys.modules.update(dict.fromkeys(("fcntl", "grp", "pwd", "resource", "termios"), None))

for name in sys.argv[1:]:
    for loaded in [m for m in sys.modules if m.partition(".")[0] in ("onnx_lint", "onnx_lint_lsp")]:
        del sys.modules[loaded]
    import_module(name)
    print(name)
"""


def test_each_module_can_be_imported_first() -> None:
    folder = Path(onnx_lint_lsp.__path__[0])
    modules = [f"onnx_lint_lsp.{path.stem}" for path in sorted(folder.glob("*.py")) if path.stem != "__init__"]
    assert len(modules) > 30
    done = subprocess.run([sys.executable, "-c", SCRIPT, *modules], capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout.split()) == ("", modules)
