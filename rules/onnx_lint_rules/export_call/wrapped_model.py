"""ONX509 wrapped-model."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.export_script import ExporterCall
from onnx_lint.target import fails, measured

_PARALLEL = measured(torchscript=fails("refuses it"), dynamo=fails("refuses it"))
_SCRIPTED = measured(dynamo=fails("refuses it"))
_WRAPPERS = {
    "torch.nn.DataParallel": (_PARALLEL, "export `model.module`"),
    "torch.nn.parallel.DataParallel": (_PARALLEL, "export `model.module`"),
    "torch.compile": (measured(torchscript=fails("refuses it")), "export the model itself"),
    "torch.jit.script": (_SCRIPTED, "export the model itself, or use `dynamo=False`"),
    "torch.jit.trace": (_SCRIPTED, "export the model itself, or use `dynamo=False`"),
    "torch.jit.load": (_SCRIPTED, "use `dynamo=False`"),
}
"""What stands around a model, by full name (torch 2.13)."""


class WrappedModel(Rule[ExporterCall]):
    """A model that is wrapped in something that an engine does not export.

    ## Why it breaks export

    `DataParallel` copies the model to several devices: torchscript stops with "torch.nn.DataParallel is not supported
    by ONNX exporter", dynamo fails as well. A model from `torch.compile` cannot be traced ("Detected that you are using
    FX to torch.jit.trace a dynamo-optimized function"). A scripted or traced one is refused by dynamo: "Exporting a
    ScriptModule is not supported".

    ## Example

    ```python
    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(
        nn.DataParallel(Model().eval()), (torch.randn(3, 4),), "model.onnx", dynamo=False,
        input_names=["x"], dynamic_axes={"x": {0: "batch"}},
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

    - pytorch/pytorch#23431
    - pytorch/pytorch#5315
    """

    code = "ONX509"
    name = "wrapped-model"
    effects = _PARALLEL
    messages = (
        "is not supported by ONNX exporter, please use 'attribute' module to unwrap model",
        "Detected that you are using FX to torch.jit.trace a dynamo-optimized function",
        "Exporting a ScriptModule is not supported",
    )

    def check(self, call: ExporterCall, /) -> Iterator[Finding]:
        made = call.script.constructor(call.get("model"))
        name = None if made is None else call.script.meaning(made.func)
        if isinstance(name, str) and name in _WRAPPERS:
            effects, help = _WRAPPERS[name]
            yield self.at(call, f"the model is wrapped in `{name}`", effects=effects, help=help)
