"""The walks over the IR."""

from __future__ import annotations

import pytest

from onnx_lint.source import ir
from onnx_lint.source.lower import lower, lower_expression


@pytest.mark.parametrize(
    ("text", "name"),
    [("a", "a"), ("a.b.c", "a.b.c"), ("f().b", "?.b"), ("a[0].b.c", "?.b.c"), ("1", "?"), ("a.b()", "?")],
)
def test_dotted(text: str, name: str) -> None:
    node = lower_expression(text)
    assert node is not None
    assert ir.dotted(node) == name


def test_a_walk_meets_every_node_once_in_order() -> None:
    text = (
        "def f(a, *b, c=d, **e):\n    try:\n        with g(h) as i: [j for k in l if m]\n    except n: return {o: p}\n"
    )
    nodes = list(ir.walk(lower(text).body))
    assert len({id(node) for node in nodes}) == len(nodes)
    assert [n.id for n in nodes if isinstance(n, ir.Name)] == ["d", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"]
    assert [n.name for n in nodes if isinstance(n, ir.Param)] == ["a", "b", "c", "e"]
    assert {type(n) for n in nodes} >= {ir.Params, ir.Handler, ir.Generator}


def test_children_are_one_level() -> None:
    node = lower_expression("f(a.b, k=c)")
    assert node is not None
    assert [type(child) for child in ir.children(node)] == [ir.Name, ir.Attribute, ir.Name]
