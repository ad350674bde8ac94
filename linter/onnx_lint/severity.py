"""How severe a finding is: what the engines make of it, and whether the value that decides can change."""

from __future__ import annotations

from collections.abc import Mapping

from onnx_lint.diagnostic import Severity
from onnx_lint.rule import Finding
from onnx_lint.semantics.domain.sites import Output, Site, StateWrite
from onnx_lint.semantics.export_calls import ExportFacts
from onnx_lint.semantics.export_script import ExporterCall, ExporterName
from onnx_lint.settings import Settings
from onnx_lint.target import Engine, Verdict

_HARMFUL = (Verdict.FAILS, Verdict.SILENTLY_WRONG)


def severity_of(finding: Finding, engines: tuple[Engine, ...], settings: Settings, facts: ExportFacts) -> Severity:
    """How severe a finding is for these engines. An error where the value of a tensor decides, a warning where only a
    size does: the export is right as long as that size stays. Information where the statement only checks,
    or the dimension is fixed."""
    site = finding.site
    verdicts = {finding.verdict(engine) for engine in engines}
    if not verdicts & set(_HARMFUL):
        return Severity.INFO
    if isinstance(site, (Output, ExporterCall, ExporterName, StateWrite)):
        return Severity.ERROR if Verdict.FAILS in verdicts else Severity.WARNING
    if site.depends_on_data if finding.by_size is None else not finding.by_size:
        if site.only_checks and Verdict.FAILS not in verdicts:
            return Severity.INFO
        return Severity.ERROR
    if site.only_checks or site.is_fixed or finding.presumed_fixed or not _may_vary(site, settings, facts):
        return Severity.INFO
    return Severity.WARNING


def _may_vary(site: Site, settings: Settings, facts: ExportFacts) -> bool:
    """Whether the dimension that a size comes from is dynamic, according to the configuration and the export calls."""
    dimension = site.fixed_dimension
    axes = _configured_axes(settings, site.model)
    if axes is None:
        axes = facts.dynamic_axes_for(site)
    if axes is None:
        return True
    if not any(axes.values()):
        return False
    if dimension is None:
        return True
    name, axis = dimension
    given = axes.get(name)
    if given is None:
        return any(not known for known in axes)  # named inputs only: others are fixed
    # counted from the other end: the rank is not known, so it may be the same dimension
    return axis in given or any((a < 0) != (axis < 0) for a in given)


def _configured_axes(settings: Settings, model: str) -> Mapping[str, tuple[int, ...]] | None:
    """The configured axes by input for a model; ``None`` if the configuration says nothing that holds for it."""
    configured = settings.dynamic_axes
    if not configured:
        return configured
    split = {key: key.rpartition(".") for key in configured}
    common = {name: configured[key] for key, (owner, _, name) in split.items() if not owner}
    own = {name: configured[key] for key, (owner, _, name) in split.items() if owner == model}
    return {**common, **own} or None
