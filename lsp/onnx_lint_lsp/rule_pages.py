"""The documentation of rules: as Markdown, and as pages on disk that an editor can open without a network."""

from __future__ import annotations

import contextlib
import os
from functools import lru_cache
from pathlib import Path

from onnx_lint import __version__
from onnx_lint.explain import NoSuchRule, find, markdown
from onnx_lint.selection import BUILT_IN
from onnx_lint_lsp.uris import of_path

_BUILT_IN_TEXT = {
    "ONX000": "A statement that Python cannot parse. It is not analysed; the rest of the file is.",
    "ONX001": "A suppression comment that takes nothing back. Remove it, so that it does not hide what comes later.",
    "ONX002": "A suppression comment names a rule that does not exist.",
    "ONX003": "A comment begins like a suppression and is none. Write `# onnx-lint: ignore[CODE] reason`.",
    "ONX009": "A statement that is too large or nested too deep to be analysed safely.",
    "ONX099": "A rule failed on this code. That is a fault of onnx-lint; please report it with the code.",
}


@lru_cache(maxsize=256)
def text_of(code: str) -> str | None:
    """The documentation of a rule as Markdown; ``None`` if there is no such rule."""
    if code in BUILT_IN:
        return f"# {code} {BUILT_IN[code]}\n\n{_BUILT_IN_TEXT.get(code, '')}\n"
    try:
        return markdown(find(code)[0])
    except NoSuchRule:
        return None


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
