"""What models are made of: tables of layers, classes of an annotation, modules in their order."""

from __future__ import annotations

import pytest
from semantics.programs import reports

NET = """
class Net(nn.Module):
    def __init__(self{params}):
        super().__init__()
        {make}
    def forward(self, x):
        y = self.part(x.view(2, 3, 4, 5))
        if {asks}: y = y + int(x.sum())
        return y
"""


def is_asked(before: str, make: str, asks: str, params: str = "") -> bool:
    """Whether the branch of the model may be taken: then the number in it is reported."""
    return bool(reports(before + NET.format(make=make, asks=asks, params=params)))


TABLES = {
    "display": "T = {'a': nn.ReLU}",
    "item": "T = {}\nT['a'] = nn.ReLU",
    "update": "T = {}\nT.update({'a': nn.ReLU})",
    "several": "T = dict(b=nn.Flatten)\nT.update(a=nn.GELU)\nT['a'] = nn.ReLU",
    "setdefault": "T = {}\nT.setdefault('a', nn.ReLU)",
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_a_table_holds_what_statements_behind_it_put_there(table: str) -> None:
    assert not is_asked(table, "self.part = T['a']()", "y.ndim != 4")
    assert is_asked(table, "self.part = T['a']()", "y.ndim == 4")


@pytest.mark.parametrize(
    "filled",
    [
        "T = {'b': nn.Flatten}\ndef register(c):\n    T[c.__name__] = c",
        "T = {'b': nn.Flatten}\ndef register(c):\n    T.update({c.__name__: c})",
        "T = {'b': nn.Flatten}\nfor n in list('ab'):\n    T[n] = nn.ReLU",
        "T = {}",
    ],
)
def test_a_table_that_is_filled_elsewhere_is_open(filled: str) -> None:
    """Then a name that is not in it as far as can be seen may be in it all the same."""
    make = "self.part = nn.Identity() if 'a' in T else nn.Flatten()"
    assert is_asked(filled, make, "y.ndim == 4") and is_asked(filled, make, "y.ndim != 4")
    closed = "T = {'b': nn.Flatten}"
    assert is_asked(closed, make, "y.ndim != 4") and not is_asked(closed, make, "y.ndim == 4")


SEQUENCES = """
class Block(nn.Sequential):
    def __init__(self, sizes, act=None):
        layers = []
        for size in sizes[:-1]:
            layers.append(nn.Flatten(size))
            if act is not None:
                layers.append(act())
        layers.append(nn.Unflatten(1, (3, sizes[-1])))
        super().__init__(*layers)
class More(Block):
    def __init__(self, sizes):
        super().__init__(sizes)
        self.last = nn.Flatten()
class Added(Block):
    def __init__(self, sizes):
        super().__init__(sizes)
        self.append(nn.Flatten())
"""


def test_a_subclass_of_sequential_calls_its_modules_in_their_order() -> None:
    for make in ("Block([1, 20])", "Block([1, 20], nn.ReLU)"):
        assert not is_asked(SEQUENCES, f"self.part = {make}", "y.ndim != 3")
        assert is_asked(SEQUENCES, f"self.part = {make}", "y.ndim == 3")


@pytest.mark.parametrize("name", ["More", "Added"])
def test_modules_that_are_added_later_are_called_too(name: str) -> None:
    assert is_asked(SEQUENCES, f"self.part = {name}([1, 20])", "y.ndim == 2")


STAGES = """
class Part(nn.Module):
    def __init__(self, counts):
        super().__init__()
        names = [f"stage{i}" for i in (2, 3)]
        for name, count, part in zip(names, counts, [nn.Flatten, nn.ReLU]):
            setattr(self, name, nn.Sequential(*[part()]))
    def forward(self, x):
        return self.stage3(x)
"""


def test_parts_that_are_named_in_a_loop_are_known() -> None:
    assert not is_asked(STAGES, "self.part = Part(counts)", "y.ndim != 4", ", counts")
    assert is_asked(STAGES, "self.part = Part(counts)", "y.ndim == 4", ", counts")


CHOICE = """
from typing import Type, Union
class A(nn.Module):
    def forward(self, x): return x * 2
class B(nn.Module):
    def forward(self, x): return x - 1
"""


@pytest.mark.parametrize("hint", ["Type[Union[A, B]]", "type[A | B]", '"type[A | B]"', 'type["A | B"]'])
def test_an_annotation_names_the_classes_of_a_part(hint: str) -> None:
    assert not is_asked(CHOICE, "self.part = part()", "y.ndim != 4", f", part: {hint}")
    assert is_asked(CHOICE, "self.part = part()", "y.ndim != 4", ", part: Type[nn.Module]")


ACTED = """
class Part(nn.Module):
    def __init__(self, n, act):
        super().__init__()
        self.act = act()
    def forward(self, x):
        return self.act(x)
"""


def test_more_kinds_than_are_told_apart_keep_what_they_have_in_common() -> None:
    made = "; ".join(f"self.p{i} = Part({i}, nn.{act})" for i, act in enumerate(["ReLU", "GELU", "SiLU", "ELU"] * 2))
    assert not is_asked(ACTED, f"{made}; self.part = Part(99, nn.Mish)", "y.ndim != 4")
