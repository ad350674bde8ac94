"""Changes by form that ``--repair`` tries: what they write; those that change the model are not kept."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from onnx_lint import fixer
from onnx_lint.diagnostic import Diagnostic, Severity, Span
from onnx_lint.source.text import SourceText
from onnx_lint.target import BOTH
from onnx_lint_exporter.changes.candidates import candidates
from onnx_lint_exporter.source_code import SourceFile

sys.path.insert(0, str(Path(__file__).parent))
from commands import export


def _written(body: str, line: int) -> set[str]:
    """The bodies that the changes at a line (from 1 in the body) give."""
    indented = "".join(f"    {text}\n" for text in body.split("\n"))
    source = SourceText("net.py", f"def forward(self, x, y):\n{indented}")
    file = SourceFile("net.py", source, ast.parse(source.normal))
    d = Diagnostic("ONX101", "name", Severity.ERROR, Span("net.py", line + 1, 5, line + 1, 6), "said", BOTH)
    made = set()
    for each in candidates(file, [d]):
        text = fixer.apply(source, [each], unsafe=True).text
        made.add("\n".join(line[4:] for line in text.split("\n")[1:] if line.strip() and line.strip() != "pass"))
    return made


_CHOSEN = """\
is_chosen = x.any()
y_if = x
z_if = y_if * 2
y = torch.where(is_chosen, y_if, y)
z = torch.where(is_chosen, z_if, z)
return z"""


@pytest.mark.parametrize(
    ("body", "line", "wanted"),
    [
        ("if x.sum() > 0:\n    return x\nreturn -x", 1, "return torch.where(x.sum() > 0, x, -x)"),
        ("if x.sum() > 0:\n    y = x\nreturn y", 1, "y = torch.where(x.sum() > 0, x, y)\nreturn y"),
        ("if x.any():\n    y += 1\nelse:\n    y = x\nreturn y", 1, "y = torch.where(x.any(), y + 1, x)\nreturn y"),
        (
            "if x.shape[0] > 4 and not y.any():\n    return x\nelif y.all():\n    return y\nelse:\n    return -x",
            1,
            "return torch.where(torch.logical_and(torch.full((), x.shape[0]) > 4, torch.logical_not(y.any())), x, "
            "torch.where(y.all(), y, -x))",
        ),
        ("if x.shape[1] > 16:\n    x = x[:, :16]\nreturn x", 1, "x = x[:, :16]\nreturn x"),
        ("return x if x.sum() > 0 else y", 1, "return torch.where(x.sum() > 0, x, y)"),
        (
            "out = []\nfor i in range(x.shape[0]):\n    out.append(x[i] * 2)\nreturn torch.stack(out)",
            2,
            "out = []\nout = x * 2\nreturn out",
        ),
        ("for row in x:\n    y = y + row\nreturn y", 1, "y = y + x.sum(0)\nreturn y"),
        ("for i in range(x.shape[0]):\n    y[i] = x[i] + 1\nreturn y", 1, "y = x + 1\nreturn y"),
        ("for _ in range(x.shape[0]):\n    y = y + 3\nreturn y", 1, "y = y + 3 * x.shape[0]\nreturn y"),
        ("return torch.stack([row * 2 for row in x])", 1, "return x * 2"),
        ("return torch.from_numpy(np.concatenate((x.numpy(), y.cpu().numpy())))", 1, "return torch.cat((x, y))"),
        (
            "a = x.numpy()\nb = np.argsort(a, axis=1)\nreturn y[torch.from_numpy(b)]",
            2,
            "a = x\nb = torch.argsort(a, dim=1)\nreturn y[b]",
        ),
        ("return x / np.sqrt(x.size(-1))", 1, "return x / (x.size(-1)) ** 0.5"),
        ("return x[:int(x.shape[0] / 2)]", 1, "return x[:x.shape[0] // 2]"),
        ("return x[:round(x.shape[0] * 0.5)]", 1, "return x[:x.shape[0] // 2]"),
        ("return x * np.prod(x.shape)", 1, "return x * x.numel()"),
        (
            "return torch.tensor([x.shape[0], 2])",
            1,
            "return torch.stack([torch.full((), x.shape[0]), torch.full((), 2)])",
        ),
        ("n = math.ceil(x.shape[1] / 8) * 8\nreturn n", 1, "n = -(-x.shape[1] // 8) * 8\nreturn n"),
        ("n = x.shape[1]\nreturn 0 if n % 4 == 0 else 4 - n % 4", 2, "n = x.shape[1]\nreturn (4 - n % 4) % 4"),
        ("return max(x.shape[0], 3)", 1, "return torch.sym_max(x.shape[0], 3)"),
        ("if x.any():\n    y = x\n    z = y * 2\nreturn z", 1, _CHOSEN),
        (
            "n, m = x.shape\nif n in (1, 3) or m > n:\n    y = x\nreturn y",
            2,
            "n, m = x.shape\ny = torch.where(torch.logical_or(torch.logical_or(torch.full((), n) == 1, "
            "torch.full((), n) == 3), torch.full((), m) > n), x, y)\nreturn y",
        ),
        ("return x if torch.equal(x, y) else y", 1, "return torch.where((x == y).all(), x, y)"),
        ("z = y[:, 0]\nz.add_(10)\nreturn y", 2, "z = y[:, 0]\ny[:, 0] = y[:, 0].add(10)\nreturn y"),
        (
            "z = y.view(-1)\nz.clamp_(min=0.5)\nreturn y",
            2,
            "z = y.view(-1)\nz = z.clamp(min=0.5)\ny = z.reshape(y.shape)\nreturn y",
        ),
        ("return copy.deepcopy(x) + y", 1, "return x.clone() + y"),
        ("return x * self.scales[x.shape[0] % 2]", 1, "return x * torch.tensor(self.scales)[x.shape[0] % 2]"),
        (
            "return self.heads[x.shape[0] % 2](x)",
            1,
            "return torch.stack([each(x) for each in self.heads])[x.shape[0] % 2]",
        ),
        (
            "return x * self.scale.get(x.shape[1], 1.0)",
            1,
            "return x * torch.where(torch.stack([torch.full((), x.shape[1]) == key for key in self.scale]).any(), "
            "torch.stack([(torch.full((), x.shape[1]) == key) * torch.as_tensor(value) for key, value in "
            "self.scale.items()]).sum(0), 1.0)",
        ),
        (
            "w = [0.5] * x.shape[1]\nreturn x * x.new_tensor(w)",
            1,
            "w = torch.full((x.shape[1],), 0.5)\nreturn x * w.to(x)",
        ),
        (
            "return torch.stack([self.f(a) @ b.t() for a, b in zip(x, y)], 1)",
            1,
            "return torch.vmap(lambda a, b: self.f(a) @ b.transpose(-2, -1), out_dims=1)(x, y)",
        ),
        (
            "out = []\nfor i, row in enumerate(x):\n    row = row * 2\n    out.append(row + i)\n"
            "return torch.stack(out)",
            2,
            "out = []\ndef turn(i, row):\n    row = row * 2\n    return row + i\n"
            "out = torch.vmap(turn)(torch.arange(x.shape[0]), x)\nreturn out",
        ),
        (
            "z = np.linspace(0, 1, x.shape[1])\nreturn x * torch.as_tensor(z, dtype=x.dtype)",
            1,
            "z = 0 + torch.arange(x.shape[1], dtype=torch.float64) / torch.full((), x.shape[1] - 1).clamp(min=1) "
            "* (1 - 0)\nreturn x * z.to(x.dtype)",
        ),
    ],
)
def test_what_is_written(body: str, line: int, wanted: str) -> None:
    assert wanted in _written(body, line)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("if x.any():\n    y[0] = 1\n    return y\nreturn y", 1),  # not a value on each way
        ("for i in range(x.shape[0]):\n    y = y * x[i] + i\nreturn y", 1),  # a turn needs the one before
        ("while x.sum() < 3:\n    x = x + 1\nreturn x", 1),
        ("return x + y", 1),
    ],
)
def test_where_no_form_fits(body: str, line: int) -> None:
    assert _written(body, line) == set()


MODEL = """import torch


class Branch(torch.nn.Module):
    def forward(self, x):
        if x.sum() > 0:
            return x + 1
        return x - 1


class Shapes(torch.nn.Module):
    def forward(self, x):
        if x.sum() > 0:
            return x
        return x.sum(0)


def given():
    return [(torch.ones(2, 3),), (-torch.ones(2, 3),)]
"""


@pytest.mark.torch
@pytest.mark.parametrize("name", ["Branch", "Shapes"])
def test_the_export_is_the_judge(name: str, tmp_path: Path, warm_python: str) -> None:
    """With ``torch.where`` the second would give another shape; compiled, its graph has both ways."""
    (tmp_path / "net.py").write_text(MODEL)
    arguments = [f"net.py:{name}", "--inputs-from", "net.py:given", "--engine", "torchscript", "--repair"]
    ran = export(tmp_path, warm_python, [*arguments, "--output-format", "json"])
    found = ran.export("torchscript")["repair"]
    assert found["inputs"] > 2 and found["scripted"] is (name == "Shapes")
    if name == "Branch":
        assert "+        return torch.where(x.sum() > 0, x + 1, x - 1)" in found["patch"]
        assert found["fixes"] == ["Choose with `torch.where`"]
    else:
        assert found["patch"] == ""
