"""Places in code that a person can change, out of whatever torch gives: tracebacks, live frames, trace ranges, texts.

A frame has columns where they are known. A stack has its innermost frame first.
"""

from __future__ import annotations

import linecache
import os
import re
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from enum import IntEnum
from functools import lru_cache
from itertools import islice
from types import CodeType, FrameType, TracebackType
from typing import TypeVar

from .protocol import Frame, Stack

T = TypeVar("T")
Positions = tuple["int | None", "int | None", "int | None", "int | None"]

_HERE = os.path.dirname(os.path.abspath(__file__))
_INSTALLED = re.compile(r"[\\/](?:site|dist)-packages[\\/]")
_ENGINE = re.compile(r"(?:torch|onnx|onnxscript|onnx_ir|onnxruntime|torchgen|functorch|numpy|sympy)[\\/]")
"""What follows the folder of installed packages, for those that an export itself runs in."""
_TRACE_LINE = re.compile(r"^(?P<file>.*)\((?P<line>\d+)\): (?P<function>.*)$")
_STANDARD = re.compile(r"[\\/]lib[\\/]python3\.\d+[\\/]")
_SHORT_RANGE = re.compile(r"^(?P<file>[^\s\"][^\"]*):(?P<line>\d+):(?P<column>\d+)$")
_PYTHON_LINE = re.compile(r'^\s*File "(?P<file>[^"]*)", line (?P<line>\d+)(?:, in (?P<function>.*))?$')


class Rank(IntEnum):
    """Whose code a file is: how near a person who exports a model is to changing it."""

    USER = 0
    """The user's own, and whatever they asked to have linted."""
    MODEL = 1
    """An installed package that defines modules of the exported model."""
    LIBRARY = 2
    """Any other installed package."""
    ENGINE = 3
    """PyTorch, what it stands on, the standard library, generated code and this worker: never a place to point at."""


class UserCode:
    """Ranks files by whose code they are, and chooses the frames of a stack that a person can change."""

    def __init__(self) -> None:
        paths = sysconfig.get_paths()
        self._standard = tuple({os.path.normcase(os.path.join(paths[key], "")) for key in ("stdlib", "platstdlib")})
        self._own: tuple[str, ...] = (os.path.normcase(os.path.join(os.path.dirname(_HERE), "")),)
        self._roots: tuple[str, ...] = ()
        self._of_model: tuple[str, ...] = ()
        self._known: dict[str, Rank] = {}

    def claim(self, root: str) -> None:
        """Count the files under a folder (or one file) as the user's."""
        self._roots += (os.path.normcase(root),)
        self._known.clear()

    def prefer(self, root: str) -> None:
        """Count the installed files under a folder (or one file) as those of the model."""
        self._of_model += (os.path.normcase(root),)
        self._known.clear()

    def rank(self, file: str) -> Rank:
        """Whose code a file is."""
        known = self._known.get(file)
        if known is None:
            known = self._known[file] = self._decide(file)
        return known

    def owns(self, file: str) -> bool:
        """Whether a file is the user's."""
        return self.rank(file) is Rank.USER

    def is_ours(self, file: str) -> bool:
        """Whether a file is this project's own: an error there is not the user's."""
        return os.path.normcase(file).startswith(self._own)

    def _decide(self, file: str) -> Rank:
        if not file or file.startswith("<") or not os.path.isabs(file) or self.is_ours(file):
            return Rank.ENGINE
        name = os.path.normcase(file)
        if any(_below(name, root) and not _INSTALLED.search(file[len(root) :]) for root in self._roots):
            return Rank.USER  # an environment in a claimed folder is not claimed with it
        installed = _INSTALLED.search(file)
        if installed:  # looked at first: in a virtual environment this folder lies inside that of the standard library
            if _ENGINE.match(file[installed.end() :]):
                return Rank.ENGINE
            return Rank.MODEL if any(_below(name, root) for root in self._of_model) else Rank.LIBRARY
        if name.startswith(self._standard) or _STANDARD.search(file):
            return Rank.ENGINE
        return Rank.ENGINE if _is_generated(name) else Rank.USER

    def choose(self, stack: Iterable[Frame]) -> Stack:
        """The frames of the best rank in a stack, innermost first; none when there are only the engine's.

        What lies outside the worker that called the model, as the script that is run, is not part of the way.
        """
        return _best([(self.rank(frame.file), frame) for frame in self.on_the_way(stack, lambda frame: frame.file)])

    def choose_live(self, frame: FrameType | None) -> Stack:
        """Like `choose`, of the live stack from a frame outwards; columns are computed for what is chosen only."""
        frames = list(self.on_the_way(_outwards(frame), lambda each: each.f_code.co_filename))
        best = _best([(self.rank(each.f_code.co_filename), each) for each in frames])
        return tuple(frame_of(each.f_code, each.f_lasti, each.f_lineno) for each in best)

    def on_the_way(self, stack: Iterable[T], file_of: Callable[[T], str]) -> Iterator[T]:
        """The frames from the innermost one to where the worker called the model."""
        inside = False
        for frame in stack:
            if not self.is_ours(file_of(frame)):
                inside = True
                yield frame
            elif inside:
                return


def _best(ranked: Sequence[tuple[Rank, T]]) -> tuple[T, ...]:
    rank = min((rank for rank, _ in ranked), default=Rank.ENGINE)
    return tuple(item for each, item in ranked if each is rank) if rank is not Rank.ENGINE else ()


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _below(name: str, root: str) -> bool:
    return name == root or name.startswith(os.path.join(root, ""))


def _is_generated(name: str) -> bool:
    """Whether a file lies in the temporary folder, and nowhere that Python imports from: a library wrote it there."""
    temporary, here = (os.path.normcase(os.path.realpath(path)) for path in (tempfile.gettempdir(), name))
    if not _below(here, temporary):
        return False
    root = os.path.dirname(here)
    while os.path.exists(os.path.join(root, "__init__.py")):
        root = os.path.dirname(root)
    folders = {os.path.normcase(os.path.realpath(entry or os.curdir)) for entry in (*sys.path, os.curdir)}
    inside = (folder for folder in folders if folder != temporary and _below(folder, temporary))
    return root not in folders and not any(_below(here, folder) for folder in inside)


def _character(file: str, line: int, offset: int) -> int:
    """The column, from 1 and in characters, of a byte offset in the UTF-8 form of a line."""
    text = linecache.getline(file, line)
    return len(text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "ignore")) + 1


def source_of(frame: Frame) -> str:
    """The text at a frame's place: the whole line where it has no columns or does not end on that line."""
    text = linecache.getline(frame.file, frame.line)
    if frame.column is None or frame.end_column is None or frame.end_line != frame.line:
        return text.strip()
    return text[frame.column - 1 : frame.end_column - 1]


@lru_cache(maxsize=20_000)  # a loop of layers comes by the same places again and again
def frame_of(code: CodeType, instruction: int, line: int | None) -> Frame:
    """The exact place of an instruction, with columns where the interpreter keeps them (3.11 on)."""
    frame = Frame(code.co_filename, line or code.co_firstlineno, code.co_name)
    positions: Callable[[], Iterable[Positions]] | None = getattr(code, "co_positions", None)
    if positions is None or instruction < 0:
        return frame
    start, end, column, end_column = next(islice(positions(), instruction // 2, None), (None, None, None, None))
    if start is None or end is None or column is None or end_column is None:
        return frame
    return replace(
        frame,
        line=start,
        column=_character(code.co_filename, start, column),
        end_line=end,
        end_column=_character(code.co_filename, end, end_column),
    )


def of_traceback(traceback: TracebackType | None) -> Stack:
    """The stack of an exception."""
    stack = []
    while traceback is not None:
        stack.append(frame_of(traceback.tb_frame.f_code, traceback.tb_lasti, traceback.tb_lineno))
        traceback = traceback.tb_next
    return tuple(reversed(stack))


def of_trace_text(text: str) -> Stack:
    """The stack in a ``sourceRange()`` or in the doc string of a verbosely exported node.

    Traced nodes give ``file(line): function`` lines; scripted ones ``File "…", line N`` with the code below it,
    underlined, which gives the columns.
    """
    stack: list[Frame] = []
    lines = text.split("\n")
    for number, line in enumerate(lines):
        match = _TRACE_LINE.match(line) or _SHORT_RANGE.match(line.strip().lstrip("# "))
        if match:
            found = match.groupdict()
            column = int(found.get("column") or 0)
            place = Frame(found["file"], int(found["line"]), found.get("function") or "")
            stack.append(replace(place, column=column + 1) if column else place)
            continue
        match = _PYTHON_LINE.match(line)
        if match:
            place = Frame(match["file"], int(match["line"]), match["function"] or "")
            mark = next((later for later in lines[number + 1 :] if later.strip().startswith("~")), None)
            if mark is not None:
                start = len(mark) - len(mark.lstrip()) + 1
                end = start + len(mark.strip().removesuffix("<--- HERE").strip())
                place = replace(place, column=start, end_line=place.line, end_column=end)
            stack.append(place)
    return tuple(stack)


def of_python_text(text: str | None) -> Stack:
    """The stack in text of Python's traceback form (outermost first), as ``fx`` nodes carry it."""
    matches = [match for line in (text or "").split("\n") if (match := _PYTHON_LINE.match(line))]
    return tuple(Frame(match["file"], int(match["line"]), match["function"] or "") for match in reversed(matches))


def with_columns(stack: Stack, seen: dict[tuple[str, int], list[tuple[str, Frame]]], operator: str) -> Stack:
    """Give the innermost frame the columns that an eager run saw for the operator on that line.

    When the line has several calls of one name the first place is taken, when it has none but a single call that one.
    """
    if not stack or stack[0].column is not None:
        return stack
    calls = seen.get((stack[0].file, stack[0].line), [])
    plain = operator.rsplit("::", maxsplit=1)[-1].split(".", maxsplit=1)[0].strip("_").lower()
    named = [frame for name, frame in calls if name.strip("_").lower() == plain]
    places = named or ([calls[0][1]] if len({(f.column, f.end_column) for _, f in calls}) == 1 else [])
    if not places:
        return stack
    found = places[0]
    exact = replace(
        stack[0], line=found.line, column=found.column, end_line=found.end_line, end_column=found.end_column
    )
    return (exact, *stack[1:])
