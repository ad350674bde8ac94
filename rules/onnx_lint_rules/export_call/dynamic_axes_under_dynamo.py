"""ONX502 dynamic-axes-under-dynamo."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.export_script import ExporterCall
from onnx_lint.target import Engine, measured, warns


class DynamicAxesUnderDynamo(Rule[ExporterCall]):
    """`dynamic_axes` given to the dynamo engine, often because the call does not say which engine it was written for.

    ## Why it breaks export

    `dynamic_axes` belongs to the torchscript engine. Since torch 2.9 the dynamo engine is the default, so a call that
    does not say `dynamo=` changes its engine with the torch that is installed. Dynamo converts the axes with the
    warning "'dynamic_axes' is not recommended when dynamo=True", and fails where a key is not the name of an input.
    Given together with `dynamic_shapes`, they are ignored.

    ## Example

    ```python
    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(
        Model().eval(), (torch.randn(3, 4),), "model.onnx",
        input_names=["x"], dynamic_axes={"x": {0: "batch"}},
    )
    ```

    Use instead:

    ```python
    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(
        Model().eval(), (torch.randn(3, 4),), "model.onnx", dynamo=True,
        input_names=["x"], dynamic_shapes={"x": {0: torch.export.Dim.DYNAMIC}},
    )
    ```

    ## References

    - PyTorch documentation, "torch.onnx.export": `dynamic_axes`, `dynamic_shapes`
    - pytorch/pytorch#169178
    """

    code = "ONX502"
    name = "dynamic-axes-under-dynamo"
    effects = measured(dynamo=warns("converts them with a warning"))
    messages = ("'dynamic_axes' is not recommended when dynamo=True",)

    def check(self, call: ExporterCall, /) -> Iterator[Finding]:
        axes = call.get("dynamic_axes")
        if axes is None or call.engine is Engine.TORCHSCRIPT or call.script.is_none(axes):
            return
        if call.engine is None:
            if call.says_engine:
                return
            subject = "the call does not say `dynamo=`, and `dynamic_axes` is made for `dynamo=False`"
            help = "say `dynamo=False`, or use `dynamic_shapes`: `dynamo=True` is the default since torch 2.9"
        elif call.get("dynamic_shapes") is not None:
            subject, help = "`dynamic_axes` beside `dynamic_shapes` is not read", "leave `dynamic_axes` out"
            yield self.at(call.at(axes), subject, effects=measured(dynamo=warns("ignores it")), help=help)
            return
        else:
            subject, help = "`dynamic_axes` is made for `dynamo=False`", "use `dynamic_shapes`"
        yield self.at(call.at(axes), subject, help=help)
