"""ONX516 example-without-size."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.export_script import ExporterCall
from onnx_lint.target import fails, measured

_ZERO = fails("fails to compute with a size of 0")


class ExampleWithoutSize(Rule[ExporterCall]):
    """An example input with a dynamic dimension of size 0, or of 1 where that matters.

    ## Why it breaks export

    Sizes are computed from the example. With 0 dynamo divides by zero, and torchscript cannot infer a `-1`. A size of 1
    is harmless for most models since torch 2.9, but `nn.TransformerEncoder` and its layers are then exported by dynamo
    for that size only: ONNX Runtime fails in a Reshape node for any other.

    ## Example

    ```python
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.TransformerEncoderLayer(4, 2, batch_first=True)

        def forward(self, x):
            return self.layer(x)


    torch.onnx.export(
        Model().eval(), (torch.randn(1, 6, 4),), "model.onnx", dynamo=True, dynamic_shapes=({0: "batch"},)
    )
    ```

    Use instead:

    ```python
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.TransformerEncoderLayer(4, 2, batch_first=True)

        def forward(self, x):
            return self.layer(x)


    torch.onnx.export(
        Model().eval(), (torch.randn(2, 6, 4),), "model.onnx", dynamo=True, dynamic_shapes=({0: "batch"},)
    )
    ```

    ## References

    - PyTorch documentation, "torch.export": "The 0/1 Specialization Problem"
    """

    code = "ONX516"
    name = "example-without-size"
    effects = measured(dynamo=fails("keeps the size of the example"))
    messages = ("integer modulo by zero", "because the unspecified dimension size -1 can be any value and is ambiguous")

    def check(self, call: ExporterCall, /) -> Iterator[Finding]:
        names = call.script.texts(call.get("input_names")) or ()
        for index, example in enumerate(call.script.examples(call.get("args")) or ()):
            name = str(names[index].value) if index < len(names) else ""
            for axis in call.dynamic_axes_of(index, name):
                size = example.shape[axis] if example.shape is not None and axis < len(example.shape) else None
                if size == 0:
                    effects = measured(torchscript=_ZERO, dynamo=_ZERO)
                elif size == 1 and call.model_mentions("TransformerEncoder"):
                    effects = self.effects
                else:
                    continue
                subject = f"dimension {axis} is dynamic, and {size} in the example"
                yield self.at(call.at(example.node), subject, effects=effects, help="use an example of size 2 or more")
