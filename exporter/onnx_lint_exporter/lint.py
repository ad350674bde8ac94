"""The static side of a combined run: the linter's own check over the files asked for, or those the export touched."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from onnx_lint.arguments import CheckOptions
from onnx_lint.config import Config
from onnx_lint.coverage import Coverage
from onnx_lint.diagnostic import Diagnostic, Severity
from onnx_lint.inputs import ResolvedConfigs, gather
from onnx_lint.report import cells
from onnx_lint.source.text import SourceText
from onnx_lint_exporter.attribute import EVERYTHING, RuleSites


@dataclass
class Checked:
    """What the linter says, and about which texts."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    sources: dict[str, SourceText] = field(default_factory=dict)
    configs: dict[str, Config] = field(default_factory=dict)
    """For each file, with what the command line says on top."""
    problems: list[str] = field(default_factory=list)
    rules: RuleSites | None = None
    """All that the rules say of these files, whatever is selected or suppressed."""
    coverage: Coverage = field(default_factory=Coverage)

    @property
    def output_format(self) -> str | None:
        """The format that a configuration asks for."""
        return next((config.output_format for config in self.configs.values() if config.output_format), None)

    def fail_level(self, path: str, otherwise: Config) -> Severity:
        """The severity from which a diagnostic in a file makes the run fail."""
        return self.configs.get(path, otherwise).fail_level

    def accepted(self, found: list[Diagnostic]) -> list[Diagnostic]:
        """What the settings and the suppressions leave of what an export found. All of it in files that were not
        linted."""
        if not self.configs:
            return found
        from onnx_lint.checker import accepted

        by_path: dict[str, list[Diagnostic]] = {}
        for diagnostic in found:
            by_path.setdefault(diagnostic.span.path, []).append(diagnostic)
        out: list[Diagnostic] = []
        for path, mine in by_path.items():
            config, source = self.configs.get(path), self.sources.get(path)
            out += mine if config is None or source is None else accepted(mine, source, config.settings)
        return out


def check_paths(options: CheckOptions, configs: ResolvedConfigs, paths: list[str]) -> Checked:
    """Lint files and folders as ``onnx-lint PATHS`` does. Raises `UsageError` and `ConfigError`."""
    from onnx_lint.checker import check_with_coverage  # the analysis is loaded where there is something to lint
    from onnx_lint.project.project import Project

    inputs = gather(replace(options, paths=tuple(paths)), configs)
    project = Project(inputs.neighbour)
    for source in inputs.sources.values():
        project.add(source)
    result = check_with_coverage(project, inputs.by_settings(options), besides=(EVERYTHING, None))
    found = cells.in_cells(cells.without_fixes(result.diagnostics, inputs.sources), inputs.sources)
    return Checked(
        sorted(found, key=lambda d: d.sort_key),
        cells.cell_texts(inputs.sources),
        inputs.configs,
        inputs.problems,
        RuleSites(result.besides),
        result.coverage,
    )
