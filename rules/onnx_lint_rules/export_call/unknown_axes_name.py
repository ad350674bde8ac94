"""ONX501 unknown-axes-name."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.export_script import ExporterCall
from onnx_lint.target import FINE, fails, measured, warns

_STATIC = fails("warns and keeps its dimensions as they are, so that other sizes fail", after="keeps them fixed")
_REFUSED = fails("fails to convert the axes")


class UnknownAxesName(Rule[ExporterCall]):
    """A key of `dynamic_axes` that is not the name of an input or output.

    ## Why it breaks export

    Keys are looked up in `input_names` and `output_names`. One that is not there, through a typing error or since
    no names were given, leaves the dimension of the example fixed: torchscript says "Provided key imgae for dynamic
    axes is not a valid input/output name" and goes on, and ONNX Runtime stops with "Got invalid dimensions for input".
    The dynamo engine stops with "Failed to convert 'dynamic_axes' to 'dynamic_shapes'".

    ## Example

    ```python
    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(
        Model().eval(), (torch.randn(3, 4),), "model.onnx", dynamo=False,
        input_names=["image"], dynamic_axes={"imgae": {0: "batch"}},
    )
    ```

    Use instead:

    ```python
    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(
        Model().eval(), (torch.randn(3, 4),), "model.onnx", dynamo=False,
        input_names=["image"], dynamic_axes={"image": {0: "batch"}},
    )
    ```

    ## References

    - PyTorch documentation, "torch.onnx.export": `dynamic_axes`
    """

    code = "ONX501"
    name = "unknown-axes-name"
    effects = measured(torchscript=_STATIC, dynamo=_REFUSED)
    messages = (
        "for dynamic axes is not a valid input/output name",
        "Failed to convert 'dynamic_axes' to 'dynamic_shapes'",
        "Got invalid dimensions for input",
    )

    def check(self, call: ExporterCall, /) -> Iterator[Finding]:
        script, given, outputs = call.script, call.get("input_names"), call.get("output_names")
        keys = script.keys(call.get("dynamic_axes"))
        names = () if given is None else script.texts(given)
        output_names = () if outputs is None else script.texts(outputs)
        if keys is None or names is None or output_names is None or not call.is_complete:
            return
        inputs = {name.value for name in names}
        known = inputs | {name.value for name in output_names}
        found = {key.value for key in keys}
        for key in keys:
            name = str(key.value)
            if name in known or "." in name or ":" in name:  # those are names that the exporter makes
                continue
            effects = self.effects
            if inputs and inputs <= found and not output_names:  # every input has its axes: this one is an output
                effects = measured(torchscript=warns("warns and leaves it alone"), dynamo=_REFUSED)
            elif not known:
                effects = measured(torchscript=_STATIC, dynamo=FINE)
            help = f"add `{name}` to `input_names` or `output_names`, or write the name that stands there"
            yield self.at(call.at(key), f"`{name}` names no input or output", effects=effects, help=help)
