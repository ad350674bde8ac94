"""The JSON schema of the configuration, for editors: completion, and errors while one writes."""

from __future__ import annotations

from typing import Any

from onnx_lint.config import KEYS, MAX_OPSET, MIN_OPSET
from onnx_lint.diagnostic import Severity
from onnx_lint.globs import MAX_PATTERN
from onnx_lint.output_formats import NAMES
from onnx_lint.target import Engine

_TEXTS = {"type": "array", "items": {"type": "string"}}
_PATTERN = {"type": "string", "maxLength": MAX_PATTERN}
_SEVERITY = {"enum": [severity.value for severity in Severity]}
_DIMENSIONS = {
    "anyOf": [
        {"type": "array", "items": {"type": "integer"}},
        {"type": "object", "propertyNames": {"pattern": "^-?[0-9]{1,3}$"}},
    ]
}
_RULES = "codes (ONX101), prefixes (ONX1), names (data-dependent-branch) or ALL"

_KEYS: dict[str, tuple[str, dict[str, Any]]] = {
    "engine": (
        "The export engine to check for; without it the export calls in the linted code decide",
        {"enum": [*(engine.value for engine in Engine), "both"]},
    ),
    "opset": ("The ONNX opset", {"type": "integer", "minimum": MIN_OPSET, "maximum": MAX_OPSET}),
    "select": (f"The rules that run: {_RULES}", _TEXTS),
    "extend-select": ("Rules that run besides those of select", _TEXTS),
    "ignore": ("Rules that do not run", _TEXTS),
    "per-file-ignores": (
        "What is ignored in the files that match a pattern",
        {"type": "object", "propertyNames": _PATTERN, "additionalProperties": _TEXTS},
    ),
    "fixable": ("The rules whose fixes may be applied; without it all", _TEXTS),
    "unfixable": ("Rules whose fixes are shown, and not applied", _TEXTS),
    "severity": ("The lowest severity that is reported", _SEVERITY),
    "severities": ("The severity of single rules", {"type": "object", "additionalProperties": _SEVERITY}),
    "dynamic-axes": (
        "The dynamic dimensions of inputs of forward, by the input's name or as Class.input",
        {"type": "object", "additionalProperties": _DIMENSIONS},
    ),
    "entry": (
        "Models that are analysed whatever they are called, as pkg.module:Class",
        {"type": "array", "items": {"type": "string", "minLength": 1}},
    ),
    "preview": ("Whether preview rules run", {"type": "boolean"}),
    "exclude": ("Files and folders that are left out", {"type": "array", "items": _PATTERN}),
    "fail-level": ("The lowest severity that fails a run", _SEVERITY),
    "respect-gitignore": ("Whether what .gitignore names is left out", {"type": "boolean"}),
    "notebooks": ("Whether notebooks that are found in folders are linted", {"type": "boolean"}),
    "output-format": ("The format of the report", {"enum": list(NAMES)}),
}


def schema() -> dict[str, Any]:
    """The schema of ``onnx-lint.toml``, and of the table ``[tool.onnx-lint]``. Every key of the configuration is in it,
    and no other."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "onnx-lint",
        "type": "object",
        "additionalProperties": False,
        "properties": {key: {"description": _KEYS[key][0], **_KEYS[key][1]} for key in KEYS},
    }
