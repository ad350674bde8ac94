"""Questions that are answered before an export: the version of torch, flags for the export, the larger of two sizes."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
from semantics.programs import reported_lines

from onnx_lint.semantics.domain.versions import OLDEST


def model(test: str, before: str = "", made: str = "pass") -> str:
    return textwrap.dedent(
        f"""
        import torch
        from packaging import version
        from packaging.version import Version
        from torch import nn
        {before}

        class M(nn.Module):
            def __init__(self, exportable: bool = False, export_path: str = ""):
                super().__init__()
                {made}

            def forward(self, x):
                if {test}:
                    return x
                return x.view(-1).item() + x
        """
    )


def is_told(code: str) -> bool:
    return any(".item()" in line for line in reported_lines(code))


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ('torch.__version__ > "1.9.0"', False),
        ('torch.__version__ >= "2.0"', False),
        ('"1.13" <= torch.__version__', False),
        ('not torch.__version__ < "1.10"', False),
        ('not torch.__version__ == "1.10.1"', False),
        ('torch.__version__ > "1.9.0" or torch.__version__ == "1.9.0"', False),
        ('torch.__version__ >= "2.5"', False),
        ('torch.__version__ > "2.5"', True),  # it may be this one
        ('torch.__version__ >= "2.5.1"', True),
        ('torch.__version__ >= "2.6"', True),
        ('torch.__version__ >= "nightly"', True),
        ('torch.__version__ < "1.10"', True),
        ('version.parse(torch.__version__) >= version.parse("1.10")', False),
        ('Version(torch.__version__) >= Version("1.10.0")', False),
        ('version.parse(torch.__version__) >= version.parse("2.6")', True),
        ('version.parse("1.10") >= version.parse("1.9")', True),  # texts have another order than versions
        ('"a" < torch.__version__', True),
    ],
)
def test_a_torch_from_before_both_engines_is_not_considered(test: str, told: bool) -> None:
    assert is_told(model(test)) is told


def test_the_oldest_version_is_that_of_the_requirements() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'"torch>=(\d+)\.(\d+)"', text)
    assert found is not None
    assert (*map(int, found.groups()), 0) == OLDEST


def test_a_version_that_is_compared_once_for_the_whole_file() -> None:
    assert not is_told(model("NEW", before='NEW = version.parse(torch.__version__) >= version.parse("1.8")'))


@pytest.mark.parametrize(
    ("made", "test", "told"),
    [
        ("self.exportable = exportable", "self.exportable", False),
        ("self.export = False", "self.export", False),
        ("self.onnx_export = exportable", "self.onnx_export", False),
        ("self.is_exporting = False", "self.is_exporting", False),
        ("self.export_path = export_path", "self.export_path", True),
        ("self.exporter = exportable", "self.exporter", True),
        ("self.export = False", "not self.export", True),
        ("self.export = []", "self.export", True),  # no flag
    ],
)
def test_who_exports_a_model_sets_its_flag_for_that(made: str, test: str, told: bool) -> None:
    assert is_told(model(test, made=made)) is told


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("max(x.shape[0], 1)", False),
        ("min(1, x.shape[0])", False),
        ("max(x.shape[0] - 1, 1)", True),  # torchscript divides by 0 where the batch is 1
        ("max(x.shape[0], 4)", True),
        ("max(x.shape[0], x.shape[2])", True),
        ("max(8, 4, 6)", False),
    ],
)
def test_the_larger_of_two_sizes_that_is_the_same_one_always(expression: str, told: bool) -> None:
    code = f"""
import torch
from torch import nn

class M(nn.Module):
    def forward(self, x):
        b, c, h, w = x.shape
        return x / {expression}
"""
    assert any(expression in line for line in reported_lines(code)) is told
