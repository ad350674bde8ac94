"""New source for a fix: expressions that get their parentheses by construction, and the edit that puts them in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from onnx_lint.diagnostic import Edit, Span
from onnx_lint.semantics.domain.sites import Site
from onnx_lint.source import ir
from onnx_lint.source.enclosing import enclosing


class Binding(IntEnum):
    """How tightly an expression binds, loosest first (Python reference, "Operator precedence")."""

    ANYTHING = 0
    """A walrus, a lambda, a conditional, a ``yield``, a tuple: in parentheses wherever it is put."""
    TEST = 1
    BITS = 2
    SUM = 3
    PRODUCT = 4
    SIGN = 5
    """A sign; a number too, since ``3.real`` does not parse."""
    POWER = 6
    ATOM = 7


_OPERATORS = {
    "+": Binding.SUM, "-": Binding.SUM, "*": Binding.PRODUCT, "/": Binding.PRODUCT, "//": Binding.PRODUCT,
    "%": Binding.PRODUCT, "@": Binding.PRODUCT, "**": Binding.POWER,
}  # fmt: skip


@dataclass(frozen=True)
class Code:
    """The source of an expression, and how tightly it binds."""

    text: str
    binding: Binding = Binding.ATOM
    is_open: bool = False
    """Goes over several lines, perhaps without parentheses of its own: those that let it are elsewhere."""

    @classmethod
    def of(cls, site: Site, node: ir.Expr) -> Code:
        """The source of a node of the site's chunk, as it is written."""
        text = site.text_of(node)
        return cls(text, _binding(node), "\n" in text or "\r" in text)

    def within(self, needed: Binding) -> str:
        """The text where something that binds at least so tightly must stand."""
        if self.binding < needed or self.is_open:
            return f"({self.text})"
        return self.text

    def itself(self) -> Code | None:
        return self

    def cloned(self) -> Code | None:
        return self.attribute("clone()")

    def attribute(self, name: str) -> Code:
        return Code(f"{self.within(Binding.ATOM)}.{name}")

    def operator(self, op: str, right: Code | int | float) -> Code:
        """``self op right``."""
        other = right if isinstance(right, Code) else Code(repr(right), Binding.SIGN)
        binding = _OPERATORS[op]
        left_needs, right_needs = binding, Binding(binding + 1)
        if op == "**":  # from right to left, and a sign on its right binds tighter
            left_needs, right_needs = Binding.ATOM, Binding.SIGN
        return Code(f"{self.within(left_needs)} {op} {other.within(right_needs)}", binding)


def _binding(node: ir.Expr) -> Binding:
    if isinstance(node, (ir.Name, ir.Attribute, ir.Subscript, ir.Call, ir.Format, ir.Mapping)):
        return Binding.ATOM
    if isinstance(node, ir.Const):
        return Binding.SIGN if isinstance(node.value, (int, float, complex)) else Binding.ATOM
    if isinstance(node, ir.BinOp):
        return _OPERATORS.get(node.op, Binding.BITS)
    if isinstance(node, ir.UnaryOp):
        return Binding.TEST if node.op == "not" else Binding.SIGN
    if isinstance(node, (ir.Compare, ir.BoolOp)):
        return Binding.TEST
    return Binding.ANYTHING


def replacement(site: Site, node: ir.Expr, code: Code) -> Edit | None:
    """The edit that puts `code` where the expression `node` stands; ``None`` where none can: in an f-string, whose text
    may be its value (``f"{len(x)=}"``), and where a comment would go with what is replaced."""
    old = site.text_of(node)
    around = enclosing(site.unit.chunk.lowered.body, node)
    if any(isinstance(n, ir.Format) for n in around) or old.count("#") > code.text.count("#"):
        return None
    is_argument = bool(around) and isinstance(around[-1], ir.Call) and node in around[-1].args
    text = code.text if is_argument and code.binding is not Binding.ANYTHING else code.within(_binding(node))
    source = site.unit.module.source
    span = site.unit.span(node.at)
    start, end = source.offset(span.line, span.column), source.offset(span.end_line, span.end_column)
    before, after = source.text[max(start - 1, 0) : start], source.text[end : end + 1]
    if _is_joined(before, text[:1]) or _is_joined(text[-1:], after):
        text = f"({text})"
    return Edit(span, text, old)


def other_attribute(site: Site, node: ir.Attribute, new: str) -> Edit | None:
    """The edit that puts `new` for the name behind the last dot, and leaves all else as it is laid out; ``None`` in an
    f-string."""
    around = enclosing(site.unit.chunk.lowered.body, node)
    if any(isinstance(n, ir.Format) for n in around) or not site.text_of(node).endswith(node.attr):
        return None
    span = site.unit.span(node.at)
    start = span.end_column - len(node.attr)
    return Edit(Span(span.path, span.end_line, start, span.end_line, span.end_column), new, node.attr)


def _is_joined(left: str, right: str) -> bool:
    """Whether two characters side by side would be read as one word (``return x`` without the blank)."""
    return re.fullmatch(r"\w\w", left + right) is not None


def is_written_call(node: object, name: str, arguments: int = 1) -> bool:
    """Whether a node is a plain call of the function `name` as it stands there, with so many arguments: not of another
    one that calls it, such as ``map(int, …)``."""
    return (
        isinstance(node, ir.Call)
        and isinstance(node.func, (ir.Name, ir.Attribute))
        and (node.func.id if isinstance(node.func, ir.Name) else node.func.attr) == name.rpartition(".")[2]
        and len(node.args) == arguments
        and not node.keywords
        and not any(isinstance(argument, ir.Starred) for argument in node.args)
    )
