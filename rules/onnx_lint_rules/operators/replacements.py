"""What to write instead of an operator; each was exported by both engines in the tests."""

from __future__ import annotations

from collections.abc import Mapping

_ATTENTION = "use `F.scaled_dot_product_attention` on projected inputs"

REPLACEMENTS: Mapping[str, str] = {
    "torch.nn.MultiheadAttention": _ATTENTION,
    "torch.nn.functional.multi_head_attention_forward": _ATTENTION,
    "torch.nn.TransformerEncoderLayer": f"{_ATTENTION}, in a layer of your own",
    "torch.nn.TransformerEncoder": f"{_ATTENTION}, in a layer of your own",
    "torch.Tensor.unfold": "stack slices, or use a convolution",
    "torch.index_add": "multiply with a one-hot matrix, or use `scatter_add` from opset 16 on",
    "torch.Tensor.index_add": "multiply with a one-hot matrix, or use `scatter_add` from opset 16 on",
    "torch.Tensor.index_add_": "multiply with a one-hot matrix, or use `scatter_add` from opset 16 on",
    "torch.cdist": "use `(a[:, :, None] - b[:, None]).norm(dim=-1)`",
    "torch.cumprod": "use `x.log().cumsum(dim).exp()` for positive values",
}
"""By full name."""
