"""What was found in a document the last time, for the moment in which it is opened.

The first look at a file of a large library takes seconds: what it imports is read and interpreted, and so are the files
that import it. What was found then lies in the cache of the command (`onnx_lint.cache`), with all that it rests on:
the program, the settings, every text that was read and every file that was looked for. It is shown when all of that is
the same, until the analysis has come to its end; that tells what no text does, such as a file that came since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from onnx_lint.cache import Question, ResultCache, default_folder, is_wanted
from onnx_lint.coverage import Coverage
from onnx_lint.diagnostic import Diagnostic
from onnx_lint.settings import Settings
from onnx_lint.source.text import SourceText

Found = tuple[list[Diagnostic], Coverage]
Texts = Callable[[str], "SourceText | None"]
"""The text of a file, as it is open or as it lies on the disk."""


def load(folder: str, source: SourceText, settings: Settings, text_of: Texts) -> Found | None:
    """What was found in that text in the workspace `folder`; ``None`` if it is not known, or counts no longer."""
    if not is_wanted():
        return None
    cache = ResultCache(default_folder(), text_of)
    return cache.load(_question(cache, folder, source, settings))


def store(
    folder: str, source: SourceText, settings: Settings, others: Iterable[tuple[str, SourceText | None]], found: Found
) -> None:
    """Keep what was found in a text, and which `others` were read or looked for."""
    if not is_wanted():
        return
    cache = ResultCache(default_folder(), lambda path: None)
    for path, text in others:
        if path != source.path:
            cache.rest_on(path, text)
    cache.store(_question(cache, folder, source, settings), found)


def _question(cache: ResultCache, folder: str, source: SourceText, settings: Settings) -> Question:
    group = [(settings, [source.path])]
    return Question(cache.folder, {source.path: source}, group, of=f"editor {folder}")
