"""What git knows of the working tree: its top, and which files changed. git is run as a program; nothing is written."""

from __future__ import annotations

import os
import subprocess


class GitError(Exception):
    """git is not there, or did not answer; the message is one line."""


def top_folder(path: str) -> str | None:
    """The top of the working tree that a file or folder is in, found by its ``.git`` and without running git."""
    folder = os.path.abspath(path)
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def changed_files(revision: str, folder: str = ".") -> list[str]:
    """The files that differ from `revision` and those that git does not know yet, except ignored ones; absolute, in
    order. Deleted files are left out. Raises `GitError`."""
    top = _git(folder, "rev-parse", "--show-toplevel").rstrip("\r\n")
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}").strip()
    names = [
        *_git(top, "diff", "--name-only", "--no-renames", "--diff-filter=d", "-z", commit, "--").split("\0"),
        *_git(top, "ls-files", "--others", "--exclude-standard", "-z").split("\0"),
    ]
    paths = dict.fromkeys(os.path.join(top, *name.split("/")) for name in names if name)
    return [path for path in paths if os.path.isfile(path)]


def _git(folder: str, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=False)
    except OSError as error:
        raise GitError(f"git cannot be run: {error.strerror}") from error
    if done.returncode:
        lines = os.fsdecode(done.stderr).strip().splitlines()
        raise GitError(lines[-1] if lines else f"git {arguments[0]} failed: no such revision")
    return os.fsdecode(done.stdout)
