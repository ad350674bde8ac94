"""The settings that count for a file: those of its ``pyproject.toml`` or ``onnx-lint.toml``, the client's on top."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from typing import Any

from onnx_lint.config import FILES, Config, ConfigError, Configs
from onnx_lint.globs import matches_any
from onnx_lint.selection import Selection, UnknownRule
from onnx_lint.settings import Settings
from onnx_lint_lsp.options import ClientOptions, read

_DEFAULT = Config()


class Configuration:
    """Settings by file, and client options by workspace folder. Read by several threads."""

    def __init__(self) -> None:
        self.folders: tuple[str, ...] = ()
        """The workspace folders, as absolute paths."""
        self.said: dict[str | None, Any] = {}
        """What the client said, as it said it: by folder, and under ``None`` for all others."""
        self._fallback = ClientOptions()
        self._by_folder: dict[str, ClientOptions] = {}
        self._lock = threading.Lock()
        self._configs = Configs()
        self._stamps: dict[str, tuple[int, int] | None] = {}
        self._settings: dict[tuple[int, int], Settings] = {}
        self._kept: list[object] = []
        """What the keys of `_settings` are identities of."""
        self._problems: list[str] = []
        self._told: set[str] = set()

    # ------------------------------------------------------------------------------------------------- from outside
    def set_client(self, section: Any, folder: str | None = None) -> None:
        """What the client says: for one folder, or for all that it says nothing else for."""
        options, problems = read(section)
        with self._lock:
            for problem in problems:
                self._tell(f"{problem}; it is left out")
            self.said[folder] = section
            if folder is None:
                self._fallback = options
            else:
                self._by_folder[folder] = options
            self._settings.clear()
            self._kept.clear()

    def forget_folders(self) -> None:
        """Forget what the client said of single folders."""
        with self._lock:
            self.said = {None: self.said[None]} if None in self.said else {}
            self._by_folder.clear()
            self._settings.clear()
            self._kept.clear()

    def reload(self) -> None:
        """Read the configuration files again when next asked."""
        with self._lock:
            self._configs = Configs()
            self._stamps.clear()
            self._settings.clear()
            self._kept.clear()
            self._told.clear()

    def is_stale(self) -> bool:
        """Whether a configuration file came, went or changed: for clients that cannot watch files for us."""
        with self._lock:
            return any(_stamp(path) != stamp for path, stamp in self._stamps.items())

    def problems(self) -> list[str]:
        """What was found wrong since the last call, each once."""
        with self._lock:
            found, self._problems = self._problems, []
            return found

    def _tell(self, problem: str) -> None:
        if problem not in self._told:
            self._told.add(problem)
            self._problems.append(problem)

    # ------------------------------------------------------------------------------------------------------ look-up
    def folder_of(self, path: str) -> str | None:
        """The innermost workspace folder that holds a path."""
        found = [f for f in self.folders if path == f or path.startswith(f.rstrip(os.sep) + os.sep)]
        return max(found, key=len, default=None)

    def options(self, path: str) -> ClientOptions:
        """What the client says for a file."""
        folder = self.folder_of(path)
        return self._by_folder.get(folder, self._fallback) if folder is not None else self._fallback

    def settings(self, path: str) -> Settings | None:
        """The settings for a file; ``None`` when it is not to be looked at. The same object for files that agree."""
        options = self.options(path)
        if not options.enable:
            return None
        with self._lock:
            config = self._config(path)
            if matches_any(config.exclude, path, config.settings.root):
                return None
            key = (id(config), id(options))
            found = self._settings.get(key)
            if found is None:
                found = self._settings[key] = self._usable(options.over(config.settings), config)
                self._kept += (config, options)
            return found

    def respects_gitignore(self, folder: str) -> bool:
        """Whether what git ignores is left out of a folder."""
        with self._lock:
            return self._config(os.path.join(folder, "x.py")).respect_gitignore

    def _config(self, path: str) -> Config:
        folder = os.path.dirname(path) if os.path.isabs(path) else (self.folders[0] if self.folders else None)
        if folder is None:
            return _DEFAULT
        if folder not in self._stamps:
            self._watch(folder)
        try:
            return self._configs.of(folder if os.path.isdir(folder) else path)
        except ConfigError as error:
            self._tell(f"{error}; the default settings are used instead")
            return _DEFAULT
        except (OSError, ValueError):
            return _DEFAULT  # a path that no file can have

    def _watch(self, folder: str) -> None:
        self._stamps[folder] = _stamp(folder)
        while True:
            for name in FILES:
                path = os.path.join(folder, name)
                if path in self._stamps:
                    return
                self._stamps[path] = _stamp(path)
            parent = os.path.dirname(folder)
            if parent == folder:
                return
            folder = parent

    def _usable(self, settings: Settings, config: Config) -> Settings:
        """The settings, without selectors that name no rule."""
        try:
            Selection(settings)
        except UnknownRule as error:
            where = f"{config.path}: " if config.path else ""
            self._tell(f"{where}{error}; the choice of rules is left out")
            bare = settings.without_rules()
            return replace(bare, partial=True)
        return settings


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    if os.path.isdir(path):
        return (0, 0)  # a folder changes with every file in it; only its coming and going counts
    return status.st_mtime_ns, status.st_size
