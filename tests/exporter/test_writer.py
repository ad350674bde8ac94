"""Installing an exported model: the old pair or the new one, at every moment and whatever fails."""

from __future__ import annotations

import errno
import os
import re
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from onnx_lint_exporter import writer
from onnx_lint_exporter.writer import NewModel, OutputPath, WriteError, install, output_path

OLD_DATA, NEW_DATA = b"old weights " * 500, b"new weights " * 700


def model_of(kind: str, data_name: str | None) -> bytes:
    """What stands for a model here: it says which it is and names its data file, as a real one does."""
    return f"{kind} model, data={data_name or ''}".encode()


class Scene:
    """A folder with an old model, and a new one elsewhere that is to replace it."""

    def __init__(self, folder: Path, old_data: str | None, new_data: bool) -> None:
        self.folder, self.made = folder / "out", folder / "made"
        self.folder.mkdir(parents=True)
        self.made.mkdir()
        self.path = self.folder / "net.onnx"
        self.old_data = [old_data] if old_data else []
        self.path.write_bytes(model_of("old", old_data))
        if old_data:
            (self.folder / old_data).write_bytes(OLD_DATA)
        self.new_data = new_data
        (self.folder / "other.onnx").write_bytes(b"another model")
        self.place = output_path(str(self.path))

    def new(self) -> NewModel:
        plain, spare, data = self.made / "net.onnx", self.made / "spare", self.made / "data"
        plain.write_bytes(model_of("new", self.place.data_name if self.new_data else None))
        if not self.new_data:
            return NewModel(str(plain))
        spare.write_bytes(model_of("new", self.place.spare_name))
        data.write_bytes(NEW_DATA)
        return NewModel(str(plain), str(data), str(spare))

    def install(self) -> None:
        install(self.place, self.new(), self.old_data)

    def kind(self) -> str:
        """``old`` or ``new``, after making sure that the model in place has its own data beside it."""
        text = self.path.read_text()
        kind, data = re.fullmatch(r"(old|new) model, data=(.*)", text).groups()  # type: ignore[union-attr]
        if data:
            assert (self.folder / data).read_bytes() == (OLD_DATA if kind == "old" else NEW_DATA), text
        return kind

    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()} - {"other.onnx"}


SCENES: list[tuple[str | None, bool]] = [
    (None, False),
    (None, True),
    ("net.onnx.data", False),
    ("net.onnx.data", True),
    ("net.onnx.4242-0123abcd.data", True),
]


@pytest.fixture(params=SCENES, ids=lambda s: f"{s[0] or 'no-data'}-to-{'data' if s[1] else 'no-data'}")
def scenes(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Scene]:
    """Makes the same scene anew, each time in a folder of its own."""
    counter = iter(range(10**6))
    return lambda: Scene(tmp_path / str(next(counter)), *request.param)


def test_the_new_pair_has_plain_names_and_nothing_else_stays(scenes: Callable[[], Scene]) -> None:
    scene = scenes()
    scene.install()
    assert scene.kind() == "new"
    assert scene.names() == ({"net.onnx", "net.onnx.data"} if scene.new_data else {"net.onnx"})
    assert (scene.folder / "other.onnx").read_bytes() == b"another model"


def test_a_signal_between_any_two_lines_leaves_one_whole_pair(scenes: Callable[[], Scene]) -> None:
    """An exception at each line of the writer in turn, as a signal handler raises it."""
    for step in range(10**4):
        scene = scenes()
        if not _stopped_at(step, scene, _raise_interrupt):
            break
        allowed = {"net.onnx", *scene.old_data} if scene.kind() == "old" else None
        if allowed is not None:
            assert scene.names() == allowed, f"step {step}"
    assert step > 20
    assert scene.kind() == "new"


@pytest.mark.parametrize("old_data", [None, "net.onnx.data"])
def test_kill_9_between_any_two_lines_leaves_one_whole_pair_and_the_next_run_cleans_up(
    old_data: str | None, tmp_path: Path
) -> None:
    for step in range(10**4):
        scene = Scene(tmp_path / str(step), old_data, True)
        pid = os.fork()
        if pid == 0:
            scene.place = output_path(str(scene.path))  # the names tell whose process they are of
            _stopped_at(step, scene, _kill_myself)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status):
            break
        scene.kind()
        in_use = re.fullmatch(r".* model, data=(.*)", scene.path.read_text())
        scene.old_data = [in_use[1]] if in_use and in_use[1] else []
        scene.place = output_path(str(scene.path))
        scene.install()
        assert scene.kind() == "new"
        left = {"net.onnx", "net.onnx.data"} if scene.new_data else {"net.onnx"}
        # a plain data file that no model names may be anything of the user's: it is left alone
        assert left <= scene.names() <= left | {"net.onnx.data"}, f"step {step}"
    assert step > 20


def _stopped_at(step: int, scene: Scene, stop: Callable[[], None]) -> bool:
    """Install, and `stop` at the given line event within the writer; whether it came to that."""
    seen = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal seen
        if frame.f_code.co_filename != writer.__file__:
            return None
        if event == "line":
            seen += 1
            if seen == step + 1:
                sys.settrace(None)
                stop()
        return trace

    new = scene.new()
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        install(scene.place, new, scene.old_data)
    except _InterruptError:
        return True
    finally:
        sys.settrace(before)
    return False


class _InterruptError(BaseException):
    pass


def _raise_interrupt() -> None:
    raise _InterruptError


def _kill_myself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("name", ["replace", "link", "fsync", "fchmod", "open"])
def test_a_full_or_read_only_disk_leaves_the_old_pair(
    name: str, scenes: Callable[[], Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call to the system fails in turn, before the new model is in place or after."""
    real = getattr(os, name)
    for failing in range(10):
        scene, calls = scenes(), 0
        new = scene.new()

        def fail(*args: Any, number: int = failing, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == number + 1:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*args, **options)

        with monkeypatch.context() as patched:
            patched.setattr(writer.os, name, fail)
            try:
                install(scene.place, new, scene.old_data)
            except WriteError as error:
                assert "No space left on device; nothing was changed" in str(error)
                assert scene.kind() == "old"
                assert scene.names() == {"net.onnx", *scene.old_data}
            else:
                assert scene.kind() == "new"
        if calls <= failing:
            return
    pytest.fail("a call that never ends failing")


def test_without_hard_links_the_data_keeps_its_spare_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(tmp_path, "net.onnx.data", True)
    monkeypatch.delattr(writer.os, "O_TMPFILE", raising=False)

    def refuse(*args: Any, **options: Any) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(writer.os, "link", refuse)
    scene.install()
    assert scene.kind() == "new"
    assert scene.names() == {"net.onnx", scene.place.spare_name}


def test_data_of_another_name_may_be_shared_and_stays(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "weights.bin", False)
    scene.install()
    assert scene.names() == {"net.onnx", "weights.bin"}


def test_unfinished_files_of_a_living_process_stay(tmp_path: Path) -> None:
    scene = Scene(tmp_path, None, False)
    mine, dead = f".net.onnx.{os.getpid()}-0123abcd", ".net.onnx.999999999-0123abcd"
    for name in (mine, dead, ".net.onnx.backup", "net.onnx.1.data"):
        (scene.folder / name).write_bytes(b"")
    scene.install()
    assert scene.names() == {"net.onnx", mine, ".net.onnx.backup", "net.onnx.1.data"}


def test_the_old_mode_and_a_symbolic_link_are_kept(tmp_path: Path) -> None:
    scene = Scene(tmp_path, None, False)
    scene.path.chmod(0o640)
    link = tmp_path / "link.onnx"
    link.symlink_to(scene.path)
    install(output_path(str(link)), scene.new(), [])
    assert link.is_symlink()
    assert scene.kind() == "new"
    assert stat.S_IMODE(scene.path.stat().st_mode) == 0o640


def test_a_new_file_has_the_mode_that_the_mask_leaves(tmp_path: Path) -> None:
    scene = Scene(tmp_path, None, True)
    scene.path.unlink()
    before = os.umask(0o027)
    try:
        scene.install()
    finally:
        os.umask(before)
    assert [stat.S_IMODE((scene.folder / name).stat().st_mode) for name in ("net.onnx", "net.onnx.data")] == [0o640] * 2


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder / "missing" / "net.onnx", "does not exist"),
        (lambda folder: folder, "not a regular file"),
        (lambda folder: Path(os.devnull), "not a regular file"),
        (lambda folder: folder / ("n" * 300), "name too long"),
    ],
)
def test_a_place_that_cannot_be_is_told_before_anything_is_exported(
    make: Callable[[Path], Path], words: str, tmp_path: Path
) -> None:
    with pytest.raises(WriteError, match=f"(?i){words}"):
        output_path(str(make(tmp_path)))


def test_a_fifo_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "net.onnx")
    with pytest.raises(WriteError, match="not a regular file"):
        output_path(str(tmp_path / "net.onnx"))


def test_a_text_file_is_replaced_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "map.json"
    path.write_text("old")
    writer.write_text(str(path), lambda: "new")
    assert path.read_text() == "new"

    def fail(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writer.os, "replace", fail)
    with pytest.raises(WriteError, match="No space left"):
        writer.write_text(str(path), lambda: "newer")
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["map.json"]


def test_the_spare_name_tells_the_process() -> None:
    place: OutputPath = output_path("net.onnx")
    assert re.fullmatch(rf"net\.onnx\.{os.getpid()}-[0-9a-f]{{8}}\.data", place.spare_name)
