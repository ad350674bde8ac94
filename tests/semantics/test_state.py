"""What objects hold at each point: a call that is used again does what it did, the last write counts, loops settle."""

from __future__ import annotations

import itertools

import pytest
from semantics.programs import HEADER, reported_lines, reports

from onnx_lint.testing import check_source


def test_a_remembered_call_gives_each_caller_a_list_of_its_own() -> None:
    assert not reports(
        """
def new_list(): return []
class A(nn.Module):
    def forward(self, x):
        sizes = new_list(); sizes.append(x.shape[0])
        config = new_list(); config.append(3)
        if config[0] > 2: x = x + 1
        return x
"""
    )


def test_a_remembered_call_changes_its_arguments_each_time() -> None:
    lines = reported_lines(
        """
def fill(d, n): d["n"] = n
class B(nn.Module):
    def forward(self, x):
        a = {}; fill(a, x.shape[0])
        if a["n"] > 3: x = x + 1
        b = {}; fill(b, x.shape[0])
        if b["n"] > 3: x = x + 2
        return x
"""
    )
    assert lines == ['if a["n"] > 3: x = x + 1', 'if b["n"] > 3: x = x + 2']


CALLS = ("a = clip(x.shape[0]); b = clip(x.shape[2])", "b = clip(x.shape[2]); a = clip(x.shape[0])")


@pytest.mark.parametrize("calls", CALLS)
def test_the_order_of_two_lines_says_nothing(calls: str) -> None:
    found = reports(
        f"""
def clip(n):
    if n > 3: return 3
    return n
class C(nn.Module):
    def forward(self, x):
        {calls}
        return x * a * b
image = torch.randn(1, 3, 8, 8)
torch.onnx.export(C(), image, "n.onnx", input_names=["x"], dynamic_axes={{"x": {{2: "h"}}}}, dynamo=False)
"""
    )
    assert found == [("ONX102", "warning", "if n > 3: return 3")]


def test_the_last_write_counts() -> None:
    assert not reports(
        """
class E(nn.Module):
    def forward(self, x):
        d = {}; d["n"] = x.shape[0]; d["n"] = 4
        if d["n"] > 3: x = x + 1
        return x
"""
    )


def test_a_write_on_one_way_is_not_seen_on_the_other() -> None:
    lines = reported_lines(
        """
class E(nn.Module):
    def forward(self, x, wide: bool):
        d = {"n": 4}
        if wide:
            d["n"] = x.shape[0]
        else:
            if d["n"] > 3: x = x + 1
        if d["n"] > 5: x = x + 2
        return x
"""
    )
    assert lines == ['if d["n"] > 5: x = x + 2']


@pytest.mark.parametrize("names", [2, 3, 4, 6, 9])
def test_a_loop_is_followed_until_nothing_is_added(names: int) -> None:
    targets = [f"v{i}" for i in range(names)]
    lines = reported_lines(
        f"""
class F(nn.Module):
    def forward(self, x, steps: int):
        {" = ".join(targets)} = 1
        for _ in range(steps):
            if v0 > 3: x = x + 1
            {", ".join(targets)} = {", ".join([*targets[1:], "x.shape[0]"])}
        return x
"""
    )
    assert lines == ["if v0 > 3: x = x + 1"]


def test_every_tensor_class_is_one() -> None:
    lines = reported_lines(
        """
class H(nn.Module):
    def forward(self, x: torch.IntTensor, y: torch.DoubleTensor):
        if x.sum() > 0: x = x + 1
        if y.sum() > 0: x = x + 1
        return x
"""
    )
    assert lines == ["if x.sum() > 0: x = x + 1", "if y.sum() > 0: x = x + 1"]


def test_two_names_of_one_list_see_the_same() -> None:
    lines = reported_lines(
        """
class L(nn.Module):
    def forward(self, x):
        a = [4]
        b = a
        b.append(x.shape[0])
        if a[1] > 3: x = x + 1
        c = list(a)
        c[1] = 3
        if c[1] > 3: x = x + 2
        if a[1] > 4: x = x + 3
        return x
"""
    )
    assert lines == ["if a[1] > 3: x = x + 1", "if a[1] > 4: x = x + 3"]


def test_the_same_list_twice_is_another_call_than_two_lists() -> None:
    lines = reported_lines(
        """
def both(a, b, n):
    a.append(n)
    return b
class L(nn.Module):
    def forward(self, x):
        p = []
        q = []
        r = both(p, q, x.shape[0])
        for n in r:
            if n > 3: x = x + 1
        s = []
        t = both(s, s, x.shape[0])
        for n in t:
            if n > 4: x = x + 2
        return x
"""
    )
    assert lines == ["if n > 4: x = x + 2"]


def test_a_closure_reads_what_its_names_hold_when_it_is_called() -> None:
    lines = reported_lines(
        """
class L(nn.Module):
    def forward(self, x):
        n = 3
        def deep(t):
            if n > 2: return t + 1
            return t
        x = deep(x)
        n = x.shape[0]
        x = deep(x)
        return x
"""
    )
    assert lines == ["if n > 2: return t + 1"]


def test_what_a_method_assigns_is_seen_by_the_next() -> None:
    lines = reported_lines(
        """
class L(nn.Module):
    def __init__(self):
        super().__init__()
        self.n = 3
    def remember(self, x):
        self.n = x.shape[0]
    def test(self, x):
        if self.n > 2: return x + 1
        return x
    def forward(self, x):
        x = self.test(x)
        self.remember(x)
        return self.test(x)
"""
    )
    assert lines == ["self.n = x.shape[0]", "if self.n > 2: return x + 1"]


def test_the_last_assignment_to_an_attribute_counts() -> None:
    assert not reports(
        """
class L(nn.Module):
    def forward(self, x):
        self.n = x.shape[0]
        self.n = 4
        if self.n > 3: x = x + 1
        return x
"""
    )


def test_what_a_constructor_assigns_to_its_parts_is_seen() -> None:
    lines = reported_lines(
        """
class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool = None
    def forward(self, x):
        if self.pool is not None:
            if x.sum() > 0: x = x + 1
        return x
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = Head()
        self.head.pool = nn.MaxPool2d(2)
    def forward(self, x):
        return self.head(x)
"""
    )
    assert lines == ["if x.sum() > 0: x = x + 1"]


ORIGINS = """
def half(n):
    return n // 2
class {first}(nn.Module):
    def forward(self, {p}):
        k = half({p}.shape[0])
        if k > 3: {p} = {p} + 1
        return {p}
class {second}(nn.Module):
    def forward(self, {q}):
        k = half({q}.shape[0])
        if k > 3: {q} = {q} + 1
        return {q}
"""


@pytest.mark.parametrize("names", list(itertools.permutations(["One", "Two"])))
def test_the_origin_is_an_input_of_the_model_itself(names: tuple[str, str]) -> None:
    found = check_source(HEADER + ORIGINS.format(first=names[0], second=names[1], p="image", q="text"))
    assert len(found) == 2
    for diagnostic, parameter in zip(found, ("image", "text"), strict=True):
        assert diagnostic.origin[0].text == f"`{parameter}` is an input of the model"


def test_a_wrapper_of_many_functions_is_bounded_for_each_of_them() -> None:
    """A decorator's wrapper is as many functions as it wraps: the models behind the bound are looked into as well."""
    decorator = """
def counted(func):
    def wrapper(self, *args):
        return func(self, *args)
    return wrapper
"""
    model = """
class Model{n}(nn.Module):
    @counted
    def step(self, x, is_first):
        return x if x.sum() > {n} else -x
    def forward(self, x):
        return self.step(self.step(x, True), False)
"""
    found = reported_lines(decorator + "".join(model.format(n=n) for n in range(30)))
    assert found == [f"return x if x.sum() > {n} else -x" for n in range(30)]
