"""``--observe``: inputs and axes come from how a script calls its models."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import commands

pytestmark = pytest.mark.torch
SCRIPT = """\
import sys

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 4)

    def forward(self, x, scale=None, shift=0.0):
        y = self.linear(x)
        if scale is not None:
            y = y * scale
        return y + shift


class Frozen(nn.Module):
    def forward(self, x):
        return x[: x.shape[0] // 2] if int(x.shape[0]) > 4 else x + 1


net, frozen, loss = Net(), Frozen(), nn.MSELoss()
net(torch.randn(1, 3, 8))
for batch, length in ((4, 5), (2, 7), (1, 5)):
    given = torch.randn(batch, length, 8)
    loss(net(given, given[:, :, :1], shift=0.5), torch.zeros(batch, length, 4))
frozen(torch.randn(3, 2))
print("the script came to its end:", *sys.argv[1:])
if "fail" in sys.argv:
    raise ValueError("too late")
"""


def test_models_and_inputs_of_a_script(tmp_path: Path, warm_python: str) -> None:
    (tmp_path / "use.py").write_text(SCRIPT)
    ran = commands.observe(
        tmp_path, warm_python, ["--engine", "torchscript", "--output-format", "json", "--log"], ["use.py", "a", "fail"]
    )
    net, frozen = ran.document["exports"]
    assert (net["engine"], net["target"], net["ok"]) == ("torchscript", "use.py:25", True)
    assert (net["input1"]["state"], net["input2"]["state"]) == ("right", "right"), ran.out
    assert net["inputs_from"] == (
        "3 calls of `Net`, first on line 25: x: float32[N, S, 8]; scale: float32[N, S, 1]; shift: float 0.5"
    )
    assert [(a["kind"], a["second"]) for a in net["arguments"][:2]] == [
        ("float32[4,5,8]", "float32[2,7,8]"),
        ("float32[4,5,1]", "float32[2,7,1]"),
    ]
    assert frozen["target"] == "use.py:29" and not frozen["ok"], frozen
    assert frozen["inputs_from"] == (
        "one call of `Frozen`, first on line 29: x: float32[N, S]; "
        "no size differs between the calls, those that the model lets change vary"
    )
    assert [d["line"] for d in ran.document["diagnostics"] if d["severity"] == "error"] == [21]
    assert "the script came to its end: a fail" in ran.err


def test_a_script_that_calls_no_model(tmp_path: Path, warm_python: str) -> None:
    (tmp_path / "nothing.py").write_text("import torch\n\ntorch.nn.ReLU().forward(torch.ones(2))\n")
    ran = commands.observe(tmp_path, warm_python, [], ["nothing.py"])
    assert ran.status == 2 and "called no torch.nn.Module" in ran.err
    ran = commands.observe(tmp_path, warm_python, ["--input", "x:float32[2]"], ["nothing.py"])
    assert ran.status == 2 and "--input: with --observe, how the script calls its models counts" in ran.err


def test_a_script_that_fails_before_its_first_call(tmp_path: Path, warm_python: str) -> None:
    (tmp_path / "failing.py").write_text("import torch\n\nraise ValueError('not today')\n")
    ran = commands.observe(tmp_path, warm_python, ["--output-format", "json"], ["failing.py"])
    assert [(d["code"], d["line"]) for d in ran.document["diagnostics"]] == [("ONX901", 3)]


def test_calls_with_a_cache_that_grows(tmp_path: Path) -> None:
    """The step that is called most often counts, as it was called: the model writes into its cache."""
    torch = pytest.importorskip("torch")
    from onnx_lint_exporter.worker.frames import UserCode
    from onnx_lint_exporter.worker.observed import run

    (tmp_path / "decode.py").write_text(
        "import torch\n\n\nclass Step(torch.nn.Module):\n    def forward(self, ids, cache):\n"
        "        cache.append(ids.float() if not cache else torch.cat([cache.pop(), ids.float()], 1))\n"
        "        return cache[0].sum(1)\n\n\n"
        "step, cache = Step(), []\nstep(torch.ones(2, 5, dtype=torch.int64), cache)\n"
        "for _ in range(3):\n    step(torch.ones(2, 1, dtype=torch.int64), cache)\n"
    )
    before, path = dict(sys.modules), list(sys.path)
    arguments = list(sys.argv)
    try:
        (seen,) = run(str(tmp_path / "decode.py"), [], UserCode())
    finally:
        sys.modules["__main__"], sys.path[:], sys.argv[:] = before["__main__"], path, arguments
    inputs = seen.inputs()
    assert inputs.origin == "3 calls of `Step`, first on line 11: ids: int64[2, 1]; cache_0: float32[2, S]"
    assert inputs.axes == {"cache_0": {1: "S"}}
    assert [one.args[1][0].shape for one in (inputs.first, inputs.second) if one is not None] == [(2, 5), (2, 6)]
    assert isinstance(torch.nn.Module.__call__.__qualname__, str)
    assert torch.nn.Module.__call__.__qualname__ != "_listening.<locals>.called"


MASKED = """\
import torch
from torch import nn


class Pool(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(30, 4)

    def forward(self, ids, mask):
        if not mask.all():
            return self.words(ids).sum(1) * 0
        return self.words(ids).mean(1)


pool = Pool()
for batch, length in ((2, 5), (3, 7)):
    pool(torch.randint(0, 30, (batch, length)), torch.ones(batch, length, dtype=torch.int64))
"""


def test_integers_stay_in_what_the_script_gives(tmp_path: Path, warm_python: str) -> None:
    """The script never masks anything: that the branch for it is frozen is not tested, and nothing is wrong."""
    (tmp_path / "use.py").write_text(MASKED)
    ran = commands.observe(tmp_path, warm_python, ["--engine", "torchscript", "--output-format", "json"], ["use.py"])
    (pool,) = ran.document["exports"]
    assert pool["ok"] and pool["proof"]["inputs"] > 20, ran.out
    assert [branch["text"] for branch in pool["proof"]["open_branches"]] == ["not mask.all()"]
