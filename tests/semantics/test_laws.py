"""The laws of the lattice, on generated values: `join` is commutative, associative and idempotent up to keys, `UNKNOWN`
absorbs, `leq` is an order with `join` as least upper bound, and chains of `widen` end."""

from __future__ import annotations

from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st

from onnx_lint.semantics.domain.lattice import alternatives, bounded, join, leq, map_parts, widen
from onnx_lint.semantics.domain.parts import children
from onnx_lint.semantics.domain.values import (
    UNKNOWN,
    Alternatives,
    Array,
    Const,
    Dict,
    EngineFlag,
    ExternalInstance,
    ExternalValue,
    Frozen,
    ModuleValue,
    RangeValue,
    Seq,
    Size,
    Static,
    Tensor,
    Value,
)

_names = st.sampled_from(["x", "y"])
_maybe_name = st.none() | _names
_types = st.sampled_from([None, "int", "float", "str", "bool"])
_atoms: st.SearchStrategy[Value] = st.one_of(
    st.just(UNKNOWN),
    st.builds(Static, _types),
    st.builds(Const, st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b", 0.0, -0.0, 1.0])),
    st.builds(EngineFlag, st.integers(1, 3), st.integers(1, 3)),
    st.builds(Tensor, st.booleans(), st.booleans(), st.none(), _maybe_name, st.booleans()),
    st.builds(Size, st.none(), st.booleans(), _maybe_name, st.none() | st.integers(-1, 1), st.booleans()),
    st.builds(Frozen, st.booleans(), _types, st.none(), st.integers(0, 3)),
    st.builds(Array),
    st.builds(
        RangeValue, st.none() | st.builds(Size) | st.builds(Frozen, st.booleans()), st.none() | st.integers(0, 2)
    ),
    st.builds(ExternalValue, st.sampled_from(["torch.relu", "math.ceil"])),
    st.builds(ExternalInstance, st.sampled_from(["torch.nn.ReLU", "torch.nn.Conv2d"])),
    st.builds(ModuleValue, _names, st.none()),
)


def _containers(inner: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    kinds = st.sampled_from(["list", "tuple", "shape"])
    several = st.lists(inner, max_size=3).map(tuple)
    entries = st.dictionaries(st.sampled_from(["a", "b", 1, True]), inner, max_size=3)
    sequences = st.builds(Seq, kinds, several) | st.builds(Seq, kinds, st.none(), st.none() | inner)
    return st.one_of(
        sequences,
        st.builds(Dict, entries, st.none() | inner),
        st.builds(ExternalInstance, st.just("torch.nn.ModuleList"), sequences),
    )


_single = st.recursive(_atoms, _containers, max_leaves=6)
_values = st.lists(_single, min_size=1, max_size=3).map(lambda several: reduce(join, several))


@settings(max_examples=400, deadline=None)
@given(_values, _values)
def test_join_is_commutative(first: Value, second: Value) -> None:
    assert join(first, second).key() == join(second, first).key()


@settings(max_examples=400, deadline=None)
@given(_values, _values, _values)
def test_join_is_associative(first: Value, second: Value, third: Value) -> None:
    assert join(join(first, second), third).key() == join(first, join(second, third)).key()


@settings(max_examples=200, deadline=None)
@given(_values)
def test_join_is_idempotent_and_unknown_absorbs(value: Value) -> None:
    assert join(value, value).key() == value.key()
    same = map_parts(value, lambda part: part)
    assert join(value, same).key() == value.key()
    assert join(value, UNKNOWN) is join(UNKNOWN, value) is UNKNOWN


@settings(max_examples=300, deadline=None)
@given(_values, _values)
def test_the_join_stands_for_both(first: Value, second: Value) -> None:
    both = join(first, second)
    assert leq(first, both)
    assert leq(second, both)
    assert leq(first, first)
    if leq(first, second) and leq(second, first):
        assert first.key() == second.key()


@settings(max_examples=300, deadline=None)
@given(_values, _values)
def test_alternatives_are_unlike_and_not_nested(first: Value, second: Value) -> None:
    both = join(first, second)
    if isinstance(both, Alternatives):
        assert len(both.values) > 1
        assert not any(isinstance(v, Alternatives) or v is UNKNOWN for v in both.values)
        for one in both.values:
            for other in both.values:
                assert one is other or isinstance(join(one, other), Alternatives)


@settings(max_examples=300, deadline=None)
@given(_values, _values)
def test_equal_keys_are_equal_in_all_that_is_asked(first: Value, second: Value) -> None:
    if first.key() != second.key():
        return
    assert type(first) is type(second)
    assert first.is_traced == second.is_traced
    assert len(alternatives(first)) == len(alternatives(second))
    assert {p.key() for p in children(first)} == {p.key() for p in children(second)}


@settings(max_examples=200, deadline=None)
@given(_values, st.lists(_values, max_size=12))
def test_chains_of_widening_stand_for_all_and_end(start: Value, more: list[Value]) -> None:
    current, changes = start, 0
    for value in (*more, *more, *more):
        wider = widen(current, value)
        assert leq(current, wider) or wider is UNKNOWN
        changes += wider.key() != current.key()
        current = wider
    assert all(widen(current, value).key() == current.key() for value in more)


def test_what_grows_into_itself_is_widened_to_an_end() -> None:
    value: Value = Seq("tuple", (Const(0),))
    for turn in range(60):
        before = value.key()
        value = widen(value, Seq("tuple", (value, Const(turn))))
        if value.key() == before:
            break
    assert turn < 20
    assert value.depth < 10


def test_depth_is_bounded() -> None:
    value: Value = Const(1)
    for _ in range(100):
        value = bounded(Seq("list", (value, value)))
    assert value.depth <= 13
