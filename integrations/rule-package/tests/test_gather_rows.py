"""The op model, on code that calls the library: what it returns, how it looks, and where it is not exported."""

import house_op_models.gather_rows  # noqa: F401 - installed, it is found by its entry point

from onnx_lint.settings import Settings
from onnx_lint.testing import check_source

NET = """
from jaxtyping import Float, Int
from torch import Tensor, nn

import house_kernels


class Net(nn.Module):
    def forward(self, x: Float[Tensor, "8 16"], index: Int[Tensor, "4"]):
        rows = house_kernels.gather_rows(x, index)
        {}
        return rows
"""


def codes(statement: str) -> list[str]:
    return sorted(d.code for d in check_source(NET.format(statement), settings=Settings()))


def test_torchscript_does_not_export_it() -> None:
    (found,) = check_source(NET.format("pass"), settings=Settings())
    assert found.code == "ONX601" and [e.value for e in found.engines] == ["torchscript"]


def test_what_it_returns_is_a_tensor() -> None:
    assert codes("value = rows.sum().item()") == ["ONX202", "ONX601"]


def test_its_shape_is_known() -> None:
    settings = Settings(preview=True)
    assert "ONX302" not in [d.code for d in check_source(NET.format("rows + x[:4]"), settings=settings)]
    assert "ONX302" in [d.code for d in check_source(NET.format("rows + x[:5]"), settings=settings)]
