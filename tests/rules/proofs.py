"""Runs `proof_worker` over many cases at once: importing torch and the first dynamo export cost seconds."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from systems import untraced

from onnx_lint.target import BOTH, Engine, Verdict

WORKER = Path(__file__).with_name("proof_worker.py")


@dataclass(frozen=True)
class Case:
    """A model and two inputs: the example of the export, and another of other values and sizes."""

    id: str
    source: str
    first: str = "(torch.randn(3, 4) + 2,)"
    second: str = "(torch.randn(5, 4) - 2,)"
    dynamic: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: {"x": (0,)})
    engines: tuple[Engine, ...] = BOTH
    before: str = ""
    """Another source that must give the same eager results, bit by bit."""
    is_script: bool = False
    """The source calls the exporter itself; only `second` counts then."""
    is_sequence: bool = False
    """One model is given both inputs, one after the other: what it keeps of the first shows."""
    raises: bool = False
    """Eager mode refuses both inputs."""
    messages: tuple[str, ...] = ()
    """Texts of warnings that count besides those of the tracer."""
    opset: int | None = None
    """The opset of the export; ``None``: that of the engine."""


@dataclass(frozen=True)
class Measured:
    verdict: Verdict
    detail: str


def measure(cases: Iterable[Case]) -> dict[str, dict[Engine, Measured]]:
    """What each engine makes of each case. Raises `AssertionError` for a case that eager mode cannot run."""
    jobs = [
        {
            "id": case.id,
            "source": case.source,
            "first": case.first,
            "second": case.second,
            "dynamic": {name: list(axes) for name, axes in case.dynamic.items()},
            "engine": engine.value,
            "before": case.before,
            "is_script": case.is_script,
            "is_sequence": case.is_sequence,
            "raises": case.raises,
            "messages": list(case.messages),
            "opset": case.opset,
        }
        for case in cases
        for engine in case.engines
    ]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "results.jsonl"
        command = [sys.executable, str(WORKER), str(out)]
        done = subprocess.run(
            command, input=json.dumps(jobs), text=True, capture_output=True, check=False, env=untraced()
        )
        assert done.returncode == 0, done.stderr[-2000:]
        results = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(results) == len(jobs)
    measured: dict[str, dict[Engine, Measured]] = {}
    for result in results:
        assert result["verdict"] != "broken case", f"{result['id']}: {result['detail']}"
        verdict = Measured(Verdict(result["verdict"]), result["detail"])
        measured.setdefault(result["id"], {})[Engine(result["engine"])] = verdict
    return measured
