"""Where the documentation is on the web. The one place that names it: a test holds the metadata of the package, the
site's configuration and this together."""

from __future__ import annotations

REPOSITORY = "https://github.com/OWNER/onnx-lint"
DOCUMENTATION = "https://OWNER.github.io/onnx-lint/"
_NOWHERE = "OWNER"
"""Stands for who will publish the project. As long as it stands there, no output holds a link that leads nowhere."""
_OURS = "ONX"
"""What our codes begin with, and no others."""


def home() -> str | None:
    """The first page of the documentation, if it is published."""
    return None if _NOWHERE in DOCUMENTATION else DOCUMENTATION


def page_of(code: str) -> str | None:
    """The page of a rule, if it is published. Rules of other packages have none here."""
    is_there = code.startswith(_OURS) and _NOWHERE not in DOCUMENTATION
    return f"{DOCUMENTATION}rules/{code}/" if is_there else None
