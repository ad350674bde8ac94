"""What the analysis knows of the tensors in a program: through modules of the project, loops, branches and calls."""

from __future__ import annotations

import pytest
from semantics.programs import HEADER, reports

from onnx_lint.project.project import Project
from onnx_lint.semantics.shown import values
from onnx_lint.show_values import text_of
from onnx_lint.source.text import SourceText


def known(code: str) -> dict[str, str]:
    """What the names in a program hold, by name; the last assignment counts."""
    project = Project()
    project.add(SourceText.from_text("m.py", HEADER + code))
    return {v.name: text_of(v) for v in values(project, {"m.py"})}


def test_a_convolution_says_what_the_input_is() -> None:
    found = known(
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 64, 7, stride=2, padding=3)
    def forward(self, x):
        y = torch.relu(self.stem(x))
        B, C, H, W = y.shape
        tokens = y.flatten(2).transpose(1, 2)
        first = tokens[:, 0]
        return first
"""
    )
    assert found["x"] == "float32[B, 3, x.shape[2], x.shape[3]]"
    assert found["y"] == "float32[B, 64, ceil(x.shape[2] / 2), ceil(x.shape[3] / 2)]"
    assert found["C"] == "size 64"
    assert found["tokens"] == "float32[B, ceil(x.shape[2] / 2) * ceil(x.shape[3] / 2), 64]"
    assert found["first"] == "float32[B, 64]"


def test_sizes_have_the_names_that_the_code_gives_them() -> None:
    found = known(
        """
class Attention(nn.Module):
    def __init__(self, dim=64, heads=4):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, dim * 3)
    def forward(self, x):
        B, N, C = x.shape
        qkv = self.qkv(x).reshape(B, N, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        scores = q @ k.transpose(-2, -1)
        return scores
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = Attention(64, 4)
    def forward(self, x):
        return self.attention(x)
"""
    )
    assert found["q"] == "float32[B, 4, N, 16]"
    assert found["scores"] == "float32[B, 4, N, N]"


def test_shapes_go_through_modules_that_derive_from_torchs_and_through_factories() -> None:
    found = known(
        """
import torch.nn.functional as F
class Same(nn.Conv2d):
    def forward(self, x):
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
def make(i, o, **kwargs):
    kwargs.setdefault("bias", False)
    return Same(i, o, 3, **kwargs)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = make(3, 8, padding=1)
    def forward(self, x):
        y = self.a(x)
        return y
"""
    )
    assert found["y"] == "float32[x.shape[0], 8, x.shape[2], x.shape[3]]"


def test_a_part_of_the_model_that_was_not_seen_says_nothing_but_the_dtype() -> None:
    found = known(
        """
class Net(nn.Module):
    def __init__(self, block):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 1)
        self.block = block
    def forward(self, x):
        x = self.stem(x)
        y = self.block(x)
        z = x + y
        return z
"""
    )
    assert found["y"] == "float32[…]"
    assert found["z"] == "float32[x.shape[0], 8, x.shape[2], x.shape[3]]"


def test_ways_that_differ_leave_what_they_share() -> None:
    found = known(
        """
class Net(nn.Module):
    def __init__(self, flag: bool):
        super().__init__()
        self.flag = flag
        self.a, self.b = nn.Conv2d(3, 8, 1), nn.Conv2d(3, 16, 1, stride=2)
    def forward(self, x):
        if self.flag:
            y = self.a(x)
        else:
            y = self.b(x)
        z = torch.relu(y)
        return z
"""
    )
    assert found["z"] == "float32[x.shape[0], ?, ?, ?]"


def test_a_loop_that_changes_a_shape_settles() -> None:
    found = known(
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 1)
    def forward(self, x):
        x = self.stem(x)
        for _ in range(x.shape[1]):
            x = torch.cat([x, x], dim=1)
        end = x.mean((2, 3))
        return end
"""
    )
    assert found["end"] == "float32[x.shape[0], ?]"


@pytest.mark.parametrize(
    "test", ["if x.dim() != 3: raise ValueError", "assert x.ndim == 3", "if not len(x.shape) == 3: raise ValueError"]
)
def test_a_check_says_the_rank(test: str) -> None:
    code = f"""
class Net(nn.Module):
    def forward(self, x):
        {test}
        y = x * 2
        return y
"""
    assert known(code)["y"] == "float32[x.shape[0], x.shape[1], x.shape[2]]"


def test_what_a_branch_on_the_rank_demands_holds_there_only() -> None:
    found = known(
        """
class Net(nn.Module):
    def forward(self, x):
        if x.dim() == 4:
            b, c, h, w = x.shape
            x = x.reshape(b, c, h * w)
        y = x * 2
        return y
"""
    )
    assert found["y"] == "float32[…]"


FIXED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 64, 3)
    def forward(self, x):
        x = self.stem(x)
        B, C, H, W = x.shape
        if {test}:
            x = x + 1
        return x
"""


@pytest.mark.parametrize(
    ("test", "severity"),
    [("C == 64", "info"), ("C % 2 == 0", "info"), ("C > 3", "info"), ("H > 3", "warning"), ("H == W", "warning")],
)
def test_a_fixed_size_is_information(test: str, severity: str) -> None:
    assert [s for _, s, _ in reports(FIXED.format(test=test))] == [severity]


def test_a_branch_that_the_shapes_decide_is_decided() -> None:
    code = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 64, 3)
    def forward(self, x):
        x = self.stem(x)
        if x.shape[1] != 64:
            x = x * float(x.sum())
        return x
"""
    assert [(s, line) for _, s, line in reports(code)] == [("info", "if x.shape[1] != 64:")]


def test_annotations_name_dimensions_and_the_model_fixes_some() -> None:
    found = known(
        """
from typing import Optional
from torch import Tensor
from jaxtyping import Float, Int
from torchtyping import TensorType
Image = Float[Tensor, "b c h w"]
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, padding=1)
        self.embed = nn.Embedding(10, 16)
    def forward(
        self, x: Image, ids: Int[Tensor, "b n"], mask: Optional[Float[Tensor, "b n 2*c h//2"]],
        t: TensorType["b", "n", 4, torch.float64], any: "Float[Tensor, '*batch d']", one: Float[Tensor, "#b _ d=8"],
    ):
        y = self.conv(x)
        z = self.embed(ids)
        moved = t.transpose(1, 2)
        return y, z, moved, any + 1, mask, one
"""
    )
    assert found["x"] == "float32[b, 3, h, w]"
    assert found["y"] == "float32[b, 16, h, w]"
    assert found["z"] == "float32[b, n, 16]"
    assert found["mask"] == "float32[b, n, 6, h // 2]"
    assert found["moved"] == "float64[b, 4, n]"
    assert found["any"] == "float32[…]"
    assert found["one"] == "float32[one.shape[0], one.shape[1], 8]"


def test_what_a_model_needs_of_its_inputs_is_told_with_them() -> None:
    found = known(
        """
class Up(nn.Module):
    def __init__(self, wide, narrow):
        super().__init__()
        self.up = nn.ConvTranspose2d(wide, narrow, 2, stride=2)
        self.conv = nn.Conv2d(2 * narrow, narrow, 3, padding=1)
    def forward(self, deep, skip):
        return self.conv(torch.cat([self.up(deep), skip], 1))
class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)
        self.c, self.pool = nn.Conv2d(16, 32, 3, padding=1), nn.MaxPool2d(2)
        self.first, self.second = Up(32, 16), Up(16, 8)
    def forward(self, image):
        B, C, H, W = image.shape
        a = self.a(image)
        b = self.b(self.pool(a))
        return self.second(self.first(self.c(self.pool(b)), b), a)
"""
    )
    assert found["image"] == "float32[B, 3, H, W], H a multiple of 4, W a multiple of 4"


@pytest.mark.parametrize(
    ("body", "needed"),
    [
        ("assert x.shape[2] % 6 == 0 and len(x.shape) == 4", ["x.shape[2] a multiple of 6"]),
        ("if x.shape[2] % 16 != 0 or x.shape[3] != y.shape[3]:\n            raise ValueError",
         ["x.shape[2] a multiple of 16", "x.shape[3] equal to y.shape[3]"]),
        ("if x.shape[2] % 16 == 0:\n            raise ValueError", []),
        ("if self.training:\n            assert x.shape[2] % 6 == 0", []),
        ("if x.sum() > 0:\n            return x\n        assert x.shape[2] % 6 == 0", []),
        ("for _ in range(3):\n            assert x.shape[2] % 6 == 0", ["x.shape[2] a multiple of 6"]),
        ("x.view(x.shape[0], 3, x.shape[2] // 7, 7, x.shape[3])", ["x.shape[2] a multiple of 7"]),
        ("torch.nn.functional.pixel_unshuffle(x, 4)", ["x.shape[2] a multiple of 4", "x.shape[3] a multiple of 4"]),
        ("torch._assert(x.shape[2] == x.shape[3], 'square')",
         ["x.shape[2] equal to x.shape[3]", "x.shape[3] equal to x.shape[2]"]),
    ],
)  # fmt: skip
def test_demands_on_every_way_are_needs(body: str, needed: list[str]) -> None:
    project = Project()
    code = f"""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
    def forward(self, x, y):
        z = self.conv(x) + self.conv(y).mean()
        {body}
        return z
"""
    project.add(SourceText.from_text("m.py", HEADER + code))
    assert [list(v.needs) for v in values(project, {"m.py"}) if v.name == "x"] == [needed]


@pytest.mark.parametrize(("part", "size"), [("0:1", "1"), ("2:3", "1"), ("-1:", "1"), ("-2:-1", "1"), ("-1:0", "?")])
def test_a_slice_of_one_item_has_one(part: str, size: str) -> None:
    found = known(
        f"""
class Net(nn.Module):
    def __init__(self, wide):
        super().__init__()
        self.conv = nn.Conv2d(3, wide, 1)
    def forward(self, x):
        y = self.conv(x)[:, {part}]
        return y
"""
    )
    assert found["y"] == f"float32[x.shape[0], {size}, x.shape[2], x.shape[3]]"


@pytest.mark.parametrize("line", ["if a > 3: s = s * 2", "s = s * int(a / 2)"])
def test_a_number_of_dimensions_that_was_taken_gives_way_to_what_is_unpacked(line: str) -> None:
    """`conv` says that `x` has four dimensions, the setting may say three: its sizes are sizes all the same."""
    code = f"""
class Net(nn.Module):
    def __init__(self, flat):
        super().__init__()
        self.flat = flat
        self.conv = nn.Conv2d(3, 8, 3)
    def forward(self, x):
        if not self.flat:
            return self.conv(x)
        s = x
        a, b, c = s.shape
        {line}
        return s
"""
    assert [at for _, _, at in reports(code)] == [line]


def test_the_method_unfold_does_not_say_how_many_dimensions_there_are() -> None:
    found = known(
        """
class Net(nn.Module):
    def forward(self, x):
        s = x.unfold(-2, 4, 4)
        a, b, c, d = s.shape
        return s
"""
    )
    assert found["x"].endswith("[…]") and found["a"].startswith("size")


def test_many_layers_of_one_class_differ_in_width_and_keep_what_they_do_to_sizes() -> None:
    found = known(
        """
class Layer(nn.Module):
    def __init__(self, i, o, stride=1, rate=0.0, layout="same"):
        super().__init__()
        if layout == "same":
            self.conv = nn.Conv2d(i, o, 3, stride, 1)
        else:
            self.conv = nn.Conv1d(i, o, 3, stride, 1)
        self.drop = nn.Dropout(rate)
    def forward(self, x):
        return self.drop(self.conv(x))
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = Layer(3, 16), Layer(16, 32, 2, 0.1)
        self.c, self.d = Layer(32, 64, 2, 0.2), Layer(64, 128, 2, 0.3)
    def forward(self, x):
        a = self.a(x)
        b = self.b(a)
        c = self.c(b)
        d = self.d(c)
        return d
"""
    )
    assert found["a"] == "float32[x.shape[0], 16, x.shape[2], x.shape[3]]"
    assert found["b"] == "float32[x.shape[0], ?, ceil(x.shape[2] / 2), ceil(x.shape[3] / 2)]"
    assert found["d"] == "float32[x.shape[0], ?, ceil(x.shape[2] / 8), ceil(x.shape[3] / 8)]"
