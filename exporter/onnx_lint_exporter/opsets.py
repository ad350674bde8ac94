"""``--opset 17..23``: export at each opset of a range, and tell which are right.

Each opset is an export without a search. What is reported afterwards is one more, whole export, at the opset that most
engines are right at; of several, the highest.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from onnx_lint.target import Engine
from onnx_lint_exporter.messages import message_of
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.runs import OnStage, Request, Run
from onnx_lint_exporter.worker.protocol import Stage, State

HEADINGS = ("opset", "engine", "convert", "check", "run", "right", "why")
MOST = 20
"""Opsets of one range."""
_RANGE = re.compile(r"(\d+)\.\.(\d+)")
_WHY = 90
"""Characters of a reason in the table."""


def asked(text: str) -> tuple[int, ...]:
    """The opsets of ``17`` or ``17..23``. Raises ``ArgumentTypeError``."""
    found = _RANGE.fullmatch(text.strip())
    if found is None:
        try:
            return (int(text),)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r}: write a number, or a range as 17..23") from None
    first, last = int(found[1]), int(found[2])
    if not first <= last < first + MOST:
        raise argparse.ArgumentTypeError(f"{text!r}: write the lower opset first, and {MOST} opsets at most")
    return tuple(range(first, last + 1))


@dataclass(frozen=True)
class OpsetRow:
    """What an engine makes of one opset. ``None``: it did not come to that."""

    opset: int
    engine: Engine
    converts: bool
    file_opset: int | None = None
    """The opset of the file, which dynamo chooses itself where it cannot do what is asked for."""
    checks: bool | None = None
    runs: bool | None = None
    right: bool | None = None
    why: str = ""

    @property
    def is_right(self) -> bool:
        """Right on both inputs, in a file of the opset that was asked for."""
        return bool(self.right) and self.file_opset == self.opset


def row_of(opset: int, outcome: Outcome) -> OpsetRow:
    """The row of one export."""
    result = outcome.result
    states = [run.state for run in outcome.runs]
    failures = [item for item in outcome.observations if item.failure]
    why = message_of(failures[0]) if failures else next(iter(outcome.shortfalls), "")
    if not outcome.exported:
        return OpsetRow(opset, outcome.engine, False, why=why)
    ran = None if State.NOT_RUN in states and State.FAILED not in states else State.FAILED not in states
    return OpsetRow(
        opset,
        outcome.engine,
        True,
        result.opset,
        result.checked if result.stage is not Stage.CAPTURE else None,
        ran if result.checked else None,
        outcome.verified if ran is not None and result.checked else None,
        why,
    )


def sweep(request: Request, opsets: Sequence[int], on_stage: OnStage | None) -> list[OpsetRow]:
    """Export at each opset. Raises what a run raises."""
    rows: list[OpsetRow] = []
    for opset in opsets:
        job = replace(request.job, opset_version=opset, effort=0, want_map=False, want_text=False, want_witness=False)
        run = Run(replace(request, job=job, outputs={}), on_stage)
        try:
            rows += [row_of(opset, outcome) for outcome in run.run()]
        finally:
            run.close()
    return rows


def best(rows: Sequence[OpsetRow]) -> int:
    """The opset at which most engines are right; of several, the highest."""
    right = {row.opset: 0 for row in rows}
    for row in rows:
        right[row.opset] += row.is_right
    return max(right, key=lambda opset: (right[opset], opset))


def cells(row: OpsetRow) -> tuple[str, ...]:
    """A row in words."""
    convert = "no" if not row.converts else "yes" if row.file_opset == row.opset else f"as opset {row.file_opset}"
    why = row.why if len(row.why) <= _WHY else row.why[: _WHY - 1] + "…"
    return (str(row.opset), row.engine.value, convert, *map(_word, (row.checks, row.runs, row.right)), why)


def _word(value: bool | None) -> str:
    return "-" if value is None else "yes" if value else "no"


def lines(rows: Sequence[OpsetRow]) -> list[str]:
    """The table as aligned text; empty without rows."""
    if not rows:
        return []
    table = [HEADINGS, *map(cells, rows)]
    widths = [max(len(row[k]) for row in table) for k in range(len(HEADINGS))]
    aligned = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return [*aligned, *verdicts(rows), ""]


def verdicts(rows: Sequence[OpsetRow]) -> list[str]:
    """Which opsets are right, for each engine."""
    out = []
    for engine in dict.fromkeys(row.engine for row in rows):
        right = [str(row.opset) for row in rows if row.engine is engine and row.is_right]
        out.append(
            f"{engine}: right at opset {', '.join(right)}" if right else f"{engine}: right at none of these opsets"
        )
    return out


def as_json(rows: Sequence[OpsetRow], engine: Engine) -> list[dict[str, object]]:
    """The entry ``opsets`` of an engine's export in the JSON output."""
    return [
        {
            "opset": row.opset,
            "file_opset": row.file_opset,
            "convert": row.converts,
            "check": row.checks,
            "run": row.runs,
            "right": row.right,
            "why": row.why or None,
        }
        for row in rows
        if row.engine is engine
    ]
