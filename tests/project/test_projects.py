"""What is found over several files: names followed through imports, classes through their bases, values through
attributes. Expectations stand in the file where the hazard is; a case without any must stay silent."""

from __future__ import annotations

import itertools
import os
import textwrap
from pathlib import Path

import pytest

from onnx_lint.checker import check
from onnx_lint.project.project import Project
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceText
from onnx_lint.testing import expectations

HEAD = "import torch\nfrom torch import nn\n\n"
OPS = HEAD + "def scaled(x):\n    return x * x.max().item()  # expect: ONX202\n"
UNUSED_OPS = HEAD + "def scaled(x):\n    return x * x.max().item()\n"


def net(body: str, imports: str = "") -> str:
    """A module with the class ``Net`` whose members are `body`."""
    return f"{HEAD}{imports}\n\nclass Net(nn.Module):\n" + textwrap.indent(
        textwrap.dedent(body).strip("\n") + "\n", "    "
    )


def calls(expression: str, imports: str) -> str:
    return net(f"def forward(self, x):\n    return {expression}\n", imports)


FOUND: dict[str, dict[str, str]] = {
    "absolute import": {
        "pkg/__init__.py": "",
        "pkg/ops.py": OPS,
        "pkg/net.py": calls("scaled(x)", "from pkg.ops import scaled"),
    },
    "relative import": {
        "pkg/__init__.py": "",
        "pkg/sub/__init__.py": "",
        "pkg/ops.py": OPS,
        "pkg/sub/net.py": calls("scaled(x)", "from ..ops import scaled"),
    },
    "relative import of a module": {
        "pkg/__init__.py": "",
        "pkg/ops.py": OPS,
        "pkg/net.py": calls("ops.scaled(x)", "from . import ops"),
    },
    "aliased module": {
        "pkg/__init__.py": "",
        "pkg/ops.py": OPS,
        "pkg/net.py": calls("o.scaled(x)", "import pkg.ops as o"),
    },
    "aliased name": {
        "ops.py": OPS,
        "net.py": calls("f(x)", "from ops import scaled as f"),
    },
    "dotted use": {
        "pkg/__init__.py": "",
        "pkg/ops.py": OPS,
        "net.py": calls("pkg.ops.scaled(x)", "import pkg.ops"),
    },
    "star import": {
        "ops.py": OPS,
        "net.py": calls("scaled(x)", "from ops import *"),
    },
    "re-exported, twice": {
        "pkg/__init__.py": "from .inner import scaled as better\n",
        "pkg/inner/__init__.py": "from .ops import scaled\n",
        "pkg/inner/ops.py": OPS,
        "net.py": calls("better(x)", "from pkg import better"),
    },
    "re-exported by a star": {
        "pkg/__init__.py": "from .ops import *\n",
        "pkg/ops.py": OPS,
        "net.py": calls("pkg.scaled(x)", "import pkg"),
    },
    "import cycle": {
        "one.py": HEAD + "from two import Net\n\ndef scaled(x):\n    return x * x.max().item()  # expect: ONX202\n",
        "two.py": calls("scaled(x)", "from one import scaled"),
    },
    "import inside a function": {
        "ops.py": OPS,
        "net.py": net("def forward(self, x):\n    from ops import scaled\n    return scaled(x)"),
    },
    "conditional import": {
        "ops.py": OPS,
        "net.py": calls("scaled(x)", "try:\n    from ops import scaled\nexcept ImportError:\n    scaled = None"),
    },
    "import by a condition": {
        "ops.py": OPS,
        "net.py": calls(
            "scaled(x)", "if torch.cuda.is_available():\n    from ops import scaled\nelse:\n    scaled = None"
        ),
    },
    "namespace package": {
        "lib/ops.py": OPS,
        "net.py": calls("scaled(x)", "from lib.ops import scaled"),
    },
    "inherited method, overridden step": {
        "base.py": net(
            """
            def forward(self, x):
                return self.step(x)

            def step(self, x):
                raise NotImplementedError
            """
        ),
        "net.py": HEAD + "import base\n\nclass Mine(base.Net):\n    # its forward is inherited\n"
        "    def step(self, x):\n        return x.data  # expect: ONX205\n",
    },
    "forward of a base of a base": {
        "a.py": net("def forward(self, x):\n    return self.head(x)\n\ndef head(self, x):\n    return x"),
        "b.py": "from a import Net\n\nclass Middle(Net):\n    pass\n",
        "c.py": HEAD + "from b import Middle\n\nclass Leaf(Middle):\n    def head(self, x):\n"
        "        return x * x.max().item()  # expect: ONX202\n\n"
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.leaf = Leaf()\n\n"
        "    def forward(self, x):\n        return self.leaf(x)\n",
    },
    "super()": {
        "base.py": net("def forward(self, x):\n    return x.data  # expect: ONX205"),
        "net.py": HEAD + "from base import Net\n\nclass Mine(Net):\n    def forward(self, x):\n"
        "        return super().forward(x) + 1\n",
    },
    "fact about self": {
        "net.py": net(
            """
            def __init__(self, limit: int):
                super().__init__()
                self.limit = limit

            def forward(self, x):
                self.rows = x.shape[0]
                return self.cut(x)

            def cut(self, x):
                if self.rows > self.limit:  # expect: ONX102
                    return x[: self.limit]
                return x
            """
        )
    },
    "module attribute of another file": {
        "block.py": net("def forward(self, x):\n    return x * x.max().item()  # expect: ONX202").replace(
            "Net", "Block"
        ),
        "net.py": net(
            """
            def __init__(self):
                super().__init__()
                self.block = Block()

            def forward(self, x):
                return self.block(x)
            """,
            "from block import Block",
        ),
    },
    "list, dict and sequence of modules": {
        "blocks.py": HEAD
        + "".join(
            f"class {name}(nn.Module):\n    def run(self, x):\n        return x\n\n    def forward(self, x, n=None):\n"
            f"        return n if n is None else self.run(x[:int(n)])  # expect: ONX201\n\n"
            for name in ("Listed", "Keyed")
        )
        + "class Chained(nn.Module):\n    def forward(self, x):\n        return x.data  # expect: ONX205\n",
        "net.py": net(
            """
            def __init__(self):
                super().__init__()
                self.listed = nn.ModuleList([Listed() for _ in range(3)])
                self.keyed = nn.ModuleDict({"a": Keyed()})
                self.chained = nn.Sequential(nn.Linear(4, 4), Chained())

            def forward(self, x):
                for layer in self.listed:
                    x = layer(x, x.shape[0])
                x = self.keyed["a"](x, x.shape[1])
                return self.chained(x)
            """,
            "from blocks import Chained, Keyed, Listed",
        ),
    },
    "property": {
        "base.py": net(
            """
            @property
            def width(self):
                return int(self.size)  # expect: ONX201
            """
        ),
        "net.py": HEAD
        + "from base import Net\n\nclass Mine(Net):\n    def forward(self, x):\n        self.size = x.shape[1]\n"
        "        return x[:, : self.width]\n",
    },
    "functools.partial": {
        "ops.py": HEAD + "def cut(n, x):\n    return x[: int(n)]  # expect: ONX201\n",
        "net.py": net(
            "def forward(self, x):\n    cut_here = functools.partial(cut, x.shape[0])\n    return cut_here(x)",
            "import functools\nfrom ops import cut",
        ),
    },
    "decorated": {
        "deco.py": "import functools\n\ndef logged(f):\n    @functools.wraps(f)\n    def inner(*args, **kwargs):\n"
        "        return f(*args, **kwargs)\n    return inner\n",
        "net.py": net(
            """
            @logged
            def scale(self, x):
                return x * x.max().item()  # expect: ONX202

            @torch.no_grad()
            def forward(self, x):
                return self.scale(x)
            """,
            "from deco import logged",
        ),
    },
    "nested function and lambda": {
        "net.py": net(
            """
            def forward(self, x):
                n = x.shape[0]

                def half():
                    return int(n)  # expect: ONX201

                double = lambda t: t * t.max().item()  # expect: ONX202
                return double(x[: half()])
            """
        )
    },
    "class and static methods": {
        "ops.py": HEAD
        + "class Ops:\n    @staticmethod\n    def scaled(x):\n        return x * x.max().item()  # expect: ONX202\n\n"
        "    @classmethod\n    def raw(cls, x):\n        return x.data  # expect: ONX205\n",
        "net.py": calls("Ops.scaled(x) + Ops.raw(x)", "from ops import Ops"),
    },
    "lazy __init__ of a package": {
        "pkg/__init__.py": "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from .ops import scaled\nelse:\n"
        "    import sys\n    from .lazy import Lazy\n    sys.modules[__name__] = Lazy(__name__, {'ops': ['scaled']})\n",
        "pkg/lazy.py": "class Lazy:\n    def __init__(self, name, structure):\n        self.structure = structure\n",
        "pkg/ops.py": OPS,
        "net.py": calls("scaled(x)", "from pkg import scaled"),
    },
    "a module-level table of functions": {
        "ops.py": OPS + "\nTABLE = {'scaled': scaled}\n",
        "net.py": calls("TABLE['scaled'](x)", "from ops import TABLE"),
    },
}

SILENT: dict[str, dict[str, str]] = {
    "nobody traces the helper": {
        "ops.py": UNUSED_OPS,
        "net.py": calls("x + 1", "from ops import scaled"),
    },
    "a function of the same name elsewhere": {
        "ops.py": UNUSED_OPS,
        "other.py": "def scaled(x):\n    return x\n",
        "net.py": calls("scaled(x)", "from other import scaled"),
    },
    "a local name hides the import": {
        "ops.py": UNUSED_OPS,
        "net.py": net(
            "def forward(self, x):\n    scaled = lambda t: t\n    return scaled(x)", "from ops import scaled"
        ),
    },
    "a private name does not come by a star": {
        "ops.py": UNUSED_OPS.replace("scaled", "_scaled"),
        "other.py": "def _scaled(x):\n    return x\n",
        "net.py": calls("_scaled(x)", "from other import _scaled\nfrom ops import *"),
    },
    "a name left out of __all__ does not come by a star": {
        "ops.py": UNUSED_OPS + "\n__all__ = ['kept']\n\ndef kept(x):\n    return x\n",
        "other.py": "def scaled(x):\n    return x\n",
        "net.py": calls("scaled(kept(x))", "from other import scaled\nfrom ops import *"),
    },
    "overridden and never called": {
        "base.py": HEAD + "class Base(nn.Module):\n    def step(self, x):\n        return x.data\n",
        "net.py": HEAD + "from base import Base\n\nclass Net(Base):\n    def step(self, x):\n        return x\n\n"
        "    def forward(self, x):\n        return self.step(x)\n",
    },
    "numbers of the configuration": {
        "config.py": "class Config:\n    def __init__(self, size: int = 4):\n        self.size = size\n",
        "net.py": net(
            """
            def __init__(self, config: Config):
                super().__init__()
                self.size = config.size
                self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(config.size)])

            def forward(self, x):
                if self.size > 3:
                    x = x * int(self.size)
                for number, layer in enumerate(self.layers):
                    x = layer(x) + number
                return x
            """,
            "from config import Config",
        ),
    },
    "a cycle of imports that defines nothing": {
        "one.py": "from two import scaled\n",
        "two.py": "from one import scaled\n",
        "net.py": calls("scaled(x)", "from one import scaled"),
    },
    "classes that are their own bases": {
        "one.py": "from two import B\n\nclass A(B):\n    pass\n",
        "two.py": "from one import A\n\nclass B(A):\n    def forward(self, x):\n        return x.data\n",
    },
    "training code and loading of weights": {
        "net.py": net(
            """
            def forward(self, x):
                return x

            def training_step(self, batch):
                loss = self(batch).mean()
                return loss.item()

            @classmethod
            def load(cls, path):
                return int(torch.load(path)["size"])
            """
        )
    },
}


def compared(
    files: dict[str, str],
) -> tuple[dict[str, dict[int, tuple[str, ...]]], dict[str, dict[int, tuple[str, ...]]]]:
    """What is said of a project, and what is expected, by file and line."""
    project = Project()
    for path, text in files.items():
        project.add(SourceText.from_text(path, text))
    got: dict[str, dict[int, tuple[str, ...]]] = {path: {} for path in files}
    for d in check(project, Settings()):
        line = got[d.span.path]
        line[d.span.line] = tuple(sorted((*line.get(d.span.line, ()), d.code)))
    return got, {path: expectations(text) for path, text in files.items()}


@pytest.mark.parametrize("name", FOUND)
def test_found(name: str) -> None:
    got, expected = compared(FOUND[name])
    assert any(expected.values()), "a case that expects nothing belongs to the silent ones"
    assert got == expected


@pytest.mark.parametrize("name", FOUND)
def test_the_order_of_files_does_not_matter(name: str) -> None:
    files = FOUND[name]
    assert compared(dict(reversed(files.items()))) == compared(files)


@pytest.mark.parametrize("name", SILENT)
def test_silent(name: str) -> None:
    got, expected = compared(SILENT[name])
    assert not any(expected.values())
    assert got == expected


def test_one_file_of_a_package_finds_what_it_imports_from_the_folders_above() -> None:
    files = {
        "top/pkg/__init__.py": "",
        "top/pkg/sub/__init__.py": "",
        "top/pkg/ops.py": UNUSED_OPS,
        "top/pkg/sub/net.py": net(
            "def forward(self, x):\n    return x if scaled(x) > 1 else -x\n", "from ..ops import scaled"
        ),
    }
    sources = {path: SourceText.from_text(path, text) for path, text in files.items()}
    path = "top/pkg/sub/net.py"
    for editor in (False, True):
        project = Project(sources.get, editor=editor)
        project.add(sources[path])
        assert [d.code for d in check(project, Settings(), {path})] == ["ONX101"]


def test_a_package_is_the_same_for_who_stands_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are counted from the current folder; the names of modules are not."""
    forward = "def forward(self, x):\n    return x if scaled(x) > 1 else -x\n"
    files = {
        "pkg/__init__.py": "",
        "pkg/ops.py": UNUSED_OPS,
        "pkg/sub/__init__.py": "",
        "pkg/sub/net.py": net(forward, "from pkg.ops import scaled"),
        "pkg/sub/other.py": net(forward, "from ..ops import scaled"),
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    def load(path: str) -> SourceText | None:
        return SourceText.from_text(path, Path(path).read_text()) if Path(path).is_file() else None

    every = (["pkg/sub/net.py"], ["pkg/sub/other.py"], list(files))
    for folder, given in itertools.product(("", "pkg", "pkg/sub"), every):
        monkeypatch.chdir(tmp_path / folder)
        project = Project(load)
        for path in given:
            project.add(SourceText.from_text(os.path.relpath(tmp_path / path), files[path]))
        found = check(project, Settings(), {os.path.relpath(tmp_path / path) for path in given})
        expected = ["ONX101"] if len(given) == 1 else ["ONX202", "ONX101", "ONX101"]
        assert sorted(d.code for d in found) == sorted(expected), (folder, given)


NEAR = "def scaled(x):\n    return x * x.max().item()\n"
FAR = "def scaled(x):\n    return x\n"
"""Two files of one name: only a model that gets the near one is reported."""
ALIKE: dict[str, dict[str, str]] = {
    "beside it": {"a/ops.py": FAR, "b/ops.py": NEAR, "b/net.py": "from ops import scaled"},
    "by the name of the module": {"a/ops.py": FAR, "b/ops.py": NEAR, "b/net.py": "import ops\n\nscaled = ops.scaled"},
    "beside the outermost package": {
        "a/ops.py": FAR, "b/ops.py": NEAR, "b/pkg/__init__.py": "", "b/pkg/net.py": "from ops import scaled",
    },
    "further up, not further down": {
        "b/c/d/ops.py": FAR, "b/ops.py": NEAR, "b/c/net.py": "from ops import scaled",
    },
    "a package that was copied": {
        "build/pkg/__init__.py": "", "build/pkg/ops.py": FAR, "pkg/__init__.py": "", "pkg/ops.py": NEAR,
        "pkg/net.py": "from .ops import scaled",
    },
    "its copy": {
        "pkg/__init__.py": "", "pkg/ops.py": FAR, "way/pkg/__init__.py": "", "way/pkg/ops.py": NEAR,
        "way/pkg/net.py": "from pkg.ops import scaled",
    },
    "through a folder without __init__.py": {
        "a/models/ops.py": FAR, "b/models/ops.py": NEAR, "b/net.py": "from models import ops\n\nscaled = ops.scaled",
    },
    "a folder that is imported as a whole": {
        "a/models/ops.py": FAR, "b/models/ops.py": NEAR, "b/net.py": "import models.ops\n\nscaled = models.ops.scaled",
    },
    "in a function": {
        "a/ops.py": FAR, "b/ops.py": NEAR, "b/net.py": "def scaled(x):\n    import ops\n    return ops.scaled(x)",
    },
    "none above: the nearest": {"a/c/ops.py": FAR, "b/c/ops.py": NEAR, "b/net.py": "from ops import scaled"},
}  # fmt: skip


@pytest.mark.parametrize("editor", [False, True])
@pytest.mark.parametrize("name", ALIKE)
def test_of_files_with_one_module_name_the_nearest_counts(name: str, editor: bool) -> None:
    files = {path: f"{HEAD}{text}\n" for path, text in ALIKE[name].items()}
    net_path = next(path for path in files if path.endswith("net.py"))
    files[net_path] += net("def forward(self, x):\n    return scaled(x)").removeprefix(HEAD)
    for order in (list(files), list(reversed(files))):
        project = Project(editor=editor)
        for path in order:
            project.add(SourceText.from_text(path, files[path]))
        near = next(path for path, text in files.items() if "item" in text)
        assert [(d.code, d.span.path) for d in check(project, Settings())] == [("ONX202", near)]
        project.remove(near)
        if editor:
            assert not check(project, Settings()), "the far one takes its place"
            project.add(SourceText.from_text(near, files[near]))
            assert [d.code for d in check(project, Settings())] == ["ONX202"]


def test_a_file_that_was_not_given_counts_before_one_elsewhere() -> None:
    """It is the one that Python would import."""
    files = {
        "a/ops.py": FAR,
        "b/ops.py": NEAR,
        "b/net.py": calls("x if scaled(x) > 1 else -x", "from ops import scaled"),
    }
    on_disk = {os.path.abspath(path): SourceText.from_text(path, text) for path, text in files.items()}
    project = Project(lambda path: on_disk.get(os.path.abspath(path)))
    for path in ("a/ops.py", "b/net.py"):
        project.add(SourceText.from_text(path, files[path]))
    assert [d.code for d in check(project, Settings())] == ["ONX101"]
