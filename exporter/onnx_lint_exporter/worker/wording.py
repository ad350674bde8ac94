"""Messages of torch, cut down to what helps."""

from __future__ import annotations

_NOISE = (
    "Please feel free to request support",
    "Please open a bug",
    "Defined at:",
    "If you are using",
    "Caused by the value",
    "(node defined in",
    "Inputs:",
    "Outputs:",
    "    #",
    "Graph Diff",
)


def shorten(text: str) -> str:
    """The first sentences that help; torch appends graphs and appeals to open an issue."""
    kept: list[str] = []
    for line in text.strip().split("\n"):
        if any(line.startswith(noise) for noise in _NOISE):
            break
        if line.strip():
            kept.append(line.strip())
        if sum(map(len, kept)) > 300:
            break
    whole = " ".join(kept)
    for noise in (" Please feel free to request support", " If you are trying to use a custom"):
        whole = whole.split(noise)[0]
    whole = whole.split("  [Caused by the value")[0].split(" [Caused by the value")[0]
    return whole[:500]
