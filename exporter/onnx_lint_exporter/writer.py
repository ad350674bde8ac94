"""Put an exported model and its data file in place as a pair: both new, or both old, whatever happens in between.

The copies are made in unnamed files of the target's folder (Linux), so that a kill leaves nothing behind. The data
file gets a name that is not in use; the model, which names its data file, is renamed over the old one last; only then
are the old model's data files removed.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass

_CHUNK = 1 << 20


class WriteError(Exception):
    """The model cannot be written; the message is one line: what, where, what to do. The old files are untouched."""


@dataclass(frozen=True)
class Place:
    """Where a model goes: the real file behind symbolic links, and the name of its data file if it needs one."""

    path: str
    data_name: str

    @property
    def folder(self) -> str:
        return os.path.dirname(self.path)

    @property
    def name(self) -> str:
        return os.path.basename(self.path)


def place_for(output: str) -> Place:
    """Look at the output path before anything is exported. Raises `WriteError` when a model cannot go there."""
    real = os.path.realpath(output)
    folder = os.path.dirname(real)
    if not os.path.isdir(folder):
        raise WriteError(f"{output}: the folder {folder} does not exist; make it first")
    try:
        kind = os.stat(real).st_mode
    except FileNotFoundError:
        kind = None
    except OSError as error:
        raise WriteError(f"{output}: {error.strerror}") from error
    if kind is not None and not stat.S_ISREG(kind):
        raise WriteError(f"{output}: not a regular file; name another --output")
    if not os.access(folder, os.W_OK):
        raise WriteError(f"{output}: the folder {folder} cannot be written to")
    name = f"{os.path.basename(real)}.data"
    if os.path.lexists(os.path.join(folder, name)):
        name = f"{os.path.basename(real)}.{secrets.token_hex(4)}.data"
    return Place(real, name)


def install(place: Place, model: str, data: list[str], old_data: list[str]) -> None:
    """Put the files in place. `data` lies beside `model`; `old_data` are the old model's own data files, by name.

    Raises `WriteError`, and leaves nothing changed, when that fails; the same holds for a signal at any moment.
    """
    _sweep(place)
    copies: list[_Copy] = []
    temporary = os.path.join(place.folder, _hidden(place.name))
    try:
        for name in data:
            if os.path.basename(name) != name:
                raise WriteError(f"{place.path}: the data file {name!r} is not a plain name")
            copies.append(_copy(os.path.join(os.path.dirname(model), name), os.path.join(place.folder, name)))
        copies.append(_copy(model, place.path))
        for copy in copies[:-1]:
            copy.name_it(copy.target)
        copies[-1].name_it(temporary)
        os.replace(temporary, place.path)
        _sync_folder(place.folder)
    except OSError as error:
        raise WriteError(f"{place.path}: cannot be written: {error.strerror}; nothing was changed") from error
    finally:
        # A signal may arrive between any two lines: what is true is what lies on the disk, not how far we think we are.
        if not copies or not copies[-1].lies_at(place.path):
            for copy in copies:
                copy.remove_from(copy.target)
                copy.remove_from(temporary)
        for copy in copies:
            copy.close()
    for name in old_data:
        if name not in data and _is_own_data(place.name, name):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(place.folder, name))


def _is_own_data(model: str, name: str) -> bool:
    """Whether a data file is named after its model, so that no other model can be meant to use it."""
    return re.fullmatch(re.escape(model) + r"(\.[0-9a-f]{8})?\.data", name) is not None


def _hidden(name: str) -> str:
    """A name for a file that is not finished. It tells whose it is, so that the next run may remove a dead one's."""
    return f".{name}.{os.getpid()}.{secrets.token_hex(4)}"


def _sweep(place: Place) -> None:
    """Remove what a killed run left beside the model: unfinished files of processes that are gone."""
    mine = re.compile(re.escape(f".{place.name}") + r"(?:(?:\.[0-9a-f]{8})?\.data)?\.(\d+)\.[0-9a-f]{8}")
    with contextlib.suppress(OSError):
        for name in os.listdir(place.folder):
            match = mine.fullmatch(name)
            if match and not is_alive(int(match[1])):
                os.unlink(os.path.join(place.folder, name))


def is_alive(pid: int) -> bool:
    """Whether a process of this number runs on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True


@dataclass
class _Copy:
    """A finished copy that does not have its name yet."""

    fd: int
    target: str
    named: str | None

    def name_it(self, path: str) -> None:
        if self.named is not None:
            os.rename(self.named, path)
            self.named = None
            return
        folder = os.open(os.path.dirname(path), os.O_RDONLY)
        try:
            # a folder's descriptor makes Python call linkat, which alone follows the link to the unnamed file
            os.link(f"/proc/self/fd/{self.fd}", os.path.basename(path), dst_dir_fd=folder, follow_symlinks=True)
        finally:
            os.close(folder)

    def lies_at(self, path: str) -> bool:
        """Whether the file of this name is this copy."""
        try:
            return os.path.samestat(os.lstat(path), os.fstat(self.fd))
        except FileNotFoundError:
            return False

    def remove_from(self, path: str) -> None:
        """Take a name away if it is this copy's."""
        if self.lies_at(path):
            os.unlink(path)

    def close(self) -> None:
        os.close(self.fd)
        if self.named is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.named)


def _copy(source: str, target: str) -> _Copy:
    """Copy a file into the target's folder, on disk and with the old file's mode, still without a name."""
    fd, named = _unnamed(os.path.dirname(target), os.path.basename(target))
    copy = _Copy(fd, target, named)
    try:
        with open(source, "rb") as reader, open(fd, "wb", closefd=False) as writer:
            shutil.copyfileobj(reader, writer, _CHUNK)
            writer.flush()
        os.fchmod(fd, _mode(target))
        os.fsync(fd)
    except BaseException:
        copy.close()
        raise
    return copy


def _unnamed(folder: str, name: str) -> tuple[int, str | None]:
    flag = getattr(os, "O_TMPFILE", None)
    if flag is not None and os.path.isdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            return os.open(folder, flag | os.O_WRONLY, 0o600), None
    path = os.path.join(folder, _hidden(name))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), path


def _mode(target: str) -> int:
    try:
        return stat.S_IMODE(os.stat(target).st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _sync_folder(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY)
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
