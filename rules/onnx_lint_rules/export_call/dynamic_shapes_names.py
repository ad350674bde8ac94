"""ONX505 dynamic-shapes-names."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.export_script import ExporterCall
from onnx_lint.target import Engine, fails, measured


class DynamicShapesNames(Rule[ExporterCall]):
    """Keys of `dynamic_shapes` that are not the names of the parameters of `forward`.

    ## Why it breaks export

    Given as a dict, `dynamic_shapes` has one entry for each argument of the model, under the name of the parameter in
    `forward`; names in `input_names` do not count, and arguments that stay as they are stand there with `None`. Dynamo
    stops with "its top-level keys must be the arg names" otherwise.

    ## Example

    ```python
    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(
        Model().eval(), (torch.randn(3, 4),), "model.onnx", dynamo=True,
        input_names=["image"], dynamic_shapes={"image": {0: torch.export.Dim.DYNAMIC}},
    )
    ```

    Use instead:

    ```python
    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(
        Model().eval(), (torch.randn(3, 4),), "model.onnx", dynamo=True,
        input_names=["image"], dynamic_shapes={"x": {0: torch.export.Dim.DYNAMIC}},
    )
    ```

    ## References

    - PyTorch documentation, "torch.export": `dynamic_shapes`
    """

    code = "ONX505"
    name = "dynamic-shapes-names"
    effects = measured(dynamo=fails("stops at the names"))
    messages = ("When `dynamic_shapes` is specified as a dict, its top-level keys must be the arg names",)

    def check(self, call: ExporterCall, /) -> Iterator[Finding]:
        script, shapes, forward = call.script, call.get("dynamic_shapes"), call.forward
        keys, given = script.keys(shapes), script.examples(call.get("args"))
        if not keys or forward is None or given is None or call.get("kwargs") is not None or not call.is_complete:
            return
        parameters = [p.name for p in forward.params.positional[1:]][: len(given)]
        if len(parameters) < len(given) or call.engine is Engine.TORCHSCRIPT:
            return
        found = [str(key.value) for key in keys]
        if set(found) != set(parameters):
            wanted = ", ".join(f"`{name}`" for name in parameters)
            subject = f"`dynamic_shapes` has other keys than the arguments of the model, {wanted}"
            yield self.at(call.at(keys[0]), subject, help=f"give one entry each for {wanted}, `None` for a fixed one")
