"""What other rooms keep with a project: one of each class, and indexes that follow the texts of its files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from onnx_lint.source.text import SourceText

if TYPE_CHECKING:
    from onnx_lint.project.modules import SourceModule
    from onnx_lint.project.project import Project

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class _Kind(Protocol[T_co]):
    """A class whose objects are made of a project."""

    def __call__(self, project: Project, /) -> T_co: ...


class Derived:
    """One object of each class, made when it is first asked for."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._held: dict[object, object] = {}

    def get(self, kind: _Kind[T]) -> T:
        """The project's object of the class `kind`."""
        held = self._held.get(kind)
        if held is None:
            held = self._held[kind] = kind(self._project)
        return held  # type: ignore[return-value]  # what stands under a class is an object of it


class FileIndex(Generic[T]):
    """What `read` finds in each file, kept for as long as the file has the same text.

    Files are known by path: a module is looked up where it is needed, since `Project.add` may replace it. Where
    `is_current` is given, it says of a result whether it still holds although the text is the same.
    """

    def __init__(
        self, project: Project, read: Callable[[SourceModule], T], is_current: Callable[[T], bool] | None = None
    ) -> None:
        self._project, self._read, self._is_current = project, read, is_current
        self._held: dict[str, tuple[SourceText, T]] = {}

    def of(self, module: SourceModule) -> T:
        """What the file says now."""
        held = self._held.get(module.path)
        if held is not None and self._holds(module, held):
            return held[1]
        found = self._read(module)
        self._held[module.path] = (module.source, found)
        return found

    def assume(self, known: Mapping[str, T]) -> None:
        """What files say is known, by path."""
        for path, found in known.items():
            module = self._project.modules.get(path)
            if module is not None:
                self._held[path] = (module.source, found)

    def is_read(self, module: SourceModule) -> bool:
        """Whether `of` need not read the file."""
        held = self._held.get(module.path)
        return held is not None and self._holds(module, held)

    def last(self, path: str) -> T | None:
        """What the file said when it was read last; ``None`` if it never was."""
        held = self._held.get(path)
        return held[1] if held is not None else None

    def drop_removed(self) -> list[T]:
        """Forget the files that are gone; what they said."""
        return [self._held.pop(path)[1] for path in self._held.keys() - self._project.modules.keys()]

    def _holds(self, module: SourceModule, held: tuple[SourceText, T]) -> bool:
        return held[0] is module.source and (self._is_current is None or self._is_current(held[1]))


Names = Mapping[str, tuple[str, ...]]
"""Definitions of one file, by what they are looked up by."""


class NameIndex:
    """Which files say something under a name, and what: the inverse of a `FileIndex` of `Names`.

    In an editor whoever looked a name up depends on what stands under it.
    """

    def __init__(self, project: Project, read: Callable[[SourceModule], Names]) -> None:
        self._project = project
        self._files = FileIndex(project, read)
        self._by_name: dict[str, list[tuple[str, str]]] = {}
        self._facts = project.tracker.facts(type(self).__name__)
        self._version: int | None = None

    def lookup(self, name: str) -> list[tuple[SourceModule, str]]:
        """What stands under a name, each with its file as it is now, in the order of the files."""
        project = self._project
        self._facts.read(name)
        self.fill()
        return [(project.modules[path], said) for path, said in self._by_name.get(name, ())]

    def fill(self) -> None:
        """Read all files now."""
        if self._version != self._project.version:
            # what asks rests on the name, not on all that is read to find it
            self._project.tracker.compute(self._project.tracker.node(), self._update)

    @property
    def is_asked(self) -> bool:
        """Whether anybody has looked something up."""
        return self._version is not None

    def names_of(self, module: SourceModule) -> Names:
        """What one file says, by name."""
        return self._files.of(module)

    def assume(self, known: Mapping[str, Names]) -> None:
        """What files say is known from elsewhere, by path."""
        self._files.assume(known)

    def refresh(self) -> None:
        """Read the files that have changed, if anybody has asked before; invalidates who looked up what changed."""
        if self._version is not None and self._version != self._project.version:
            self._update()

    def _update(self) -> None:
        project, files = self._project, self._files
        is_first = self._version is None
        self._version = project.version
        changed = {name for names in files.drop_removed() for name in names}
        for path, module in project.modules.items():
            if not files.is_read(module):
                before, after = files.last(path) or {}, files.of(module)
                changed.update(n for n in {**before, **after} if before.get(n) != after.get(n))
        if not changed and not is_first:
            return
        self._by_name = {}
        for path, module in project.modules.items():
            for name, said in files.of(module).items():
                self._by_name.setdefault(name, []).extend((path, one) for one in said)
        for name in changed:
            self._facts.invalidate(name)


class ChunkMemo(Generic[T]):
    """What was found in the chunks of a file, by their text: most are the same as before the last key was pressed."""

    def __init__(self, find: Callable[[str], T]) -> None:
        self._find = find
        self._held: dict[str, dict[str, T]] = {}

    def of(self, path: str, texts: Iterable[str]) -> dict[str, T]:
        """What is found in each of the texts, which are all that count in the file `path` now."""
        before = self._held.get(path, {})
        now = {text: before[text] if text in before else self._find(text) for text in texts}
        self._held[path] = now
        return now
