"""Keep what each file of a run led to, for the next run over texts of which a few are others.

All parts of a run lie in one file, beside its result and named by the same question. Each says what it rests on: the
files that were looked at, of these the functions that were read, and what was looked up by name over all files. A part
counts again if none of that has changed; where code only moved, so do the places in it. What no part can tell by
itself (which files there are, what calls of the exporter say, what was looked for outside) is the same for all, or
none counts.

The file is lines of JSON, so that what is not needed is neither read nor written anew: one about all files, one with
the names that are looked up over all files, one for each file that was looked at, one with the names that a file binds
for each of which they are known, one for each part. A name that is imported through ``import *`` is looked for in every
file that may bind it; a library has thousands of these, so what they bind is kept.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from onnx_lint.cache import Question, ResultCache, depends_on_machine, text_digest
from onnx_lint.part import WHOLE_TEXT, Part, Place
from onnx_lint.project.derived import NameIndex
from onnx_lint.project.modules import BoundNames, SourceModule
from onnx_lint.project.project import Project
from onnx_lint.project.reconcile import signature
from onnx_lint.result_codec import basis_of, decode_part, encode_part
from onnx_lint.semantics import entry
from onnx_lint.semantics.constructions import Factories
from onnx_lint.semantics.duck_typing import Methods
from onnx_lint.semantics.filled import Filled

_NOT_OURS = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)
"""What reading raises where another program wrote, or another version that wrote something else."""


@dataclass
class _File:
    """What was kept of a file: its digest, that of what the order rests on, and whether all of it is known to parse."""

    digest: str
    order: str
    parses: bool


@dataclass
class _Stored:
    """What was kept of a run. Lines are decoded when they are asked for."""

    said: str
    order: list[str]
    files: dict[str, _File]
    names: bytes
    layouts: dict[str, bytes]
    bound: dict[str, bytes]
    parts: dict[str, bytes]


@dataclass
class _Layout:
    """A file as others see it: all that is not inside a function, and each chunk with its line and text, as digests."""

    outside: str
    lines: list[int]
    chunks: list[str]

    def data(self) -> list[object]:
        return [self.outside, self.lines, self.chunks]


@dataclass
class _Change:
    """A file that is another now, with the same but for what functions say. Chunks by number."""

    before: list[int]
    """The lines on which they began."""
    now: list[int]
    changed: set[int] = field(default_factory=set)

    def moved(self, line: int) -> int | None:
        """How far the code on a line has moved; ``None`` if it is another now."""
        number = bisect_right(self.before, line) - 1
        return None if number < 0 or number in self.changed else self.now[number] - self.before[number]


class PartCache:
    """The parts of an earlier run over the same files under the same settings, and those of this one."""

    def __init__(self, cache: ResultCache, question: Question) -> None:
        self._cache, self._question = cache, question
        self._project: Project | None = None
        self._said = ""
        self._stored: _Stored | None = None
        self._files = {path: number for number, path in enumerate(question.digests)}
        """Numbers of files."""
        self._numbers: dict[str, int] = {}
        """The same of those that are others now."""
        self._changes: dict[str, _Change | None] = {}
        """The files that are others now; ``None`` for one that is another from outside too."""
        self._other_names: set[tuple[str, str]] = set()
        self._order: list[str] | None = None
        self._kept: dict[str, bytes] = {}
        self._new: dict[str, Part] = {}

    # ------------------------------------------------------------------------------------------------ before a run
    def begin(self, project: Project, said: str) -> None:
        """A check begins; `said` is what export calls say, on which every part rests."""
        self._project, self._said = project, said
        try:
            self._stored = self._read(said)
            if self._stored is not None:
                self._compare(self._stored)
        except _NOT_OURS:
            self._stored = None  # not written by this program
            self._order = None

    def _read(self, said: str) -> _Stored | None:
        body = self._cache.read(self._question.parts_path, self._question.parts_head)
        if body is None:
            return None
        about, names, *lines = body.split(b"\n")
        data = json.loads(about)
        if data["said"] != said or not self._cache.finds_again(data["neighbours"]):
            return None
        layouts = dict(zip(data["layouts"], lines, strict=False))
        bound = dict(zip(data["bound"], lines[len(layouts) :], strict=False))
        parts = dict(zip(data["parts"], lines[len(layouts) + len(bound) :], strict=True))
        files = {path: _File(*row) for path, row in data["files"].items()}
        return _Stored(said, data["order"], files, names, layouts, bound, parts)

    def _compare(self, stored: _Stored) -> None:
        """Find out what is another now."""
        assert self._project is not None
        modules = self._project.modules
        is_ordered = True
        for path, digest in self._question.digests.items():
            file = stored.files[path]
            if file.digest == digest:
                continue
            self._changes[path] = self._change(modules[path], stored.layouts.get(path))
            is_ordered = is_ordered and file.order == self._order_digest(modules[path])
        if self._changes:
            self._numbers = {path: self._files[path] for path in self._changes}
            self._compare_names(stored)
            for path, line in stored.bound.items():
                if path not in self._changes:
                    modules[path].assume_names(cache(partial(_bound_names, line)))
        self._order = stored.order if is_ordered else None

    def _change(self, module: SourceModule, line: bytes | None) -> _Change | None:
        if line is None:
            return None
        before, now = _Layout(*json.loads(line)), layout_of(module)
        if before.outside != now.outside or len(before.chunks) != len(now.chunks):
            return None
        pairs = enumerate(zip(before.chunks, now.chunks, strict=True))
        return _Change(before.lines, now.lines, {n for n, (a, b) in pairs if a != b})

    def _compare_names(self, stored: _Stored) -> None:
        """Hand the indexes what they said of the files that are the same, and note which names are others now."""
        project = self._project
        assert project is not None
        held = dict(json.loads(stored.names))
        for index in _indexes(project):
            known = held.get(type(index).__name__)
            if known is None:
                continue
            index.assume({path: known.get(path, {}) for path in project.modules if path not in self._changes})
            for path in self._changes:
                before, now = known.get(path, {}), index.names_of(project.modules[path])
                for name in before.keys() | now.keys():
                    if list(before.get(name, ())) != list(now.get(name, ())):
                        self._other_names.add((type(index).__name__, name))

    def _order_digest(self, module: SourceModule) -> str:
        assert self._project is not None
        return text_digest(repr(entry.order_rests_on(self._project, module)))

    # --------------------------------------------------------------------------------------------- while it goes on
    def order(self) -> list[str] | None:
        return self._order

    def parses(self, path: str) -> bool:
        stored = self._stored
        return stored is not None and path not in self._changes and stored.files[path].parses

    def known(self, path: str, entered: set[Place]) -> Part | None:
        line = self._stored.parts.get(path) if self._stored is not None else None
        if line is None or path in self._changes:
            return None
        try:
            data = json.loads(line)
            if not self._holds(data):
                return None
            has_moved = self._move(data)
            if has_moved is None:
                return None
            part = decode_part(data)
        except _NOT_OURS:
            return None  # not written by this program: computed again
        if not part.fits(entered):
            return None
        self._kept[path] = _line(data) if has_moved else line
        return part

    def _holds(self, data: dict[str, Any]) -> bool:
        """Whether all that a part rests on is the same."""
        if not self._changes:
            return True
        basis = basis_of(data, self._numbers)
        for path, read in basis.chunks.items():
            change = self._changes[path]
            if change is None or WHOLE_TEXT in read or not change.changed.isdisjoint(read):
                return False
        return not any(name in self._other_names for name in basis.names)

    def _move(self, data: dict[str, Any]) -> bool | None:
        """Put the places of a part where they are now; whether there were any. ``None`` if one is no more."""
        if not self._changes:
            return False
        texts, spans = data["texts"], data["spans"]
        touched = {number for number, text in enumerate(texts) if text in self._changes}
        if not touched:
            return False
        if any(spans[row[0]][0] in touched for row in data["cut_offs"]):
            return None  # they end with the line, also where a comment stands there
        has_moved = False
        for row in spans:
            if row[0] in touched:
                change = self._changes[texts[row[0]]]
                first = change.moved(row[1]) if change is not None else None
                if first is None or change is None or change.moved(row[3]) != first:
                    return None
                has_moved = has_moved or first != 0
                row[1] += first
                row[3] += first
        return has_moved

    def keep(self, part: Part) -> None:
        self._new[part.path] = part

    # ------------------------------------------------------------------------------------------------- after a run
    def store(self) -> None:
        """Write what the next run can use."""
        project, stored = self._project, self._stored
        assert project is not None, "a check began"
        faulty = {path for path, module in project.modules.items() if any(u.is_faulty for u in module.units())}
        parts = dict(self._kept)
        for path, part in self._new.items():
            # whether something is reported that is not analysed depends on who asked for it
            if part.basis is not None and faulty.isdisjoint(part.basis.chunks) and not _depends_on_machine(part):
                parts[path] = _line(encode_part(part, self._files))
        read = {path for part in self._new.values() if part.basis is not None for path in part.basis.chunks}
        layouts: dict[str, bytes] = {}
        for path, module in project.modules.items():
            held = stored.layouts.get(path) if stored is not None and path not in self._changes else None
            if held is not None:
                layouts[path] = held
            elif path in read or (stored is not None and path in stored.layouts):
                layouts[path] = _line(layout_of(module).data())
        bound = self._bound(stored, faulty)
        files = {path: self._file(module, stored) for path, module in project.modules.items()}
        about = {
            "said": self._said, "neighbours": self._cache.looked_for(), "layouts": list(layouts), "bound": list(bound),
            "parts": list(parts), "order": self._order_now(), "files": files,
        }  # fmt: skip
        lines = [_line(about), self._names(stored), *layouts.values(), *bound.values(), *parts.values()]
        self._cache.write(self._question.parts_path, self._question.parts_head, b"\n".join(lines))

    def _bound(self, stored: _Stored | None, faulty: set[str]) -> dict[str, bytes]:
        """The lines of the names that files bind. Of a file that is not analysed in full nothing is kept: whoever looks
        for a name in it has that reported."""
        assert self._project is not None
        out: dict[str, bytes] = {}
        for path, module in self._project.modules.items():
            held = stored.bound.get(path) if stored is not None and path not in self._changes else None
            names = module.bound_names if held is None and path not in faulty else None
            if held is not None:
                out[path] = held
            elif names is not None:
                out[path] = _line([sorted(names.own), names.stars])
        return out

    def _order_now(self) -> list[str]:
        project = self._project
        assert project is not None
        if self._order is not None:
            return self._order
        return [module.path for module in entry.in_order(project, project.modules.values())]

    def _file(self, module: SourceModule, stored: _Stored | None) -> list[object]:
        path = module.path
        digest = self._question.digests[path]
        if stored is not None and path not in self._changes:
            before = stored.files[path]
            return [digest, before.order, before.parses or module.is_known_to_parse]
        return [digest, self._order_digest(module), module.is_known_to_parse]

    def _names(self, stored: _Stored | None) -> bytes:
        project = self._project
        assert project is not None
        if stored is not None and not self._changes and not any(i.is_asked for i in _indexes(project)):
            return stored.names
        held = dict(json.loads(stored.names)) if stored is not None else {}
        out: dict[str, Any] = {}
        for index in _indexes(project):
            name = type(index).__name__
            if index.is_asked:
                out[name] = {path: names for path, m in project.modules.items() if (names := index.names_of(m))}
            elif name in held:
                now = {path: index.names_of(project.modules[path]) for path in self._changes}
                out[name] = {path: names for path, names in {**held[name], **now}.items() if names}
        return _line(out)


def _depends_on_machine(part: Part) -> bool:
    return depends_on_machine(part.cut_offs, [d for one in part.findings for d in one.diagnostics])


def _indexes(project: Project) -> tuple[NameIndex, ...]:
    """What looks up by name over all files."""
    return project.derived.get(Methods), project.derived.get(Factories), project.derived.get(Filled)


def layout_of(module: SourceModule) -> _Layout:
    """A file as others see it."""
    chunks = [each for chunk in module.chunks for each in (chunk, *chunk.members)]
    outside = text_digest(repr([signature(chunk) for chunk in module.chunks]))
    texts = (chunk.header if chunk.members else chunk.text for chunk in chunks)
    return _Layout(outside, [chunk.line for chunk in chunks], list(map(_short, texts)))


def _bound_names(line: bytes) -> BoundNames | None:
    """What a line says; ``None`` if this program has not written it."""
    try:
        own, stars = json.loads(line)
        return BoundNames(frozenset(own), tuple((str(module), int(level)) for module, level in stars))
    except _NOT_OURS:
        return None


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()


def _line(data: object) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()
