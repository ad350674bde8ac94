"""Guards: what libcst is not given.

Its native parser overflows the stack on deep nesting and kills the process: measured with libcst 1.9, in a thread of
1 MB, first deaths at 200 nested brackets, 1,500 ``elif``; long chains (``a+a+…``, ``a.b.b…``, ``f()()…``) take
quadratic time. The bounds stand far below that, and far above what people write. Every check is linear, and an
ordinary chunk costs a few string searches.
"""

from __future__ import annotations

import re

from onnx_lint.source.split import blank

MAX_CHUNK = 256 * 1024
"""Characters of one top-level statement or class member."""
MAX_BRACKETS = 80
"""Brackets inside one another."""
MAX_CHAIN = 250
"""Operators, attributes, calls, prefixes, ``elif`` … one after the other in one statement, at one bracket depth."""
MAX_BLOCKS = 40
"""Indented blocks inside one another."""
MAX_FORMAT = 30
"""f-strings inside one another, told by braces: the text with strings blanked does not show what they hold."""

_NOT_BRACKETS = re.compile(r"[^()\[\]{}]+")
_TOKEN = re.compile(
    r"[()\[\]{},;\n]|\b(?:lambda|not|and|or|if|elif|else|await|in|is|for|yield|from)\b|\*\*|//|<<|>>|[-+*/%@&|^~<>=!.]+|[\w]+|:"
)
_INDENT = re.compile(r"^([ \t]*)(?=\S)", re.M)
_DECORATOR = re.compile(r"^[ \t]*@", re.M)
_PLAIN = 60


def too_complex(text: str) -> str | None:
    """Why a chunk is not to be parsed, in a few words; ``None`` if it may be."""
    if len(text) > MAX_CHUNK:
        return f"{len(text) // 1024} KB in one statement (limit {MAX_CHUNK // 1024} KB)"
    if len(text) < _PLAIN:
        return None
    opened = text.count("(") + text.count("[") + text.count("{")
    lines = text.count("\n") + 1
    crowded = opened > MAX_BRACKETS and _bracket_depth_exceeds(text)
    if crowded:
        return f"more than {MAX_BRACKETS} nested brackets"
    if text.count("{") > MAX_FORMAT and _format_depth_exceeds(text):
        return f"more than {MAX_FORMAT} nested f-strings"
    if lines > MAX_BLOCKS:
        depth = _block_depth(text)
        if depth > MAX_BLOCKS:
            return f"{depth} nested blocks (limit {MAX_BLOCKS})"
    if len(_DECORATOR.findall(text)) > MAX_CHAIN:
        return f"more than {MAX_CHAIN} decorators"
    if text.count("elif") > MAX_CHAIN or _may_hold_chain(text, opened):
        return _chain(blank(text))
    return None


def _bracket_depth_exceeds(text: str) -> bool:
    """Whether brackets nest deeper than the limit: take away innermost pairs that often, and look what is left."""
    brackets = _NOT_BRACKETS.sub("", blank(text) if ("'" in text or '"' in text or "#" in text) else text)
    brackets = brackets.translate({ord("["): "(", ord("{"): "(", ord("]"): ")", ord("}"): ")"})
    for _ in range(MAX_BRACKETS):
        shorter = brackets.replace("()", "")
        if len(shorter) == len(brackets):
            break
        brackets = shorter
    return brackets.count("(") > MAX_BRACKETS or "()" in brackets


_NOT_BRACES = re.compile(r"[^{}]+")
_FORMAT = re.compile(r"[fFtT][rR]?[\"']")


def _format_depth_exceeds(text: str) -> bool:
    """Whether there is an f-string, and braces as deep as would be needed (its format specifications nest too)."""
    if _FORMAT.search(text) is None:
        return False
    braces = _NOT_BRACES.sub("", text)
    for _ in range(MAX_FORMAT):
        shorter = braces.replace("{}", "")
        if len(shorter) == len(braces):
            return False
        braces = shorter
    return "{}" in braces


def _block_depth(text: str) -> int:
    """Indentation levels of the deepest line; lines inside brackets and strings count too, which only errs upwards
    for code that nobody writes."""
    stack: list[int] = []
    deepest = 0
    for match in _INDENT.finditer(text):
        width = len(match.group(1).expandtabs(8))
        while stack and stack[-1] >= width:
            stack.pop()
        stack.append(width)
        deepest = max(deepest, len(stack))
    return deepest - 1


def _may_hold_chain(text: str, opened: int) -> bool:
    """Whether some statement is long enough to hold a chain beyond the limit: every link takes two characters, and a
    statement ends at a newline outside brackets; only a long line, or a chunk of many lines in brackets, has room."""
    if len(text) < 2 * MAX_CHAIN:
        return False
    longest = max(map(len, text.split("\n")))
    return longest > 2 * MAX_CHAIN or (opened > 0 and _long_bracket(text)) or text.count("\\\n") > MAX_CHAIN // 2


_AT_DEPTH = re.compile(r"[()\[\]{}]")
_LONG_EXPRESSION = 4_000
"""Characters in one pair of brackets from which on the chain inside is counted."""


def _long_bracket(text: str) -> bool:
    """Whether an outermost pair of brackets holds that much text; strings are not told apart, which only errs on the
    careful side."""
    if len(text) < _LONG_EXPRESSION:
        return False
    depth = start = 0
    for match in _AT_DEPTH.finditer(text):
        if match.group() in "([{":
            if depth == 0:
                start = match.start()
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0 and match.start() - start > _LONG_EXPRESSION:
                return True
    return depth > 0 and len(text) - start > _LONG_EXPRESSION


def _chain(blanked: str) -> str | None:
    """Count what follows without a comma, statement end or bracket edge; a closed bracket counts as one link."""
    counts = [0]
    lambdas: set[int] = set()  # depths at which the parameters of a lambda have not ended
    branches = 0
    previous = ""
    for match in _TOKEN.finditer(blanked):
        token = match.group()
        if token in "([{":
            counts[-1] += 1
            counts.append(0)
        elif token in ")]}":
            if len(counts) > 1:
                counts.pop()
        elif token == "," and len(counts) in lambdas:
            continue
        elif token in (",", ";") or (token == "\n" and len(counts) == 1 and not _continued(blanked, match.start())):
            counts[-1] = 0
        elif token == "elif":
            branches += 1
        elif token == "\n":
            continue
        elif token[0].isalnum() or token[0] == "_":
            # two names or strings side by side are a chain of strings; keywords chain by themselves
            counts[-1] += token in _PREFIXES or (previous[:1] == "_" and token[0] == "_")
        else:
            counts[-1] += len(token)  # `---x` is three prefixes
        if token == "lambda":
            lambdas.add(len(counts))
        elif token == ":":
            lambdas.discard(len(counts))
        if counts[-1] > MAX_CHAIN or branches > MAX_CHAIN:
            return f"a chain of more than {MAX_CHAIN} operators, calls or branches in one statement"
        previous = token
    return None


_PREFIXES = frozenset({"lambda", "not", "and", "or", "if", "else", "await", "in", "is", "for", "yield", "from"})


def _continued(text: str, newline: int) -> bool:
    return newline > 0 and text[newline - 1] == "\\"
