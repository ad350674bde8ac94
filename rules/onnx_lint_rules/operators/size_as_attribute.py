"""ONX605 size-as-attribute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.parts import traced_parts
from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.semantics.domain.values import Size
from onnx_lint.target import Effects, fails, measured, wrong
from onnx_lint_rules.wording import described, quoted

_FAILS = fails("fails to take it")
_FIXED = fails("refuses to fix it")
_WRONG = wrong("silently keeps the example's")
_UNUSABLE = wrong("makes a model that fails in its Expand, or is wrong where both numbers are equal")
_POOLED = measured(torchscript=_WRONG, dynamo=_FIXED)
_BOTH = measured(torchscript=_FAILS, dynamo=_FIXED)
_PADDED = measured(torchscript=_WRONG, dynamo=_FAILS)
_DYNAMO = measured(dynamo=_FIXED)
_TORCHSCRIPT = measured(torchscript=_FAILS)
_F = "torch.nn.functional."
_ATTRIBUTES: Mapping[str, tuple[int, str, Effects]] = {
    f"{_F}max_pool1d": (1, "kernel_size", _POOLED),
    f"{_F}avg_pool1d": (1, "kernel_size", _POOLED),
    f"{_F}max_pool2d": (1, "kernel_size", _BOTH),
    f"{_F}avg_pool2d": (1, "kernel_size", _BOTH),
    f"{_F}layer_norm": (1, "normalized_shape", _TORCHSCRIPT),
    f"{_F}adaptive_avg_pool2d": (1, "output_size", _TORCHSCRIPT),
    f"{_F}one_hot": (1, "num_classes", _DYNAMO),
    f"{_F}scaled_dot_product_attention": (5, "is_causal", _BOTH),
    "torch.linspace": (2, "steps", _DYNAMO),
    "torch.repeat_interleave": (1, "repeats", measured(dynamo=_UNUSABLE)),
    "torch.Tensor.repeat_interleave": (1, "repeats", measured(dynamo=_UNUSABLE)),
    **dict.fromkeys((f"torch.nn.ConvTranspose{rank}d" for rank in (1, 2, 3)), (1, "output_size", _PADDED)),
    "torch.Tensor.unfold": (2, "size", measured(torchscript=_FAILS, dynamo=_WRONG)),
}
"""Position and name of the parameter, and what was measured with torch 2.13."""


class SizeAsAttribute(Rule[OperatorCall]):
    """A traced size given where an operator wants a fixed number.

    ## Why it breaks export

    Some parameters are attributes of the ONNX operator, not inputs: kernel sizes of pooling, the number of classes, the
    shape of `layer_norm`, `is_causal`. With a dynamic dimension torchscript stops with "Failed to export a node", or
    silently keeps the size of the example in `max_pool1d`; dynamo fixes the size and stops with "conflicts between
    user-specified ranges and inferred ranges". A number of `repeats` for `repeat_interleave` becomes a model that ONNX
    Runtime stops in with "invalid expand shape"; where it is equal to the number of rows, the result is silently wrong.
    Sizes given to `interpolate`, `topk`, `arange` and `pad` stay live in
    both.

    ## Example

    ```python
    def forward(self, x):
        return F.max_pool1d(x.t()[None], x.shape[0]).flatten()
    ```

    Use instead:

    ```python
    def forward(self, x):
        return x.amax(0)
    ```

    ## References

    - PyTorch documentation, "torch.nn.functional.max_pool1d"
    """

    code = "ONX605"
    name = "size-as-attribute"
    effects = measured(torchscript=_WRONG, dynamo=_FIXED)
    messages = (
        "Failed to export a node",
        "conflicts between user-specified ranges and inferred ranges",
        "must be bool, not Tensor",
    )

    def check(self, call: OperatorCall, /) -> Iterator[Finding]:
        known = _ATTRIBUTES.get(call.name)
        given = None if known is None else call.given(known[0], known[1])
        if known is None or given is None:
            return
        size = next((part for part in traced_parts(given) if isinstance(part, Size)), None)
        if size is not None:
            site = replace(call, subject=size)
            subject = f"`{known[1]}` of {quoted(call)} is {described(size)}"
            help = "use a fixed number, or an operator that reduces the whole dimension"
            yield self.at(site, subject, effects=known[2], help=help, by_size=True)
