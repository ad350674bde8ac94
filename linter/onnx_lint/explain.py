"""``--explain``: the page of each code."""

from __future__ import annotations

from typing import TextIO

from onnx_lint.codes import Code, by_message, resolve, table, unknown


class NoSuchRule(Exception):
    """The message is one line that names the closest match."""


def pages() -> list[Code]:
    """All codes, in order."""
    return list(table().values())


def find(selector: str) -> list[Code]:
    """What codes, prefixes, names (separated by commas) or ``all`` stand for, or the rules that an error message of
    PyTorch or ONNX Runtime is about. Raises `NoSuchRule`."""
    known = table()
    found: list[Code] = []
    for part in (p.strip() for p in selector.split(",")):
        chosen = resolve(part.upper() if part.upper().startswith("ONX") else part, known)
        if not chosen:
            spoken_of = by_message(selector, known)
            if not spoken_of:
                raise NoSuchRule(unknown(part, known))
            return [known[code] for code in sorted(spoken_of)]
        found += (known[code] for code in sorted(chosen) if known[code] not in found)
    return found


def markdown(page: Code) -> str:
    """A page with its title."""
    return f"# {page.code} {page.name}\n\n{page.page}\n"


def index() -> str:
    """A line for each page."""
    return "".join(f"{page.code}  {page.name:<29} {page.summary}\n" for page in pages())


def write(selector: str, stream: TextIO, *, colour: bool) -> None:
    """Print the pages: as they are, or set for a terminal."""
    found = find(selector)
    text = "\n".join(markdown(page) for page in found)
    if not colour:
        stream.write(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(file=stream, force_terminal=True)
    console.width = min(console.width, 120)
    console.print(Markdown(text))
