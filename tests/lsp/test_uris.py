"""URIs and paths: one path for all spellings of a file, on Windows too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnx_lint_lsp.uris import of_path, to_path


@pytest.mark.parametrize(
    "uri",
    [
        "file:///C:/w/m.py",
        "file:///c:/w/m.py",
        "file:///c%3A/w/m.py",
        "file:///C%3a/w/%6D.py",
        "file:///c:/w/sub/../m.py",
        "file:///c:/w//m.py",
        "file:///C:\\w\\m.py",
        "file:///c%3A%5Cw%5Cm.py",
        "file://localhost/c:/w/m.py",
        "file://C:/w/m.py",
        "file://C:\\w\\m.py",
    ],
)
def test_every_spelling_of_a_windows_file_is_one_path(uri: str) -> None:
    assert to_path(uri, windows=True) == "c:\\w\\m.py"


@pytest.mark.parametrize("uri", ["file://host/share/m.py", "file://host/share/%6D.py", "file://host/share/a/../m.py"])
def test_a_share_is_a_path_on_windows_only(uri: str) -> None:
    assert to_path(uri, windows=True) == "\\\\host\\share\\m.py"
    assert to_path(uri, windows=False) is None


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("c:\\w\\m.py", "file:///c%3A/w/m.py"),
        ("c:\\w\\100% é #1.py", "file:///c%3A/w/100%25%20%C3%A9%20%231.py"),
        ("\\\\host\\share\\m.py", "file://host/share/m.py"),
        ("untitled:Untitled-1", "untitled:Untitled-1"),
    ],
)
def test_windows_paths_go_there_and_back(path: str, uri: str) -> None:
    assert of_path(path, windows=True) == uri
    assert path.startswith("untitled") or to_path(uri, windows=True) == path


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///w/m.py", "/w/m.py"),
        ("file:///w/%6D.py", "/w/m.py"),
        ("file:///w/./x/../m.py", "/w/m.py"),
        ("file:///w/100%25.py", "/w/100%.py"),
        ("file:///w/100%.py", "/w/100%.py"),
        ("file:///w/a#b?c.py", "/w/a?c.py#b"),
        ("file:///w/back\\slash.py", "/w/back\\slash.py"),
        ("file:///w/%00.py", None),
        ("file:", None),
        ("file://[bad/m.py", None),
        ("untitled:Untitled-1", None),
    ],
)
def test_other_systems_take_paths_as_they_are(uri: str, path: str | None) -> None:
    if "#b?c" in uri:
        path = "/w/a#b?c.py"  # nothing is lost of a name that a client forgot to escape
    assert to_path(uri, windows=False) == path


@given(st.lists(st.text(st.characters(exclude_characters="/\\\0:", exclude_categories=["Cs"]), min_size=1), min_size=1))
def test_paths_go_there_and_back(parts: list[str]) -> None:
    parts = [part for part in parts if part not in (".", "..")]
    posix = "/" + "/".join(parts)
    assert to_path(of_path(posix, windows=False), windows=False) == posix
    drive = "c:\\" + "\\".join(parts)
    assert to_path(of_path(drive, windows=True), windows=True) == drive
