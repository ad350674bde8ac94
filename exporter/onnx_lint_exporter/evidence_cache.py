"""Keep what exports showed about a file, by the file's content, so that an editor can show it later.

One JSON file for each content lies in the user's cache folder. Another content of the same file has no evidence.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from onnx_lint.diagnostic import Diagnostic
from onnx_lint.report.formats.json import diagnostic as as_json
from onnx_lint.source import json_text
from onnx_lint.source.text import SourceText

VERSION = 1
_KEPT = 500
"""Entries kept; the oldest go first."""


def folder() -> Path:
    """The cache folder: ``$XDG_CACHE_HOME/onnx-lint/evidence`` or the platform's like."""
    base = (
        os.environ.get("XDG_CACHE_HOME")
        or os.environ.get("LOCALAPPDATA")
        or os.path.join(os.path.expanduser("~"), ".cache")
    )
    return Path(base) / "onnx-lint" / "evidence"


def key(text: str) -> str:
    """The name of a content's entry."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def store(diagnostics: list[Diagnostic], sources: Mapping[str, SourceText]) -> None:
    """Keep the diagnostics that carry evidence, for each file. A cache that cannot be written is done without."""
    by_path: dict[str, list[dict[str, object]]] = {}
    for d in diagnostics:
        if d.evidence and d.span.path in sources:
            by_path.setdefault(d.span.path, []).append(as_json(d))
    with contextlib.suppress(OSError):
        place = folder()
        place.mkdir(parents=True, exist_ok=True)
        for path, found in by_path.items():
            entry = place / f"{key(sources[path].text)}.json"
            temporary = entry.with_suffix(f".{secrets.token_hex(4)}")
            temporary.write_text(json.dumps({"version": VERSION, "path": path, "diagnostics": found}), encoding="utf-8")
            os.replace(temporary, entry)
        _trim(place)


def lookup(text: str) -> list[dict[str, object]]:
    """The diagnostics with evidence for exactly this content, in the form of the JSON output; empty without any."""
    try:
        data = json_text.loads((folder() / f"{key(text)}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return list(data["diagnostics"]) if isinstance(data, dict) and data.get("version") == VERSION else []


def _trim(place: Path) -> None:
    entries = sorted(place.glob("*.json"), key=lambda entry: entry.stat().st_mtime)
    for entry in entries[:-_KEPT]:
        entry.unlink(missing_ok=True)
