"""What to write instead of an operator; the tests export an example of each with both engines."""

from __future__ import annotations

from collections.abc import Mapping

_ATTENTION = "use `F.scaled_dot_product_attention` on projected inputs"
_ONE_HOT = "multiply with a one-hot matrix, or use `scatter_add` from opset 16 on"
_SORTED = "sort and take the element that is wanted"
_BY_NAME: Mapping[str, str] = {
    "nn.MultiheadAttention": _ATTENTION,
    "nn.functional.multi_head_attention_forward": _ATTENTION,
    "nn.TransformerEncoderLayer": f"{_ATTENTION}, in a layer of your own",
    "nn.TransformerEncoder": f"{_ATTENTION}, in a layer of your own",
    "unfold": "stack slices, or use a convolution",
    "index_add": _ONE_HOT,
    "index_add_": _ONE_HOT,
    "cdist": "use `(a[:, None] - b[None]).norm(dim=-1)`",
    "cumprod": "use `x.log().cumsum(dim).exp()` for positive values",
    "diff": "subtract slices: `x[1:] - x[:-1]`",
    "median": _SORTED,
    "kthvalue": _SORTED,
    "masked_select": "use `x[mask]`",
    "nansum": "use `torch.where(x.isnan(), 0.0, x).sum(dim)`",
    "bincount": "sum a one-hot matrix",
    "searchsorted": "count with `(x[..., None] > edges).sum(-1)`",
    "new": "use `x.new_zeros(size)`",
    "__ior__": "write `mask = mask | other`",
    "__iand__": "write `mask = mask & other`",
    "nn.functional.one_hot": "give `num_classes`",
    "rot90": "use `flip` and `transpose`",
}


def instead_of(name: str) -> str | None:
    """What to write instead of a function, method or module, by its full name."""
    return _BY_NAME.get(name.removeprefix("torch.").removeprefix("Tensor."))
