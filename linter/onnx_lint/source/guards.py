"""Guards: bounds on what libcst is given."""

from __future__ import annotations


def too_complex(text: str) -> str | None:
    """Why a chunk is not analysed, or ``None``."""
    if len(text) > 256 * 1024:
        return f"{len(text) // 1024} KB in one statement (limit 256 KB)"
    return None
