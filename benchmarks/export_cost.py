"""What the exporter costs: the drop-in against plain ``torch.onnx.export``, and the proof stage by stage.

    python benchmarks/export_cost.py [--rounds 5] [--only resnet50,bert] [--engines torchscript] [--stages]
    python benchmarks/export_cost.py --command [--count 20]

Both are exported in one process, in turns, and compared by the processor time (user + system) of each; the ratio is
of the least times. Models of ResNet-50's and BERT-base's size with random weights, built here. ``--stages`` then runs
the whole command's machinery on the same models and prints where its time goes.

``--command`` compares whole processes: the command, without a search and with the default one, against a script that
imports torch, builds the same model and exports it with the same axes. The models are the first of ``real_models.py``,
the engines in turns; it needs torchvision and timm.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import nn

LIMIT = 1.15
"""The drop-in may cost this much of the plain export."""


class Bottleneck(nn.Module):
    """ResNet's block: 1×1, 3×3, 1×1."""

    def __init__(self, inside: int, width: int, stride: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(inside, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width * 4, 1, bias=False),
            nn.BatchNorm2d(width * 4),
        )
        same = stride == 1 and inside == width * 4
        self.short = nn.Identity() if same else nn.Conv2d(inside, width * 4, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.layers(x) + self.short(x))


def resnet50() -> nn.Module:
    """About 25 million parameters."""
    blocks: list[nn.Module] = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    blocks.append(nn.MaxPool2d(3, 2, 1))
    inside = 64
    for number, (width, count) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for index in range(count):
            blocks.append(Bottleneck(inside, width, 2 if index == 0 and number else 1))
            inside = width * 4
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inside, 1000)).eval()


class Layer(nn.Module):
    """BERT's layer: attention and two linear layers, each with a residual and a norm."""

    def __init__(self, width: int = 768, heads: int = 12) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        b, s, width = x.shape
        q, k, v = self.qkv(x).reshape(b, s, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        weights = torch.softmax(q @ k.transpose(-1, -2) * (width // self.heads) ** -0.5, dim=-1)
        x = self.norm1(x + self.out((weights @ v).transpose(1, 2).reshape(b, s, width)))
        return self.norm2(x + self.down(nn.functional.gelu(self.up(x))))


class Bert(nn.Module):
    """About 109 million parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(30522, 768), nn.Embedding(512, 768)
        self.layers = nn.ModuleList(Layer() for _ in range(12))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.words(ids) + self.places(torch.arange(ids.shape[1], device=ids.device))
        for layer in self.layers:
            x = layer(x)
        return x


def bert() -> nn.Module:
    return Bert().eval()


MODELS: dict[str, tuple[Callable[[], nn.Module], str, str]] = {
    "resnet50": (resnet50, "input", "input:float32[n=2,3,64,64]"),
    "bert": (bert, "ids", "ids:int64[n=2,s=16]=30522"),
}


def example(name: str) -> tuple[torch.Tensor, dict[int, str]]:
    if name == "bert":
        return torch.randint(0, 30522, (2, 16)), {0: "n", 1: "s"}
    return torch.randn(2, 3, 64, 64), {0: "n"}


def seconds(export: Callable[..., Any], model: nn.Module, name: str, dynamo: bool) -> float:
    """Processor time, user and system, of one export to a file object."""
    given, axes = example(name)
    options: dict[str, Any] = {"dynamo": dynamo, "verbose": False}
    if dynamo:
        options["dynamic_shapes"] = ({dim: torch.export.Dim(axis) for dim, axis in axes.items()},)
    else:
        options.update(input_names=["x"], dynamic_axes={"x": axes})
    before = os.times()
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        export(model, (given,), None if dynamo else io.BytesIO(), **options)
    after = os.times()
    return after.user + after.system - before.user - before.system


def compare(name: str, rounds: int, dynamo: bool) -> float:
    """Print the times of both, in turns after one export to warm up; the ratio of the least."""
    from onnx_lint_exporter import export

    model = MODELS[name][0]()
    seconds(torch.onnx.export, model, name, dynamo)
    plain, ours = [], []
    for number in range(rounds):
        pair = [(plain, torch.onnx.export), (ours, export)]
        for times, function in pair if number % 2 == 0 else pair[::-1]:
            times.append(seconds(function, model, name, dynamo))
    ratio = min(ours) / min(plain)
    engine = "dynamo" if dynamo else "torchscript"
    print(f"{name:9} {engine:12} plain {min(plain):6.2f} s  drop-in {min(ours):6.2f} s  ratio {ratio:.3f}", flush=True)
    return ratio


def stages(name: str) -> None:
    """Where the time of a whole run goes, for both engines: elapsed seconds by stage."""
    from onnx_lint_exporter import options
    from onnx_lint_exporter.runs import Run

    for engine in ("torchscript", "dynamo"):
        arguments = ["--export", f"{os.path.abspath(__file__)}:{name}", "--engine", engine, "--input", MODELS[name][2]]
        run = Run(options.request(options.parse([*arguments, "--timeout", "900"])))
        start = time.monotonic()
        try:
            outcome = run.run()[0]
        finally:
            run.close()
        whole = time.monotonic() - start
        told = outcome.result.seconds or {}
        rest = whole - sum(told.values())
        parts = ", ".join(f"{stage} {value:.1f}" for stage, value in told.items())
        verdict = "right on both inputs" if outcome.verified else f"ok={outcome.ok}"
        print(
            f"{name:9} {engine:12} {whole:6.1f} s: start and torch import {rest:.1f}, {parts} ({verdict})", flush=True
        )


_PLAIN = """
import sys, warnings
sys.path[:0] = {path!r}
warnings.simplefilter("ignore")
import torch
torch.set_num_threads(1)
from onnx_lint_exporter.worker.inputs import from_specs, name_leaves, graph_names, parameters
from onnx_lint_exporter.worker.engines.dynamo_capture import dynamic_shapes
from onnx_lint_exporter.worker.spec import parse
import real_models
entry = real_models.MODELS[{name!r}]
torch.manual_seed(0)
model = entry.build().eval()
given = from_specs(model, parse(list(entry.inputs)))
first, names = given.first, graph_names(name_leaves(model, given.first))
if {dynamo}:
    extra = {{"dynamic_shapes": dynamic_shapes(first, given.axes, parameters(model)), "external_data": False}}
else:
    extra = {{"input_names": names, "dynamic_axes": given.axes}}
torch.onnx.export(model, first.args, {out!r}, kwargs=first.kwargs, dynamo={dynamo}, verbose=False, **extra)
"""


def _process(command: list[str]) -> tuple[float, int]:
    """Processor time of a process with all that it starts, and its status."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    status = subprocess.run(command, capture_output=True, check=False).returncode
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, status


def command_cost(count: int, folder: str) -> None:
    """Print the ratio of each model, then the medians and the worst."""
    here = Path(__file__).resolve().parent
    sys.path.insert(0, str(here))
    import real_models

    ratios: tuple[list[float], list[float]] = ([], [])
    for number, (name, model) in enumerate(list(real_models.MODELS.items())[:count]):
        engine = ("torchscript", "dynamo")[number % 2]
        out = os.path.join(folder, "model.onnx")
        code = _PLAIN.format(path=[str(here), *sys.path], name=name, dynamo=engine == "dynamo", out=out)
        plain, status = _process([sys.executable, "-c", code])
        if status:
            print(f"{name:24} {engine:12} torch fails", flush=True)
            continue
        found = []
        for kept, effort in zip(ratios, ("0", "25"), strict=True):
            arguments = ["--export", f"{here / 'real_models.py'}:{name}", "--engine", engine, "--effort", effort]
            arguments += [part for text in model.inputs for part in ("--input", text)]
            ours, _ = _process(
                [sys.executable, "-m", "onnx_lint", "--isolated", *arguments, "--quiet", "--output", out]
            )
            found.append(ours)
            kept.append(ours / plain)
        told = "  ".join(f"{each:6.2f} s {each / plain:5.2f}" for each in found)
        print(f"{name:24} {engine:12} plain {plain:6.2f} s  command without, with search {told}", flush=True)
    for title, kept in zip(("without a search", "with the default search"), ratios, strict=True):
        print(f"{title}: median {median(kept):.2f}, worst {max(kept):.2f} of {len(kept)}")


def main() -> int:
    """Exit status 1 when a ratio is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(MODELS))
    parser.add_argument("--engines", default="torchscript,dynamo")
    parser.add_argument("--stages", action="store_true")
    parser.add_argument("--command", action="store_true")
    parser.add_argument("--count", type=int, default=20, help="models of --command")
    given = parser.parse_args()
    if given.command:
        with tempfile.TemporaryDirectory() as folder:
            command_cost(given.count, folder)
        return 0
    torch.set_num_threads(1)
    names, engines = given.only.split(","), [name == "dynamo" for name in given.engines.split(",")]
    ratios = [compare(name, given.rounds, dynamo) for name in names for dynamo in engines]
    if given.stages:
        for name in names:
            stages(name)
    return int(max(ratios) > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
