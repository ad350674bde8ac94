"""A baseline: the diagnostics that a code base had when it took up the linter. They are not reported; new ones are.

An entry names the rule, the file and the text that the diagnostic marks, without its blanks: so it survives edits
around it. A diagnostic whose file has no entry left takes one of the same rule and text from a file where it is gone,
so that code may move. What is gone leaves the file when it is written again, and nothing new is ever added.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from onnx_lint.atomic import replace_file
from onnx_lint.diagnostic import Diagnostic
from onnx_lint.source.json_text import loads
from onnx_lint.source.text import SourceText

MAX_SIZE = 64 * 1024 * 1024
"""Bytes of a baseline that is read."""
_MAX_TEXT = 400
"""Characters of the marked text that are kept."""

Key = tuple[str, str, str]
"""File, rule, marked text."""


class BaselineError(Exception):
    """A baseline that cannot be used; the message is one line."""


@dataclass(frozen=True)
class Compared:
    """Diagnostics beside a baseline."""

    new: list[Diagnostic]
    known: Counter[Key]
    """What is left of the entries, by the files where the diagnostics stand now."""
    gone: int
    """Entries that no diagnostic of the files looked at needs any more."""


class Baseline:
    """The entries of a file, counted; its paths are relative to the folder of the file, with slashes."""

    def __init__(self, path: str, entries: Counter[Key] | None = None) -> None:
        self.path = path
        self.entries: Counter[Key] = Counter() if entries is None else entries
        self._folder = os.path.dirname(os.path.abspath(path))

    @classmethod
    def read(cls, path: str) -> Baseline:
        """Raises `BaselineError`."""
        try:
            with open(path, "rb") as file:
                data = file.read(MAX_SIZE + 1)
        except OSError as error:
            raise BaselineError(f"{path}: {error.strerror}") from error
        if len(data) > MAX_SIZE:
            raise BaselineError(f"{path}: larger than {MAX_SIZE // (1024 * 1024)} MB")
        try:
            document = loads(data)
            version = document["version"]
            entries = Counter({(e["path"], e["rule"], e["text"]): int(e["count"]) for e in document["entries"]})
        except (ValueError, KeyError, TypeError) as error:
            raise BaselineError(f"{path}: not a baseline: {str(error)[:100]}") from error
        if version != 1:
            raise BaselineError(f"{path}: a baseline of version {version!r}; this program knows version 1")
        return cls(path, entries)

    def compare(self, diagnostics: Iterable[Diagnostic], sources: Mapping[str, SourceText]) -> Compared:
        """Take the known ones away from `diagnostics`, which are all of the files `sources`."""
        left = Counter(self.entries)
        known: Counter[Key] = Counter()
        strangers: list[tuple[Key, Diagnostic]] = []
        for diagnostic in diagnostics:
            key = self._key(diagnostic, sources)
            if left[key] > 0:
                left[key] -= 1
                known[key] += 1
            else:
                strangers.append((key, diagnostic))
        seen = {self._name(path) for path in sources}
        unseen = Counter({k: n for k, n in left.items() if n > 0 and k[0] not in seen and self._exists(k[0])})
        moved: dict[tuple[str, str], int] = {}
        for key, count in left.items():
            if key not in unseen:
                moved[key[1:]] = moved.get(key[1:], 0) + max(count, 0)
        new: list[Diagnostic] = []
        for key, diagnostic in strangers:
            if moved.get(key[1:], 0):
                moved[key[1:]] -= 1
                known[key] += 1
            else:
                new.append(diagnostic)
        known.update(unseen)
        return Compared(new, known, sum(moved.values()))

    def of(self, diagnostics: Iterable[Diagnostic], sources: Mapping[str, SourceText]) -> Counter[Key]:
        """The entries for these diagnostics."""
        return Counter(self._key(d, sources) for d in diagnostics)

    def write(self, entries: Counter[Key]) -> None:
        """Replace the file as a whole. Raises `BaselineError`."""
        lines = ",\n".join(
            json.dumps({"path": path, "rule": rule, "text": text, "count": count})
            for (path, rule, text), count in sorted(entries.items())
            if count > 0
        )
        try:
            replace_file(self.path, f'{{"version": 1, "entries": [\n{lines}\n]}}\n'.encode())
        except OSError as error:
            raise BaselineError(f"{self.path}: {error.strerror}") from error

    def _key(self, diagnostic: Diagnostic, sources: Mapping[str, SourceText]) -> Key:
        source = sources.get(diagnostic.span.path)
        span = diagnostic.span
        is_there = source is not None and span.end_line <= len(source.starts)
        text = source.slice(span) if source is not None and is_there else ""
        return self._name(diagnostic.span.path), diagnostic.code, " ".join(text.split())[:_MAX_TEXT]

    def _name(self, path: str) -> str:
        absolute = os.path.abspath(path)
        try:
            return os.path.relpath(absolute, self._folder).replace(os.sep, "/")
        except ValueError:  # Windows: on another drive
            return absolute.replace(os.sep, "/")

    def _exists(self, name: str) -> bool:
        return os.path.exists(os.path.join(self._folder, *name.split("/")))
