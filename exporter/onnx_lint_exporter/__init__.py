"""Export PyTorch models to ONNX, verify them, and pin every failure on its line.

``export`` is a drop-in for ``torch.onnx.export``; ``verify``, ``find_mismatch``, ``unconvertible_ops`` and ``to_text``
prove and show the result. All run in this process; the command ``onnx-lint --export`` runs the same in a process of
its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    from onnx_lint_exporter.mismatch_report import MismatchReport, find_mismatch

__all__ = [
    "ExportError",
    "MismatchReport",
    "UnconvertibleOp",
    "Verification",
    "export",
    "find_mismatch",
    "to_text",
    "unconvertible_ops",
    "verify",
]

_REPORT = ("MismatchReport", "find_mismatch")


def __getattr__(name: str) -> Any:
    """Load the functions when they are used: the command must not import torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = "mismatch_report" if name in _REPORT else "api"
    return getattr(import_module(f"{__name__}.{module}"), name)
