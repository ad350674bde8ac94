"""ONX514 export-to-memory."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.export_script import ExporterCall
from onnx_lint.source import ir
from onnx_lint.target import measured, warns


class ExportToMemory(Rule[ExporterCall]):
    """A model exported to a file object in memory.

    ## Why it breaks export

    Weights beyond 2 GB do not fit into one protobuf message: they go to files beside the model, which needs a path.
    With dynamo a `BytesIO` is deprecated besides: "Saving ONNX model to a BytesIO object is deprecated".

    ## Example

    ```python
    import io

    import torch
    from torch import nn


    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(Model().eval(), (torch.randn(3, 4),), io.BytesIO(), dynamo=True, dynamic_shapes=({0: "batch"},))
    ```

    Use instead:

    ```python
    import torch
    from torch import nn


    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(Model().eval(), (torch.randn(3, 4),), "model.onnx", dynamo=True, dynamic_shapes=({0: "batch"},))
    ```

    ## References

    - pytorch/pytorch#132205
    """

    code = "ONX514"
    name = "export-to-memory"
    effects = measured(dynamo=warns("warns about it"))
    messages = ("Saving ONNX model to a BytesIO object is deprecated",)

    def check(self, call: ExporterCall, /) -> Iterator[Finding]:
        made = call.script.follow(call.get("f"))
        if isinstance(made, ir.Call) and call.script.meaning(made.func) == "io.BytesIO":
            yield self.at(call, "the model is written to a `BytesIO`", help="write to a path")
