"""Configuration: ``[tool.onnx-lint]`` of the nearest ``pyproject.toml``, or ``onnx-lint.toml`` beside it.

The nearest file upwards counts, per linted file; nothing is inherited from further up. Nothing in it names code to
load or files to read.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from onnx_lint.diagnostic import Severity
from onnx_lint.globs import MAX_PATTERN
from onnx_lint.output_formats import NAMES
from onnx_lint.policy import EntryPoint
from onnx_lint.settings import Settings
from onnx_lint.target import BOTH, Engine

FILES = ("onnx-lint.toml", "pyproject.toml")
MIN_OPSET, MAX_OPSET = 7, 30
_DIMENSION = re.compile(r"-?[0-9]{1,3}")
MAX_SIZE = {"onnx-lint.toml": 64 * 1024, "pyproject.toml": 1024 * 1024}
"""Bytes of a configuration file; a ``pyproject.toml`` is shared with other tools."""
_MAX_PATTERNS = 1000
_MAX_PATTERN_TEXT = 50_000
"""Characters of all patterns of one list together."""
_MAX_KEY_PARTS = 100
"""Parts of one dotted key, beyond which it is not parsed: the parser's memory grows with their square, to 1.6 GB at
20,000 (tomllib of Python 3.11)."""
_TOML_TOKEN = re.compile(
    r"#[^\n]*"
    r'|"""[^\\"]*(?:(?:\\[\s\S]|"(?!""))[^\\"]*)*(?:"""|\Z)'
    r"|'''[^']*(?:'(?!'')[^']*)*(?:'''|\Z)"
    r'|"[^\\"\n]*(?:\\.[^\\"\n]*)*"?'
    r"|'[^'\n]*'?"
    r"|[.\n=,\[\]{}]"
)


class ConfigError(Exception):
    """A configuration that cannot be used; the message is one line that names file and key."""


class _LongKey(ValueError):
    """What no TOML parser is given."""


@dataclass(frozen=True)
class Config:
    """The settings of one configuration file, and what only the command line needs of it."""

    settings: Settings = field(default_factory=Settings)
    exclude: tuple[str, ...] = ()
    fail_level: Severity = Severity.WARNING
    respect_gitignore: bool = True
    notebooks: bool = True
    """Whether notebooks that are found in folders are linted; one that is named always is."""
    output_format: str | None = None
    path: str | None = None


def engines_of(name: str) -> tuple[Engine, ...]:
    """``torchscript``, ``dynamo`` or ``both``; raises `ValueError` naming the choices."""
    if name == "both":
        return BOTH
    try:
        return (Engine(name),)
    except ValueError:
        raise ValueError(f"{_cut(name)} is not an engine; choose torchscript, dynamo or both") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise ValueError("must be a list of strings")
    return tuple(value)


def _patterns(value: Any) -> tuple[str, ...]:
    patterns = _texts(value)
    if len(patterns) > _MAX_PATTERNS:
        raise ValueError(f"has {len(patterns)} patterns (limit {_MAX_PATTERNS})")
    for pattern in patterns:
        if len(pattern) > MAX_PATTERN:
            raise ValueError(f"has a pattern of {len(pattern)} characters (limit {MAX_PATTERN})")
    total = sum(map(len, patterns))
    if total > _MAX_PATTERN_TEXT:
        raise ValueError(f"has patterns of {total} characters together (limit {_MAX_PATTERN_TEXT})")
    return patterns


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _severity(value: Any) -> Severity:
    try:
        return Severity(_text(value))
    except ValueError:
        raise ValueError(f"must be 'error', 'warning' or 'info', not {_cut(value)}") from None


def _opset(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not MIN_OPSET <= value <= MAX_OPSET:
        raise ValueError(f"must be an opset version, {MIN_OPSET} to {MAX_OPSET}")
    return value


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("must be a table")
    return value


def _axes(value: Any) -> dict[str, tuple[int, ...]]:
    out: dict[str, tuple[int, ...]] = {}
    for name, dims in _table(value).items():
        if isinstance(dims, dict) and all(_DIMENSION.fullmatch(d) for d in dims):
            out[name] = tuple(int(d) for d in dims)
        elif isinstance(dims, list) and all(isinstance(d, int) and not isinstance(d, bool) for d in dims):
            out[name] = tuple(dims)
        else:
            raise ValueError(f"{_cut(name)} must be a list of dimensions, such as [0, 2]")
    return out


def _cut(value: Any) -> str:
    """A value for a message: one line, not too long, without running into depths."""
    text = repr(value) if isinstance(value, (str, int, float, bool)) else f"a {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "…"


def _target(key: str, read: Callable[[Any], Any]) -> Callable[[Config, Any], Config]:
    def put(config: Config, value: Any) -> Config:
        target = replace(config.settings.target, **{key: read(value)})
        return replace(config, settings=replace(config.settings, target=target))

    return put


def _setting(key: str, read: Callable[[Any], Any]) -> Callable[[Config, Any], Config]:
    def put(config: Config, value: Any) -> Config:
        return replace(config, settings=replace(config.settings, **{key: read(value)}))

    return put


def _own(key: str, read: Callable[[Any], Any]) -> Callable[[Config, Any], Config]:
    def put(config: Config, value: Any) -> Config:
        return replace(config, **{key: read(value)})

    return put


def _engine(config: Config, value: Any) -> Config:
    settings = config.settings
    target = replace(settings.target, engines=engines_of(_text(value)))
    return replace(config, settings=replace(settings, target=target, engine_given=True))


def _entries(value: Any) -> tuple[EntryPoint, ...]:
    return tuple(EntryPoint.parse(text) for text in _texts(value))


def _per_file(value: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    table = _table(value)
    return tuple(zip(_patterns(list(table)), map(_texts, table.values()), strict=True))


def _severities(value: Any) -> dict[str, Severity]:
    return {rule: _severity(given) for rule, given in _table(value).items()}


def _format(value: Any) -> str:
    if value not in NAMES:
        raise ValueError(f"must be one of {', '.join(NAMES)}")
    return str(value)


KEYS: dict[str, Callable[[Config, Any], Config]] = {
    "engine": _engine,
    "opset": _target("opset", _opset),
    "select": _setting("select", _texts),
    "extend-select": _setting("extend_select", _texts),
    "ignore": _setting("ignore", _texts),
    "per-file-ignores": _setting("per_file_ignores", _per_file),
    "fixable": _setting("fixable", _texts),
    "unfixable": _setting("unfixable", _texts),
    "severity": _setting("minimum", _severity),
    "severities": _setting("severities", _severities),
    "dynamic-axes": _setting("dynamic_axes", _axes),
    "entry": _setting("entry", _entries),
    "preview": _setting("preview", _flag),
    "exclude": _own("exclude", _patterns),
    "fail-level": _own("fail_level", _severity),
    "respect-gitignore": _own("respect_gitignore", _flag),
    "notebooks": _own("notebooks", _flag),
    "output-format": _own("output_format", _format),
}


def _has_long_key(text: str) -> bool:
    """Whether some key has more parts than are parsed: dots outside strings and comments, with nothing between them
    that ends a key."""
    dots = 0
    for match in _TOML_TOKEN.finditer(text):
        token = match.group()
        if token == ".":
            dots += 1
            if dots >= _MAX_KEY_PARTS:
                return True
        elif token in "\n=,[]{}":
            dots = 0
    return False


def load(path: str) -> Config | None:
    """The configuration in one file; ``None`` if a ``pyproject.toml`` has no table of ours. Raises `ConfigError`."""
    try:
        if not os.path.isfile(path) and os.path.exists(path):
            raise ConfigError(f"{path}: is not a regular file")
        limit = MAX_SIZE.get(os.path.basename(path), min(MAX_SIZE.values()))
        with open(path, "rb") as file:
            content = file.read(limit + 1)
        if len(content) > limit:
            raise ConfigError(f"{path}: larger than {limit // 1024} KB, which no configuration needs")
        data = _toml(content.decode("utf-8"))
    except _LongKey as error:
        raise ConfigError(f"{path}: {error}") from error
    except (ValueError, RecursionError) as error:  # ValueError: also a number of too many digits
        raise ConfigError(f"{path}: invalid TOML: {_one_line(error)}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    table: Any = data
    if os.path.basename(path) != "onnx-lint.toml":
        tool = data.get("tool")
        if not isinstance(tool, dict) or "onnx-lint" not in tool:
            return None
        table = tool["onnx-lint"]
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: tool.onnx-lint must be a table")
    root = os.path.dirname(os.path.abspath(path))
    return _with_table(Config(Settings(root=root), path=path), table, path)


_PLAIN = re.compile(r"[A-Za-z][\w.-]*")


def with_value(config: Config, text: str) -> Config:
    """The configuration with a key set, given as ``key = value`` in TOML; a plain word needs no quotes. Raises
    `ConfigError`."""
    where = f"--config {text[:60]!r}"
    key, _, value = text.partition("=")
    if _PLAIN.fullmatch(value.strip()) and value.strip() not in ("true", "false", "inf", "nan"):
        text = f'{key}= "{value.strip()}"'
    try:
        data = _toml(text)
    except _LongKey as error:
        raise ConfigError(f"{where}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{where}: not TOML: {_one_line(error)}") from error
    return _with_table(config, data, where)


def _toml(text: str) -> dict[str, Any]:
    """Raises `ValueError` and `RecursionError`."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    if _has_long_key(text):
        raise _LongKey(f"has a key of more than {_MAX_KEY_PARTS} parts")
    data: dict[str, Any] = tomllib.loads(text)
    return data


def _with_table(config: Config, table: dict[str, Any], path: str) -> Config:
    """The configuration with the keys of a table; `path` is named in errors."""
    for key, value in table.items():
        put = KEYS.get(key)
        if put is None:
            from difflib import get_close_matches

            close = get_close_matches(key[:60], KEYS, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"the keys are {', '.join(sorted(KEYS))}"
            raise ConfigError(f"{path}: unknown key {_cut(key)}; {hint}")
        try:
            config = put(config, value)
        except ValueError as error:
            raise ConfigError(f"{path}: {key} {error}") from error
    return config


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:200]


class Configs:
    """The configuration that counts for each file, found once per folder."""

    def __init__(self, fixed: Config | None = None) -> None:
        self._fixed = fixed
        self._by_folder: dict[str, Config | ConfigError] = {}

    def of(self, path: str) -> Config:
        """The configuration for a file or folder. Raises `ConfigError`."""
        if self._fixed is not None:
            return self._fixed
        absolute = os.path.abspath(path)
        folder = absolute if absolute in self._by_folder or os.path.isdir(absolute) else os.path.dirname(absolute)
        found = self._by_folder.get(folder) or self._folder(folder)
        if isinstance(found, ConfigError):
            raise found
        return found

    def _folder(self, folder: str) -> Config | ConfigError:
        pending: list[str] = []
        found: Config | ConfigError | None = None
        while found is None:
            found = self._by_folder.get(folder)
            if found is not None:
                break
            pending.append(folder)
            found = self._in(folder)
            parent = os.path.dirname(folder)
            if found is None and parent == folder:
                found = Config()
            folder = parent
        for each in pending:
            self._by_folder[each] = found
        return found

    def _in(self, folder: str) -> Config | ConfigError | None:
        for name in FILES:
            candidate = os.path.join(folder, name)
            if os.path.isfile(candidate):
                try:
                    config = load(candidate)
                except ConfigError as error:
                    return error  # raised for every file below, and found once
                if config is not None:
                    return config
        return None
