"""``--explain``: the documentation of rules, as their docstrings have it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, TextIO

from onnx_lint.registry import load
from onnx_lint.rule import Rule
from onnx_lint.selection import BUILT_IN
from onnx_lint.target import Engine, Verdict


class NoSuchRule(Exception):
    """The message is one line that names the close match."""


@dataclass(frozen=True)
class Page:
    """What there is to read about one code."""

    code: str
    name: str
    text: str
    """Markdown, without the title."""


_BUILT_IN = {
    "ONX000": """\
A statement that is no valid Python. It is not analysed; the statements around it are, each method of a class by
itself. Syntax that is newer than the Python that runs the linter is understood all the same.""",
    "ONX001": """\
A suppression that takes nothing back: the code was repaired, or the rule is off. The fix removes it. It is told only
when the file was analysed as a whole, and with all the rules and engines that the configuration asks for.""",
    "ONX002": "A suppression that names a code, prefix or name that no installed rule has.",
    "ONX003": """\
A comment that begins with `# onnx-lint:` and is no suppression. It takes nothing back. Write
`# onnx-lint: ignore[CODE] reason`; see the page on suppressions for the other forms.""",
    "ONX009": """\
A statement that is too long or too deeply nested to be analysed: the parser would take minutes, or end the process.
Generated code and large tables are the usual cause. Nothing is known about exporting it; exclude the file, or move the
table into data. As information at the class of a model: a limit of the analysis was met below its `forward` (calls
nested too deep, too many statements), and code behind it was not followed.""",
    "ONX099": """\
The linter failed on this statement; the others are analysed. That is a bug of the linter: please report it with the
code concerned.""",
}
"""The codes that no rule class stands behind."""


def pages() -> list[Page]:
    """All codes, in order."""
    own = [Page(code, name, _BUILT_IN[code]) for code, name in BUILT_IN.items()]
    return own + [Page(r.code, r.name, f"*{verdicts(r)}*\n\n{r.documentation}") for r in load()]


def verdicts(rule: Rule[Any]) -> str:
    """What each engine makes of it, in one line."""
    text = " · ".join(f"{e.value}: {rule.verdicts.get(e, Verdict.FINE).value}" for e in Engine)
    return f"{text} · preview" if rule.preview else text


def find(selector: str) -> list[Page]:
    """What codes, prefixes, names (separated by commas) or ``all`` stand for. Raises `NoSuchRule`."""
    known = pages()
    found: list[Page] = []
    for part in (p.strip() for p in selector.split(",")):
        chosen = [p for p in known if part.lower() == "all" or part.upper() == p.code or part == p.name]
        if not chosen and part.upper().startswith("ONX"):
            chosen = [p for p in known if p.code.startswith(part.upper())]
        if not chosen:
            close = difflib.get_close_matches(part, [n for p in known for n in (p.code, p.name)], 1)
            hint = f"; did you mean {close[0]}?" if close else "; --explain all lists the rules"
            raise NoSuchRule(f"no rule {part!r}{hint}")
        found += (p for p in chosen if p not in found)
    return found


def markdown(page: Page) -> str:
    """A page with its title."""
    return f"# {page.code} {page.name}\n\n{page.text}\n"


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
