"""A file is written as a whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile


def replace_file(path: str, data: bytes) -> None:
    """Put `data` at `path`, in place of what stands there. Raises `OSError`, and then has changed nothing."""
    folder, name = os.path.split(path)
    handle, temporary = temporary_beside(folder or ".", name, ".onnx-lint-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        with contextlib.suppress(OSError):  # the permissions of a new file; some file systems have none
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def temporary_beside(folder: str, name: str, prefix: str) -> tuple[int, str]:
    """A new file that is to take the place of `name`, open, and its path. What a killed run left behind for the same
    file is removed. Raises `OSError`."""
    mine = f"{prefix}{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}-"
    with os.scandir(folder) as entries:
        stale = [e.path for e in entries if e.name.startswith(mine) and e.is_file(follow_symlinks=False)]
    for path in stale:
        with contextlib.suppress(OSError):
            os.unlink(path)
    return tempfile.mkstemp(prefix=mine, dir=folder)
