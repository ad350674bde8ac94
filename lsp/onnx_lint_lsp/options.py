"""What the client sets: the configuration section ``onnxLint``, read leniently."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from onnx_lint.config import engines_of
from onnx_lint.diagnostic import Severity
from onnx_lint.settings import Settings
from onnx_lint_lsp.analysis_thread import STEP_LIMIT

SECTION = "onnxLint"


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _choice(*choices: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return str(value)

    return read


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(v, str) for v in value):
        raise ValueError("must be a list of strings")
    return tuple(value)


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return value or None


def _opset(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 7 <= value <= 30:
        raise ValueError("must be an opset version, 7 to 30")
    return value


def _seconds(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value <= 0:
        raise ValueError("must be a number of seconds")
    return float(value)


def _axes(value: Any) -> dict[str, tuple[int, ...]]:
    if not isinstance(value, dict):
        raise ValueError('must be a table such as {"x": [0, 2]}')
    out: dict[str, tuple[int, ...]] = {}
    for name, dims in value.items():
        numbers = list(dims) if isinstance(dims, (list, tuple, dict)) else [dims]
        try:
            out[str(name)] = tuple(int(d) for d in numbers)
        except (TypeError, ValueError):
            raise ValueError(f"{name}: must be a list of dimensions, such as [0, 2]") from None
    return out


def _inputs(value: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise ValueError('must be a table such as {"file.py:Class": ["x:float32[n=2,3]"]}')
    return {str(target): _texts(specs) for target, specs in value.items()}


def _setting(read: Callable[[Any], Any], default: Any = None, *, factory: Callable[[], Any] | None = None) -> Any:
    """A field with the function that reads its setting, which raises `ValueError` for what does not fit."""
    if factory is not None:
        return field(default_factory=factory, metadata={"read": read})
    return field(default=default, metadata={"read": read})


@dataclass(frozen=True)
class ExportOptions:
    """How exports are run. `python` is the interpreter that has torch; ``None``: the server's own."""

    python: str | None = _setting(_text, None)
    engine: str = _setting(_choice("torchscript", "dynamo", "both"), "both")
    timeout: float | None = _setting(_seconds, None)
    output_folder: str | None = _setting(_text, None)
    inputs: Mapping[str, tuple[str, ...]] = _setting(_inputs, factory=dict)


@dataclass(frozen=True)
class ClientOptions:
    """The section's keys. ``None`` and ``()`` leave the project's configuration as it is."""

    enable: bool = _setting(_flag, True)
    engine: str = _setting(_choice("config", "torchscript", "dynamo", "both"), "config")
    opset: int | None = _setting(_opset, None)
    select: tuple[str, ...] = _setting(_texts, ())
    extend_select: tuple[str, ...] = _setting(_texts, ())
    ignore: tuple[str, ...] = _setting(_texts, ())
    severity: str | None = _setting(_choice("info", "warning", "error"), None)
    dynamic_axes: Mapping[str, tuple[int, ...]] | None = _setting(_axes, None)
    run: str = _setting(_choice("onType", "onSave"), "onType")
    inlay_hints: bool = _setting(_flag, False)
    shape_hints: bool = _setting(_flag, False)
    analysis_timeout: float = _setting(_seconds, STEP_LIMIT)
    """Seconds that an analysis may take without progress, before the document to blame is left out."""
    code_lens: bool = _setting(_flag, True)
    export: ExportOptions = field(default_factory=ExportOptions)

    def over(self, settings: Settings) -> Settings:
        """The settings of the project with the client's on top."""
        target = settings.target
        engine_given = settings.engine_given
        if self.engine != "config":
            target, engine_given = replace(target, engines=engines_of(self.engine)), True
        if self.opset is not None:
            target = replace(target, opset=self.opset)
        other_engines = self.engine != "config" and target.engines != settings.target.engines
        return replace(
            settings,
            target=target,
            engine_given=engine_given,
            select=self.select or settings.select,
            extend_select=(*settings.extend_select, *self.extend_select),
            ignore=(*settings.ignore, *self.ignore),
            minimum=Severity(self.severity) if self.severity else settings.minimum,
            dynamic_axes=self.dynamic_axes if self.dynamic_axes is not None else settings.dynamic_axes,
            partial=settings.partial or other_engines or bool(self.select or self.ignore),
        )


def read(section: Any) -> tuple[ClientOptions, list[str]]:
    """The options in a section, and what is wrong with it, one line each. What is wrong is left out."""
    problems: list[str] = []
    if section is None:
        return ClientOptions(), problems
    if not isinstance(section, Mapping):
        return ClientOptions(), [f"{SECTION}: must be a table"]
    export_section = section.get("export")
    nested = dict(export_section) if isinstance(export_section, Mapping) else {}
    nested |= {k[len("export.") :]: v for k, v in section.items() if isinstance(k, str) and k.startswith("export.")}
    export = ExportOptions(**_values(nested, ExportOptions, f"{SECTION}.export", problems))
    values = _values(section, ClientOptions, SECTION, problems)
    return ClientOptions(**values, export=export), problems


def _values(section: Mapping[Any, Any], options: type[Any], where: str, problems: list[str]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for option in fields(options):
        read_one: Callable[[Any], Any] | None = option.metadata.get("read")
        camel = _camel(option.name)
        given = section.get(camel)
        if given is None or read_one is None:
            continue
        try:
            out[option.name] = read_one(given)
        except ValueError as error:
            problems.append(f"{where}.{camel} {error}")
    return out


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
