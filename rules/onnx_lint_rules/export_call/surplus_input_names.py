"""ONX506 surplus-input-names."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.export_script import ExporterCall
from onnx_lint.target import Engine, fails, measured, warns

_FAILS = fails("fails where the model has no weights that the rest could name")


class SurplusInputNames(Rule[ExporterCall]):
    """More `input_names` than the model has inputs.

    ## Why it breaks export

    Names beyond the inputs are given to the weights of the model. Where there are none left, torchscript stops with
    "number of input names provided (3) exceeded number of inputs (2)". The dynamo engine does not read them.

    ## Example

    ```python
    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(
        Model().eval(), (torch.randn(3, 4),), "model.onnx", dynamo=False,
        input_names=["x", "mask"], dynamic_axes={"x": {0: "batch"}},
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

    - PyTorch documentation, "torch.onnx.export": `input_names`
    """

    code = "ONX506"
    name = "surplus-input-names"
    effects = measured(torchscript=_FAILS)
    messages = ("exceeded number of inputs",)

    def check(self, call: ExporterCall, /) -> Iterator[Finding]:
        script, forward = call.script, call.forward
        names, given = script.texts(call.get("input_names")), script.examples(call.get("args"))
        if names is None or given is None or call.get("kwargs") is not None or len(names) <= len(given):
            return
        if call.engine is Engine.DYNAMO or any(example.shape is None for example in given):
            return  # a nested example has more inputs than parts
        has_weights = forward is None or call.makes_parts
        effects = measured(torchscript=warns("gives the rest to weights")) if has_weights else self.effects
        subject = f"there are {len(names)} input names for {len(given)} inputs"
        help = "give one name for each tensor in `args`"
        yield self.at(call.at(names[len(given)]), subject, effects=effects, help=help)
