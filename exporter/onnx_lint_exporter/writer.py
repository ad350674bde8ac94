"""Put an exported model and its data file in place as a pair: both new, or both old, whatever happens in between.

The model names its data file, so a pair is changed by one rename of the model. The data file always ends up as
``NAME.onnx.data``: where that name is taken, the new data first gets a spare name, a model that names the spare one
replaces the old model, and only then does the data take the old data's name and the model that names it follow. At
each moment the model in place and the file that it names belong together. Copies are made in unnamed files of the
target's folder (Linux), so that a kill leaves at most a spare file behind, which the next run removes.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from onnx_lint_exporter.processes import is_alive

_CHUNK = 1 << 20
_TAG = r"\d+-[0-9a-f]{8}"


class WriteError(Exception):
    """The model cannot be written; the message is one line: what, where, what to do. The old files are untouched."""


@dataclass(frozen=True)
class OutputPath:
    """Where a model goes: the real file behind symbolic links, and the names that its data file may have."""

    path: str
    data_name: str
    """The data file's name in the end."""
    spare_name: str
    """Its name while the old model is still there. Tells whose it is, for the next run to remove a dead one's."""

    @property
    def folder(self) -> str:
        return os.path.dirname(self.path)

    @property
    def name(self) -> str:
        return os.path.basename(self.path)

    def beside(self, name: str) -> str:
        """The path of a file in the model's folder."""
        return os.path.join(self.folder, name)


@dataclass(frozen=True)
class NewModel:
    """An exported model on disk. With a data file it has two forms, which differ in the name that they give to it."""

    model: str
    """The path of the model that names `OutputPath.data_name`, or has all its weights inside."""
    data: str | None = None
    """The path of its data file."""
    spare: str | None = None
    """The path of the model that names `OutputPath.spare_name`."""


def output_path(text: str) -> OutputPath:
    """Look at the output path before anything is exported. Raises `WriteError` when a model cannot go there."""
    real = os.path.realpath(text)
    folder, name = os.path.split(real)
    if not os.path.isdir(folder):
        raise WriteError(f"{text}: the folder {folder} does not exist; make it first")
    try:
        kind = os.stat(real).st_mode
    except FileNotFoundError:
        kind = None
    except OSError as error:
        raise WriteError(f"{text}: {error.strerror}") from error
    if kind is not None and not stat.S_ISREG(kind):
        raise WriteError(f"{text}: not a regular file; name another --output")
    if not os.access(folder, os.W_OK):
        raise WriteError(f"{text}: the folder {folder} cannot be written to")
    return OutputPath(real, f"{name}.data", f"{name}.{_tag()}.data")


def install(output: OutputPath, new: NewModel, old_data: Sequence[str]) -> None:
    """Put the files in output. `old_data` are the old model's own data files, by name.

    Raises `WriteError`, and leaves nothing changed, when that fails; the same holds for a signal at any moment.
    """
    _sweep(output, old_data)
    taken = new.data is not None and os.path.lexists(output.beside(output.data_name))
    data_name = output.spare_name if taken else output.data_name
    temporary = output.beside(_hidden(output.name))
    copies: list[_Copy] = []
    try:
        if new.data is not None:
            copies.append(_copy(new.data, output.beside(data_name)))
        copies.append(_copy((new.spare if taken else None) or new.model, output.path))
        if new.data is not None:
            copies[0].name_it(copies[0].target)
        copies[-1].name_it(temporary)
        os.replace(temporary, output.path)
    except OSError as error:
        raise WriteError(f"{output.path}: cannot be written: {error.strerror}; nothing was changed") from error
    finally:
        # A signal may arrive between any two lines: what is true is what lies on the disk, not how far we think we are.
        if not copies or not copies[-1].lies_at(output.path):
            for copy in copies:
                copy.remove_from(copy.target)
                copy.remove_from(temporary)
        for copy in copies:
            copy.close()
    _settle(output.folder)
    if taken:
        data_name = _take_name(output, new)
    for name in old_data:
        if (new.data is None or name != data_name) and _is_own_data(output.name, name):
            _forget(output.beside(name))


def _take_name(output: OutputPath, new: NewModel) -> str:
    """Give the data file, which has its spare name, the one that it shall have; the name it has then.

    The model in place is right already: when something fails here it stays with the spare name.
    """
    spare, wanted = output.beside(output.spare_name), output.beside(output.data_name)
    link, model = output.beside(_hidden(output.data_name)), output.beside(_hidden(output.name))
    try:
        os.link(spare, link)
        os.replace(link, wanted)
        shutil.copyfile(new.model, model)
        shutil.copymode(output.path, model)
        _sync(model)
        os.replace(model, output.path)
    except OSError:
        return output.spare_name
    finally:
        _forget(link)
        _forget(model)
    _forget(spare)
    _settle(output.folder)
    return output.data_name


def _settle(folder: str) -> None:
    """Have the names on the disk too. Some file systems refuse this of a folder; the names are right all the same."""
    with contextlib.suppress(OSError):
        _sync(folder)


def _forget(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _is_own_data(model: str, name: str) -> bool:
    """Whether a data file is named after its model, so that no other model can be meant to use it."""
    return re.fullmatch(re.escape(model) + rf"(\.{_TAG})?\.data", name) is not None


def _tag() -> str:
    """A part of a name that says whose unfinished file it is, so that the next run may remove a dead one's."""
    return f"{os.getpid()}-{secrets.token_hex(4)}"


def _hidden(name: str) -> str:
    """A name for a file that is not finished."""
    return f".{name}.{_tag()}"


def _sweep(output: OutputPath, in_use: Sequence[str]) -> None:
    """Remove what a killed run left beside the model: unfinished and spare files of processes that are gone."""
    name = re.escape(output.name)
    unfinished = re.compile(rf"\.{name}(?:(?:\.{_TAG})?\.data)?\.{_TAG}|{name}\.{_TAG}\.data")
    with contextlib.suppress(OSError):
        for found in os.listdir(output.folder):
            if found not in in_use and unfinished.fullmatch(found):
                owner = re.findall(_TAG, found[len(output.name) :])[-1].partition("-")[0]
                if not is_alive(int(owner)):
                    os.unlink(output.beside(found))


class _Copy:
    """A finished copy that does not have its name yet: an unnamed file, or one with a name for unfinished files."""

    def __init__(self, target: str, fd: int, named: str | None) -> None:
        self.target = target
        self._fd, self._named = fd, named
        self._identity = os.fstat(fd)

    def name_it(self, path: str) -> None:
        """Give it a name that nothing has."""
        if self._named is not None:
            os.replace(self._named, path)
            self._named = None
            return
        folder = os.open(os.path.dirname(path), os.O_RDONLY)
        try:
            # a folder's descriptor makes Python call linkat, which alone follows the link to the unnamed file
            os.link(f"/proc/self/fd/{self._fd}", os.path.basename(path), dst_dir_fd=folder, follow_symlinks=True)
        finally:
            os.close(folder)

    def lies_at(self, path: str) -> bool:
        """Whether the file of this name is this copy."""
        try:
            return os.path.samestat(os.lstat(path), self._identity)
        except FileNotFoundError:
            return False

    def remove_from(self, path: str) -> None:
        """Take a name away if it is this copy's."""
        if self.lies_at(path):
            os.unlink(path)

    def finish(self) -> None:
        """Close a file that has a name, which Windows does not rename while it is open."""
        if self._named is not None and self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def close(self) -> None:
        """Let go of it; an unnamed file is gone then."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._named is not None:
            _forget(self._named)


def _copy(source: str, target: str) -> _Copy:
    """Copy a file into the target's folder, on disk and with the old file's mode, still without a name."""
    fd, named = _unnamed(os.path.dirname(target), os.path.basename(target))
    copy = _Copy(target, fd, named)
    try:
        with open(source, "rb") as reader, open(fd, "wb", closefd=False) as writer:
            shutil.copyfileobj(reader, writer, _CHUNK)
            writer.flush()
        if named is not None:
            os.chmod(named, _mode(target))
        else:
            os.fchmod(fd, _mode(target))
        os.fsync(fd)
        copy.finish()
    except BaseException:
        copy.close()
        raise
    return copy


def _unnamed(folder: str, name: str) -> tuple[int, str | None]:
    """A new file to write, without a name where the system can do that (Linux); else with one for unfinished files."""
    flag = getattr(os, "O_TMPFILE", None)
    if flag is not None and os.path.isdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            return os.open(folder, flag | os.O_WRONLY, 0o600), None
    path = os.path.join(folder, _hidden(name))
    binary = getattr(os, "O_BINARY", 0)  # Windows would write \r\n for \n
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | binary, 0o600), path


def _mode(target: str) -> int:
    try:
        return stat.S_IMODE(os.stat(target).st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _sync(path: str) -> None:
    # Windows flushes only what was opened for writing, and opens no folders
    fd = os.open(path, os.O_RDONLY if os.path.isdir(path) else os.O_RDWR)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_text(path: str, write: Callable[[], str]) -> None:
    """Write a text file (a map, a report) in one step. Raises `WriteError`."""
    text = write()
    path = os.path.realpath(path)
    temporary = os.path.join(os.path.dirname(path), _hidden(os.path.basename(path)))
    try:
        with open(temporary, "x", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):  # gone when it was renamed, or never made
            os.unlink(temporary)
