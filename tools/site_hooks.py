"""Hooks of mkdocs: pages of rules into the navigation, and links out of docs/ to the repository."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

_LINK = re.compile(r"(\]\()((?:\.\./)+[^)#\s]*)(#[^)\s]*)?\)")
_ALL_RULES = "..."


def on_config(config: Any) -> Any:
    """Put the pages of all rules where the navigation has dots."""
    folder = Path(config["docs_dir"], "rules")
    pages = sorted(path.name for path in folder.glob("*.md") if path.name != "README.md")
    for section in config["nav"]:
        for children in section.values() if isinstance(section, dict) else ():
            if _ALL_RULES in children:
                at = children.index(_ALL_RULES)
                children[at : at + 1] = [f"rules/{name}" for name in pages]
    return config


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """Make links to what is not part of the site absolute."""
    folder = posixpath.dirname(page.file.src_uri)

    def outside(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join("docs", folder, match[2]))
        if target.startswith("docs/"):
            return match[0]
        if not (Path(config["docs_dir"]).parent / target).exists():
            raise ValueError(f"{page.file.src_uri}: {match[2]} does not exist")
        return f"{match[1]}{config['repo_url']}/blob/main/{target}{match[3] or ''})"

    return _LINK.sub(outside, markdown)
