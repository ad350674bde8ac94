"""Places in the user's code, out of whatever torch gives: tracebacks, live frames, trace ranges, stack texts.

A frame has columns where they are known. A stack has its innermost frame first.
"""

from __future__ import annotations

import linecache
import os
import re
import sysconfig
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice
from types import CodeType, FrameType, TracebackType

from .protocol import Frame, Stack

Positions = tuple["int | None", "int | None", "int | None", "int | None"]

_HERE = os.path.dirname(os.path.abspath(__file__))
_INSTALLED = re.compile(r"[\\/](?:site|dist)-packages[\\/]")
_ENGINE = re.compile(r"[\\/](torch|onnx|onnxscript|onnx_ir|onnxruntime|torchgen|numpy|sympy)[\\/]")
_TRACE_LINE = re.compile(r"^(?P<file>.*)\((?P<line>\d+)\): (?P<function>.*)$")
_STANDARD = re.compile(r"[\\/]lib[\\/]python3\.\d+[\\/]")
_SHORT_RANGE = re.compile(r"^(?P<file>[^\s\"][^\"]*):(?P<line>\d+):(?P<column>\d+)$")
_PYTHON_LINE = re.compile(r'^\s*File "(?P<file>[^"]*)", line (?P<line>\d+)(?:, in (?P<function>.*))?$')


class UserCode:
    """Tells the user's files from installed ones.

    The user's are all that are neither the standard library nor installed packages nor this worker; an installed
    package counts as the user's when the exported model itself comes from it.
    """

    def __init__(self) -> None:
        paths = sysconfig.get_paths()
        self._standard = tuple({os.path.normcase(os.path.join(paths[key], "")) for key in ("stdlib", "platstdlib")})
        self._own: tuple[str, ...] = (os.path.normcase(os.path.join(os.path.dirname(_HERE), "")),)
        self._roots: tuple[str, ...] = ()
        self._known: dict[str, bool] = {}

    def claim(self, root: str) -> None:
        """Count the files under a folder (or one file) as the user's."""
        self._roots += (os.path.normcase(root),)
        self._known.clear()

    def owns(self, file: str) -> bool:
        """Whether a file is the user's."""
        known = self._known.get(file)
        if known is None:
            known = self._known[file] = self._decide(file)
        return known

    def is_ours(self, file: str) -> bool:
        """Whether a file is this project's own: an error there is not the user's."""
        return os.path.normcase(file).startswith(self._own)

    def _decide(self, file: str) -> bool:
        if not file or file.startswith("<") or not os.path.isabs(file) or self.is_ours(file):
            return False
        name = os.path.normcase(file)
        if self._roots and name.startswith(self._roots):
            return True
        return not (_INSTALLED.search(file) or name.startswith(self._standard) or _STANDARD.search(file))

    def choose(self, stack: Iterable[Frame]) -> Stack:
        """The user's frames of a stack; if there are none, those of other packages than the engine's own."""
        frames = tuple(stack)
        mine = tuple(frame for frame in frames if self.owns(frame.file))
        return mine or tuple(
            frame
            for frame in frames
            if os.path.isabs(frame.file)
            and not os.path.normcase(frame.file).startswith((*self._own, *self._standard))
            and not _ENGINE.search(frame.file)
        )


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


def of_live(frame: FrameType | None, user: UserCode | None = None) -> Stack:
    """The live stack from a frame outwards; with `user`, only the user's frames (positions cost time)."""
    stack = []
    while frame is not None:
        if user is None or user.owns(frame.f_code.co_filename):
            stack.append(frame_of(frame.f_code, frame.f_lasti, frame.f_lineno))
        frame = frame.f_back
    return tuple(stack)


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
