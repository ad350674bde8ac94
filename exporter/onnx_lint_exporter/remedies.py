"""What to write instead of an operator that an engine cannot translate, or translates wrongly.

Each entry was executed with the torch that `TORCH` names: what stands there fails or is wrong in an engine, what is
written instead is right in both (else in those that it names) on two inputs of other sizes, and gives the same by
itself. ``tests/exporter/test_remedies.py`` does that again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onnx_lint.target import BOTH, Engine

TORCH = "2.13"
"""The version of torch that the entries hold for."""
_F = "torch.nn.functional"


@dataclass(frozen=True)
class Remedy:
    """One replacement. `x` and `y` stand for the tensors."""

    operator: str
    """As torch names it, without namespace and overload."""
    written: str
    instead: str
    inputs: tuple[str, ...]
    """Specifications of `x` and `y` in the test."""
    engines: tuple[Engine, ...] = BOTH
    """In which the replacement is right."""


REMEDIES = (
    Remedy(
        "floor_divide",
        "torch.floor_divide(x, 3.0)",
        "torch.div(x, 3.0, rounding_mode='floor')",
        ("x:float32[n=3|5,4]",),
    ),
    Remedy("cdist", "torch.cdist(x, x)", "(x[:, None] - x[None]).pow(2).sum(-1).sqrt()", ("x:float32[n=3|5,4]",)),
    Remedy(
        "bincount",
        "torch.bincount(x, minlength=5)",
        "torch.zeros(5, dtype=torch.int64).scatter_add(0, x, torch.ones_like(x))",
        ("x:int64[n=6|9]=5",),
    ),
    Remedy(
        "index_add",
        "torch.zeros(5).index_add(0, x, y)",
        "torch.zeros(5).scatter_add(0, x, y)",
        ("x:int64[n=6|9]=5", "y:float32[n]"),
    ),
    Remedy("trace", "torch.trace(x)", "torch.diagonal(x).sum()", ("x:float32[n=3|5,n]",)),
    Remedy("nansum", "torch.nansum(x)", "torch.nan_to_num(x).sum()", ("x:float32[n=3|5,4]",)),
    Remedy("kthvalue", "torch.kthvalue(x, 2).values", "x.sort(-1).values[..., 1]", ("x:float32[n=3|5,4]",)),
    Remedy("median", "x.median(-1).values", "x.sort(-1).values[..., (x.shape[-1] - 1) // 2]", ("x:float32[n=3|5,6]",)),
    Remedy(
        "quantile",
        "torch.quantile(x, 0.5)",
        "(x.flatten().sort().values[(x.numel() - 1) // 2] + x.flatten().sort().values[x.numel() // 2]) / 2",
        ("x:float32[n=3|4,5]",),
    ),
    Remedy(
        "unfold",
        "x.unfold(1, 3, 1)",
        "torch.stack([x[:, k : x.shape[1] - 2 + k] for k in range(3)], -1)",
        ("x:float32[n=3|5,s=6|9]",),
    ),
    Remedy(
        "rms_norm",
        f"{_F}.rms_norm(x, (4,), eps=1e-6)",
        "x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)",
        ("x:float32[n=3|5,4]",),
    ),
    Remedy("diff", "torch.diff(x)", "x[..., 1:] - x[..., :-1]", ("x:float32[n=3|5,4]",)),
    Remedy(
        "roll",
        "torch.roll(x, x.shape[0] // 2, 0)",
        "torch.cat([x[x.shape[0] - x.shape[0] // 2 :], x[: x.shape[0] - x.shape[0] // 2]])",
        ("x:float32[n=4|7,4]",),
    ),
    Remedy(
        "searchsorted",
        "torch.searchsorted(torch.arange(4.0), x)",
        "(torch.arange(4.0) < x[..., None]).sum(-1)",
        ("x:float32[n=3|5,4]",),
    ),
    Remedy(
        "logcumsumexp",
        "torch.logcumsumexp(x, -1)",
        "x.amax(-1, keepdim=True) + (x - x.amax(-1, keepdim=True)).exp().cumsum(-1).log()",
        ("x:float32[n=3|5,4]",),
    ),
    Remedy("hypot", "torch.hypot(x, y)", "(x * x + y * y).sqrt()", ("x:float32[n=3|5,4]", "y:float32[n,4]")),
    Remedy(
        "sinc",
        "torch.sinc(x)",
        "torch.where(x == 0, 1.0, torch.sin(torch.pi * x) / (torch.pi * torch.where(x == 0, 1.0, x)))",
        ("x:float32[n=3|5,4]",),
    ),
    Remedy(
        "take_along_dim", "torch.take_along_dim(x, y, 1)", "x.gather(1, y)", ("x:float32[n=3|5,4]", "y:int64[n,4]=4")
    ),
    Remedy(
        "heaviside",
        "torch.heaviside(x, y)",
        "torch.where(x == 0, y, (x > 0).to(x.dtype))",
        ("x:float32[n=3|5,4]", "y:float32[n,4]"),
    ),
    Remedy(
        "nanmean", "torch.nanmean(x)", "torch.nan_to_num(x).sum() / (~torch.isnan(x)).sum()", ("x:float32[n=3|5,4]",)
    ),
    Remedy(
        "xlogy",
        "torch.xlogy(x, y)",
        "torch.where(x == 0, torch.zeros_like(x), x * y.log())",
        ("x:float32[n=3|5,4]=0..2", "y:float32[n,4]=0.1..2"),
    ),
    Remedy(
        "cov",
        "torch.cov(x)",
        "(x - x.mean(1, keepdim=True)) @ (x - x.mean(1, keepdim=True)).transpose(0, 1) / (x.shape[1] - 1)",
        ("x:float32[n=3|5,6]",),
    ),
    Remedy(
        "arange",
        "x * torch.arange(x.shape[0], dtype=torch.float16)[:, None]",
        "x * torch.arange(x.shape[0]).half()[:, None]",
        ("x:float16[n=3|5,4]",),
    ),
    Remedy(
        "__getitem__",
        "x[y, y]",
        "x[y % x.shape[0], y % x.shape[1]]",
        ("x:float32[n=3|5,4]", "y:int64[k=4|6]=-2..2"),
        (Engine.TORCHSCRIPT,),
    ),
    Remedy(
        "__setitem__",
        "torch.index_put(x, (y, y), torch.ones(4))",
        "torch.index_put(x, (y, y), torch.ones(4).expand(y.shape[0], 4))",
        ("x:float32[5,5,4]", "y:int64[k=3|4]=5"),
    ),
    Remedy(
        "scaled_dot_product_attention",
        f"{_F}.scaled_dot_product_attention(x, x, x, is_causal=x.shape[1] > 1)",
        f"{_F}.scaled_dot_product_attention(x, x, x, torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril())",
        ("x:float32[2,n=3|5,4]",),
        (Engine.TORCHSCRIPT,),
    ),
)


def _plain(operator: str) -> str:
    """The name of an operator or function without namespace, overload and underscores."""
    return operator.rsplit("::", maxsplit=1)[-1].split(".", maxsplit=1)[0].strip("_")


_BY_OPERATOR = {_plain(remedy.operator): remedy for remedy in REMEDIES}
_BY_OPERATOR["index_put"] = _BY_OPERATOR["setitem"]
_BY_OPERATOR["Range"] = _BY_OPERATOR["arange"]  # ONNX Runtime names its own operator


def remedy_for(operator: str, text: str, called: Sequence[str] = ()) -> str | None:
    """What to write instead, in words.

    `text` is the failure's message, which may name the function itself; `called` are the torch functions of the line,
    which count where the operator is ONNX's own and only one of them has a remedy.
    """
    found = _BY_OPERATOR.get(_plain(operator))
    if found is None and not operator:
        found = next((r for r in REMEDIES if f"{r.operator}()" in text), None)
    if found is None and "::" not in operator:
        of_the_line = [_BY_OPERATOR[name] for name in map(_plain, called) if name in _BY_OPERATOR]
        found = of_the_line[0] if len(of_the_line) == 1 else None
    if found is None:
        return None
    where = "both engines" if found.engines == BOTH else " and ".join(engine.value for engine in found.engines)
    return f"instead of `{found.written}` write `{found.instead}`: right in {where} (tried with torch {TORCH})"
