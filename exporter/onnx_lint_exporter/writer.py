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
from collections.abc import Callable
from dataclasses import dataclass

_CHUNK = 1 << 20
_TAG = r"\d+-[0-9a-f]{8}"


class WriteError(Exception):
    """The model cannot be written; the message is one line: what, where, what to do. The old files are untouched."""


@dataclass(frozen=True)
class Place:
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
    """The path of the model that names `Place.data_name`, or has all its weights inside."""
    data: str | None = None
    """The path of its data file."""
    spare: str | None = None
    """The path of the model that names `Place.spare_name`."""


def place_for(output: str) -> Place:
    """Look at the output path before anything is exported. Raises `WriteError` when a model cannot go there."""
    real = os.path.realpath(output)
    folder, name = os.path.split(real)
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
    return Place(real, f"{name}.data", f"{name}.{_tag()}.data")


def install(place: Place, new: NewModel, old_data: list[str]) -> None:
    """Put the files in place. `old_data` are the old model's own data files, by name.

    Raises `WriteError`, and leaves nothing changed, when that fails; the same holds for a signal at any moment.
    """
    _sweep(place, old_data)
    taken = new.data is not None and os.path.lexists(place.beside(place.data_name))
    data_name = place.spare_name if taken else place.data_name
    temporary = place.beside(_hidden(place.name))
    copies: list[_Copy] = []
    try:
        if new.data is not None:
            copies.append(_copy(new.data, place.beside(data_name)))
        copies.append(_copy((new.spare if taken else None) or new.model, place.path))
        if new.data is not None:
            copies[0].name_it(copies[0].target)
        copies[-1].name_it(temporary)
        os.replace(temporary, place.path)
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
    _settle(place.folder)
    if taken:
        data_name = _take_name(place, new)
    for name in old_data:
        if (new.data is None or name != data_name) and _is_own_data(place.name, name):
            _forget(place.beside(name))


def _take_name(place: Place, new: NewModel) -> str:
    """Give the data file, which has its spare name, the one that it shall have; the name it has then.

    The model in place is right already: when something fails here it stays with the spare name.
    """
    spare, wanted = place.beside(place.spare_name), place.beside(place.data_name)
    link, model = place.beside(_hidden(place.data_name)), place.beside(_hidden(place.name))
    try:
        os.link(spare, link)
        os.replace(link, wanted)
        shutil.copyfile(new.model, model)
        shutil.copymode(place.path, model)
        _sync(model)
        os.replace(model, place.path)
    except OSError:
        return place.spare_name
    finally:
        _forget(link)
        _forget(model)
    _forget(spare)
    _settle(place.folder)
    return place.data_name


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
    """A part of a name that tells whose unfinished file it is, so that the next run may remove a dead one's."""
    return f"{os.getpid()}-{secrets.token_hex(4)}"


def _hidden(name: str) -> str:
    """A name for a file that is not finished."""
    return f".{name}.{_tag()}"


def _sweep(place: Place, in_use: list[str]) -> None:
    """Remove what a killed run left beside the model: unfinished and spare files of processes that are gone."""
    name = re.escape(place.name)
    unfinished = re.compile(rf"\.{name}(?:(?:\.{_TAG})?\.data)?\.{_TAG}|{name}\.{_TAG}\.data")
    with contextlib.suppress(OSError):
        for found in os.listdir(place.folder):
            if found not in in_use and unfinished.fullmatch(found):
                owner = re.findall(_TAG, found[len(place.name) :])[-1].partition("-")[0]
                if not is_alive(int(owner)):
                    os.unlink(place.beside(found))


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


def _sync(path: str) -> None:
    fd = os.open(path, os.O_RDONLY)
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
