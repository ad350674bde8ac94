"""ONX515 weights-left-out."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.export_script import ExporterCall
from onnx_lint.target import fails, measured


class WeightsLeftOut(Rule[ExporterCall]):
    """A model exported without its weights.

    ## Why it breaks export

    With `export_params=False` the weights are inputs of the torchscript model, and whoever runs it has to supply them:
    "Required inputs are missing from input feed". The dynamo engine leaves them out of the file, which ONNX Runtime
    then refuses to load.

    ## Example

    ```python
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 2)

        def forward(self, x):
            return self.layer(x)


    torch.onnx.export(Model().eval(), (torch.randn(3, 4),), "model.onnx", dynamo=True, export_params=False)
    ```

    Use instead:

    ```python
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 2)

        def forward(self, x):
            return self.layer(x)


    torch.onnx.export(Model().eval(), (torch.randn(3, 4),), "model.onnx", dynamo=True, dynamic_shapes=({0: "batch"},))
    ```

    ## References

    - PyTorch documentation, "torch.onnx.export": `export_params`
    """

    code = "ONX515"
    name = "weights-left-out"
    effects = measured(torchscript=fails("makes inputs of them"), dynamo=fails("writes a model that does not load"))
    messages = ("are missing from input feed", "is not a graph input, initializer, or output of a previous node")

    def check(self, call: ExporterCall, /) -> Iterator[Finding]:
        given = call.get("export_params")
        if given is not None and call.script.constant(given) is False and call.makes_parts:
            yield self.at(call.at(given), "the weights are left out", help="leave `export_params` out")
