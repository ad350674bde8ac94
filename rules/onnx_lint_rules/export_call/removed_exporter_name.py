"""ONX510 removed-exporter-name."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.export_script import ExporterName, asks_for_version
from onnx_lint.target import fails, measured
from onnx_lint_rules.exporter_api import exporter_api

_GONE = fails("raises an error at it")


class RemovedExporterName(Rule[ExporterName]):
    """A function or class of `torch.onnx` that is gone.

    ## Why it breaks export

    `torch.onnx.dynamo_export` and its options were replaced by `torch.onnx.export(dynamo=True)`, and several helpers of
    the torchscript engine were removed. With torch 2.13 they raise "module 'torch.onnx' has no attribute" or an
    `ImportError`.

    ## Example

    ```python
    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.dynamo_export(Model().eval(), torch.randn(3, 4)).save("model.onnx")
    ```

    Use instead:

    ```python
    class Model(nn.Module):
        def forward(self, x):
            return x + 1


    torch.onnx.export(Model().eval(), (torch.randn(3, 4),), "model.onnx", dynamo=True, dynamic_shapes=({0: "batch"},))
    ```

    ## References

    - PyTorch documentation, "torch.onnx"
    """

    code = "ONX510"
    name = "removed-exporter-name"
    effects = measured(torchscript=_GONE, dynamo=_GONE)
    messages = ("module 'torch.onnx' has no attribute", "cannot import name")

    def check(self, use: ExporterName, /) -> Iterator[Finding]:
        instead = exporter_api().removed_names.get(use.name)
        if instead is not None and not asks_for_version(use.unit.module.source.text):
            yield self.at(use, f"`{use.name}` was removed from torch", help=instead)
