"""Import a model from changed source texts, with no file touched."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Mapping
from importlib.abc import SourceLoader
from importlib.machinery import SourceFileLoader
from types import CodeType

from .frames import Rank, UserCode


def install(texts: Mapping[str, str]) -> None:
    """Give these texts to every later import of the files that they stand for."""
    known = {_name(path): text for path, text in texts.items()}
    original = SourceFileLoader.get_code

    def get_code(self: SourceLoader, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        text = known.get(_name(path))
        if text is None:
            return original(self, fullname)
        linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
        code: CodeType = compile(text.encode(), path, "exec", dont_inherit=True)
        return code

    # typeshed has no name for a loader with another reader; there is no other door to the text of a module
    SourceFileLoader.get_code = get_code  # type: ignore[assignment, method-assign]


def forget_modules(user: UserCode, paths: Mapping[str, str]) -> None:
    """Have the user's modules, and those that are changed, imported anew."""
    changed = {_name(path) for path in paths}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name == "__main__" or not isinstance(file, str):
            continue
        if _name(file) in changed or user.rank(file) is Rank.USER:
            del sys.modules[name]


def _name(path: str) -> str:
    return os.path.normcase(os.path.realpath(path))
