"""Fixes: what is written, what is kept, and what is refused."""

from __future__ import annotations

import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cli.conftest import DATA, Lint, Put, run_here

from onnx_lint.diagnostic import Applicability, Diagnostic, Edit, Fix, Severity, Span
from onnx_lint.fixer import TEMPORARY, Fixed, FixError, apply, diff, write
from onnx_lint.source.text import SourceError, SourceText, read
from onnx_lint.target import BOTH

FIXED = DATA.replace("x.data", "x.detach()")


def edit(line: int, column: int, end_column: int, text: str, end_line: int | None = None) -> Edit:
    return Edit(Span("a.py", line, column, end_line or line, end_column), text)


def said(*edits: Edit, applicability: Applicability = Applicability.SAFE) -> Diagnostic:
    fix = Fix("Change", applicability, edits)
    return Diagnostic("ONX101", "n", Severity.WARNING, edits[0].span, "m", BOTH, fix=fix)


def on(source: SourceText, diagnostic: Diagnostic) -> Diagnostic:
    """With what its edits replace, as in the source."""
    assert diagnostic.fix is not None
    edits = tuple(replace(edit, replaces=source.slice(edit.span)) for edit in diagnostic.fix.edits)
    return replace(diagnostic, fix=replace(diagnostic.fix, edits=edits))


def outcome(text: str, *diagnostics: Diagnostic, unsafe: bool = False) -> Fixed:
    source = SourceText.from_text("a.py", text)
    return apply(source, [on(source, d) for d in diagnostics], unsafe=unsafe)


def applied(text: str, *diagnostics: Diagnostic, unsafe: bool = False) -> str:
    return outcome(text, *diagnostics, unsafe=unsafe).text


# ------------------------------------------------------------------------------------------------------- choosing
def test_of_fixes_that_overlap_the_first_is_taken() -> None:
    first, second, third = said(edit(1, 1, 4, "AAA")), said(edit(1, 3, 6, "BBB")), said(edit(1, 7, 8, "C"))
    for order in ([first, second, third], [third, second, first]):
        assert applied("abcdefgh\n", *order) == "AAAdefCh\n"


def test_all_edits_of_a_fix_or_none() -> None:
    broken = said(edit(1, 7, 8, "Z"), edit(1, 2, 3, "Z"))
    assert applied("abcdefgh\n", said(edit(1, 1, 4, "AAA")), broken) == "AAAdefgh\n"


def test_an_insertion_that_two_fixes_share_is_made_once() -> None:
    needed = edit(1, 1, 1, "import torch\n")
    got = applied("a = 1\nb = 2\n", said(edit(1, 5, 6, "3"), needed), said(edit(2, 5, 6, "4"), needed))
    assert got == "import torch\na = 3\nb = 4\n"


def test_what_is_applied_by_how_safe_it_is() -> None:
    unsafe, shown = (said(edit(1, 1, 2, "b"), applicability=a) for a in (Applicability.UNSAFE, Applicability.DISPLAY))
    assert applied("a\n", unsafe) == "a\n"
    assert applied("a\n", unsafe, unsafe=True) == "b\n"
    assert applied("a\n", shown, unsafe=True) == "a\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_new_lines_are_those_of_the_file(newline: str) -> None:
    assert applied(f"a{newline}b{newline}", said(edit(2, 1, 2, "c\nd"))) == f"a{newline}c{newline}d{newline}"


def test_a_result_that_does_not_parse_is_refused() -> None:
    got = outcome("x = 1\ny = 2\n", said(edit(1, 5, 6, "(")))
    assert got.text == "x = 1\ny = 2\n" and got.count == 0
    assert got.refused == ("a.py:1: not fixed: the result would not parse; please report this",)


@pytest.mark.parametrize("broken", range(7))
def test_a_fix_that_would_not_parse_does_not_stop_the_others(broken: int) -> None:
    got = outcome("x = 1\n" * 7, *[said(edit(n + 1, 5, 6, "(" if n == broken else "2")) for n in range(7)])
    assert got.text.splitlines() == ["x = 1" if n == broken else "x = 2" for n in range(7)]
    assert got.count == 6 and [line.partition(":")[2][:1] for line in got.refused] == [str(broken + 1)]


@pytest.mark.parametrize("place", [edit(1, 5, 6, "2"), edit(1, 5, 8, "2"), edit(9, 1, 2, "2"), edit(2, 1, 1, "2")])
def test_an_edit_of_another_text_than_it_replaces_is_refused(place: Edit) -> None:
    source = SourceText.from_text("a.py", "x = 3\ny = 1\n")
    stale = said(replace(place, replaces="1"))
    with pytest.raises(FixError, match=rf"a\.py:{place.span.line}: not fixed: another text stands at the place"):
        apply(source, [stale], unsafe=False)


def test_what_was_broken_before_may_stay_broken() -> None:
    assert applied("def f(:\n    pass\n\n\ny = 2\n", said(edit(5, 5, 6, "3"))) == "def f(:\n    pass\n\n\ny = 3\n"


def test_many_fixes_cost_little() -> None:
    count = 20_000
    text = "x = 1\n" * count
    start = time.process_time()
    got = applied(text, *[said(edit(n, 5, 6, "2")) for n in range(1, count + 1)])
    assert got == "x = 2\n" * count
    assert time.process_time() - start < 6


# -------------------------------------------------------------------------------------------------- what is kept
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (DATA.encode(), FIXED.encode()),
        (DATA.replace("\n", "\r\n").encode(), FIXED.replace("\n", "\r\n").encode()),
        (DATA.replace("\n", "\r").encode(), FIXED.replace("\n", "\r").encode()),
        (b"\xef\xbb\xbf" + DATA.encode(), b"\xef\xbb\xbf" + FIXED.encode()),
        (DATA.rstrip().encode(), FIXED.rstrip().encode()),
        (b"\x0c\n" + DATA.encode() + b"\x0c\n", b"\x0c\n" + FIXED.encode() + b"\x0c\n"),
        (DATA.encode() + b"y = 1   \r\nz = 2\n", FIXED.encode() + b"y = 1   \r\nz = 2\n"),
        (b"# coding: latin-1\ns = '\xe9'\n" + DATA.encode(), b"# coding: latin-1\ns = '\xe9'\n" + FIXED.encode()),
        ("s = '\U0001f600\u2028'\n".encode() + DATA.encode(), "s = '\U0001f600\u2028'\n".encode() + FIXED.encode()),
        (DATA.replace("    ", "\t").encode(), FIXED.replace("    ", "\t").encode()),
    ],
    ids=["LF", "CRLF", "CR", "BOM", "no final newline", "form feeds", "mixed", "latin-1", "astral", "tabs"],
)
def test_all_other_bytes_and_the_mode_are_kept(lint: Lint, put: Put, before: bytes, after: bytes) -> None:
    path = put("a b.py", before)
    path.chmod(0o754)
    done = lint("--fix", "a b.py")
    assert (done.returncode, done.stderr) == (0, "onnx-lint: 1 fix applied in 1 file\n")
    assert path.read_bytes() == after
    assert stat.S_IMODE(path.stat().st_mode) == 0o754
    assert lint("--fix", "a b.py").stderr == "" and path.read_bytes() == after


def test_a_symbolic_link_stays_one(lint: Lint, put: Put, tmp_path: Path) -> None:
    real = put("real/a.py", DATA)
    (tmp_path / "link.py").symlink_to("real/a.py")
    lint("--fix", "link.py")
    assert (tmp_path / "link.py").is_symlink() and real.read_text() == FIXED


def test_extended_attributes_are_kept(lint: Lint, put: Put) -> None:
    path = put("a.py", DATA)
    try:
        os.setxattr(path, "user.note", b"kept")
    except (AttributeError, OSError):
        pytest.skip("no extended attributes here")
    lint("--fix", "a.py")
    assert path.read_text() == FIXED and os.getxattr(path, "user.note") == b"kept"
    assert time.time() - path.stat().st_mtime < 60


def test_a_link_out_of_the_folder_is_not_followed_by_a_fix(lint: Lint, put: Put, tmp_path: Path) -> None:
    outside, inside = put("other/a.py", DATA), put("tree/real.py", DATA)
    (tmp_path / "tree" / "link.py").symlink_to(outside)
    done = lint("--fix", "tree")
    assert done.returncode == 2 and outside.read_text() == DATA and inside.read_text() == FIXED
    message = "tree/link.py: not fixed: it is a link out of the folder; name the file that is meant\n"
    assert message in done.stderr
    lint("--fix", "tree/link.py")
    assert outside.read_text() == FIXED


def test_hard_links_are_refused(lint: Lint, put: Put, tmp_path: Path) -> None:
    path = put("a.py", DATA)
    os.link(path, tmp_path / "b.py")
    done = lint("--fix", "a.py")
    assert done.returncode == 2 and path.read_text() == DATA
    told = "a.py: not fixed: it has 2 hard links, which a fix would separate; fix it by hand"
    assert done.stderr == f"onnx-lint: error: {told}\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_read_only_file_is_refused(lint: Lint, put: Put) -> None:
    path = put("a.py", DATA)
    path.chmod(0o444)
    done = lint("--fix", "a.py")
    assert done.returncode == 2 and "read-only" in done.stderr and path.read_text() == DATA


def test_a_file_that_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("x = 1\n")
    source = SourceText.decode(str(path), path.read_bytes())
    path.write_text("x = 3\n")
    with pytest.raises(FixError, match="changed meanwhile; run again"):
        write(Fixed(source, "x = 2\n", 1), b"x = 1\n")
    assert path.read_text() == "x = 3\n" and os.listdir(tmp_path) == ["a.py"]


def test_an_encoding_that_cannot_be_written_back_exactly_is_refused(lint: Lint, put: Put) -> None:
    data = b"# coding: utf-7\ns = '+AGE-'\n" + DATA.encode()
    path = put("a.py", data)
    done = lint("--fix", "a.py")
    assert done.returncode == 2 and "utf-7 cannot be written back exactly" in done.stderr
    assert path.read_bytes() == data


@pytest.mark.parametrize("kind", ["folder", "fifo"])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.py"
    os.mkfifo(path) if kind == "fifo" else path.mkdir()
    with pytest.raises(FixError, match="not a regular file"):
        write(Fixed(SourceText.from_text(str(path), "x"), "y", 1), b"x")


def test_the_next_run_removes_what_a_killed_one_left(lint: Lint, put: Put, tmp_path: Path) -> None:
    path = put("a.py", DATA)
    script = (
        "import os, sys, onnx_lint.fixer as f\n"
        "f.os.replace = lambda *a: os.kill(os.getpid(), 9)\n"
        "from onnx_lint.cli import main\n"
        "main(['--fix', 'a.py'])\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == DATA and [n for n in os.listdir(tmp_path) if n.startswith(TEMPORARY)]
    lint("--fix", "a.py")
    assert path.read_text() == FIXED and os.listdir(tmp_path) == ["a.py"]


@pytest.mark.slow
@pytest.mark.alone
def test_kill_at_any_moment_leaves_the_old_or_the_new_file(put: Put, tmp_path: Path) -> None:
    pad = "y = 'pad pad pad pad pad pad pad pad pad'\n" * 5_000
    old, new = (DATA + pad).encode(), (FIXED + pad).encode()
    path = put("a.py", old)
    command = [sys.executable, "-m", "onnx_lint", "--fix", "-q", "a.py"]
    start = time.monotonic()
    subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)
    whole = time.monotonic() - start
    assert path.read_bytes() == new
    dice = random.Random(7)
    for turn in range(10):
        path.write_bytes(old)
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if turn % 2:  # as soon as it begins to write
            end = time.monotonic() + 2 * whole
            while process.poll() is None and time.monotonic() < end and len(os.listdir(tmp_path)) == 1:
                time.sleep(0.0005)
        else:
            time.sleep(whole * dice.random())
        process.kill()
        process.wait()
        assert path.read_bytes() in (old, new)
    path.write_bytes(old)
    subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)
    assert path.read_bytes() == new and os.listdir(tmp_path) == ["a.py"]


# -------------------------------------------------------------------------------------------- the rest of the run
def test_unsafe_fixes_are_asked_for(lint: Lint, put: Put) -> None:
    path = put("a.py", DATA.replace("return x.data * 2", "return int(x.sum().item())"))
    before = path.read_text()
    lint("--fix", "a.py")
    assert path.read_text() == before
    lint("--fix", "--unsafe-fixes", "a.py")
    assert path.read_text() != before


@pytest.mark.parametrize("tool", ["patch", "git"])
@pytest.mark.parametrize("name", ["a.py", "folder é/b c.py"])
@pytest.mark.parametrize(
    "before",
    [
        DATA.encode(),
        DATA.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + DATA.encode(),
        DATA.rstrip().encode(),
        b"# coding: latin-1\ns = '\xe9\x85\x0c'\n" + DATA.encode(),
    ],
    ids=["LF", "CRLF", "BOM", "no final newline", "latin-1"],
)
def test_the_diff_can_be_applied(tmp_path: Path, put: Put, tool: str, name: str, before: bytes) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    path = put(name, before)
    status, change, _ = run_here(("--diff", name), b"", tmp_path, {})
    assert status == 1 and path.read_bytes() == before
    take = {"patch": ["patch", "-p1", "--binary", "-s"], "git": ["git", "apply", "--whitespace=nowarn", "-"]}[tool]
    subprocess.run(take, cwd=tmp_path, input=change, check=True)
    assert path.read_bytes() == before.replace(b"x.data", b"x.detach()")
    assert run_here(("--diff", name), b"", tmp_path, {}) == (0, b"", b"")


def test_a_name_with_a_newline_stays_on_its_line_of_the_diff() -> None:
    source = SourceText.from_text('a\n"b".py', "x\n")
    assert diff(Fixed(source, "y\n", 1)).splitlines()[:2] == [
        rb'--- "a/a\012\042b\042.py"',
        rb'+++ "b/a\012\042b\042.py"',
    ]


def test_standard_input_is_fixed_to_standard_output(lint: Lint, put: Put) -> None:
    path = put("a.py", DATA)
    done = lint("--fix", "-", "--stdin-filename", "a.py", stdin=DATA)
    assert (done.returncode, done.stdout) == (0, FIXED)
    assert path.read_text() == DATA
    crlf = DATA.replace("\n", "\r\n").encode()
    assert lint("--fix", "-", "-q", stdin=crlf).stdout.encode() == FIXED.replace("\n", "\r\n").encode()


@pytest.mark.parametrize("lines", [1, 2])
def test_a_removed_suppression_declares_no_encoding(lint: Lint, put: Put, lines: int) -> None:
    """Only in the first two lines is a comment the declaration of an encoding; below them it is none."""
    above = (
        ["# onnx-lint: ignore-file[ONX101]", "# a model"] if lines == 1 else ["# onnx-lint: ignore-file[ONX101]"] * 2
    )
    path = put("a.py", "\n".join([*above, "# coding: latin-1", "s = '\u00e9'"]) + "\n")
    lint("--fix", "a.py")
    text = path.read_bytes().decode("utf-8")
    assert "ignore-file" not in text and "coding" not in "".join(text.splitlines()[:2])
    assert SourceText.decode("a.py", path.read_bytes()).encoding == "utf-8"


def test_a_file_that_would_block_is_read_without_waiting(tmp_path: Path) -> None:
    """As some files of the kernel do; a pipe that nobody writes to stands for them."""
    path = tmp_path / "a.py"
    os.mkfifo(path)
    keep = os.open(path, os.O_RDWR)  # a writer that says nothing: a plain read would wait for it
    start = time.monotonic()
    try:
        with pytest.raises(SourceError, match="cannot be read"):
            read(str(path))
    finally:
        os.close(keep)
    assert time.monotonic() - start < 5


def test_a_patch_of_a_file_that_is_named_in_full(lint: Lint, put: Put, tmp_path: Path) -> None:
    path = put("sub/a.py", DATA)
    change = lint("--diff", str(path)).stdout
    assert change.startswith("--- a/sub/a.py\n+++ b/sub/a.py\n")
    subprocess.run(["git", "apply"], cwd=tmp_path, input=change, text=True, check=True)
    assert path.read_text() == FIXED
