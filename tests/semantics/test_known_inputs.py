"""What the analysis says of the inputs of one model, for whoever has to make an example."""

from __future__ import annotations

import textwrap

import pytest

from onnx_lint.project.project import Project
from onnx_lint.semantics.known_inputs import KnownInput, known_inputs
from onnx_lint.source.text import SourceText

HEAD = "import torch\nfrom torch import nn, Tensor\nfrom typing import Optional\n\n\n"


def inputs(body: str, name: str = "Net") -> list[KnownInput] | None:
    project = Project()
    module = project.add(SourceText("net.py", HEAD + textwrap.dedent(body)))
    return known_inputs(project, module, name)


def words(found: list[KnownInput] | None) -> list[str]:
    """``name: dtype[dims]`` of the inputs that are given; a dimension that may vary is ``*``, unless it has a name."""
    out = []
    for item in found or []:
        if not item.is_given:
            continue
        shape = "…" if item.shape is None else ", ".join("*" if "." in str(d) else str(d) for d in item.shape)
        out.append(f"{item.name}: {item.dtype}[{shape}]" if item.kind == "tensor" else f"{item.name}: {item.kind}")
    return out


INIT = "def __init__(self, width=16):\n            super().__init__()\n            "


@pytest.mark.parametrize(
    ("made", "forward", "expected"),
    [
        ("self.c = nn.Conv2d(3, 8, 3)", "def forward(self, x): return self.c(x)", ["x: float32[*, 3, *, *]"]),
        (
            "self.c = nn.Conv2d(3, 8, 3)",
            "def forward(self, x):\n            B, C, H, W = x.shape\n            return self.c(x)[:, :, : H // 2]",
            ["x: float32[B, 3, H, W]"],
        ),
        ("self.e = nn.Embedding(9, 4)", "def forward(self, ids): return self.e(ids)", ["ids: int64[*, *]"]),
        (
            "self.l = nn.Linear(width, 4)",
            "def forward(self, x, scale: float, mask=None):\n            b, s, f = x.shape\n"
            "            return self.l(x) * scale",
            ["x: float32[b, s, f]", "scale: number"],
        ),
        (
            "self.e = nn.Embedding(9, 4)",
            "def forward(self, ids: Optional[Tensor] = None, embeds: Optional[Tensor] = None):\n"
            "            if ids is not None:\n                b, s = ids.size()\n                embeds = self.e(ids)\n"
            "            return embeds",
            ["ids: int64[b, s]"],
        ),
        ("pass", "def forward(self, xs: list[Tensor]): return torch.cat(xs)", ["xs: list"]),
        ("pass", "def forward(self, x: torch.LongTensor): return x + 1", ["x: int64[…]"]),
        ("pass", "def forward(self, x): return x + 1", ["x: None[…]"]),
    ],
)
def test_kinds_ranks_sizes_and_dtypes(made: str, forward: str, expected: list[str]) -> None:
    found = inputs(f"    class Net(nn.Module):\n        {INIT}{made}\n\n        {forward}\n")
    assert words(found) == expected


def test_a_size_that_a_setting_fixes_does_not_vary() -> None:
    from onnx_lint.semantics.domain.dims import varies

    found = inputs(
        f"    class Net(nn.Module):\n        {INIT}self.c = nn.Conv1d(width * self.k, 8, 3)\n\n"
        "        def forward(self, x): return self.c(x)\n"
    )
    assert found is not None and found[0].shape is not None
    assert [varies(dim) for dim in found[0].shape][::2] == [True, True]
    assert varies(found[0].shape[1]) is not True


def test_a_decorator_that_is_costly_to_follow_does_not_hide_the_inputs() -> None:
    found = inputs(
        f"""\
    def documented(function):
        text = ""
        while len(text) < 10_000:
            text += function.__name__
        function.__doc__ = text
        return function


    class Net(nn.Module):
        {INIT}self.c = nn.Conv2d(3, 8, 3)

        @documented
        def forward(self, x): return self.c(x)
    """
    )
    assert words(found) == ["x: float32[*, 3, *, *]"]


def test_no_such_class() -> None:
    assert inputs("    class Other(nn.Module):\n        def forward(self, x): return x\n") is None
    assert inputs("    class Net(nn.Module):\n        forward = 3\n") is None
