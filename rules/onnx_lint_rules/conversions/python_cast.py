"""ONX201 python-cast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from onnx_lint.diagnostic import Applicability, Fix
from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import Conversion
from onnx_lint.semantics.domain.values import Size, Tensor
from onnx_lint.source import ir
from onnx_lint.target import BOTH, Engine, Verdict, measured
from onnx_lint_rules.conversions.integer_arithmetic import is_needless, simplified
from onnx_lint_rules.rewriting import Code, is_written_call, replacement
from onnx_lint_rules.wording import described, quoted

_BUILT_IN = frozenset({"min", "max", "sorted", "in", "sum", "abs", "any", "all", "repetition"})
"""Left to ONX206."""
_COPIES = ("copy.copy", "copy.deepcopy")
_LIVE_UNDER_DYNAMO = frozenset({"math.ceil", "math.floor", "math.trunc", "math.pow", "float"})


class PythonCast(Rule[Conversion]):
    """A tensor or a size turned into a Python number by `int()`, `float()`, `round()`, `math.*` and the like.

    ## Why it breaks export

    A Python number is a constant of the trace: the exported model keeps the number that the example input gave.
    Torchscript warns "Converting a tensor to a Python integer might cause the trace to be incorrect" (or float, or
    number; for `bool()` and `round()` it often fails instead). The dynamo engine follows `int()` and `float()`, but not
    every function of `math`, and it freezes `int()` of a rounded size such as `x.shape[0] // 2`. In eager mode a size
    is an `int` already, so that `int(x.shape[0])` does nothing and can go.

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
    verdicts = measured(torchscript=Verdict.SILENTLY_WRONG, dynamo=Verdict.FINE)

    def check(self, cast: Conversion, /) -> Iterator[Finding]:
        if cast.converter.removesuffix(" by key") in _BUILT_IN:
            return
        what = quoted(cast, cast.argument) if cast.argument is not None else described(cast.subject)
        kept = "values" if cast.converter in _COPIES else "number"
        message = f"`{cast.converter}` of {what} is a constant of the trace: torchscript keeps the example's {kept}"
        yield self.at(cast, message, verdicts=_verdicts(cast), help=_help(cast), fix=_fix(cast))


def _verdicts(cast: Conversion) -> Mapping[Engine, Verdict]:
    """Measured with torch 2.13, one kind of function and subject after the other."""
    name, data = cast.converter, cast.depends_on_data
    if name == "round":
        return measured(torchscript=Verdict.FAILS, dynamo=Verdict.FAILS)
    if name in ("int", "bool", "float"):
        frozen = not data and (name == "bool" or (name == "int" and not _is_dimension(cast)))
        dynamo = Verdict.SILENTLY_WRONG if frozen else Verdict.FINE
    elif name in _LIVE_UNDER_DYNAMO and not data:
        dynamo = Verdict.FINE
    else:
        dynamo = Verdict.FAILS
    return measured(torchscript=Verdict.SILENTLY_WRONG, dynamo=dynamo)


def _is_dimension(cast: Conversion) -> bool:
    """A dimension as it is; of a computed one (a strided convolution's), dynamo keeps the rounded number."""
    subject = cast.subject
    if not isinstance(subject, Size) or subject.boolean:
        return False
    return subject.parameter is not None or subject.axis in (0, 1)


def _help(cast: Conversion) -> str:
    if cast.converter in _COPIES:
        return "copy a tensor with `clone()`"
    if cast.converter in ("torch.equal", "torch.allclose"):
        return "choose with `torch.where` on `(a == b).all()`, or on `torch.isclose(a, b).all()`"
    if cast.depends_on_data:
        return "keep the tensor: one-element tensors take part in arithmetic, comparison and indexing"
    if cast.converter in ("math.ceil", "round"):
        return "use integer arithmetic on the size: `(n + k - 1) // k` rounds up"
    if cast.converter == "math.sqrt":
        return "write `n ** 0.5`, which stays in the graph"
    return "use the size as it is, with integer arithmetic (`//`)"


def _fix(cast: Conversion) -> Fix | None:
    argument = cast.argument
    if argument is None or not isinstance(cast.node, ir.Call) or not is_written_call(cast.node, cast.converter):
        return None
    title, code, applicability = f"Keep the tensor, without `{cast.converter}()`", None, Applicability.UNSAFE
    if isinstance(cast.subject, Tensor):
        code = Code.of(cast, argument) if cast.converter in ("int", "float") else None
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
