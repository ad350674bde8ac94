"""ONX513 missing-file."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.export_script import ExporterCall
from onnx_lint.target import Engine, fails, measured


class MissingFile(Rule[ExporterCall]):
    """An export by torchscript without a file to write to.

    ## Why it breaks export

    The torchscript engine writes a file and returns nothing. Without `f` it stops, at the very end, with "'NoneType'
    object has no attribute 'flush'". The dynamo engine returns an `ONNXProgram` instead.

    ## Example

    ```python
    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(
        Model().eval(), (torch.randn(3, 4),), dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "batch"}}
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

    - PyTorch documentation, "torch.onnx.export": `f`
    """

    code = "ONX513"
    name = "missing-file"
    effects = measured(torchscript=fails("has nowhere to write"))
    messages = ("'NoneType' object has no attribute 'flush'",)

    def check(self, call: ExporterCall, /) -> Iterator[Finding]:
        if call.engine is Engine.TORCHSCRIPT and call.is_complete and call.get("f") is None:
            yield self.at(call, "there is no file to write to", help="give a path, or use `dynamo=True`")
