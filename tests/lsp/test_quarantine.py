"""Which document is to blame for an analysis that failed, and when it is tried again."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnx_lint_lsp.documents import Document
from onnx_lint_lsp.quarantine import Quarantine
from onnx_lint_lsp.source_view import SourceView
from onnx_lint_lsp.text import Text


def view(name: str, text: str = "good") -> SourceView:
    return SourceView.of_document(Document(f"file:///{name}.py", 1, Text(text, "utf-16")))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class House:
    """Stands for a workspace: a check of documents of which one is bad fails."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.quarantine = Quarantine(self.clock)
        self.checks = 0
        self.failures = 0

    def change(self, *views: SourceView) -> None:
        for changed in views:
            self.quarantine.change(changed.path, changed)
        self.settle()

    def settle(self) -> None:
        quarantine = self.quarantine
        while True:
            self.checks += 1
            assert self.checks < 200, "it does not come to rest"
            seen = dict(quarantine.admitted)
            if any("bad" in v.source.text for v in seen.values()):
                self.failures += 1
                quarantine.failed(seen, "reason")
            else:
                quarantine.passed(seen.values())
                if quarantine.admit() is None:
                    return

    @property
    def left_out(self) -> set[str]:
        return set(self.quarantine.left_out)


def paths(views: Iterable[SourceView]) -> set[str]:
    return {v.path for v in views}


@given(st.lists(st.booleans(), min_size=1, max_size=6), st.booleans())
def test_exactly_the_bad_ones_are_left_out(kinds: list[bool], at_once: bool) -> None:
    house = House()
    views = [view(f"m{n}", "bad" if bad else "good") for n, bad in enumerate(kinds)]
    if at_once:
        house.change(*views)
    else:
        for one in views:
            house.change(one)
    bad = {v.path for v, is_bad in zip(views, kinds, strict=True) if is_bad}
    assert house.left_out == bad
    assert set(house.quarantine.admitted) == paths(views) - bad
    assert house.failures <= sum(kinds) + 1


def test_a_document_that_became_bad_is_found_at_once() -> None:
    house = House()
    house.change(view("a"), view("b"), view("c"))
    checks = house.checks
    house.change(view("b", "bad"))
    assert (house.left_out, house.failures, house.checks - checks) == ({"/b.py"}, 1, 2)


def test_it_is_tried_again_after_a_change_and_a_pause() -> None:
    house = House()
    house.change(view("a"), view("b", "bad"))
    house.change(view("b", "also bad"))
    assert house.quarantine.delay() == pytest.approx(5.0)
    house.clock.now = 4.0
    house.change(view("b", "now good"))
    assert house.quarantine.delay() == pytest.approx(2.0), "somebody is typing"
    house.clock.now = 6.0
    assert house.quarantine.admit() == "/b.py"
    assert house.quarantine.is_on_probation
    house.settle()
    assert house.left_out == set()
    assert not house.quarantine.is_on_probation
    assert house.quarantine.delay() is None


def test_the_text_that_failed_is_not_tried_again() -> None:
    house = House()
    house.change(view("a", "bad"))
    house.change(view("a", "bad "))
    house.change(view("a", "bad"))
    assert house.quarantine.delay() is None
    house.clock.now = 1000.0
    assert house.quarantine.admit() is None


def test_waits_grow_with_failures_up_to_a_minute() -> None:
    house = House()
    house.change(view("a", "bad"))
    waits = []
    for attempt in range(6):
        house.change(view("a", f"bad {attempt}"))
        delay = house.quarantine.delay()
        assert delay is not None
        waits.append(delay)
        house.clock.now += delay
        assert house.quarantine.admit() == "/a.py"
        house.settle()
    assert waits == pytest.approx([5, 10, 20, 40, 60, 60])


def test_one_that_is_closed_is_forgotten() -> None:
    house = House()
    house.change(view("a", "bad"))
    house.quarantine.change("/a.py", None)
    assert house.quarantine.everything() == {}
    house.change(view("a"))
    assert house.left_out == set()


def test_where_all_passed_before_each_is_analysed_again() -> None:
    house = House()
    house.change(view("a"), view("b"))
    house.quarantine.failed(dict(house.quarantine.admitted), "a file on disk")
    assert house.quarantine.admitted == {}
    house.settle()
    assert set(house.quarantine.admitted) == {"/a.py", "/b.py"}
