"""Comparisons with the version of torch, decided where no torch that matters can differ."""

from __future__ import annotations

import re

from onnx_lint.semantics.domain.values import ExternalValue, Value
from onnx_lint.source import ir

TORCH = "torch.__version__"
PARSERS = ("packaging.version.parse", "packaging.version.Version", "pkg_resources.parse_version",
           "distutils.version.LooseVersion", "distutils.version.StrictVersion",
           "torch.torch_version.TorchVersion")  # fmt: skip
"""Functions that make versions of texts, with an order of their own."""
OLDEST = (2, 5, 0)
"""The oldest torch that exports are made with, as the exporter requires in ``pyproject.toml``: code for an earlier one
is not exported."""
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_NUMBERS = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


def decided(op: str, left: Value, right: Value, left_node: ir.Expr, right_node: ir.Expr) -> bool | None:
    """The answer of a comparison of torch's version with a version that is written down; ``None`` where it depends on
    the torch that is installed, or something else is compared."""
    if _is_torch(right) and not _is_torch(left):
        op, left, right_node = _FLIPPED.get(op, op), right, left_node
    written = _written(right_node) if _is_torch(left) else None
    if written is None or written > OLDEST:
        return None
    match op:
        case ">" | "!=":
            return True if written < OLDEST else None
        case "<=" | "==":
            return False if written < OLDEST else None
        case ">=":
            return True
        case "<":
            return False
    return None


def _is_torch(value: Value) -> bool:
    return isinstance(value, ExternalValue) and value.name == TORCH


def _written(node: ir.Expr) -> tuple[int, ...] | None:
    """The three numbers of a version that is written as a text, or made of one."""
    if isinstance(node, ir.Call) and len(node.args) == 1 and not node.keywords:
        node = node.args[0]
    text = node.value if isinstance(node, ir.Const) else None
    found = _NUMBERS.match(text) if isinstance(text, str) else None
    return tuple([int(number) for number in found.groups("0")]) if found else None
