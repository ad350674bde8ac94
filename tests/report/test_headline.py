"""The last line of a run: at most 80 columns, whatever the numbers; what is left out stands in the details."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from onnx_lint.coverage import Coverage, CutOff
from onnx_lint.diagnostic import Applicability, Fix, Severity, Span
from onnx_lint.report import summary
from onnx_lint.report.report import Report

from .conftest import report_of

ONE = report_of("y = x\n", "x").diagnostics[0]


class Many(Report):
    """A report of as many diagnostics as its test says, without making them all."""

    made: dict[Severity, int]

    def counts(self) -> dict[Severity, int]:
        return self.made


def said(report: Report) -> str:
    return "".join(summary.headline(report))


def cut_off(kind: str, number: int) -> tuple[CutOff, ...]:
    return tuple(CutOff(Span("a.py", n + 1, 1, n + 1, 2), f"f{n}", "too deep", kind) for n in range(number))


NUMBERS = st.integers(0, 999_999)


@given(
    st.tuples(NUMBERS, NUMBERS, NUMBERS),
    st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)),
    st.lists(st.sampled_from([Applicability.SAFE, Applicability.UNSAFE]), max_size=4),
    st.sampled_from(list(Severity)),
)
def test_it_is_one_line_of_eighty_columns(
    found: tuple[int, int, int],
    seen: tuple[int, int, int, int],
    limits: tuple[int, int, int],
    fixes: list[Applicability],
    minimum: Severity,
) -> None:
    cuts = sum(map(cut_off, ("model", "function", "class"), limits), ())
    diagnostics = [replace(ONE, fix=Fix("t", kind, ())) for kind in fixes] if any(found) else []
    if any(found) and not diagnostics:
        diagnostics = [replace(ONE, fix=None)]
    report = Many(diagnostics, coverage=Coverage(*seen, 57, 60, cuts), minimum=minimum)
    report.made = dict(zip(Severity, found, strict=True))
    line = said(report)
    assert len(line) <= summary.WIDTH and "\n" not in line and line.endswith(".")
    if report.coverage.files or diagnostics:
        assert ("ONX009" in line) == bool(cuts)
    if report.coverage.is_empty:
        assert "No hazard" not in line and "No error" not in line


def test_what_is_said_in_everyday_runs() -> None:
    report = report_of("y = x\n", "x")
    assert said(report) == "Found 1 error in 1 file; 1 fixable with --fix."
    unsafe = replace(ONE, fix=Fix("t", Applicability.UNSAFE, ()))
    report.diagnostics += [unsafe, unsafe]
    assert said(report) == "Found 3 errors in 1 file; 1 fixable with --fix, 2 more with --unsafe-fixes."
    report.diagnostics = [unsafe]
    report.coverage = replace(report.coverage, cut_offs=cut_off("function", 2))
    assert said(report) == "Found 1 error in 1 file; 2 functions not analysed in full (ONX009)."


def test_all_that_is_left_out_is_in_the_details() -> None:
    report = report_of("y = x\n", "x")
    assert [summary.headline(report)] == summary.lines(report)
    report.verbose = True
    (line,) = map("".join, summary.lines(report))
    assert line == ("Found 1 error in 1 file: 1 model, 1 entry point, 1 function followed. 1 can be fixed with --fix.")
