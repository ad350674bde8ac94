"""Keep the result of a run, for the next one over the same texts.

A result lies in a file of its own, which is named by the question: the folder, the files and the settings. In it
stands what the answer rests on: the program, the rules, every text, and every neighbour that was looked for, there or
not. Where one of these is another now, the answer does not count. So a changed helper is never missed.

A file is written as a whole and replaced as a whole, and holds a checksum of itself. What is torn, foreign or of
another version is no answer; a cache that cannot be read or written is done without.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import stat
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from onnx_lint import __version__, op_packages, registry
from onnx_lint.coverage import CutOff
from onnx_lint.diagnostic import Diagnostic
from onnx_lint.result_codec import Result, decode, encode
from onnx_lint.settings import Settings
from onnx_lint.source.json_text import loads
from onnx_lint.source.text import SourceText

if TYPE_CHECKING:
    from onnx_lint.project.module_table import Loader

_KEPT = 400
"""Files kept: a result and its parts are two. Those that were not asked for longest go first."""
_KEPT_BYTES = 512 * 1024 * 1024
_SUFFIX = ".json"
_PARTS = ".parts"
_TEMPORARY = ".writing-"
_BY_MACHINE = ("seconds of analysis", "more memory than there is", "nested too deeply")
"""Words of limits that another run may not meet: such a result is not kept."""
_INTERNAL_ERROR = "ONX099"


def default_folder() -> str:
    """``$ONNX_LINT_CACHE_DIR``, else ``onnx-lint/runs`` in the user's cache folder."""
    chosen = os.environ.get("ONNX_LINT_CACHE_DIR")
    if chosen:
        return chosen
    base = (
        os.environ.get("XDG_CACHE_HOME")
        or os.environ.get("LOCALAPPDATA")
        or os.path.join(os.path.expanduser("~"), ".cache")
    )
    return os.path.join(base, "onnx-lint", "runs")


def is_wanted() -> bool:
    """Whether the environment has nothing against a cache."""
    return not os.environ.get("ONNX_LINT_NO_CACHE")


class ResultCache:
    """The results in a folder. `loader` reads neighbours, as in the project."""

    def __init__(self, folder: str, loader: Loader) -> None:
        self.folder = folder
        self._loader = loader
        self._looked_for: dict[str, str | None] = {}

    def neighbour(self, path: str) -> SourceText | None:
        """The loader for a project whose result is to be kept: notes what was looked for."""
        source = self._loader(path)
        self.rest_on(path, source)
        return source

    def question(
        self, sources: Mapping[str, SourceText], groups: Iterable[tuple[Settings, Collection[str]]]
    ) -> Question:
        return Question(self.folder, sources, groups)

    def load(self, question: Question) -> Result | None:
        """The answer that is there, if it still counts."""
        try:
            body = self.read(question.path, question.head)
            if body is None:
                return None
            data = loads(body)
            return decode(data) if self.finds_again(data["neighbours"]) else None
        except (ValueError, TypeError, KeyError, IndexError):
            return None  # not written by this program: the run finds the answer itself

    def read(self, path: str, head: Callable[[bytes], bytes]) -> bytes | None:
        """What was written there, if it is whole and `head`, of the body, is its first line."""
        try:
            with open(path, "rb") as file:
                if not _is_mine(os.fstat(file.fileno())):
                    return None
                first, _, body = file.read().partition(b"\n")
            if first != head(body):
                return None
        except OSError:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return body

    def write(self, path: str, head: Callable[[bytes], bytes], body: bytes) -> None:
        """Keep something. Nothing is said where it cannot be written: it only saves time."""
        with contextlib.suppress(OSError):
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            _sweep(self.folder)
            _write(self.folder, path, head(body) + b"\n" + body)
            _evict(self.folder)

    def looked_for(self) -> list[tuple[str, str | None]]:
        """The neighbours that were looked for, and what was there."""
        return list(self._looked_for.items())

    def finds_again(self, neighbours: Iterable[tuple[str, str | None]]) -> bool:
        """Whether neighbours are what they were; then what is kept from now on rests on them too."""
        for path, digest in neighbours:
            source = self._loader(path)
            if (None if source is None else _digest(source)) != digest:
                return False
        self._looked_for.update(neighbours)
        return True

    def rest_on(self, path: str, source: SourceText | None) -> None:
        """What is kept from now on rests on this neighbour, and on its text or that it is not there."""
        self._looked_for[path] = None if source is None else _digest(source)

    def store(self, question: Question, result: Result) -> None:
        """Keep an answer, unless it could be another one on another day."""
        diagnostics, coverage = result
        if not depends_on_machine(coverage.cut_offs, diagnostics):
            data: dict[str, Any] = {"neighbours": self.looked_for(), **encode(result)}
            self.write(question.path, question.head, json.dumps(data, separators=(",", ":")).encode())


class Question:
    """What a run asks: which files under which settings, and all that the answer rests on. Who asks something else of
    the same, names it in `of`."""

    def __init__(
        self,
        folder: str,
        sources: Mapping[str, SourceText],
        groups: Iterable[tuple[Settings, Collection[str]]],
        *,
        of: str = "",
    ) -> None:
        asked = hashlib.blake2b(digest_size=20)
        _feed(asked, of or os.getcwd(), *sources)
        for settings, paths in groups:
            _feed(asked, repr(settings), *sorted(paths))
        self.path = os.path.join(folder, asked.hexdigest() + _SUFFIX)
        self.parts_path = os.path.join(folder, asked.hexdigest() + _PARTS)
        self.digests = {path: _digest(source) for path, source in sources.items()}
        """Of each text."""
        self._program = text_digest(asked.hexdigest(), *_program())
        self._rests_on = text_digest(self._program, *self.digests.values())

    def head(self, body: bytes) -> bytes:
        """The first line of a file: what the answer rests on, and the checksum of the rest."""
        return _head(self._rests_on, body)

    def parts_head(self, body: bytes) -> bytes:
        """The same of a file of parts: each says itself on which texts it rests."""
        return _head(f"{self._program} parts", body)


def _head(rests_on: str, body: bytes) -> bytes:
    return f"onnx-lint {__version__} {rests_on} {hashlib.blake2b(body, digest_size=20).hexdigest()}".encode()


def clean(folder: str) -> int:
    """Remove all results; how many there were. Raises `OSError` for one that cannot be removed."""
    count = 0
    for name in _names(folder):
        os.unlink(os.path.join(folder, name))
        count += name.endswith(_SUFFIX)
    with contextlib.suppress(OSError):  # something else lies there too
        os.rmdir(folder)
    return count


def _feed(digest: Any, *texts: str) -> None:
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)


def _digest(source: SourceText) -> str:
    return text_digest(type(source).__name__, source.encoding, source.text)


def text_digest(*texts: str) -> str:
    """Of several texts, told apart."""
    digest = hashlib.blake2b(digest_size=20)
    _feed(digest, *texts)
    return digest.hexdigest()


def _program() -> list[str]:
    """What computes the answer: versions, and the files of this package and of all packages of rules and op models by
    size and time, so that a change in a checkout counts too."""
    models = op_packages.names()
    # what could not be loaded may be another day, without a change of its own
    out = [__version__, sys.version, *models, *op_packages.problems()]
    if not registry.is_only_ours():
        out += registry.problems()
    for name in sorted({"onnx_lint", *registry.packages(), *(m.partition(".")[0] for m in models)}):
        for folder in _folders(name):
            for top, folders, files in os.walk(folder):
                folders[:] = sorted(f for f in folders if f != "__pycache__")
                for file in sorted(files):
                    status = os.stat(os.path.join(top, file))
                    out.append(f"{top}/{file} {status.st_size} {status.st_mtime_ns}")
    return out


def _folders(package: str) -> list[str]:
    """Where the modules of a package lie; it is not loaded."""
    if package in sys.modules:
        return [*getattr(sys.modules[package], "__path__", ())]
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return []
    return [*(spec.submodule_search_locations or ())] if spec is not None else []


def _is_mine(status: os.stat_result) -> bool:
    """A regular file of this user: nobody else's answers count."""
    return stat.S_ISREG(status.st_mode) and (not hasattr(os, "getuid") or status.st_uid == os.getuid())


def depends_on_machine(cut_offs: Iterable[CutOff], diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether a result could be another one on another day."""
    is_limited = any(words in cut_off.reason for cut_off in cut_offs for words in _BY_MACHINE)
    return is_limited or any(d.code == _INTERNAL_ERROR for d in diagnostics)


# ------------------------------------------------------------------------------------------------------------- files
def _write(folder: str, path: str, data: bytes) -> None:
    temporary = os.path.join(folder, f"{_TEMPORARY}{os.getpid()}-{secrets.token_hex(6)}")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _names(folder: str) -> list[str]:
    """Our own files in a folder."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return [n for n in names if n.startswith(_TEMPORARY) or (n[40:] in (_SUFFIX, _PARTS) and n[:40].isalnum())]


def _sweep(folder: str) -> None:
    """Take away what runs left that were killed while they wrote."""
    for name in _names(folder):
        if name.startswith(_TEMPORARY) and not _is_running(name[len(_TEMPORARY) :].partition("-")[0]):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(folder, name))


def _is_running(process: str) -> bool:
    if os.name == "nt" or not process.isdigit():  # there, a signal would end it
        return False
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def _evict(folder: str) -> None:
    entries = []
    for name in _names(folder):
        if not name.startswith(_TEMPORARY):
            path = os.path.join(folder, name)
            with contextlib.suppress(FileNotFoundError):  # another run was faster
                status = os.stat(path)
                entries.append((status.st_mtime_ns, status.st_size, path))
    total = 0
    for number, (_, size, path) in enumerate(sorted(entries, reverse=True)):
        total += size
        if number and (number >= _KEPT or total > _KEPT_BYTES):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
