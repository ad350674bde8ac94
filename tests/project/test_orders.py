"""Orders of classes and searches for names: right where Python has an answer, the same whatever was asked before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semantics.programs import reported_lines

from onnx_lint.project.classes import ClassInfo
from onnx_lint.project.meanings import External
from onnx_lint.project.project import Project
from onnx_lint.source.text import SourceText

_BASES = st.lists(st.lists(st.integers(0, 7), max_size=3, unique=True), min_size=2, max_size=8)


def project(files: dict[str, str]) -> Project:
    made = Project()
    for path, text in files.items():
        made.add(SourceText.from_text(path, text))
    return made


def orders(bases: list[list[int]], asked: list[int]) -> dict[str, list[str]]:
    lines = [f"class C{i}({', '.join(f'C{b}' for b in above)}): pass" for i, above in enumerate(bases)]
    classes = {info.name: info for info in project({"m.py": "\n".join(lines) + "\n"}).classes()}
    for number in asked:
        _ = classes[f"C{number}"].mro
    return {name: [c.name for c in info.mro if isinstance(c, ClassInfo)] for name, info in classes.items()}


@given(_BASES)
def test_python_s_order_where_it_has_one(bases: list[list[int]]) -> None:
    bases = [[b for b in above if b < i] for i, above in enumerate(bases)]
    made: list[type] = []
    try:
        for i, above in enumerate(bases):
            made.append(type(f"C{i}", tuple(made[b] for b in above), {}))
    except TypeError:
        bases = bases[: len(made)]
    found = orders(bases, [])
    for cls in made:
        assert found[cls.__name__] == [c.__name__ for c in cls.__mro__ if c is not object]


@given(_BASES, st.permutations(range(8)))
def test_with_cycles_the_order_does_not_rest_on_what_was_asked_before(bases: list[list[int]], asked: list[int]) -> None:
    bases = [[b for b in above if b < len(bases)] for above in bases]
    assert orders(bases, [n for n in asked if n < len(bases)]) == orders(bases, [])


_LINES = st.lists(
    st.sampled_from(
        ["from m{} import *", "from m{} import zz", "try:\n    from m{} import zz\nexcept E: pass", "zz = f()"]
    ),
    max_size=3,
)


@given(st.lists(st.tuples(_LINES, st.integers(0, 4)), min_size=5, max_size=5), st.permutations(range(5)))
def test_a_name_means_the_same_whatever_was_asked_before(files: list[tuple[list[str], int]], asked: list[int]) -> None:
    texts = {
        f"m{i}.py": "".join(line.format((at + n) % 5) + "\n" for n, line in enumerate(lines))
        for i, (lines, at) in enumerate(files)
    }
    used = project(texts)
    found = {i: _shown(used.resolve_name(used.modules[f"m{i}.py"], "zz")) for i in asked}
    for i, meaning in found.items():
        fresh = project(texts)
        assert meaning == _shown(fresh.resolve_name(fresh.modules[f"m{i}.py"], "zz"))


def _shown(meaning: object) -> object:
    return meaning.unit.module.path if hasattr(meaning, "unit") else meaning


def test_a_chain_of_re_exports_of_any_length_is_followed() -> None:
    texts = {f"m{i}.py": f"from m{i + 1} import zz\n" for i in range(3000)}
    made = project(texts)
    assert made.resolve_name(made.modules["m0.py"], "zz") == External("m3000.zz")


LATER = {
    "if find_spec('torch'):\n    ready = found('torch')\nelse:\n    ready = False\n": ["if x.sum() > 0: x = x + 1"],
    "from elsewhere import ready\n": ["if x.sum() > 0: x = x + 1"],
    "ready = False\n": [],
}


@pytest.mark.parametrize("later", LATER)
def test_an_assignment_hides_no_later_statement_that_binds_its_name(later: str) -> None:
    """Plain assignments of the top level are read on demand, other statements when the first name is asked for."""
    code = f"ready = False\n{later}" + (
        "def is_ready(): return ready\n"
        "class Model(nn.Module):\n"
        "    def forward(self, x):\n"
        "        if is_ready():\n"
        "            if x.sum() > 0: x = x + 1\n"
        "        return x\n"
    )
    assert reported_lines(code) == LATER[later]
