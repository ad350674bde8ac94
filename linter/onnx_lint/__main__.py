"""``python -m onnx_lint``: like the command.

With ``-m`` Python itself searches the current folder before this line runs: use the command ``onnx-lint``, or
``python -I -m onnx_lint``, in a folder that is not trusted.
"""

from onnx_lint.cli import main

raise SystemExit(main())
