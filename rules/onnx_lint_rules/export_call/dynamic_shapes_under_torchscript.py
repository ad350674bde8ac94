"""ONX503 dynamic-shapes-under-torchscript."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.export_script import ExporterCall
from onnx_lint.target import Engine, fails, measured


class DynamicShapesUnderTorchscript(Rule[ExporterCall]):
    """`dynamic_shapes` given to the torchscript engine.

    ## Why it breaks export

    `dynamic_shapes` belongs to the dynamo engine. With `dynamo=False` the call stops with "The exporter only supports
    dynamic shapes through parameter dynamic_axes when dynamo=False", also where `dynamic_axes` is given besides.

    ## Example

    ```python
    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(
        Model().eval(), (torch.randn(3, 4),), "model.onnx", dynamo=False,
        input_names=["x"], dynamic_shapes={"x": {0: torch.export.Dim.DYNAMIC}},
    )
    ```

    Use instead:

    ```python
    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(
        Model().eval(), (torch.randn(3, 4),), "model.onnx", dynamo=False,
        input_names=["x"], dynamic_axes={"x": {0: "batch"}},
    )
    ```

    ## References

    - PyTorch documentation, "torch.onnx.export": `dynamic_shapes`
    """

    code = "ONX503"
    name = "dynamic-shapes-under-torchscript"
    effects = measured(torchscript=fails("stops at them"))
    messages = ("The exporter only supports dynamic shapes through parameter dynamic_axes when dynamo=False",)

    def check(self, call: ExporterCall, /) -> Iterator[Finding]:
        shapes = call.get("dynamic_shapes")
        if shapes is None or call.engine is not Engine.TORCHSCRIPT or call.script.is_none(shapes):
            return
        help = "use `dynamic_axes` with `dynamo=False`, or `dynamo=True` with `dynamic_shapes` alone"
        yield self.at(call.at(shapes), "`dynamic_shapes` is made for `dynamo=True`", help=help)
