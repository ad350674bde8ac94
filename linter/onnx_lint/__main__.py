"""``python -m onnx_lint``: like the command, and as safe: the current folder is not searched for modules."""

import os
import sys

if sys.path and sys.path[0] in ("", os.getcwd()):
    del sys.path[0]

# only after the path is safe:
from onnx_lint.cli import main

raise SystemExit(main())
