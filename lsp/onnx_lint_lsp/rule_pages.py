"""The documentation of rules: as Markdown, and as pages on disk that an editor can open without a network."""

from __future__ import annotations

import contextlib
import os
from functools import lru_cache
from pathlib import Path

from onnx_lint import __version__
from onnx_lint.explain import NoSuchRule, find, markdown
from onnx_lint_lsp.uris import of_path


@lru_cache(maxsize=256)
def text_of(code: str) -> str | None:
    """The documentation of a rule as Markdown; ``None`` if there is no such rule."""
    try:
        page = find(code)[0]
    except NoSuchRule:
        return None
    return markdown(page) if page.code == code else None


@lru_cache(maxsize=256)
def link_of(code: str) -> str | None:
    """The URI of a rule's page, written to the user's cache when first asked for; ``None`` if it cannot be."""
    text = text_of(code)
    if text is None:
        return None
    page = _folder() / f"{code}.md"
    with contextlib.suppress(OSError):
        if not page.is_file() or page.read_text(encoding="utf-8") != text:
            page.parent.mkdir(parents=True, exist_ok=True)
            temporary = page.with_name(f".{page.name}.{os.getpid()}")
            temporary.write_text(text, encoding="utf-8")
            os.replace(temporary, page)
        return of_path(str(page))
    return None


def _folder() -> Path:
    base = (
        os.environ.get("XDG_CACHE_HOME")
        or os.environ.get("LOCALAPPDATA")
        or os.path.join(os.path.expanduser("~"), ".cache")
    )
    return Path(base) / "onnx-lint" / "rules" / __version__
