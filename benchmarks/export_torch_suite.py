"""Run PyTorch's own export suite twice: with plain ``torch.onnx.export``, and with our drop-in. No test may be lost.

    python benchmarks/export_torch_suite.py PYTORCH_SOURCE [--opset 17] [--slices 8] [--match TEXT] [--json FILE]

PYTORCH_SOURCE is an unpacked source of PyTorch 2.6 (the source package ``pytorch`` of Debian trixie has it:
``apt-get source pytorch``), of which ``test/onnx`` and ``torch/onnx/verification.py`` are used. The modules that later
versions of torch dropped or moved are put back by a few aliases. Needs ``parameterized`` and ``expecttest``.

Both runs use the same class of the suite (one opset, ``is_script=False``, ``keep_initializers_as_inputs=False``), in
slices that run in processes of their own, so that a crash costs its slice's rest only (which is then run singly).
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import os
import subprocess
import sys
import time
import types
import unittest
import warnings
from pathlib import Path
from typing import Any

STATES = ("passed", "failed", "error", "skipped", "crashed")


def aliases(source: Path, exporter: Any) -> None:
    """Put back what the suite imports from torch and later versions moved."""
    import torch
    import torch.onnx.verification
    from torch.onnx._internal import torchscript_exporter as moved
    from torch.onnx._internal.torchscript_exporter import _experimental, _globals, onnx_proto_utils, utils

    for name, module in {
        "torch.onnx._experimental": _experimental,
        "torch.onnx._globals": _globals,
        "torch.onnx.utils": utils,
        "torch.onnx._internal.onnx_proto_utils": onnx_proto_utils,
    }.items():
        sys.modules[name] = module
    torch.onnx._experimental, torch.onnx._globals = _experimental, _globals
    torch.onnx._internal.onnx_proto_utils = onnx_proto_utils
    diagnostics = types.ModuleType("torch.onnx._internal.diagnostics")
    diagnostics.engine = types.SimpleNamespace(clear=lambda: None)
    sys.modules["torch.onnx._internal.diagnostics"] = torch.onnx._internal.diagnostics = diagnostics
    for name in ("symbolic_helper", "symbolic_opset9", "symbolic_opset10", "symbolic_opset11"):
        if hasattr(moved, name):
            sys.modules.setdefault(f"torch.onnx.{name}", getattr(moved, name))
    path = source / "torch" / "onnx" / "verification.py"
    spec = importlib.util.spec_from_file_location("torch.onnx.verification", path)
    assert spec and spec.loader
    old = importlib.util.module_from_spec(spec)
    sys.modules["torch.onnx.verification"] = torch.onnx.verification = old
    spec.loader.exec_module(old)
    old.utils = types.SimpleNamespace(**{**vars(utils), "_export": exporter})


def exporter_of(mode: str) -> tuple[Any, Any]:
    """``utils._export`` and ``torch.onnx.export`` as this run has them."""
    import torch

    plain = torch.onnx.export
    if mode == "dropin":
        from onnx_lint_exporter import export as chosen
    else:
        chosen = plain

    def export(model: Any, args: Any, f: Any = None, **options: Any) -> Any:
        options.setdefault("dynamo", False)
        return chosen(model, args, f, **options)

    def old_export(model: Any, args: Any, f: Any, **options: Any) -> Any:
        options.pop("fixed_batch_size", None)
        return export(model, args, f, **options)

    return old_export, export


def run_slice(options: argparse.Namespace) -> None:
    """In a process of its own: run some tests, one line of result each."""
    warnings.simplefilter("ignore")
    out = os.fdopen(os.dup(1), "w", buffering=1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    import torch

    torch.set_num_threads(1)
    old_export, export = exporter_of(options.mode)
    source = Path(options.source)
    sys.path.insert(0, str(source / "test" / "onnx"))
    real = torch.onnx.export
    aliases(source, old_export)
    torch.onnx.export = export
    if options.mode == "dropin":  # the drop-in itself must reach torch's own function
        from onnx_lint_exporter import api

        plain = types.SimpleNamespace(**{**vars(torch.onnx), "export": real})
        api.torch = types.SimpleNamespace(**{**vars(torch), "onnx": plain})
    sys.path.insert(0, str(Path(__file__).parent))
    import export_torchvision

    export_torchvision.load()
    import test_pytorch_onnx_onnxruntime as suite

    for kind in [k for name, k in vars(suite).items() if name.startswith("TestONNXRuntime_")]:
        same = (kind.opset_version, kind.is_script, kind.keep_initializers_as_inputs) == (options.opset, False, False)
        if same:
            break
    names = unittest.TestLoader().getTestCaseNames(kind)
    chosen = [name for name in names if options.match in name]
    if options.only:
        chosen = options.only.split(",")
    else:
        chosen = chosen[options.slice :: options.slices]
    out.write(json.dumps({"names": chosen}) + "\n")
    for name in chosen:
        result = unittest.TestResult()
        start = time.monotonic()
        kind(name).run(result)
        told = [text for _, text in [*result.failures, *result.errors]]
        line = {"name": name, "state": state_of(result), "text": told[0][-600:] if told else ""}
        out.write(json.dumps({**line, "seconds": round(time.monotonic() - start, 2)}) + "\n")


def state_of(result: unittest.TestResult) -> str:
    if result.skipped or result.expectedFailures:
        return "skipped"
    return "failed" if result.failures else "error" if result.errors else "passed"


def collect(options: argparse.Namespace, mode: str) -> dict[str, dict[str, Any]]:
    """All results of one mode; the rest of a slice that crashed is run on."""
    base = [sys.executable, __file__, options.source, "--opset", str(options.opset)]
    base += ["--mode", mode, "--match", options.match]
    done: dict[str, dict[str, Any]] = {}
    for number in range(options.slices):
        command = [*base, "--slices", str(options.slices), "--slice", str(number)]
        waiting: list[str] | None = None
        while waiting is None or waiting:
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            lines = [json.loads(line) for line in ran.stdout.split("\n") if line.startswith("{")]
            if not lines:
                raise SystemExit(f"slice {number} did not start: {ran.stderr[-2000:]}")
            names = lines[0]["names"]
            done.update({line["name"]: line for line in lines[1:]})
            left = [name for name in names if name not in done]
            if left:
                done[left[0]] = {"name": left[0], "state": "crashed", "text": f"exit status {ran.returncode}"}
                left = left[1:]
            waiting = left
            command = [*base, "--only", ",".join(left)]
        print(f"{mode}: slice {number + 1} of {options.slices}, {len(done)} tests", file=sys.stderr)
    return done


def main() -> int:
    """Compare both runs; exit status 1 when a test was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("--opset", type=int, default=17)
    parser.add_argument("--slices", type=int, default=8)
    parser.add_argument("--match", default="")
    parser.add_argument("--json")
    parser.add_argument("--mode", choices=("plain", "dropin"), help=argparse.SUPPRESS)
    parser.add_argument("--slice", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.mode:
        run_slice(options)
        return 0
    plain, ours = collect(options, "plain"), collect(options, "dropin")
    text = io.StringIO()
    for mode, results in (("plain", plain), ("drop-in", ours)):
        counts = {state: sum(r["state"] == state for r in results.values()) for state in STATES}
        told = ", ".join(f"{n} {state}" for state, n in counts.items() if n)
        text.write(f"{mode:8} {len(results)} tests: {told}\n")
    lost = [name for name, result in plain.items() if result["state"] == "passed" and ours[name]["state"] != "passed"]
    won = [name for name, result in plain.items() if result["state"] != "passed" and ours[name]["state"] == "passed"]
    text.write(f"lost {len(lost)}, won {len(won)}\n")
    for name in lost:
        text.write(f"  lost {name}: {ours[name]['state']}: {ours[name]['text'][-300:]}\n")
    print(text.getvalue(), end="")
    if options.json:
        Path(options.json).write_text(json.dumps({"plain": plain, "dropin": ours}, indent=1))
    return int(bool(lost))


if __name__ == "__main__":
    sys.exit(main())
