"""Whether the indices that an operator adds at can repeat: exported, repeated ones are wrong, others are right."""

from __future__ import annotations

from functools import lru_cache

from onnx_lint.semantics.domain.sites import OperatorCall
from onnx_lint.source import ir
from onnx_lint.source.block_text import BlockText

_MOVING = frozenset({"to", "long", "int", "cpu", "cuda", "contiguous", "clone", "detach", "type", "squeeze"})
"""Methods that leave the elements as they are."""
_TURNING = _MOVING | {"permute", "transpose", "bool", "movedim", "T"}
"""Methods and attributes that leave a mask as it is, or turn its dimensions."""
_ORDERS = frozenset({"argsort", "arange", "randperm"})
_RANKED = frozenset({"topk", "sort"})
"""They return values and indices."""
_SEARCHES = frozenset({"where", "nonzero"})
_CHOICES = ("topk", "top_k", "expert", "router", "selected", "chosen")
"""Words in the names of what mixtures of experts choose for each row."""


def cannot_repeat(call: OperatorCall) -> bool:
    """Whether the code says that the indices of `index_add` or `index_put_` differ: those of one row of an order, of
    `topk`, of a search in one dimension, or of the rows of a mask that `one_hot` of the chosen classes gives."""
    node = call.node
    if not isinstance(node, ir.Call):
        return False
    is_put = "index_put" in call.name
    is_method = isinstance(node.func, ir.Attribute) and call.name.startswith("torch.Tensor.")
    position = (0 if is_put else 1) + (0 if is_method else 1)
    named = {name: value for name, value in node.keywords if name is not None}
    given = node.args[position] if position < len(node.args) else named.get("indices" if is_put else "index")
    if isinstance(given, ir.Sequence) and is_put:
        given = given.elements[0] if len(given.elements) == 1 else None
    body = call.unit.chunk.lowered.body
    return given is not None and _differ(body, given)


def _differ(body: ir.Block, node: ir.Expr, depth: int = 0) -> bool:
    """Whether all elements of an expression differ from each other."""
    if depth > 4:
        return False
    if isinstance(node, ir.Name):
        return _differ_named(body, node.id, depth + 1)
    name = _called(node)
    if name in _MOVING and isinstance(node, ir.Call) and isinstance(node.func, ir.Attribute):
        of_search = node.func.attr == "squeeze" and _called(node.func.value) == "nonzero"  # one column
        return of_search or _differ(body, node.func.value, depth)
    if name in _ORDERS:
        return True
    if isinstance(node, ir.Attribute) and node.attr == "indices":
        return _called(node.value) in _RANKED
    if isinstance(node, ir.Subscript) and isinstance(node.index, ir.Slice):
        return _differ(body, node.value, depth)
    if isinstance(node, ir.Subscript) and isinstance(node.index, ir.Const):
        name = _called(node.value)
        is_ranked = name in _ORDERS or (name in _RANKED and node.index.value == 1)
        return is_ranked or (name in _SEARCHES and _finds_once(body, node.value))
    return False


@lru_cache(maxsize=64)
def _differ_named(body: ir.Block, name: str, depth: int) -> bool:
    text = BlockText.of(body)
    bound = text.assignments.get(name, ())
    if not bound or name in text.augmented:
        return False
    return all(_differ_bound(body, name, target, s.value, depth) for target, s in bound)


def _differ_bound(body: ir.Block, name: str, target: ir.Expr, value: ir.Expr, depth: int) -> bool:
    """Whether the elements of a name differ that an assignment gives it."""
    if isinstance(target, ir.Name):
        return _differ(body, value, depth)
    assert isinstance(target, ir.Sequence)
    place = next(i for i, t in enumerate(target.elements) if isinstance(t, ir.Name) and t.id == name)
    called = _called(value)
    if called in _RANKED:
        return place == 1
    return called in _SEARCHES and (len(target.elements) == 1 or _finds_once(body, value))


def _finds_once(body: ir.Block, search: ir.Expr) -> bool:
    """Whether a search in two dimensions is one of a class in `one_hot` of what was chosen for each row: no class is
    chosen twice in a row."""
    if not isinstance(search, ir.Call) or not isinstance(search.func, ir.Attribute):
        return False
    mask: ir.Expr = search.args[0] if search.args else search.func.value
    for _ in range(12):
        if isinstance(mask, ir.Subscript):
            mask = mask.value
        elif isinstance(mask, ir.Name):
            # the last one says it: `mask = one_hot(…)`, then `mask = mask.permute(…)`
            bound = BlockText.of(body).assigned(mask.id)
            made = next((v for v in bound if _called(v) == "one_hot"), bound[0] if len(bound) == 1 else None)
            if made is None:
                return False
            mask = made
        elif isinstance(mask, ir.Call) and _called(mask) == "one_hot":
            return _is_chosen(body, mask)
        elif isinstance(mask, ir.Call) and isinstance(mask.func, ir.Attribute) and mask.func.attr in _TURNING:
            mask = mask.func.value
        else:
            return False
    return False


def _is_chosen(body: ir.Block, one_hot: ir.Call) -> bool:
    """Whether the classes come from `topk`, or from another function, by a name that says so."""
    chosen = one_hot.args[0] if one_hot.args else None
    if not isinstance(chosen, ir.Name):
        return False
    bound = BlockText.of(body).assignments.get(chosen.id, ())
    if any(_called(s.value) in _RANKED for _, s in bound):
        return True
    is_other_function = all(isinstance(s.value, ir.Call) and isinstance(t, ir.Sequence) for t, s in bound)
    return is_other_function and any(word in chosen.id for word in _CHOICES)


def _called(node: ir.Expr) -> str | None:
    """The last name of the function that an expression calls."""
    if not isinstance(node, ir.Call):
        return None
    return node.func.attr if isinstance(node.func, ir.Attribute) else getattr(node.func, "id", None)
