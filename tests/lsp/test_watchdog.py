"""One document never stops the diagnostics of others, whatever its analysis does; and it is said in the document."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsp_wire import Json, Wire, connect, install, profile

pytestmark = pytest.mark.alone  # an analysis of more than a second is abandoned in these tests

GOOD = """\
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        return x * x.sum().item()
"""
BAD = GOOD.replace("class Net", "class Bad")
FAULTY_CHECKS = """\
    import threading
    import time

    from onnx_lint.checker import check_with_coverage
    from onnx_lint_lsp import workspace


    def spins():
        while True:
            pass


    def swallows():
        while True:
            try:
                spins()
            except Exception:
                continue


    def blocks():
        threading.Event().wait()


    def recurses():
        recurses()


    def runs_out_of_memory():
        raise MemoryError


    def has_a_fault():
        raise KeyError("a fault of our own")


    def check(project, groups, **options):
        if any("class Bad" in module.source.text for module in project.modules.values()):
            FAULT()
        return check_with_coverage(project, groups, **options)


    workspace.check_with_coverage = check
"""
FAULTS = {
    "spins": "takes more than 1 seconds",
    "swallows": "takes more than 1 seconds",
    "blocks": "takes more than 1 seconds",
    "recurses": "nests too deep",
    "runs_out_of_memory": "runs out of memory",
    "has_a_fault": "fails with KeyError, which is a fault of onnx-lint",
}


def started(folder: Path, wire: Wire) -> None:
    settings = {"analysisTimeout": 1}
    wire.answers["workspace/configuration"] = lambda params: [settings for _ in params["items"]]
    wire.initialize(profile("visual-studio-code"), [folder], {"settings": settings})


def said(items: list[Json]) -> str:
    return "".join(d["message"] for d in items if d["code"] == "ONX009")


@pytest.mark.parametrize("fault", FAULTS)
def test_other_documents_go_on(fault: str, tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    env = install(tmp_path / "site", {"fault": FAULTY_CHECKS.replace("FAULT()", f"{fault}()")})
    with connect(tmp_path / "stderr", env, is_traced=False) as wire:
        started(folder, wire)
        good = wire.open(folder / "good.py", GOOD)
        wire.codes(good, "ONX202")
        bad = wire.open(folder / "bad.py", BAD)
        items = wire.codes(bad, "ONX009")
        assert FAULTS[fault] in said(items)
        assert items[0]["range"]["start"] == {"line": 0, "character": 0}

        before = len(wire.received)
        wire.replace(good, 2, GOOD.replace(".item()", ""))
        wire.codes(good, after=before)
        place = {"textDocument": {"uri": bad}, "position": {"line": 5, "character": 20}}
        assert wire.ask("textDocument/hover", place) is None
        assert wire.ask("textDocument/codeLens", {"textDocument": {"uri": bad}}) == []

        before = len(wire.received)
        wire.replace(bad, 2, GOOD)
        wire.codes(bad, "ONX202", after=before)
        assert wire.end() == 0
    logged = "internal error" in wire.stderr.read_text()
    assert logged is (fault not in ("spins", "swallows", "blocks"))


def test_of_several_documents_opened_at_once_the_bad_ones_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    env = install(tmp_path / "site", {"fault": FAULTY_CHECKS.replace("FAULT()", "spins()")})
    with connect(tmp_path / "stderr", env, is_traced=False) as wire:
        started(folder, wire)
        bad = [wire.open(folder / f"bad{n}.py", BAD) for n in range(2)]
        good = [wire.open(folder / f"good{n}.py", GOOD) for n in range(4)]
        for uri in good:
            wire.codes(uri, "ONX202")
        for uri in bad:
            wire.codes(uri, "ONX009")
        assert wire.end() == 0


def test_a_file_that_is_not_open_costs_only_what_it_would_add(tmp_path: Path) -> None:
    """A model on disk that calls into an open file is analysed with it, unless that does not come to an end."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "helper.py").write_text("def scale(v):\n    return v * v.sum().item()\n")
    (folder / "user.py").write_text("from helper import scale\n" + BAD.replace("x.sum().item()", "scale(x)"))
    env = install(tmp_path / "site", {"fault": FAULTY_CHECKS.replace("FAULT()", "spins()")})
    with connect(tmp_path / "stderr", env, is_traced=False) as wire:
        started(folder, wire)
        good = wire.open(folder / "good.py", GOOD)
        wire.open(folder / "helper.py")
        wire.until(lambda m: "files that are not open are left out" in str(m.get("params")))
        before = len(wire.received)
        wire.replace(good, 2, GOOD.replace(".item()", ""))
        wire.codes(good, after=before)
        assert wire.end() == 0
