"""Paths as platforms know them: counted from the top of the repository, wherever the command was run."""

from __future__ import annotations

import os

from onnx_lint.git import top_folder

_CHECKOUTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR", "BUILD_SOURCESDIRECTORY")
"""Where GitHub, GitLab and Azure say that they put the repository."""


class RepositoryPaths:
    """The top is the checkout that the platform names if the current folder is in it, else the working tree of git,
    else the current folder."""

    def __init__(self) -> None:
        here = os.path.realpath(".")
        named = [os.path.realpath(os.environ[name]) for name in _CHECKOUTS if os.environ.get(name)]
        around = [folder for folder in named if _below(here, folder) is not None]
        self.top = around[0] if around else top_folder(here) or here
        self._folders: dict[str, str] = {}

    def of(self, path: str) -> str:
        """A path with slashes, from the top; in full if it lies elsewhere."""
        folder, name = os.path.split(path)
        known = self._folders.get(folder)
        if known is None:
            real = os.path.realpath(folder or ".")
            below = _below(real, self.top)
            known = self._folders[folder] = os.path.abspath(folder) if below is None else below
        return os.path.join(known, name).replace(os.sep, "/")


def _below(path: str, top: str) -> str | None:
    """The path counted from a folder around it; ``None`` if it is not below."""
    if path == top:
        return ""
    start = os.path.join(top, "")
    return path[len(start) :] if path.startswith(start) else None
