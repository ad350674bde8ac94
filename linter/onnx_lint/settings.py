"""What a check is asked for, as plain data: from the configuration, the command line or a client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from onnx_lint.diagnostic import Severity
from onnx_lint.policy import EntryPoint
from onnx_lint.target import Target


@dataclass(frozen=True)
class Settings:
    """Everything that changes which diagnostics a check gives.

    `select`, `ignore`, `extend_select`, `fixable` and `unfixable` hold codes (``ONX101``), prefixes (``ONX1``), names
    (``data-dependent-branch``) or ``ALL``; an empty `select` means the stable rules. `dynamic_axes` maps an input name
    of ``forward`` (or ``Class.input``) to its dynamic dimensions; ``None`` means that nothing is known, so that every
    dimension may vary. `severities` overrides the severity of a rule by code or name.
    """

    target: Target = field(default_factory=Target)
    engine_given: bool = False
    """Whether the engine was asked for; if not, the export calls in the linted code decide."""
    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Pairs of glob pattern (relative to `root`) and what is ignored there."""
    fixable: tuple[str, ...] = ()
    """The rules whose fixes may be applied; empty means all of them."""
    unfixable: tuple[str, ...] = ()
    """The rules whose fixes are shown, and not applied."""
    severities: Mapping[str, Severity] = field(default_factory=dict)
    minimum: Severity = Severity.INFO
    """Diagnostics below are not reported."""
    dynamic_axes: Mapping[str, tuple[int, ...]] | None = None
    preview: bool = False
    partial: bool = False
    """Whether less is looked at than the project's configuration asks for (other rules or engines were named for this
    run): then it is not known that a suppression is unused."""
    suppressions: bool = True
    """Whether suppression comments count."""
    entry: tuple[EntryPoint, ...] = ()
    """Classes that are entry points whatever they are called; analysed beside the models that are found."""
    root: str = ""
    """The folder of the configuration file; patterns are relative to it."""

    def without_rules(self) -> Settings:
        """The same without what names rules: for settings that name one that does not exist."""
        return replace(
            self, select=(), extend_select=(), ignore=(), per_file_ignores=(), fixable=(), unfixable=(), severities={}
        )
