"""What is kept file by file: a run that uses it says what a run without it says, whatever was edited between."""

from __future__ import annotations

import random
import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from small_project import BLOCKS, INIT, OPS

from onnx_lint import by_file
from onnx_lint.applying import Group
from onnx_lint.cache import ResultCache
from onnx_lint.checker import CheckResult, check_with_coverage
from onnx_lint.part import Part, Place
from onnx_lint.part_cache import PartCache
from onnx_lint.project.project import Project
from onnx_lint.semantics.evaluation.state import Analysis
from onnx_lint.semantics.export_calls import ExportFacts
from onnx_lint.settings import Settings
from onnx_lint.source.split import Chunk, split
from onnx_lint.source.text import SourceText

FILES = {
    "pkg/__init__.py": INIT,
    "pkg/ops.py": f"{OPS}\ndef unused(x):\n    return x.sum().item()\n",
    "pkg/blocks.py": BLOCKS.replace("        if self.masked:\n            x = scaled(x)\n", "").replace(
        "        return x\n", "        return x.data * 2\n"
    ),
    "pkg/model.py": """\
        import torch
        from torch import nn

        from pkg import Block
        from pkg.ops import LIMIT, scaled


        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.block = Block("a", masked=True)

            def forward(self, x):
                if x.shape[0] > LIMIT:
                    x = scaled(x)
                return self.block(x)
        """,
    "pkg/other.py": """\
        from torch import nn


        class Other(nn.Module):
            def __init__(self, part):
                super().__init__()
                self.part = part

            def forward(self, x):
                return self.part.shuffled(x)
        """,
    "pkg/parts.py": """\
        from torch import nn


        class Part(nn.Module):
            def shuffled(self, x):
                return x[int(x.sum()) :]

            def forward(self, x):
                return x.tolist()
        """,
    "pkg/script.py": """\
        import torch

        from pkg.model import Model


        def save(path):
            torch.onnx.export(Model().eval(), torch.zeros(2, 3), path, dynamic_axes={"x": {0: "batch"}})
        """,
}
FILES = {path: textwrap.dedent(text) for path, text in FILES.items()}

SETTINGS = Settings()


class Runs:
    """Runs over the same files with a cache."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        self.workers = 1
        self.computed: list[str] = []
        self.outside: dict[str, str] = {}

    def loader(self, path: str) -> SourceText | None:
        return SourceText(path, self.outside[path]) if path in self.outside else None

    def check(self, files: dict[str, str], settings: Settings = SETTINGS) -> CheckResult:
        """With what is kept; it is kept anew."""
        sources = {path: SourceText(path, text) for path, text in files.items()}
        cache = ResultCache(self.folder, self.loader)
        parts = PartCache(cache, cache.question(sources, [(settings, sources)]))
        project = Project(cache.neighbour, recording=True)
        for source in sources.values():
            project.add(source)
        result = check_with_coverage(project, [(settings, set(sources))], parts=parts, workers=self.workers)
        parts.store()
        return result

    def fresh(self, files: dict[str, str], settings: Settings = SETTINGS) -> CheckResult:
        project = Project(self.loader)
        for path, text in files.items():
            project.add(SourceText(path, text))
        return check_with_coverage(project, [(settings, set(files))])


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    made = Runs(tmp_path)
    compute = by_file.compute

    def noted(
        project: Project,
        groups: list[Group],
        facts: ExportFacts,
        analysis: Analysis,
        path: str,
        entered: Iterable[Place],
    ) -> Part:
        if project.tracker.is_noting:
            made.computed.append(path)
        return compute(project, groups, facts, analysis, path, entered)

    monkeypatch.setattr(by_file, "compute", noted)
    return made


def computed(runs: Runs, files: dict[str, str]) -> list[str]:
    """The files whose parts a run computes; it must say what a fresh one says."""
    runs.computed.clear()
    assert runs.check(files) == runs.fresh(files)
    return sorted(path.removeprefix("pkg/") for path in runs.computed)


def test_only_what_a_change_concerns_is_computed(runs: Runs) -> None:
    everything = ["blocks.py", "model.py", "other.py", "parts.py", "script.py"]
    assert computed(runs, FILES) == everything
    assert computed(runs, FILES) == []

    def edited(path: str, before: str, after: str) -> list[str]:
        assert before in FILES[path]
        found = computed(runs, {**FILES, path: FILES[path].replace(before, after)})
        computed(runs, FILES)
        return found

    assert edited("pkg/ops.py", "x.sum().item()", "x.sum()") == []  # nobody calls it
    assert edited("pkg/ops.py", "import torch\n", "import torch\n\n# a comment\n") == []
    assert edited("pkg/ops.py", "* x.max().item()", "* 2") == ["model.py"]
    assert edited("pkg/ops.py", "n % size:", "n > size:") == ["model.py"]
    assert edited("pkg/ops.py", "LIMIT = 4", "LIMIT = 5") == ["model.py"]
    assert edited("pkg/parts.py", "shuffled", "sorted_out") == ["other.py", "parts.py"]
    maker = "\n\ndef make_other():\n    return Other(nn.ReLU())\n"
    assert edited("pkg/parts.py", "x.tolist()\n", f"x.tolist()\n{maker}") == ["other.py", "parts.py"]
    assert edited("pkg/script.py", 'torch.zeros(2, 3), path, dynamic_axes={"x": {0: "batch"}}', "path") == everything


def test_places_move_with_the_code(runs: Runs) -> None:
    before = runs.check(FILES)
    files = {**FILES, "pkg/ops.py": "# one\n# two\n" + FILES["pkg/ops.py"]}
    after = runs.check(files)
    assert runs.computed.count("pkg/model.py") == 1 and after == runs.fresh(files)
    assert [d.span.line + 2 * (d.span.path == "pkg/ops.py") for d in before.diagnostics] == [
        d.span.line for d in after.diagnostics
    ]


def test_a_neighbour_counts(runs: Runs) -> None:
    model = FILES["pkg/model.py"].replace("x = scaled(x)", "x = x if scaled(x) else -x")
    files = {"pkg/model.py": model, "pkg/parts.py": FILES["pkg/parts.py"]}
    alone = runs.check(files)
    runs.outside = {path: FILES[path] for path in ("pkg/__init__.py", "pkg/ops.py", "pkg/blocks.py")}
    beside = runs.check(files)
    assert beside == runs.fresh(files) != alone
    files["pkg/parts.py"] += "\n# the model is not computed again, and rests on its neighbours all the same\n"
    assert runs.check(files) == runs.fresh(files) and runs.computed[-1] == "pkg/parts.py"
    runs.outside["pkg/ops.py"] = runs.outside["pkg/ops.py"].replace("x * x.max().item()", "True")
    assert runs.check(files) == runs.fresh(files) != beside


@pytest.mark.parametrize("seed", range(3))
def test_random_edits(runs: Runs, seed: int) -> None:
    """One file after the other is edited, also so that it does not parse; each run says what a fresh one says."""
    chance = random.Random(seed)
    files = dict(FILES)
    for step in range(20):
        for _ in range(chance.choice((1, 1, 1, 3))):
            path = chance.choice(list(files))
            files[path] = chance.choice(list(_edits(files[path], chance)))
        assert runs.check(files) == runs.fresh(files), f"step {step}"
        if chance.random() < 0.3:
            files = dict(FILES)
    assert len(runs.computed) < 20 * 5


def _edits(text: str, chance: random.Random) -> Iterator[str]:
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    indent = re.match(r" *", lines[at])
    assert indent is not None
    new = chance.choice(
        ("# said", "", "x = x * x.sum().item()", "y = int(x.shape[0])", "import os", "from pkg.ops import *", "if (:",
         "x = x.data  # onnx-lint: ignore[ONX205]", "pass", "class Part: pass", "def shuffled(self, x): return x",
         "def make_part(): return Other(Part())")
    )  # fmt: skip
    yield "\n".join([*lines[:at], indent.group() + new, *lines[at:]])
    yield "\n".join([*lines[:at], *lines[at + 1 :]])
    yield "\n".join([*lines[:at], lines[at] + chance.choice(("  # why", " + 1", "()")), *lines[at + 1 :]])
    names = sorted(set(re.findall(r"\b[a-zA-Z_]\w{2,}", text))) or ["x"]
    yield re.sub(rf"\b{chance.choice(names)}\b", chance.choice(names), text, count=chance.choice((0, 1)))


def test_what_is_damaged_is_computed_again(runs: Runs) -> None:
    expected = runs.check(FILES)
    (file,) = Path(runs.folder).glob("*.parts")
    whole = file.read_bytes()
    head, _, body = whole.partition(b"\n")
    damages = [b"", whole[: len(whole) // 2], whole[:-1], whole.replace(b"ONX", b"ONY"), head + b"\n", b"\x00" * 999,
               whole + b"\n{}", head.replace(b"onnx-lint 0", b"onnx-lint 9") + b"\n" + body]  # fmt: skip
    for damage in damages:
        assert damage != whole
        file.write_bytes(damage)
        runs.computed.clear()
        assert runs.check(FILES) == expected and len(runs.computed) == 5
        assert file.read_bytes() == whole


def test_lines_of_another_form_are_computed_again(runs: Runs) -> None:
    """With a checksum that fits: of a program of the same version that writes something else."""
    expected = runs.check(FILES)
    (file,) = Path(runs.folder).glob("*.parts")
    sources = {path: SourceText(path, text) for path, text in FILES.items()}
    cache = ResultCache(runs.folder, runs.loader)
    question = cache.question(sources, [(SETTINGS, sources)])
    body = file.read_bytes().partition(b"\n")[2]
    lines = body.split(b"\n")
    for number in (0, 1, len(lines) - 1):
        for other in (b"", b"{}", b"[]", b"null", b"[" * 100_000):
            cache.write(
                question.parts_path, question.parts_head, b"\n".join([*lines[:number], other, *lines[number + 1 :]])
            )
            assert runs.check({**FILES, "pkg/ops.py": FILES["pkg/ops.py"] + "\n"}).diagnostics == expected.diagnostics


_STARS = {
    "wide/__init__.py": "from .first import *\nfrom .second import *\nfrom .third import *\n",
    "wide/first.py": "from .deeper import *\n\nFIRST = 1\n",
    "wide/deeper.py": "def deep(x):\n    return x.sum().item()\n",
    "wide/second.py": "SECOND = 2\n\n\ndef other(x):\n    return deep\n",
    "wide/third.py": "def third(x):\n    return x.max().item()\n",
    "wide/last.py": "def last(x):\n    return x.tolist()\n",
    "model.py": """\
from torch import nn

from helper import same
from wide import last, third


class Net(nn.Module):
    def forward(self, x):
        return same(x) + third(x) + last.last(x)[0]
""",
    "helper.py": "def same(x):\n    return x\n",
}


def test_names_through_star_imports(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was passed through on the way to a name is not read again, and what comes to bind the name is found."""
    looked_at: list[str] = []

    def noted(text: str) -> list[Chunk]:
        looked_at.append(text)
        return split(text)

    assert runs.check(_STARS).diagnostics
    monkeypatch.setattr("onnx_lint.project.modules.split", noted)
    files = {**_STARS, "helper.py": "def same(x):\n    unused = 1\n    return x\n"}
    result = runs.check(files)
    monkeypatch.undo()
    assert {path for path, text in files.items() if text in looked_at} == {
        "model.py", "helper.py", "wide/third.py", "wide/last.py"
    }  # fmt: skip
    assert result == runs.fresh(files)
    for path, text in (
        ("wide/deeper.py", "def last(x):\n    return x\n"),  # comes before the module of that name
        ("wide/first.py", "third = last = abs\n"),
        ("wide/second.py", "from .last import *\n"),
        ("wide/third.py", "if (:\n"),
        ("wide/last.py", "from .deeper import deep as last\n"),
    ):
        changed = {**files, path: text}
        assert runs.check(changed) == runs.fresh(changed), path
        changed["helper.py"] = _STARS["helper.py"]
        assert runs.check(changed) == runs.fresh(changed), path
        assert runs.check(files) == runs.fresh(files)


def test_a_result_of_the_moment_is_not_kept(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnx_lint.semantics.evaluation.state.MAX_SECONDS", -1)
    runs.check(FILES)
    monkeypatch.undo()
    files = {**FILES, "pkg/parts.py": FILES["pkg/parts.py"] + "\n"}
    assert runs.check(files) == runs.fresh(files)
