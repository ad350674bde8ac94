"""Places in the user's code, out of whatever torch gives: tracebacks, live frames, trace ranges, stack texts.

A frame is a plain dict ``{file, line, function}``, with ``column, end_line, end_column`` where they are known
(from 1, in characters, end exclusive). A stack is a list of frames, innermost first.
"""

from __future__ import annotations

import linecache
import os
import re
import sysconfig
from collections.abc import Callable, Iterable
from itertools import islice
from types import CodeType, FrameType, TracebackType
from typing import Any

Frame = dict[str, Any]

_HERE = os.path.dirname(os.path.abspath(__file__))
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
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
        self._standard = tuple({os.path.join(paths[key], "") for key in ("stdlib", "platstdlib")})
        self._own: tuple[str, ...] = (os.path.join(os.path.dirname(_HERE), ""),)
        self._roots: tuple[str, ...] = ()
        self._known: dict[str, bool] = {}

    def claim(self, root: str) -> None:
        """Count the files under a folder (or one file) as the user's."""
        self._roots += (root,)
        self._known.clear()

    def owns(self, file: str) -> bool:
        known = self._known.get(file)
        if known is None:
            known = self._known[file] = self._decide(file)
        return known

    def is_ours(self, file: str) -> bool:
        """Whether a file is this project's own: an error there is not the user's."""
        return file.startswith(self._own)

    def _decide(self, file: str) -> bool:
        if not file or file.startswith("<") or not os.path.isabs(file) or file.startswith(self._own):
            return False
        if file.startswith(self._roots) and self._roots:
            return True
        if any(part in file for part in _INSTALLED):
            return False
        return not file.startswith(self._standard) and not _STANDARD.search(file)

    def choose(self, stack: Iterable[Frame]) -> list[Frame]:
        """The user's frames of a stack; if there are none, those of other packages than the engine's own."""
        frames = list(stack)
        mine = [frame for frame in frames if self.owns(frame["file"])]
        return mine or [
            frame
            for frame in frames
            if os.path.isabs(frame["file"])
            and not frame["file"].startswith((*self._own, *self._standard))
            and not _ENGINE.search(frame["file"])
        ]


def _character(file: str, line: int, offset: int) -> int:
    """The column, from 1 and in characters, of a byte offset in the UTF-8 form of a line."""
    text = linecache.getline(file, line)
    return len(text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "ignore")) + 1


def source_of(frame: Frame) -> str:
    """The text at a frame's place, as far as it stands on one line."""
    text = linecache.getline(frame["file"], frame["line"])
    if frame.get("column") is None or frame.get("end_line") != frame["line"]:
        return text.strip()
    return text[frame["column"] - 1 : frame["end_column"] - 1]


def place(code: CodeType, instruction: int, line: int | None) -> Frame:
    """The exact place of an instruction, with columns where the interpreter keeps them (3.11 on)."""
    frame: Frame = {"file": code.co_filename, "line": line or code.co_firstlineno, "function": code.co_name}
    positions: Callable[[], Any] | None = getattr(code, "co_positions", None)
    if positions is not None and instruction >= 0:
        start, end, column, end_column = next(islice(positions(), instruction // 2, None), (None, None, None, None))
        if start is not None and end is not None and column is not None and end_column is not None:
            frame.update(
                line=start,
                column=_character(code.co_filename, start, column),
                end_line=end,
                end_column=_character(code.co_filename, end, end_column),
            )
    return frame


def of_traceback(traceback: TracebackType | None) -> list[Frame]:
    stack = []
    while traceback is not None:
        stack.append(place(traceback.tb_frame.f_code, traceback.tb_lasti, traceback.tb_lineno))
        traceback = traceback.tb_next
    return stack[::-1]


def of_live(frame: FrameType | None, user: UserCode | None = None) -> list[Frame]:
    """The live stack from a frame outwards; with `user`, only the user's frames (positions cost time)."""
    stack = []
    while frame is not None:
        if user is None or user.owns(frame.f_code.co_filename):
            stack.append(place(frame.f_code, frame.f_lasti, frame.f_lineno))
        frame = frame.f_back
    return stack


def of_trace_text(text: str) -> list[Frame]:
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
            frame: Frame = {"file": found["file"], "line": int(found["line"]), "function": found.get("function") or ""}
            if "column" in found and int(found["column"]):
                frame["column"] = int(found["column"]) + 1
            stack.append(frame)
            continue
        match = _PYTHON_LINE.match(line)
        if match:
            frame = {"file": match["file"], "line": int(match["line"]), "function": match["function"] or ""}
            mark = next((later for later in lines[number + 1 :] if later.strip().startswith("~")), None)
            if mark is not None:
                start = len(mark) - len(mark.lstrip())
                frame.update(
                    column=start + 1,
                    end_line=frame["line"],
                    end_column=start + 1 + len(mark.strip().removesuffix("<--- HERE").strip()),
                )
            stack.append(frame)
    return stack


def of_python_text(text: str | None) -> list[Frame]:
    """The stack in text of Python's traceback form (outermost first), as ``fx`` nodes carry it."""
    stack: list[Frame] = []
    for line in (text or "").split("\n"):
        match = _PYTHON_LINE.match(line)
        if match:
            stack.append({"file": match["file"], "line": int(match["line"]), "function": match["function"] or ""})
    return stack[::-1]


def with_columns(
    stack: list[Frame], seen: dict[tuple[str, int], list[tuple[str, Frame]]], operator: str
) -> list[Frame]:
    """Give the innermost frame the columns that an eager run saw for the operator on that line.

    When the line has several calls of one name the first place is taken, when it has none but a single call that one.
    """
    if not stack or "column" in stack[0]:
        return stack
    calls = seen.get((stack[0]["file"], stack[0]["line"]), [])
    plain = operator.rsplit("::", maxsplit=1)[-1].split(".", maxsplit=1)[0].strip("_").lower()
    named = [frame for name, frame in calls if name.strip("_").lower() == plain]
    places = named or ([calls[0][1]] if len({(f["column"], f["end_column"]) for _, f in calls}) == 1 else [])
    if places:
        stack = [
            {**stack[0], **{key: places[0][key] for key in ("line", "column", "end_line", "end_column")}},
            *stack[1:],
        ]
    return stack
