"""Export PyTorch models to ONNX, verify them, and pin every failure on its line.

``export`` is a drop-in for ``torch.onnx.export``; ``verify``, ``find_mismatch``, ``unconvertible_ops`` and ``to_text``
prove and show the result, ``enable_log`` logs what they do. All run in this process; the command
``onnx-lint --export`` runs the same in a process of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx_lint_exporter.api import (
        ExportError,
        UnconvertibleOp,
        Verification,
        export,
        to_text,
        unconvertible_ops,
        verify,
    )
    from onnx_lint_exporter.log import disable_log, enable_log
    from onnx_lint_exporter.mismatch_report import MismatchReport, find_mismatch

__all__ = [
    "ExportError",
    "MismatchReport",
    "UnconvertibleOp",
    "Verification",
    "disable_log",
    "enable_log",
    "export",
    "find_mismatch",
    "to_text",
    "unconvertible_ops",
    "verify",
]

_MODULES = {
    "MismatchReport": "mismatch_report",
    "find_mismatch": "mismatch_report",
    "disable_log": "log",
    "enable_log": "log",
}


def __getattr__(name: str) -> object:
    """Load the functions when they are used: the command must not import torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'api')}"), name)
