"""Which files a run looks at: as git sees them, and past everything that is no ordinary file."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from onnx_lint.source.files import MAX_IGNORE_FILE, Found, Problem, discover
from onnx_lint.source.text import SourceError, read


def found(*paths: str | Path, respect_gitignore: bool = True) -> list[str]:
    return [
        f.path for f in discover([str(p) for p in paths], respect_gitignore=respect_gitignore) if isinstance(f, Found)
    ]


def problems(*paths: str | Path) -> list[str]:
    return [p.message for p in discover([str(p) for p in paths]) if isinstance(p, Problem)]


def put(top: Path, *names: str) -> None:
    for name in names:
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_python_files_below_in_order_each_once(here: Path) -> None:
    put(here, "b.py", "a/z.py", "a/b/c.py", "a.txt", "c/d.PY", "c/e.pyi", "a.py")
    assert found(".") == ["a.py", "b.py", "a/z.py", "a/b/c.py"]
    assert found("a", "b.py", ".", "./a/z.py") == ["a/z.py", "a/b/c.py", "b.py", "a.py"]
    assert found("./a.py") == ["a.py"]
    assert found(here / "a") == [str(here / "a/z.py"), str(here / "a/b/c.py")]


def test_a_file_that_is_named_is_taken_whatever_its_name(here: Path) -> None:
    put(here, "script", ".venv/x.py", "build.txt")
    assert found("script", ".venv/x.py", "build.txt") == ["script", ".venv/x.py", "build.txt"]


def test_folders_of_tools_are_not_walked_unless_named(here: Path) -> None:
    put(
        here,
        *(
            f"{name}/x.py"
            for name in (".git", ".venv", "venv", "node_modules", "__pycache__", "a/site-packages", ".tox", "b")
        ),
    )
    assert found(".") == ["b/x.py"]
    assert found(".venv") == [".venv/x.py"]


def test_what_is_excluded_is_not_walked(here: Path) -> None:
    put(here, "a/x.py", "b/x.py", "b/y.py")
    assert [f.path for f in discover(["."], excluded=lambda p: p in ("a", "b/x.py")) if isinstance(f, Found)] == [
        "b/y.py"
    ]


def test_links_are_followed_to_files_only_and_once(here: Path) -> None:
    put(here, "a/x.py", "out/y.py")
    (here / "a/same.py").symlink_to("x.py")
    (here / "a/hard.py").hardlink_to(here / "a/x.py")
    (here / "a/up").symlink_to("..")
    (here / "a/root").symlink_to("/")
    (here / "a/outside.py").symlink_to("../out/y.py")
    (here / "a/self.py").symlink_to("self.py")
    (here / "a/dangling.py").symlink_to("gone.py")
    assert found("a") == ["a/hard.py", "a/outside.py"]
    said = problems("a")
    assert [s.partition(":")[0] for s in said] == ["a/dangling.py", "a/self.py"]
    assert said[0] == "a/dangling.py: no such file or folder"


def test_a_folder_that_is_a_link_is_walked_when_named(here: Path) -> None:
    put(here, "a/x.py")
    (here / "link").symlink_to("a")
    assert found("link") == ["link/x.py"]


def test_special_files_are_passed_by_and_told_when_named(here: Path) -> None:
    put(here, "x.py")
    os.mkfifo(here / "fifo.py")
    (here / "dir.py").mkdir()
    put(here, "dir.py/in.py")
    for name, target in (("zero.py", "/dev/zero"), ("stdin.py", "/dev/stdin"), ("null.py", "/dev/null")):
        (here / name).symlink_to(target)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("sock.py")
    assert found(".") == ["x.py", "dir.py/in.py"]
    for name in ("fifo.py", "zero.py", "null.py", "sock.py"):
        assert problems(name) == [f"{name}: is not a regular file; name files or folders"]
    assert problems("gone.py") == ["gone.py: no such file or folder"]


def test_what_may_not_be_read_is_told_and_the_rest_is_walked(here: Path) -> None:
    put(here, "a/x.py", "b/x.py", "c/x.py")
    here.chmod(0o755)
    (here / "a").chmod(0)
    (here / "c/x.py").chmod(0)
    user = os.geteuid()
    if user == 0:  # who may read everything
        os.seteuid(65534)
    try:
        assert found(".") == ["b/x.py", "c/x.py"]  # whether a file can be read shows when it is read
        assert problems(".") == ["a: cannot be read: Permission denied"]
        with pytest.raises(SourceError, match=r"^c/x\.py: cannot be read: Permission denied$"):
            read("c/x.py")
    finally:
        os.seteuid(user)
        (here / "a").chmod(0o755)


def test_names_of_any_bytes(here: Path) -> None:
    names = [
        "a b.py",
        "é\U0001f600.py",
        "-rf.py",
        "a\nb.py",
        "%41.py",
        "#x.py",
        "$(x).py",
        os.fsdecode(b"\xff\xfe.py"),
        "n" * 250 + ".py",
    ]
    for name in names:
        (here / name).write_text("")
    assert found(".") == sorted(names)


def test_folders_deeper_than_a_path_can_say(here: Path) -> None:
    put(here, "x.py")
    descriptor = os.open(here, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("dddddddddddddddd", dir_fd=descriptor)
        below = os.open("dddddddddddddddd", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    assert found(".") == ["x.py"] and problems(".") == []
    subprocess.run(["rm", "-rf", "dddddddddddddddd"], check=True)  # too deep for what clears the folder of the test


# -------------------------------------------------------------------------------------------------------- .gitignore
def git(*arguments: str, stdin: str | None = None) -> str:
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "HOME": "/nonexistent"}
    done = subprocess.run(
        ["git", *arguments], input=stdin, capture_output=True, text=True, check=False, env={**os.environ, **quiet}
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def ignored_by_git(files: Sequence[str]) -> set[str]:
    return set(git("check-ignore", "--no-index", "--stdin", "-z", stdin="\0".join(files)).split("\0")) - {""}


TREE = [
    "a.py",
    "b.py",
    "ab.py",
    "x y.py",
    "!a.py",
    "#a.py",
    "build/a.py",
    "build/b.py",
    "src/a.py",
    "src/build/a.py",
    "src/gen/a.py",
    "src/gen/b.py",
    "src/gen/deep/a.py",
    "src/deep/gen/a.py",
    "doc/a/b/c.py",
    "doc/a.py",
    "doc/b/a.py",
    "out1/a.py",
    "out2/a.py",
    "foo/bar/a.py",
    "x/foo/bar/a.py",
]
IGNORES: list[dict[str, str]] = [
    {".gitignore": "a.py\n"},
    {".gitignore": "/a.py\n"},
    {".gitignore": "build\n"},
    {".gitignore": "build/\n"},
    {".gitignore": "/build/\n"},
    {".gitignore": "*.py\n!a.py\n"},
    {".gitignore": "*\n!*/\n!a.py\n"},
    {".gitignore": "src/gen\n"},
    {".gitignore": "gen/*\n!gen/a.py\n"},
    {".gitignore": "src/gen/*\n!src/gen/deep/\n"},
    {".gitignore": "**/gen/a.py\n"},
    {".gitignore": "doc/**/a.py\n"},
    {".gitignore": "doc/**\n!doc/a.py\n"},
    {".gitignore": "doc/*\n"},
    {".gitignore": "**/foo/bar\n"},
    {".gitignore": "foo/bar\n"},
    {".gitignore": "/foo\n"},
    {".gitignore": "out[12]/\n"},
    {".gitignore": "out[!1]/\n"},
    {".gitignore": "?.py\n"},
    {".gitignore": "# a.py\n\n   \nb.py   \n"},
    {".gitignore": "\\#a.py\n\\!a.py\n"},
    {".gitignore": "x\\ y.py\n"},
    {".gitignore": "x y.py\r\na.py\r\n"},
    {".gitignore": "build\n", "src/.gitignore": "!build\n"},
    {".gitignore": "a.py\n", "src/.gitignore": "!a.py\ngen/\n"},
    {".gitignore": "src/\n", "src/.gitignore": "!a.py\n"},
    {"src/.gitignore": "/a.py\ngen/deep\n"},
    {".gitignore": "\ufeffa.py\n"},
    {".gitignore": "doc/**/b/\n/**/build/\n"},
    {".gitignore": "a.py/\nsrc//gen\n"},
    {".gitignore": "*a*\n!/src/\n"},
    {".git/info/exclude": "build/\n", ".gitignore": "!build/\n"},
]


def compare_with_git(top: Path, ignores: dict[str, str]) -> None:
    for name, text in ignores.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text, encoding="utf-8", newline="")
    ignored = ignored_by_git(TREE)
    assert sorted(found(".")) == sorted(set(TREE) - ignored), ignores
    if not ignored_by_git(["src"]):  # else it was named, and is walked all the same
        assert sorted(found("src")) == sorted(f for f in set(TREE) - ignored if f.startswith("src/"))
    assert sorted(found(".", respect_gitignore=False)) == sorted(TREE)


@pytest.mark.parametrize("ignores", IGNORES, ids=[str(number) for number in range(len(IGNORES))])
def test_gitignore_means_what_git_says(here: Path, ignores: dict[str, str]) -> None:
    put(here, *TREE)
    git("init", "-q")
    compare_with_git(here, ignores)


@pytest.mark.parametrize("seed", range(15))
def test_random_gitignore_means_what_git_says(here: Path, seed: int) -> None:
    source = random.Random(seed)
    parts = [
        "a",
        "b",
        "*",
        "?",
        ".py",
        "/",
        "/",
        "**/",
        "/**",
        "!",
        "src",
        "gen",
        "build",
        "deep",
        "[ab]",
        "doc",
        "foo",
        "bar",
        "\\",
        " ",
    ]
    put(here, *TREE)
    git("init", "-q")
    for _ in range(6):
        text = "".join(
            "".join(source.choices(parts, k=source.randint(1, 5))) + "\n" for _ in range(source.randint(1, 4))
        )
        compare_with_git(here, {".gitignore": text})


def test_without_a_repository_only_what_lies_below_counts(here: Path) -> None:
    put(here, "top/a.py", "top/b.py")
    (here / ".gitignore").write_text("a.py\n")
    (here / "top/.gitignore").write_text("b.py\n")
    assert found("top") == ["top/a.py"]


def test_an_ignore_file_of_any_kind_stops_nothing(here: Path) -> None:
    put(here, "a.py", "b/c.py", "d/e.py")
    (here / ".gitignore").write_bytes(b"\xff\xfe\0\n" + b"**/" * 3000 + b"x\n" + b"[" * 1000 + b"\n!\n/\n\\\n")
    (here / "b/.gitignore").mkdir()
    os.mkfifo(here / "d/.gitignore")
    assert found(".") == ["a.py", "b/c.py", "d/e.py"]
    (here / ".gitignore").write_text("#\n" * MAX_IGNORE_FILE + "a.py\n")
    assert found(".") == ["a.py", "b/c.py", "d/e.py"]


def test_which_suffixes_count(here: Path) -> None:
    for name in ("d/x.py", "d/y.ipynb", "d/z.txt"):
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_text("")
    assert [f.path for f in discover([str(here / "d")]) if isinstance(f, Found)] == [str(here / "d/x.py")]
    found = list(discover([str(here / "d"), str(here / "d/z.txt")], suffixes=(".py", ".ipynb")))
    assert [(Path(f.path).name, f.is_named) for f in found if isinstance(f, Found)] == [
        ("x.py", False),
        ("y.ipynb", False),
        ("z.txt", True),
    ]


def test_a_long_gitignore_takes_no_time(here: Path) -> None:
    put(here, *(f"f{i}.py" for i in range(200)))
    for line in ("a{}.py\n", "*a{}\n", "*?*?*?*?*{}\n", "/b/**/{}\n"):
        text = ""
        while len(text) < MAX_IGNORE_FILE - 30:
            text += line.format(len(text))
        (here / ".gitignore").write_text(text)
        before = time.process_time()
        assert len(found(".")) == 200
        assert time.process_time() - before < 30  # 3 without coverage; a pattern that backtracks takes for ever
