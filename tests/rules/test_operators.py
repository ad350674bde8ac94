"""The table of verdicts: what it was made of, that its rows still hold, and what to write instead."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from rules.proofs import Case, Measured, measure

from onnx_lint.semantics.catalogue import verdicts
from onnx_lint.semantics.catalogue.verdicts import UNSURE
from onnx_lint.target import Engine, Verdict
from onnx_lint.testing import as_module
from onnx_lint_rules.operators.replacements import _BY_NAME

TOOLS = Path(__file__).parents[2] / "tools"
INSTEAD = {
    "nn.MultiheadAttention": "return F.scaled_dot_product_attention(x[None, None], x[None, None], x[None, None])",
    "unfold": "return torch.stack((x[:, :-1], x[:, 1:]), dim=-1)",
    "index_add": "return F.one_hot(x.argmax(1), 4).to(x.dtype).T @ x",
    "cdist": "return (x[:, None] - x[None]).norm(dim=-1)",
    "cumprod": "return x.abs().log().cumsum(1).exp()",
    "diff": "return x[1:] - x[:-1]",
    "median": "return x.sort(1)[0][:, 1]",
    "masked_select": "return x[x > 0]",
    "nansum": "return torch.where(x.isnan(), 0.0, x).sum(1)",
    "bincount": "return F.one_hot(x.argmax(1), 4).sum(0)",
    "searchsorted": "return (x[..., None] > torch.linspace(-1, 1, 3)).sum(-1)",
    "new": "return x.new_zeros(x.shape) + x",
    "__ior__": "mask = x > 0\nmask = mask | (x < -1)\nreturn mask",
    "__iand__": "mask = x > 0\nmask = mask & (x < 1)\nreturn mask",
    "nn.functional.one_hot": "return F.one_hot(x.argmax(1), num_classes=4)",
    "rot90": "return x.transpose(0, 1).flip(0)",
}
"""One example for each thing that is recommended."""


def arguments(**given: object) -> verdicts.Lookup:
    return given.get


def test_the_table_names_its_versions() -> None:
    assert set(verdicts.table().versions) == {"torch", "onnx", "onnxruntime"}
    assert len(verdicts.table().forms) >= 100


@pytest.mark.parametrize(
    ("name", "given", "refused"),
    [
        ("torch.nn.functional.interpolate", {"mode": "bilinear"}, False),
        ("torch.nn.functional.interpolate", {"mode": "bilinear", "antialias": True}, True),
        ("torch.nn.functional.interpolate", {"mode": "nearest-exact"}, True),
        ("torch.nn.Upsample", {"mode": "nearest-exact"}, True),
        ("torch.nn.AdaptiveAvgPool2d", {"output_size": 7}, True),
        ("torch.nn.AdaptiveAvgPool2d", {"output_size": (7, 7)}, True),
        ("torch.nn.AdaptiveAvgPool2d", {"output_size": (1, 1)}, False),
        ("torch.nn.functional.adaptive_avg_pool2d", {"output_size": 1}, False),
        ("torch.nn.LSTM", {}, False),
        ("torch.nn.LSTM", {"proj_size": 0}, False),
        ("torch.nn.LSTM", {"proj_size": 3}, True),
        ("torch.Tensor.cumprod", {}, True),
        ("torch.Tensor.cumprod_", {}, True),
    ],
)
def test_the_form_that_fits_the_arguments_best_counts(name: str, given: dict[str, object], refused: bool) -> None:
    entry = verdicts.find(name, arguments(**given))
    assert entry is not None
    assert (entry.outcomes[Engine.TORCHSCRIPT].verdict == "fails") is refused


@pytest.mark.parametrize("name", ["torch.nn.AdaptiveAvgPool2d", "torch.nn.functional.interpolate"])
def test_an_argument_that_is_not_known_leaves_it_open(name: str) -> None:
    assert verdicts.find(name, lambda _: UNSURE) is None


def test_what_is_not_in_the_table_is_not_known() -> None:
    assert verdicts.find("torch.no_such_operator", arguments()) is None


# ---------------------------------------------------------------------------------------------------------- by running
@pytest.fixture(scope="module")
def generator() -> Any:
    pytest.importorskip("torch")
    sys.path.insert(0, str(TOOLS))
    try:
        import generate_verdicts

        return generate_verdicts
    finally:
        sys.path.remove(str(TOOLS))


@pytest.mark.torch
def test_each_form_of_the_table_can_be_made_again(generator: Any) -> None:
    assert set(verdicts.table().forms) <= {form.key for form in generator.FORMS}


ROWS = ("torch.index_add", "torch.cumprod", "torch.scatter_add", "torch.Tensor.__ior__", "torch.nn.GroupNorm")


@pytest.mark.torch
@pytest.mark.parametrize("key", ROWS)
def test_rows_still_hold(key: str, generator: Any) -> None:
    """Some of them, by torchscript: all take an hour."""
    form = next(form for form in generator.FORMS if form.key == key)
    entry, (trial,) = verdicts.table().forms[key], generator.of_form(form)
    outcome = entry.outcomes[Engine.TORCHSCRIPT]
    assert generator.measured(trial, "torchscript", 20)[:2] == (outcome.verdict, outcome.stage)
    if entry.lowest is not None:
        assert generator.measured(trial, "torchscript", entry.lowest)[0] == "fine"
        assert generator.measured(trial, "torchscript", entry.lowest - 1)[0] != "fine"


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[Engine, Measured]]:
    def source(body: str) -> str:
        return as_module("def forward(self, x):\n    " + body.replace("\n", "\n    ") + "\n")

    return measure(Case(name, source(body)) for name, body in INSTEAD.items())


def test_each_recommendation_has_an_example() -> None:
    assert set(_BY_NAME.values()) >= {_BY_NAME[name] for name in INSTEAD}
    assert {text.partition(",")[0] for text in _BY_NAME.values()} == {
        _BY_NAME[name].partition(",")[0] for name in INSTEAD
    }


@pytest.mark.torch
@pytest.mark.slow
@pytest.mark.parametrize("name", INSTEAD)
def test_what_is_recommended_exports_right(name: str, measured: dict[str, dict[Engine, Measured]]) -> None:
    assert {m.verdict for m in measured[name].values()} == {Verdict.FINE}, measured[name]


def test_what_pytorch_samples_gave_is_kept_apart() -> None:
    """A sample says little of a call that is written otherwise, so that rules look up modules only."""
    made = json.loads((verdicts._DATA).read_text(encoding="utf-8"))
    samples = made["samples"]
    assert len(samples) >= 130 and sum(found["runs"] for found in samples.values()) >= 1300
    assert "torch.nn.AdaptiveAvgPool3d" in samples
    assert verdicts.find("torch.nn.AdaptiveAvgPool3d", arguments(output_size=1)) is None
    entry = verdicts.find("torch.nn.Bilinear", arguments())
    assert entry is not None and entry.outcomes[Engine.TORCHSCRIPT].verdict == "fails"


def test_a_spectrogram_in_real_pairs_is_another_form_than_one_in_complex_numbers() -> None:
    real, complex_ = (verdicts.find("torch.stft", arguments(return_complex=given)) for given in (False, True))
    assert real is not None and real.outcomes[Engine.TORCHSCRIPT].verdict == "fine" and real.lowest == 17
    assert complex_ is not None and complex_.outcomes[Engine.TORCHSCRIPT].verdict == "fails"
