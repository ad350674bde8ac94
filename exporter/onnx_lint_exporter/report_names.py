"""The names of files in the page of a report: a page that is passed on must not show where it was made."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace

from onnx_lint.diagnostic import Diagnostic, Note
from onnx_lint_exporter import targets
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.paths import below
from onnx_lint_exporter.source_code import Sources

_INSTALLED = re.compile(r"^.*[/\\\\](?:site|dist)-packages[/\\\\]")
_STANDARD = re.compile(r"^.*[/\\\\]lib[/\\\\]python\d+\.\d+[/\\\\]")


class PageNames:
    """Names that stand for no absolute path.

    Below the current folder a path is relative to that, as in every other output. Elsewhere it is relative to the
    folder that the target is imported from, or to the folder of installed packages; failing that, it is the file's
    name alone.
    """

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        roots = {outcome.result.root for outcome in outcomes if outcome.result.root}
        self._roots = sorted({os.path.dirname(os.path.realpath(root)) for root in roots}, key=len, reverse=True)

    def of(self, path: str) -> str:
        """The name of a file."""
        if not os.path.isabs(path):
            return path
        real = os.path.realpath(path)
        for root in self._roots:
            inside = below(real, root)
            if inside is not None:
                return inside
        for prefix in (_INSTALLED, _STANDARD):
            if prefix.match(path):
                return prefix.sub("", path)
        return os.path.basename(path)

    def target(self, text: str, sources: Sources) -> str:
        """``path/file.py:Name`` with the name of its file."""
        where, name = targets.split(text)
        return self.of(sources.shown(where)) + (f":{name}" if name else "") if os.path.isabs(where) else text

    def notes(self, d: Diagnostic) -> Diagnostic:
        """The diagnostic with these names in its notes; its own place leads to its section and stays."""

        def named(notes: Sequence[Note]) -> tuple[Note, ...]:
            return tuple(replace(note, span=replace(note.span, path=self.of(note.span.path))) for note in notes)

        return replace(d, path=named(d.path), origin=named(d.origin))
