"""Hyperlinks on a terminal (the escape sequence OSC 8): which terminals have them, and how a file is named in one.

The terminals are those of the crate supports-hyperlinks 3.1, by which other linters decide too; a terminal that is not
among them is sent none, since some old ones print the sequence.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from onnx_lint.diagnostic import Span

_PROGRAMS = {"Hyper", "iTerm.app", "terminology", "WezTerm", "vscode", "ghostty", "zed"}
_TERMS = {"xterm-kitty", "xterm-ghostty", "alacritty", "alacritty-direct"}
_VTE = 5000
"""GNOME Terminal and its relatives have them since VTE 0.50."""


def forced(env: Mapping[str, str]) -> bool | None:
    """What FORCE_HYPERLINK asks for: ``0`` for none, all else for links; ``None`` if it is not set."""
    asked = env.get("FORCE_HYPERLINK")
    return None if asked is None else asked.strip() != "0"


def are_known_to(env: Mapping[str, str]) -> bool:
    """Whether the terminal says of itself, in the environment, that it is one that has hyperlinks."""
    vte = env.get("VTE_VERSION", "")
    return (
        any(name in env for name in ("DOMTERM", "WT_SESSION", "KONSOLE_VERSION"))
        or (vte.isdecimal() and int(vte) >= _VTE)
        or env.get("TERM_PROGRAM") in _PROGRAMS
        or env.get("TERM") in _TERMS
        or env.get("COLORTERM") == "xfce4-terminal"
    )


def file_uri(span: Span, env: Mapping[str, str]) -> str | None:
    """The address of the file of a place; ``None`` for what is no file, such as standard input.

    It names the host, without which Ghostty refuses it and which lets a terminal know that a file lies elsewhere;
    Visual Studio Code and Windows take the name of a host for a share of the network. The line is named for iTerm2 and
    kitty, which take it out; others hand the address to the desktop, where it may count as a part of the name.
    """
    if not os.path.isfile(span.path):
        return None
    from pathlib import Path  # not loaded for a run without links

    uri = Path(os.path.abspath(span.path)).as_uri()
    if env.get("TERM_PROGRAM") != "vscode" and os.name == "posix":
        uri = f"file://{os.uname().nodename}{uri.removeprefix('file://')}"
    takes_line = env.get("TERM_PROGRAM") == "iTerm.app" or env.get("TERM") == "xterm-kitty"
    return f"{uri}#{span.line}" if takes_line and not span.cell else uri
