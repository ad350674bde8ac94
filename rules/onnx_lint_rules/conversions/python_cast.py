"""ONX201 python-cast."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.diagnostic import Applicability, Fix
from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import Conversion
from onnx_lint.semantics.domain.values import Frozen, Size, Tensor
from onnx_lint.source import ir
from onnx_lint.target import BOTH, FINE, Effects, fails, measured, wrong
from onnx_lint_rules.conversions.integer_arithmetic import is_needless, simplified
from onnx_lint_rules.conversions.scaling import is_factor
from onnx_lint_rules.rewriting import Code, is_written_call, replacement
from onnx_lint_rules.wording import described, quoted, where_live

_BUILT_IN = frozenset({"min", "max", "sorted", "in", "sum", "abs", "any", "all", "repetition"})
"""Left to ONX206."""
_COPIES, _COMPARISONS = ("copy.copy", "copy.deepcopy"), ("torch.equal", "torch.allclose")
_TENSORS = {**dict.fromkeys(("int", "float"), Code.itself), **dict.fromkeys(_COPIES, Code.cloned)}
_FOLLOWED = frozenset({"int", "float", "math.ceil", "math.floor", "math.trunc", "math.pow", "math.radians", "numel"})
"""Conversions of sizes and of numbers made of them whose result dynamo goes on computing with."""
_KEPT = wrong("keeps the example's number")
_COPIED = wrong("keeps the example's values")
_FAILS = fails("fails to export it")


class PythonCast(Rule[Conversion]):
    """A tensor or a size turned into a Python number by `int()`, `float()`, `round()`, `math.*` and the like.

    ## Why it breaks export

    The exported model keeps the number that the example input gave, as a constant.
    Torchscript warns "Converting a tensor to a Python integer might cause the trace to be incorrect" (or float, or
    number; for `bool()` and `round()` it often fails instead). The dynamo engine follows `int()` and `float()`, but not
    every function of `math`: it fails on `math.sqrt`, and the model that it makes of `math.ceil` of a plain dimension
    is invalid. It freezes `int()` of a rounded size such as `x.shape[0] // 2`. In eager mode a size is an `int`
    already, so `int(x.shape[0])` is redundant.

    ## Example

    ```python
    def forward(self, x):
        return x + int(x.shape[0])
    ```

    Use instead:

    ```python
    def forward(self, x):
        return x + x.shape[0]
    ```

    ## References

    - PyTorch documentation, "TorchScript-based ONNX Exporter": "Avoid Python Built-in Types"
    """

    code = "ONX201"
    name = "python-cast"
    effects = measured(torchscript=_KEPT, dynamo=FINE)
    messages = ("Converting a tensor to a Python integer", "Converting a tensor to a Python float")

    def check(self, cast: Conversion, /) -> Iterator[Finding]:
        if cast.converter.removesuffix(" by key") in _BUILT_IN:
            return
        what = quoted(cast, cast.argument) if cast.argument is not None else described(cast.subject)
        kind = "truth value" if cast.converter in ("bool", *_COMPARISONS) else "number"
        makes = f"copies {what} outside the graph" if cast.converter in _COPIES else f"makes a Python {kind} of {what}"
        help, fix, fixed = _help(cast), _fix(cast), is_factor(cast)
        yield self.at(
            cast, f"`{cast.converter}` {makes}", effects=_effects(cast), help=help, fix=fix, presumed_fixed=fixed
        )


def _effects(cast: Conversion) -> Effects:
    """Measured with torch 2.13, one kind of function and subject after the other."""
    name, subject = cast.converter, cast.subject
    if name == "round":
        return where_live(subject, measured(torchscript=_FAILS, dynamo=_FAILS))
    torchscript = _COPIED if name in _COPIES else _KEPT
    if isinstance(subject, Frozen):
        rounds_int = subject.type == "int" and name in ("math.ceil", "math.floor")  # an invalid model, as below
        of_size = name == "math.pow" and not subject.from_data
        dynamo = FINE if name in _FOLLOWED and not rounds_int and not of_size else _FAILS
    elif cast.depends_on_data:
        dynamo = FINE if name in ("int", "bool", "float") else _FAILS
    elif isinstance(subject, Size) and subject.is_dimension:
        # of a dimension as it is, `math.ceil` and `math.floor` give a model that ONNX Runtime refuses
        dynamo = _KEPT if name == "bool" else FINE if name in _FOLLOWED - {"math.ceil", "math.floor"} else _FAILS
    else:
        dynamo = _KEPT if name in ("bool", "int") else FINE if name in _FOLLOWED else _FAILS
    return where_live(subject, measured(torchscript=torchscript, dynamo=dynamo))


def _help(cast: Conversion) -> str:
    if cast.converter in _COPIES:
        return "copy a tensor with `clone()`"
    if cast.converter in _COMPARISONS:
        return "choose with `torch.where` on `(a == b).all()`, or on `torch.isclose(a, b).all()`"
    if cast.depends_on_data:
        return "keep the tensor: one-element tensors take part in arithmetic, comparison and indexing"
    if cast.converter in ("math.ceil", "round"):
        return "use integer arithmetic on the size: `(n + k - 1) // k` rounds up"
    root, rest = "write `n ** 0.5`, which stays in the graph", "use the size as it is, with integer arithmetic (`//`)"
    return root if cast.converter == "math.sqrt" else rest


def _fix(cast: Conversion) -> Fix | None:
    argument = cast.argument
    if argument is None or not isinstance(cast.node, ir.Call) or not is_written_call(cast.node, cast.converter):
        return None
    title, code, applicability = f"Keep the tensor, without `{cast.converter}()`", None, Applicability.UNSAFE
    if isinstance(cast.subject, Tensor):
        code = _TENSORS.get(cast.converter, lambda code: None)(Code.of(cast, argument))
    elif cast.converter == "math.sqrt":
        title, code = "Use `** 0.5`", Code.of(cast, argument).operator("**", 0.5)
    else:
        code = simplified(cast)
        if code is not None:
            title = f"Replace by `{' '.join(code.text.split())}`"
        if tuple(cast.engines) != BOTH:
            applicability = Applicability.DISPLAY  # the code asks which export it is in, and casts for that
        elif is_needless(cast):
            applicability = Applicability.SAFE
    edit = None if code is None else replacement(cast, cast.node, code)
    return None if edit is None else Fix(title, applicability, (edit,))
