"""Operations by the way they are written: operators, special methods, and methods that work in place."""

from __future__ import annotations

OPERATORS = {
    "+": "torch.add", "-": "torch.sub", "*": "torch.mul", "/": "torch.div", "//": "torch.floor_divide",
    "%": "torch.remainder", "**": "torch.pow", "@": "torch.matmul", "&": "torch.bitwise_and", "|": "torch.bitwise_or",
    "^": "torch.bitwise_xor", "<<": "torch.bitwise_left_shift", ">>": "torch.bitwise_right_shift", "<": "torch.lt",
    "<=": "torch.le", ">": "torch.gt", ">=": "torch.ge", "==": "torch.eq", "!=": "torch.ne",
}  # fmt: skip
UNARY_OPERATORS = {"-": "torch.neg", "+": "torch.positive", "~": "torch.bitwise_not"}

SPECIAL_METHODS = {
    "__add__": "add", "__radd__": "add", "__sub__": "sub", "__mul__": "mul", "__rmul__": "mul", "__truediv__": "div",
    "__div__": "div", "__floordiv__": "floor_divide", "__mod__": "remainder", "__pow__": "pow",
    "__and__": "bitwise_and",
    "__or__": "bitwise_or", "__xor__": "bitwise_xor", "__rand__": "bitwise_and", "__ror__": "bitwise_or",
    "__rxor__": "bitwise_xor", "__lshift__": "bitwise_left_shift", "__rshift__": "bitwise_right_shift", "__lt__": "lt",
    "__le__": "le", "__gt__": "gt", "__ge__": "ge", "__eq__": "eq", "__ne__": "ne", "__neg__": "neg", "__abs__": "abs",
    "__invert__": "bitwise_not", "__pos__": "positive",
}  # fmt: skip

CHANGES_SHAPE = frozenset({
    "resize", "resize_as", "set", "t", "transpose", "swapaxes", "swapdims", "squeeze", "unsqueeze", "as_strided",
    "rename", "addbmm",
})  # fmt: skip
"""Methods of which the in-place form changes the shape of its receiver; the others keep shape and dtype."""
