"""``--fix`` and ``--diff``: rounds of fixes over all files of a run, the files written, and what was done told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from io import TextIOWrapper
from typing import TextIO

from onnx_lint.arguments import CheckOptions
from onnx_lint.diagnostic import Diagnostic
from onnx_lint.fixer import Fixed, FixError, apply, diff, write
from onnx_lint.inputs import Inputs
from onnx_lint.report.report import printable_line
from onnx_lint.report.summary import counted
from onnx_lint.source.text import SourceText

_ROUNDS = 10

Put = Callable[[SourceText], None]
"""Takes the new text of a file."""


class Fixing:
    """The fixes of one run. `put` takes what a file holds now, `check` checks all files again; its argument is what the
    progress bar is labelled with."""

    def __init__(
        self, options: CheckOptions, inputs: Inputs, put: Put, check: Callable[[str], list[Diagnostic]]
    ) -> None:
        self._options, self._inputs, self._put, self._check = options, inputs, put, check
        self.done: dict[str, Fixed] = {}
        """What was changed, by file."""
        self._applied: dict[str, Counter[tuple[str, str]]] = {}
        """How many fixes of which rule (code, name) each file got."""

    def rounds(self, diagnostics: list[Diagnostic]) -> list[Diagnostic]:
        """Apply fixes and check again, until nothing changes; write the files unless only a diff is asked for. Gives
        what is left.

        A file for which a round is refused gets its text back, and keeps it.
        """
        originals = dict(self._inputs.sources)
        refused: set[str] = set()
        problems: dict[str, None] = {}
        for number in range(1, _ROUNDS + 1):
            changed = False
            for path, mine in self._by_path(diagnostics, refused).items():
                source = self._inputs.sources[path]
                try:
                    fixed = apply(source, mine, unsafe=self._options.unsafe_fixes)
                except FixError as error:
                    refused.add(path)
                    problems[f"{error}; the file is left as it was; please report this"] = None
                    if self.done.pop(path, None) is not None:
                        changed = True
                        self._put(originals[path])
                    continue
                problems.update(dict.fromkeys(fixed.refused))
                if fixed.text != source.text:
                    changed = True
                    before = self.done[path].count if path in self.done else 0
                    self.done[path] = Fixed(originals[path], fixed.text, before + fixed.count)
                    self._count(path, mine, fixed)
                    self._put(replace_text(source, fixed.text))
            if not changed:
                break
            diagnostics = self._check(f"fixing, round {number}")
        self._inputs.problems += problems
        if self._options.diff:
            self._inputs.sources = originals
        elif write_changed(self._inputs, originals, self.done, self._put):
            diagnostics = self._check("analysing again what could not be written")
        return diagnostics

    def told(self) -> Iterator[str]:
        """Which fixes were applied: a line for each file and rule."""
        for path in self.done:
            for (code, name), number in sorted(self._applied[path].items()):
                yield f"{path}: {counted(number, 'fix', 'fixes')} of {code} ({name})"

    def _by_path(self, diagnostics: Iterable[Diagnostic], refused: set[str]) -> dict[str, list[Diagnostic]]:
        out: dict[str, list[Diagnostic]] = {}
        for diagnostic in diagnostics:
            path = diagnostic.span.path
            if diagnostic.fix is not None and path not in refused and self._inputs.may_change(path):
                out.setdefault(path, []).append(diagnostic)
        return out

    def _count(self, path: str, diagnostics: Iterable[Diagnostic], fixed: Fixed) -> None:
        rules = {id(d.fix): (d.code, d.name) for d in diagnostics}
        self._applied.setdefault(path, Counter()).update(rules[id(fix)] for fix in fixed.applied)


def write_changed(inputs: Inputs, originals: dict[str, SourceText], done: dict[str, Fixed], put: Put) -> bool:
    """Write what was changed; whether some file could not be. It stays as it was, and is taken out of `done`."""
    failed = False
    for path, fixed in list(done.items()):
        if path == inputs.stdin:
            continue
        try:
            if path in inputs.linked_out:
                raise FixError(f"{path}: not fixed: it is a link out of the folder; name the file that is meant")
            write(fixed, originals[path].encode(originals[path].text))
        except (FixError, UnicodeError) as error:
            inputs.problems.append(str(error))
            put(originals[path])
            del done[path]
            failed = True
    return failed


def show_diff(changed: dict[str, Fixed], out: TextIO) -> None:
    """Write the changes as patches."""
    for change in changed.values():
        data = diff(change)
        if out.isatty():  # for people: a patch for `git apply` goes into a pipe or a file
            text = data.decode(change.source.encoding, "replace")
            out.writelines(f"{printable_line(line)}\n" for line in text.split("\n")[:-1])
        elif isinstance(out, TextIOWrapper):
            out.flush()
            out.buffer.write(data)
        else:
            out.write(data.decode(change.source.encoding, "replace"))


def replace_text(source: SourceText, text: str) -> SourceText:
    """The same file with another text."""
    return SourceText(source.path, text, source.encoding, source.bom)
