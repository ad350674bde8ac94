"""``--show-settings``: what is in effect, as a configuration file that gives the same."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TextIO

from onnx_lint.config import Config
from onnx_lint.policy import EXPORT_FLAGS, TRAINING_CLASSES, TRAINING_FUNCTIONS
from onnx_lint.report.report import printable
from onnx_lint.target import BOTH


def write(configs: Iterable[Config], stream: TextIO) -> None:
    """The settings of each configuration; what is not set is a comment."""
    for config in {id(c): c for c in configs}.values():
        stream.write(f"# {printable(config.path or 'no configuration file')}\n")
        for what, pattern in (("classes", TRAINING_CLASSES), ("functions", TRAINING_FUNCTIONS)):
            stream.write(f"# {what} taken for training code, unless exported or an entry: {pattern.pattern}\n")
        stream.write(f"# flags of models that an export sets: {EXPORT_FLAGS.pattern}\n")
        for key, value in _shown(config).items():
            if value is None:
                default = _UNSET.get(key)
                stream.write(f"# {key} is not set{': ' + default if default else ''}\n")
            else:
                stream.write(f"{key} = {_toml(value)}\n")


_UNSET = {
    "engine": "from the export calls, else both",
    "select": "all stable rules",
    "fixable": "all rules",
    "opset": "the exporter's own",
}


def _shown(config: Config) -> dict[str, Any]:
    settings = config.settings
    axes, engines = settings.dynamic_axes, settings.target.engines
    return {
        "engine": ("both" if engines == BOTH else engines[0].value) if settings.engine_given else None,
        "opset": settings.target.opset,
        "select": list(settings.select) or None,
        "extend-select": list(settings.extend_select),
        "ignore": list(settings.ignore),
        "per-file-ignores": {pattern: list(codes) for pattern, codes in settings.per_file_ignores},
        "fixable": list(settings.fixable) or None,
        "unfixable": list(settings.unfixable),
        "severity": settings.minimum.value,
        "severities": {rule: severity.value for rule, severity in settings.severities.items()},
        "dynamic-axes": None if axes is None else {name: list(dims) for name, dims in axes.items()},
        "entry": [str(entry) for entry in settings.entry],
        "preview": settings.preview,
        "exclude": list(config.exclude),
        "fail-level": config.fail_level.value,
        "notebooks": config.notebooks,
        "respect-gitignore": config.respect_gitignore,
        "output-format": config.output_format,
    }


def _toml(value: Any) -> str:
    """A value in TOML, on one line. Its strings are those of JSON, but for surrogates, which TOML does not have."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=not isinstance(value, str) or value.isascii() or not value.isprintable())
