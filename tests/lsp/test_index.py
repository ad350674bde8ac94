"""The index: which files reach into an open one."""

from __future__ import annotations

from pathlib import Path

from onnx_lint_lsp.index import Index


def make(folder: Path, files: dict[str, str]) -> Index:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    index = Index(str(folder))
    for _ in index.build():
        pass
    return index


def names(folder: Path, paths: set[str]) -> set[str]:
    return {Path(path).relative_to(folder).as_posix() for path in paths}


def test_importers_are_found_through_packages_and_relative_imports(tmp_path: Path) -> None:
    index = make(
        tmp_path,
        {
            "pkg/__init__.py": "",
            "pkg/ops.py": "def f(x):\n    return x\n",
            "pkg/near.py": "from .ops import f\ndef forward(): ...\n",
            "pkg/sub/__init__.py": "",
            "pkg/sub/deep.py": "from ..near import (\n    forward,\n)\ndef forward(): ...\n",
            "main.py": "import pkg.ops as ops\ndef forward(): ...\n",
            "no_model.py": "import pkg.ops\n",
            "other.py": "import json\ndef forward(): ...\n",
            "export.py": "import torch\ntorch.onnx.export(m, x)\n",
        },
    )
    related = names(tmp_path, index.related([str(tmp_path / "pkg/ops.py")]))
    assert related == {"pkg/near.py", "pkg/sub/deep.py", "main.py", "export.py"}


def test_a_package_hands_on_what_it_imports_and_nothing_else(tmp_path: Path) -> None:
    index = make(
        tmp_path,
        {
            "pkg/__init__.py": "from .ops import f\nfrom .other import g\n",
            "pkg/ops.py": "def f(x):\n    return x\n",
            "pkg/other.py": "def g(x):\n    return x\n",
            "uses_f.py": "from pkg import f\ndef forward(): ...\n",
            "uses_g.py": "from pkg import g\ndef forward(): ...\n",
            "uses_all.py": "import pkg\ndef forward(): ...\n",
        },
    )
    assert names(tmp_path, index.related([str(tmp_path / "pkg/ops.py")])) == {"uses_f.py", "uses_all.py"}


def test_a_changed_file_changes_the_index(tmp_path: Path) -> None:
    index = make(tmp_path, {"a.py": "x = 1\n", "b.py": "def forward(): ...\n"})
    version = index.version
    assert index.related([str(tmp_path / "a.py")]) == set()
    (tmp_path / "b.py").write_text("import a\ndef forward(): ...\n")
    index.update(str(tmp_path / "b.py"))
    assert names(tmp_path, index.related([str(tmp_path / "a.py")])) == {"b.py"}
    assert index.version > version
    (tmp_path / "b.py").unlink()
    index.update(str(tmp_path / "b.py"))
    assert index.related([str(tmp_path / "a.py")]) == set()


def test_notebooks_are_not_indexed(tmp_path: Path) -> None:
    """Nobody can import them, and their JSON is not Python."""
    index = make(tmp_path, {"a.py": "def forward(): ...\n", "lab/nb.ipynb": '{"cells": []}'})
    assert names(tmp_path, set(index.entries)) == {"a.py"}
