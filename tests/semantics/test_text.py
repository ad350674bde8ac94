"""Text that is known, and what models make of it: layers chosen by name."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from semantics.programs import reports

from onnx_lint.semantics.domain.text import item_of_text, joined_text, method_of_text, percent_of_text, text_of
from onnx_lint.semantics.domain.values import STATIC, Arguments, Const, Seq, Static

TEXTS = st.text(alphabet="ab_ -A1é", max_size=8)


def arguments(*values: object) -> Arguments:
    return Arguments(tuple([Const(v) for v in values]))


@pytest.mark.parametrize("name", ["lower", "upper", "strip", "title", "isdigit", "isupper", "splitlines", "split"])
@settings(max_examples=30)
@given(text=TEXTS)
def test_a_method_without_arguments_gives_what_python_gives(name: str, text: str) -> None:
    real = getattr(text, name)()
    found = method_of_text(text, name, arguments())
    expected = Seq("list", tuple([Const(r) for r in real])) if isinstance(real, list) else Const(real)
    assert found is not None and found.key() == expected.key()


@pytest.mark.parametrize("name", ["replace", "startswith", "find", "count", "partition", "removeprefix", "rsplit"])
@settings(max_examples=30)
@given(text=TEXTS, one=TEXTS, two=TEXTS)
def test_a_method_with_arguments_gives_what_python_gives_or_nothing(name: str, text: str, one: str, two: str) -> None:
    values = (one, two) if name == "replace" else (one,)
    try:
        real = getattr(text, name)(*values)
    except ValueError:
        assert method_of_text(text, name, arguments(*values)) is None
        return
    found = method_of_text(text, name, arguments(*values))
    if isinstance(real, (list, tuple)):
        kind = "list" if isinstance(real, list) else "tuple"
        assert found is not None and found.key() == Seq(kind, tuple([Const(r) for r in real])).key()
    else:
        assert found is not None and found.key() == Const(real).key()


@settings(max_examples=60)
@given(text=TEXTS, start=st.integers(-10, 10), stop=st.integers(-10, 10))
def test_items_and_slices_are_those_of_python(text: str, start: int, stop: int) -> None:
    part = item_of_text(text, slice(start, stop))
    assert part is not None and part.key() == Const(text[start:stop]).key()
    one = item_of_text(text, start)
    assert (one is None) == (not -len(text) <= start < len(text))
    assert one is None or one.key() == Const(text[start]).key()


def test_what_is_not_known_or_fails_is_no_text() -> None:
    assert method_of_text("a-b", "split", Arguments((Static("str"),))) is None
    assert method_of_text("ab", "index", arguments("z")) is None
    assert method_of_text("ab", "encode", arguments()) is None
    assert method_of_text("ab", "split", Arguments((), {}, STATIC)) is None
    assert joined_text(("a", ""), [Static("int")]) is None
    for found, text in [
        (joined_text(("layer", "_", ""), [Const(3), Const("x")]), "layer3_x"),
        (percent_of_text("layer%d", Const(3)), "layer3"),
        (percent_of_text("%s.%s", Seq("tuple", (Const("a"), Const(1)))), "a.1"),
    ]:
        assert isinstance(found, Const) and found.value == text
    assert percent_of_text("%s.%s", Const("a")) is None


def test_nothing_grows_without_bound() -> None:
    """A width, a repetition or a format would make megabytes of a short line."""
    for name in ("center", "ljust", "rjust", "zfill", "expandtabs"):
        assert method_of_text("a", name, arguments(10**9)) is None
    assert method_of_text("{:>999999999}", "format", arguments(1)) is None
    assert percent_of_text("%999999999d", Const(1)) is None
    assert text_of(Const(10**5000)) is None
    letters = "".join(random.Random(1).choice(string.ascii_letters) for _ in range(900))
    assert method_of_text(letters, "replace", arguments("", letters)) is None
    assert method_of_text("x" * 2000, "lower", arguments()) is None


CHOSEN = """
import functools, types
NORMS = dict(batchnorm2d=nn.BatchNorm2d, layernorm=nn.LayerNorm)
OWN = {nn.BatchNorm2d, nn.LayerNorm}
def layer(name):
    if isinstance(name, functools.partial):
        name = name.func
    if isinstance(name, str):
        %s
    if isinstance(name, types.FunctionType):
        return nn.Flatten
    return nn.Identity if name in {nn.GroupNorm} else name if name in OWN else nn.Flatten
class A(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = layer(%s)(8)
    def forward(self, x):
        y = self.norm(x.view(-1, 8, 4, 4))
        if y.ndim != 4: y = y + int(x.sum())
        return y
"""


@pytest.mark.parametrize(
    ("line", "given_name"),
    [
        ("return NORMS[name.replace('_', '').lower().split('-')[0]]", "'Batch_Norm2d-x'"),
        ("return NORMS[f'{name}norm2d']", "'batch'"),
        ("return NORMS['%snorm2d' % name]", "'batch'"),
        ("return NORMS['{}norm2d'.format(name)]", "'batch'"),
        ("return NORMS[name[1:]]", "'xbatchnorm2d'"),
        ("return nn.BatchNorm2d if 'batch' in name else nn.Flatten", "'batchnorm'"),
        ("return nn.BatchNorm2d if len(name) == 2 else nn.Flatten", "'bn'"),
        ("return nn.BatchNorm2d if name.startswith(('b', 'c')) else nn.Flatten", "'bn'"),
        ("return NORMS[str(name)]", "'batchnorm2d'"),
        ("return nn.Flatten", "nn.BatchNorm2d"),
        ("return nn.Flatten", "functools.partial(nn.BatchNorm2d, eps=1e-3)"),
        ("return NORMS[name.lower()]", "nn.BatchNorm2d.__name__"),
    ],
)
def test_a_layer_that_is_chosen_by_name_or_class_is_known(line: str, given_name: str) -> None:
    """Only if it is certainly the `BatchNorm2d` has its result four dimensions."""
    assert not reports(CHOSEN % (line, given_name))
    assert reports(CHOSEN % ("return nn.Flatten", "'any'"))


def test_a_set_that_lost_an_element_is_not_known() -> None:
    found = reports(
        """
class A(nn.Module):
    def forward(self, x):
        names = {"a", "b"}
        names.pop()
        if "a" in names and x.shape[0] > 3: x = x + 1
        if "b" in names and x.shape[0] > 3: x = x + 1
        if "c" in {"a", "b"} and x.shape[0] > 3: x = x + 1
        return x
"""
    )
    assert len({at for code, _, at in found if code == "ONX102"}) == 2
