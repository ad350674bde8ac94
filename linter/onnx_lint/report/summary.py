"""The last line of a run: how much was found, and in how much code, so that nobody takes "nothing looked at" for
"nothing wrong". `headline` is that line, `details` says all of it."""

from __future__ import annotations

from onnx_lint.coverage import Coverage
from onnx_lint.diagnostic import Applicability, Severity
from onnx_lint.report.report import Report

WIDTH = 80
"""Columns that a headline has at most."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 file``, ``3 files``, ``2,100 files``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def looked_at(coverage: Coverage) -> str:
    """What was followed, in words."""
    return (
        f"{counted(coverage.files, 'file')}: {counted(coverage.models, 'model')}, "
        f"{counted(coverage.entry_points, 'entry point')}, {counted(coverage.functions, 'function')} followed"
    )


def nothing_followed(coverage: Coverage) -> str:
    """Why no code was analysed, and what to do."""
    files = counted(coverage.files, "file")
    if not coverage.files:
        return "nothing to analyse: no Python files found"
    if not coverage.models:
        return f"nothing to analyse: no model found in {files} (give --entry MODULE:CLASS)"
    models = "the model" if coverage.models == 1 else f"any of the {coverage.models:,} models"
    return f"nothing to analyse: the forward of {models} in {files} is not exported (give --entry MODULE:CLASS)"


def limits_met(coverage: Coverage) -> str:
    """How many entry points and functions were not analysed in full; empty if all were."""
    met = {(c.kind, c.span, c.name) for c in coverage.cut_offs}
    kinds = (("model", "entry point", ""), ("function", "function", ""), ("class", "class", "classes"))
    counts = [
        counted(number, noun, plural)
        for kind, noun, plural in kinds
        if (number := sum(1 for one in met if one[0] == kind))
    ]
    return f"{' and '.join(counts)} not analysed in full (ONX009)" if counts else ""


def found(report: Report) -> str:
    """How many diagnostics there are, by severity: ``2 errors, 1 warning``; empty if there are none."""
    counts = report.counts().items()
    return ", ".join(counted(n, s.value) if s is not Severity.INFO else f"{n:,} {s}" for s, n in counts if n)


def no_hazard(report: Report) -> str:
    """By how many rules nothing was found."""
    coverage = report.coverage
    rules = counted(coverage.rules, "rule")
    if coverage.rules < coverage.all_rules:
        rules = f"{coverage.rules} of {counted(coverage.all_rules, 'rule')}"
    what = {Severity.INFO: "no hazard", Severity.WARNING: "no error or warning", Severity.ERROR: "no error"}
    return f"{what[report.minimum]} found by {rules}"


def fixable(report: Report) -> str:
    """What ``--fix`` can do, as sentences; empty if nothing."""
    counts = dict.fromkeys(Applicability, 0)
    for d in report.diagnostics:
        if d.fix is not None:
            counts[d.fix.applicability] += 1
    said = []
    if counts[Applicability.SAFE]:
        said.append(f"{counts[Applicability.SAFE]} can be fixed with --fix.")
    if counts[Applicability.UNSAFE]:
        more = "more" if said else "can be fixed"
        said.append(f"{counts[Applicability.UNSAFE]} {more} with --fix --unsafe-fixes, to be looked at.")
    return " ".join(said)


def headline(report: Report) -> tuple[str, str]:
    """The summary in one line of at most `WIDTH` columns, as the part to emphasise and the rest. Where the numbers are
    long, what matters least goes first; that a limit was met is always said."""
    coverage = report.coverage
    files = counted(coverage.files, "file")
    if not coverage.files and not report.diagnostics:
        return "Nothing to analyse: no Python files found", "."
    if coverage.is_empty and not report.diagnostics and not coverage.cut_offs:
        reason = _why_nothing(coverage, f" in {files}")
        said = (f"Nothing to analyse: {reason}{hint}" for hint in _HINTS)
        return next(text for text in said if len(text) < WIDTH), "."
    scopes = [f" in {files}", ""]
    if report.diagnostics:
        head = f"Found {found(report)}"
        if coverage.is_empty:
            scopes = [f" in {files}; {_why_nothing(coverage)}{hint}" for hint in _HINTS] + ["; nothing analysed"]
    elif coverage.is_empty:
        head = "Nothing followed"
    else:  # nothing found says as much as what was followed
        functions = f"{counted(coverage.functions, 'function')} followed"
        entered = counted(coverage.entry_points, "entry point")
        head = _sentence(no_hazard(report))
        scopes = [f" in {files}: {entered}, {functions}", f" in {files}: {functions}", *scopes]
    limits = [""]
    if coverage.cut_offs:
        limits = [f"; {limits_met(coverage)}", "; not all analysed (ONX009)"]
    fixes = [*_fixable_in_short(report), ""]
    # in this order the scope is shortened first, then what is said of fixes, then of limits
    tails = (scope + limit + fix for limit in limits for fix in fixes for scope in scopes)
    fitting = next((tail for tail in tails if len(head) + len(tail) < WIDTH), limits[-1])
    return head, fitting + "."


_HINTS = (" (give --entry MODULE:CLASS)", " (see --entry)")


def _why_nothing(coverage: Coverage, where: str = "") -> str:
    """Why no code was analysed, for a headline; `where` is said behind it."""
    return f"no model {'is exported' if coverage.models else 'found'}{where}"


def _fixable_in_short(report: Report) -> list[str]:
    """What ``--fix`` can do, for a headline: all of it, and what is safe."""
    kinds = [d.fix.applicability for d in report.diagnostics if d.fix is not None]
    safe, unsafe = kinds.count(Applicability.SAFE), kinds.count(Applicability.UNSAFE)
    said = [f"; {safe:,} fixable with --fix"] if safe else []
    if unsafe:
        more = f"{said[0]}, {unsafe:,} more" if safe else f"; {unsafe:,} fixable with --fix"
        said.insert(0, f"{more}{' with' if safe else ''} --unsafe-fixes")
    return said


def lines(report: Report) -> list[tuple[str, str]]:
    """What stands below the diagnostics: the headline, or with ``--verbose`` all of it, as pairs of the part to
    emphasise and the rest of the line."""
    return details(report) if report.verbose else [headline(report)]


def details(report: Report) -> list[tuple[str, str]]:
    """The whole summary, in the same pairs."""
    coverage = report.coverage
    out: list[tuple[str, str]] = []
    if report.diagnostics:
        out.append((f"Found {found(report)}", f" in {looked_at(coverage)}. {fixable(report)}".rstrip()))
        if coverage.is_empty:
            out.append((_sentence(nothing_followed(coverage)), "."))
    elif coverage.is_empty:
        out.append((_sentence(nothing_followed(coverage)), "."))
    else:
        out.append((_sentence(no_hazard(report)), f" in {looked_at(coverage)}."))
    if coverage.cut_offs:
        out.append((_sentence(limits_met(coverage)), "."))
    return out


def as_data(coverage: Coverage) -> dict[str, object]:
    """The coverage as plain data, for documents."""
    return {
        "files": coverage.files,
        "models": coverage.models,
        "entry_points": coverage.entry_points,
        "functions": coverage.functions,
        "rules": coverage.rules,
        "not_analysed": [
            {
                "path": c.span.path,
                "line": c.span.line,
                c.kind: c.name,
                "reason": c.reason,
            }
            for c in coverage.cut_offs
        ],
    }


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
