"""Python numbers made of tensors and sizes, and what is looked up by them: values of the graph instead."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from .sizes import Change, Sizes, atom, full

_FLOATS = ("log", "log2", "log10", "exp", "sin", "cos", "tanh")
_ROUNDED = ("int", "round", "math.floor", "np.floor", "numpy.floor")
_ROUNDED_UP = ("math.ceil", "np.ceil", "numpy.ceil")
_ROOTS = ("math.sqrt", "np.sqrt", "numpy.sqrt")
_EXTREMES = {"min": "sym_min", "max": "sym_max"}


def number(node: ast.Call, sizes: Sizes) -> Iterator[Change]:
    """Calls that make a number: integer arithmetic, tensors, or torch's own functions of symbolic sizes."""
    name, given = ast.unparse(node.func), [ast.unparse(argument) for argument in node.args]
    if name in ("int", *_ROUNDED_UP) and len(node.args) == 1:
        inner = node.args[0]
        if isinstance(inner, ast.Call) and ast.unparse(inner.func) in (*_ROUNDED_UP, *_ROUNDED) and inner.args:
            node_of, name = inner, ast.unparse(inner.func)
        else:
            node_of = node
        halved = divided(node_of.args[0], up=name in _ROUNDED_UP)
        if halved is not None:
            yield "Divide sizes as integers", [(node, halved)]
    elif name in _ROUNDED and len(given) == 1:
        halved = divided(node.args[0])
        if halved is not None:
            yield "Divide sizes as integers", [(node, halved)]
    if name in ("int", "float", "bool", "round", "math.floor") and len(given) == 1:
        yield f"Leave `{name}()` out", [(node, given[0] if name != "round" else f"torch.round({given[0]})")]
    if name == "len" and len(given) == 1:
        yield "Take the size from `shape`", [(node, f"{given[0]}.shape[0]")]
    if name in _ROOTS and len(given) == 1:
        yield "Take a power of the number", [(node, f"({given[0]}) ** 0.5")]
    module, _, function = name.rpartition(".")
    if module in ("math", "np", "numpy") and function in _FLOATS and len(given) == 1:
        value = full(node.args[0]) if sizes.is_size(node.args[0]) else given[0]
        double = value.removesuffix(")") + ", dtype=torch.float64)" if value.startswith("torch.full") else value
        yield "Compute it in the graph", [(node, f"torch.{function}({double})")]
    yield from _extreme(node, name, given)
    yield from _made(node, name, given)
    if name == "np.prod" and len(given) == 1 and given[0].endswith(".shape"):
        yield "Take `numel()`", [(node, f"{given[0].removesuffix('.shape')}.numel()")]
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("item", "tolist") and not given:
        yield "Keep the tensor", [(node, ast.unparse(node.func.value))]
    if isinstance(node.func, ast.Attribute) and node.func.attr == "get" and len(given) == 2:
        yield from _chosen(node, node.func.value, node.args[0], given[1], sizes)


def _extreme(node: ast.Call, name: str, given: list[str]) -> Iterator[Change]:
    if name not in _EXTREMES:
        return
    if len(given) == 1 and not node.keywords and given[0].endswith(".shape") is False and "[" not in given[0]:
        return
    if len(given) == 1 and not node.keywords:
        yield "Take `amax` of the sizes", [(node, f"torch.stack([torch.full((), n) for n in {given[0]}]).a{name}()")]
        return
    if len(given) < 2 or node.keywords:
        return
    for function, form in ((f"torch.{name}imum", "torch.as_tensor({})"), (f"torch.{_EXTREMES[name]}", "{}")):
        text = form.format(given[0])
        for each in given[1:]:
            text = f"{function}({text}, {form.format(each)})"
        yield f"Take `{function}`", [(node, text)]


def _made(node: ast.Call, name: str, given: list[str]) -> Iterator[Change]:
    """``torch.tensor`` of numbers that are live: of sizes, and of other tensors."""
    is_new = isinstance(node.func, ast.Attribute) and node.func.attr == "new_tensor"
    named = {each.arg: ast.unparse(each.value) for each in node.keywords}
    if (name not in ("torch.tensor", "torch.as_tensor", "torch.FloatTensor") and not is_new) or not given:
        return
    values = node.args[0]
    cast = f".to({named['dtype']})" if "dtype" in named else ""
    if is_new and isinstance(node.func, ast.Attribute):
        cast = f".to({ast.unparse(node.func.value)})"
    elif name.endswith("FloatTensor"):
        cast = ".float()"
    if isinstance(values, (ast.List, ast.Tuple)):
        parts = ", ".join(f"torch.full((), {ast.unparse(each)})" for each in values.elts)
        yield "Stack live values", [(node, f"torch.stack([{parts}]){cast}")]
    elif given[0].endswith((".shape", ".size()")):
        yield "Stack live values", [(node, f"torch.stack([torch.full((), n) for n in {given[0]}]){cast}")]
    elif isinstance(values, ast.ListComp) and len(values.generators) == 1:
        turn = values.generators[0]
        over = turn.iter
        if isinstance(over, ast.Call) and ast.unparse(over.func) == "range" and isinstance(turn.target, ast.Name):
            text = ast.unparse(values.elt)
            index = f"torch.arange({', '.join(map(ast.unparse, over.args))})"
            if text in (f"float({turn.target.id})", turn.target.id):
                kind = cast or ("" if text == turn.target.id else ".float()")
                yield "Make it of a range in the graph", [(node, f"{index}{kind}")]
    elif isinstance(values, ast.BinOp) and isinstance(values.op, ast.Mult):
        yield from repeated(node, values, cast)
    else:
        yield "Make it of a live value", [(node, f"torch.full((), {given[0]}){cast}")]


def repeated(node: ast.expr, values: ast.expr, cast: str = "") -> Iterator[Change]:
    """``[c] * n`` → ``torch.full((n,), c)``."""
    if not isinstance(values, ast.BinOp) or not isinstance(values.op, ast.Mult):
        return
    ways = ((values.left, values.right), (values.right, values.left))
    for row, count in ways:
        if isinstance(row, ast.List) and len(row.elts) == 1:
            yield "Fill a tensor", [(node, f"torch.full(({ast.unparse(count)},), {ast.unparse(row.elts[0])}){cast}")]


def repeated_list(statement: ast.stmt, rest: Sequence[ast.stmt]) -> Iterator[Change]:
    """``w = [c] * n`` with ``torch.tensor(w)`` behind it."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        return
    name = statement.targets[0].id
    for title, changes in repeated(statement.value, statement.value):
        used = []
        for node in [node for each in rest for node in ast.walk(each) if isinstance(node, ast.Call)]:
            if not node.args or ast.unparse(node.args[0]) != name or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr == "new_tensor":
                used.append((node, f"{name}.to({ast.unparse(node.func.value)})"))
            elif node.func.attr in ("tensor", "as_tensor", "FloatTensor"):
                used.append((node, name))
        if used:
            yield title, [*changes, *used]


def looked_up(node: ast.Subscript, parents: Sequence[ast.Call], sizes: Sizes) -> Iterator[Change]:
    """A list or dict of the model by a live number: a tensor of its values, or a choice among them."""
    index, of = node.slice, ast.unparse(node.value)
    if not isinstance(node.value, (ast.Attribute, ast.Name)) or isinstance(index, (ast.Slice, ast.Tuple, ast.Constant)):
        return
    text = ast.unparse(index)
    call = next((each for each in parents if each.func is node), None)
    if call is not None:
        given = ", ".join(ast.unparse(each) for each in [*call.args, *call.keywords])
        yield "Compute all and choose", [(call, f"torch.stack([each({given}) for each in {of}])[{text}]")]
        return
    yield "Look it up in a tensor", [(node, f"torch.tensor({of})[{text}]")]
    yield "Look it up in a tensor", [(node, f"torch.stack(list({of}))[{text}]")]
    yield from _chosen(node, node.value, index, "0", sizes)


def _chosen(node: ast.expr, table: ast.expr, key: ast.expr, default: str, sizes: Sizes) -> Iterator[Change]:
    """A dict by a live key: the sum over its items of what is chosen."""
    of, plain, text = ast.unparse(table), _number_of(key), ""
    if plain is None:
        return
    made, prefix = plain
    live = full(made) if sizes.is_size(made) else ast.unparse(made)
    name = "key" if prefix is None else f"int(str(key).removeprefix({prefix!r}))"
    chosen = f"torch.stack([({live} == {name}) * torch.as_tensor(value) for key, value in {of}.items()]).sum(0)"
    if default not in ("0", "0.0"):
        known = f"torch.stack([{live} == {name} for key in {of}]).any()"
        text = f"torch.where({known}, {chosen}, {default})"
    yield "Choose among the items", [(node, text or chosen)]


def _number_of(key: ast.expr) -> tuple[ast.expr, str | None] | None:
    """The number that a key says, and what stands before it where it is text."""
    match key:
        case ast.JoinedStr(values=[*before, ast.FormattedValue(value=value, format_spec=None)]):
            words = [str(each.value) for each in before if isinstance(each, ast.Constant)]
            return (value, "".join(words)) if len(words) == len(before) else None
        case ast.Call(func=ast.Name(id="str"), args=[value]):
            return _bare(value), ""
        case ast.BinOp(left=ast.Constant(value=str() as before_), op=ast.Add(), right=right):
            inner = _number_of(right)
            return (inner[0], before_ + (inner[1] or "")) if inner is not None and inner[1] is not None else None
        case ast.Constant():
            return None
    return _bare(key), None


def _bare(value: ast.expr) -> ast.expr:
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "int" and len(value.args) == 1:
        return value.args[0]
    return value


def divided(value: ast.expr, up: bool = False) -> str | None:
    """``n / 2`` and ``n * 0.5`` as ``n // 2``; rounded up as ``-(-n // 2)``."""
    if not isinstance(value, ast.BinOp):
        return None
    if isinstance(value.op, ast.Div):
        one, two = ast.unparse(value.left), ast.unparse(value.right)
        return f"-(-{atom(one)} // {atom(two)})" if up else f"{atom(one)} // {atom(two)}"
    if not isinstance(value.op, ast.Mult):
        return None
    for factor, other in ((value.right, value.left), (value.left, value.right)):
        by = 1 / factor.value if isinstance(factor, ast.Constant) and isinstance(factor.value, float) else 0.0
        if by > 1 and by.is_integer():
            one = atom(ast.unparse(other))
            return f"-(-{one} // {int(by)})" if up else f"{one} // {int(by)}"
    return None
