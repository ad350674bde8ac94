"""ONX508 model-in-training-mode."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.export_script import ExporterCall
from onnx_lint.target import measured, wrong


class ModelInTrainingMode(Rule[ExporterCall]):
    """A model that is exported in training mode.

    ## Why it breaks export

    Dropout stays active and batch norm takes the statistics of the batch until `eval()` is called. The torchscript
    engine switches the model itself; the dynamo engine exports it as it is, with the warning "Exporting a model while
    it is in training mode", and the exported model drops values at random.

    ## Example

    ```python
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.drop = nn.Dropout(0.5)

        def forward(self, x):
            return self.drop(x)


    torch.onnx.export(Model(), (torch.randn(3, 4),), "model.onnx", dynamo=True, dynamic_shapes=({0: "batch"},))
    ```

    Use instead:

    ```python
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.drop = nn.Dropout(0.5)

        def forward(self, x):
            return self.drop(x)


    torch.onnx.export(Model().eval(), (torch.randn(3, 4),), "model.onnx", dynamo=True, dynamic_shapes=({0: "batch"},))
    ```

    ## References

    - pytorch/pytorch#105661
    - microsoft/onnxruntime#26584
    """

    code = "ONX508"
    name = "model-in-training-mode"
    effects = measured(dynamo=wrong("exports it in training mode"))
    messages = ("Exporting a model while it is in training mode",)

    def check(self, call: ExporterCall, /) -> Iterator[Finding]:
        model = call.get("model")
        if model is None or not call.script.is_in_training(model) or not call.changes_in_training:
            return
        yield self.at(call.at(model), "nobody calls `eval()` on this model", help="call `.eval()` on the model before")
