"""ONX504 opset-out-of-range."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.export_script import ExporterCall
from onnx_lint.target import FINE, Effect, Engine, fails, measured, warns
from onnx_lint_rules.exporter_api import exporter_api


class OpsetOutOfRange(Rule[ExporterCall]):
    """An `opset_version` that the engine does not write.

    ## Why it breaks export

    The torchscript engine knows the opsets 7 to 20 (torch 2.13). From 21 on it warns "Exporting to ONNX opset version
    21 is not supported", uses the operators of opset 20, and from 24 on stops with "Unsupported onnx_opset_version".
    Models below opset 7 are refused by ONNX Runtime. The dynamo engine always builds opset 18 or later and
    converts the model down; where that cannot be done, as for batch norm, it silently writes opset 18.

    ## Example

    ```python
    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(
        Model().eval(), (torch.randn(3, 4),), "model.onnx", dynamo=False, opset_version=24,
        input_names=["x"], dynamic_axes={"x": {0: "batch"}},
    )
    ```

    Use instead:

    ```python
    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(
        Model().eval(), (torch.randn(3, 4),), "model.onnx", dynamo=False, opset_version=20,
        input_names=["x"], dynamic_axes={"x": {0: "batch"}},
    )
    ```

    ## References

    - PyTorch documentation, "torch.onnx.export": `opset_version`
    """

    code = "ONX504"
    name = "opset-out-of-range"
    effects = measured(torchscript=fails("does not write it"))
    messages = ("Unsupported onnx_opset_version", "Exporting to ONNX opset version")

    def check(self, call: ExporterCall, /) -> Iterator[Finding]:
        given = call.get("opset_version")
        value = call.script.constant(given)
        if given is None or not isinstance(value, int) or isinstance(value, bool):
            return
        effects = {Engine.TORCHSCRIPT: _torchscript(value), Engine.DYNAMO: _dynamo(value)}
        if all(effect is FINE for effect in effects.values()):
            return
        range = exporter_api().opsets["torchscript"]
        help = f"use {range['lowest']} to {range['highest']} with `dynamo=False`, 18 or later with `dynamo=True`"
        yield self.at(call.at(given), f"opset {value} is out of range", effects=effects, help=help)


def _torchscript(value: int) -> Effect:
    range = exporter_api().opsets["torchscript"]
    if value < range["lowest"] or value >= range["fails_from"]:
        return fails("does not write it")
    return FINE if value <= range["highest"] else warns(f"uses the operators of opset {range['highest']}")


def _dynamo(value: int) -> Effect:
    return (
        FINE
        if value >= exporter_api().opsets["dynamo"]["lowest"]
        else warns("silently writes opset 18 where it cannot convert down")
    )
