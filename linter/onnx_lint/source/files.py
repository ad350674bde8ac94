"""Which files a run looks at: folders walked, ``.gitignore`` respected, links and special files survived."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

MAX_IGNORE_FILE = 64 * 1024
"""A longer ``.gitignore`` is not read."""

_SKIPPED = frozenset(
    {".git", ".hg", ".svn", ".venv", "venv", ".tox", ".nox", "node_modules", "__pycache__", ".mypy_cache",
     ".ruff_cache", ".pytest_cache", ".eggs", "site-packages", ".ipynb_checkpoints"}
)  # fmt: skip
"""Folders that are never walked into, unless they are named."""


@dataclass(frozen=True)
class Found:
    """A file to look at, by the path to show."""

    path: str
    is_named: bool = False
    """Whether it was given itself, not found in a folder."""
    leads_out: bool = False
    """A link to a file outside the folder that was walked."""


@dataclass(frozen=True)
class Problem:
    """Something that was named and cannot be looked at; one line."""

    message: str


def discover(
    paths: Sequence[str],
    *,
    excluded: Callable[[str], bool] = lambda path: False,
    respect_gitignore: bool = True,
    suffixes: tuple[str, ...] = (".py",),
) -> Iterator[Found | Problem]:
    """The files below `paths` whose names end in one of `suffixes`, each once, in order. A file that is named is taken
    whatever its name."""
    seen: set[tuple[int, int]] = set()
    for path in paths:
        shown = path[2:] if path.startswith("./") and len(path) > 2 else path
        try:
            status = os.stat(path)
        except OSError as error:
            yield Problem(f"{path}: {_reason(error)}")
            continue
        if stat.S_ISDIR(status.st_mode):
            ignores = _Ignores(path) if respect_gitignore else None
            yield from _walk(path if path != "." else "", suffixes, excluded, ignores, seen)
        elif not stat.S_ISREG(status.st_mode):
            yield Problem(f"{path}: is not a regular file; name files or folders")
        elif (status.st_dev, status.st_ino) not in seen:
            seen.add((status.st_dev, status.st_ino))
            yield Found(shown, is_named=True)


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file or folder"
    return f"cannot be read: {error.strerror}"


def _walk(
    top: str,
    suffixes: tuple[str, ...],
    excluded: Callable[[str], bool],
    ignores: _Ignores | None,
    seen: set[tuple[int, int]],
) -> Iterator[Found | Problem]:
    pending = [top]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder or ".") as entries:
                listed = sorted(entries, key=lambda e: e.name)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:  # a path too long to open: deeper than anyone can go
                yield Problem(f"{folder}: {_reason(error)}")
            continue
        if ignores is not None:
            ignores.enter(folder)
        below: list[str] = []
        for entry in listed:
            path = os.path.join(folder, entry.name) if folder else entry.name
            try:
                if entry.is_dir(follow_symlinks=False):
                    if (
                        entry.name not in _SKIPPED
                        and not excluded(path)
                        and not (ignores and ignores.matches(path, True))
                    ):
                        below.append(path)
                    continue
                if not entry.name.endswith(suffixes) or excluded(path) or (ignores and ignores.matches(path, False)):
                    continue
                status = entry.stat()
            except OSError as error:
                yield Problem(f"{path}: {_reason(error)}")
                continue
            if stat.S_ISREG(status.st_mode) and (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                yield Found(path, leads_out=entry.is_symlink() and not _is_below(path, top))
        pending.extend(reversed(below))


def _is_below(path: str, top: str) -> bool:
    """Whether the file that a link stands for lies below a folder."""
    folder = os.path.realpath(top or ".")
    return os.path.realpath(path).startswith(os.path.join(folder, ""))


class _Ignores:
    """The ``.gitignore`` files that hold for what is walked, from the root of the repository down."""

    def __init__(self, top: str) -> None:
        self._rules: dict[str, _Rules] = {}
        absolute = os.path.abspath(top or ".")
        folders = [absolute]
        while not os.path.exists(os.path.join(folders[-1], ".git")):
            parent = os.path.dirname(folders[-1])
            if parent == folders[-1]:
                folders = [absolute]  # no repository: only what lies below
                break
            folders.append(parent)
        exclude = os.path.join(folders[-1], ".git", "info", "exclude")
        self._rules[folders[-1]] = _Rules(_read(exclude) if os.path.isfile(exclude) else [])
        for folder in reversed(folders):
            self.enter(folder)

    def enter(self, folder: str) -> None:
        """Read the ``.gitignore`` of a folder, if it has one."""
        absolute = os.path.abspath(folder or ".")
        file = os.path.join(absolute, ".gitignore")
        if os.path.isfile(file):
            held = self._rules.get(absolute)
            self._rules[absolute] = _Rules([*(held.rules if held is not None else ()), *_read(file)])

    def matches(self, path: str, is_dir: bool) -> bool:
        """Whether git would leave a path out; the last rule of the nearest file that says something counts."""
        absolute = os.path.abspath(path)
        folder = os.path.dirname(absolute)
        while True:
            rules = self._rules.get(folder)
            if rules is not None:
                rule = rules.last(os.path.relpath(absolute, folder).replace(os.sep, "/"), is_dir)
                if rule is not None:
                    return not rule.negated
            parent = os.path.dirname(folder)
            if parent == folder:
                return False
            folder = parent


class _Rules:
    """The rules of one ``.gitignore``. Most are plain names, and these are looked up: the others are tried."""

    def __init__(self, rules: Sequence[_Rule]) -> None:
        from onnx_lint.source.wildcards import PathPattern, SegmentPattern, has_wildcard

        self.rules = tuple(rules)
        self._plain: dict[tuple[bool, str], list[int]] = {}
        """Numbers of rules by whether they are anchored, and by their text."""
        self._others: list[tuple[int, Callable[[str], bool]]] = []
        for number, rule in enumerate(rules):
            if has_wildcard(rule.pattern):
                pattern = PathPattern(rule.pattern) if rule.anchored else SegmentPattern(rule.pattern)
                self._others.append((number, pattern.matches))
            else:
                self._plain.setdefault((rule.anchored, rule.pattern), []).append(number)

    def last(self, relative: str, is_dir: bool) -> _Rule | None:
        """The last rule that matches: it is the one that counts."""
        name = relative.rpartition("/")[2]
        plain = (*self._plain.get((True, relative), ()), *self._plain.get((False, name), ()))
        found = max((n for n in plain if is_dir or not self.rules[n].only_folders), default=-1)
        for number, matches in reversed(self._others):
            if number < found:
                break
            rule = self.rules[number]
            if (is_dir or not rule.only_folders) and matches(relative if rule.anchored else name):
                return rule
        return self.rules[found] if found >= 0 else None


@dataclass(frozen=True)
class _Rule:
    pattern: str
    negated: bool
    only_folders: bool
    anchored: bool


def _read(file: str) -> list[_Rule]:
    try:
        if os.path.getsize(file) > MAX_IGNORE_FILE:
            return []
        with open(file, encoding="utf-8-sig", errors="surrogateescape", newline="\n") as lines:
            return [rule for line in lines if (rule := _rule(line)) is not None]
    except OSError:
        return []  # as git does: a file that cannot be read ignores nothing


def _rule(line: str) -> _Rule | None:
    text = line.rstrip("\n").rstrip("\r")
    while text.endswith(" ") and not text.endswith("\\ "):
        text = text[:-1]
    if not text or text.startswith("#"):
        return None
    negated = text.startswith("!")
    text = text[1:] if negated else text
    only_folders = text.endswith("/")
    text = text.removesuffix("/")
    anchored = "/" in text
    return _Rule(text.removeprefix("/").replace("\\ ", " "), negated, only_folders, anchored) if text else None
