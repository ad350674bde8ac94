"""Figures of a result, in words and as data: its speed, its conversion, and how far its values are from the model's."""

from __future__ import annotations

import os
from collections.abc import Iterator

from onnx_lint_exporter.worker.protocol import Conversion, Result, ValueDifference

BUCKETS = ("0", "<1e-8", "<1e-7", "<1e-6", "<1e-5", "<1e-4", "<1e-3", "<0.01", "<0.1", "<1", "≥1")
"""What the counts of a histogram stand for."""


def difference_as_json(each: ValueDifference) -> dict[str, object]:
    """The entry of the JSON output; the path is relative where it lies below the current folder."""
    frame = each.stack[0] if each.stack else None
    return {
        "name": each.name,
        "path": _path(frame.file) if frame is not None else None,
        "line": frame.line if frame is not None else None,
        "shape": list(each.shape),
        "largest": each.largest,
        "relative": each.relative,
        "histogram": dict(zip(BUCKETS, each.histogram, strict=True)),
    }


def _path(file: str) -> str:
    near = os.path.relpath(file) if os.path.isabs(file) and os.path.exists(file) else file
    return file if near.startswith(os.pardir) else near.replace(os.sep, "/")


def conversion_as_json(made: Conversion | None) -> dict[str, object] | None:
    """The entry of the JSON output."""
    if made is None:
        return None
    return {
        "form": made.form,
        "size": made.size,
        "before": made.before,
        "runs": [{"state": run.state.value, "text": run.text} for run in made.runs],
        "drift": [difference_as_json(each) for each in made.drift],
    }


def size(count: int | None) -> str:
    """Bytes for people, in powers of 1000."""
    if count is None:
        return "-"
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.2f} GB"


def figure_words(result: Result) -> Iterator[str]:
    """The speed, what a conversion made, and the value that differs most."""
    if result.speed is not None:
        speed = result.speed
        yield (
            f"{speed.exported:.3g} ms a run, the model itself {speed.eager:.3g} ms (threads: {speed.threads}); "
            f"{size(result.size)}, the model's weights {size(speed.weights)}"
        )
    made = result.conversion
    if made is not None:
        words = "; ".join(f"input {number}: {run.text}" for number, run in enumerate(made.runs, 1))
        yield f"{made.form}: {size(made.size)} instead of {size(made.before)}; {words}"
    if result.differences:
        worst = max(result.differences, key=lambda each: each.relative)
        place = f" (line {worst.stack[0].line})" if worst.stack else ""
        yield (
            f"{len(result.differences)} values compared; `{worst.name}`{place} differs most: by {worst.largest:.3g}, "
            f"{100 * worst.relative:.2g} % of its largest"
        )
