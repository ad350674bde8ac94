"""The client's settings: read leniently, told about, laid over the project's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from onnx_lint.diagnostic import Severity
from onnx_lint.target import Engine
from onnx_lint_lsp.configuration import Configuration
from onnx_lint_lsp.options import ClientOptions, read


def test_everything_is_read() -> None:
    options, problems = read(
        {
            "engine": "dynamo",
            "opset": 18,
            "extendSelect": ["ONX1"],
            "dynamicAxes": {"x": [0, 2]},
            "run": "onSave",
            "inlayHints": True,
            "export": {"engine": "torchscript", "inputs": {"a.py:Net": ["x:float32[2]"]}},
            "export.timeout": 60,
            "trace": {"server": "off"},
        }
    )
    assert problems == []
    assert (options.engine, options.opset, options.extend_select) == ("dynamo", 18, ("ONX1",))
    assert (options.dynamic_axes, options.run, options.inlay_hints) == ({"x": (0, 2)}, "onSave", True)
    assert (options.export.engine, options.export.timeout) == ("torchscript", 60.0)
    assert options.export.inputs == {"a.py:Net": ("x:float32[2]",)}


@pytest.mark.parametrize("section", [[1, 2], "x", 5, {"engine": 7, "opset": True, "select": "ONX", "export": 3}])
def test_nonsense_leaves_the_defaults_and_is_told(section: Any) -> None:
    options, problems = read(section)
    assert options == ClientOptions()
    assert problems


def test_the_clients_settings_lie_over_the_projects(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.onnx-lint]\nengine = "torchscript"\nseverity = "error"\n')
    configuration = Configuration()
    configuration.folders = (str(tmp_path),)
    path = str(tmp_path / "m.py")
    settings = configuration.settings(path)
    assert settings is not None
    assert (settings.target.engines, settings.minimum) == ((Engine.TORCHSCRIPT,), Severity.ERROR)
    assert configuration.settings(path) is settings
    configuration.set_client({"engine": "dynamo"}, str(tmp_path))
    settings = configuration.settings(path)
    assert settings is not None
    assert (settings.target.engines, settings.minimum) == ((Engine.DYNAMO,), Severity.ERROR)
    configuration.set_client({"enable": False}, str(tmp_path))
    assert configuration.settings(path) is None


def test_a_broken_file_is_told_once_and_a_changed_one_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text('[tool.onnx-lint]\nselect = ["ONX777"]\n')
    configuration = Configuration()
    path = str(tmp_path / "m.py")
    assert configuration.settings(path) is not None
    assert configuration.settings(str(tmp_path / "n.py")) is not None
    (problem,) = configuration.problems()
    assert "ONX777" in problem
    assert configuration.problems() == []
    assert not configuration.is_stale()
    file.write_text('[tool.onnx-lint]\nexclude = ["m.py"]\n')
    assert configuration.is_stale()
    configuration.reload()
    assert configuration.settings(path) is None
