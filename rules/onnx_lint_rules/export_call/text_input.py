"""ONX507 text-input."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.export_script import ExporterCall
from onnx_lint.target import measured, wrong

_FROZEN = wrong("silently keeps this value")


class TextInput(Rule[ExporterCall]):
    """A string among the example inputs of an export.

    ## Why it breaks export

    ONNX models have no strings as inputs of a model from PyTorch. Both engines take the value of the example for good:
    the argument is not among the inputs of the exported model, which does for ever what that one string asks for. There
    is no warning.

    ## Example

    ```python
    class Model(nn.Module):
        def forward(self, x, mode):
            return x + 1 if mode == "add" else x * 2


    torch.onnx.export(Model().eval(), (torch.randn(3, 4), "add"), "model.onnx", dynamo=False)
    ```

    Use instead:

    ```python
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.mode = "add"

        def forward(self, x):
            return x + 1 if self.mode == "add" else x * 2


    torch.onnx.export(
        Model().eval(), (torch.randn(3, 4),), "model.onnx", dynamo=False,
        input_names=["x"], dynamic_axes={"x": {0: "batch"}},
    )
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Types"
    """

    code = "ONX507"
    name = "text-input"
    effects = measured(torchscript=_FROZEN, dynamo=_FROZEN)
    messages = ()

    def check(self, call: ExporterCall, /) -> Iterator[Finding]:
        for example in call.script.examples(call.get("args")) or ():
            if example.text is not None:
                help = "set it in the constructor of the model, and export once for each value"
                yield self.at(call.at(example.node), f"the input `{example.text!r}` is a string", help=help)
