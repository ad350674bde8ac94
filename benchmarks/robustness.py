"""Crashes, internal errors and disagreements over real code. Nothing of it is imported or run.

    python benchmarks/robustness.py --trees TREE…           the command over each tree: ONX000, ONX009, ONX099, crashes
    python benchmarks/robustness.py --oracle TREE…          chunk route = whole-file route; splitter = Python's parser
    python benchmarks/robustness.py --programs 2000         generated programs, in every order and by every kind of path
    python benchmarks/robustness.py --same TREE…            the command over each tree, by every kind of path
    python benchmarks/robustness.py --edits 100 TREE…       what an editor says after edits = a fresh analysis
    python benchmarks/robustness.py --mutate 2000 TREE…     damaged files of the trees, each analysed in a child process

``--trees`` without a tree takes the standard library of the running Python. ``--seed`` changes what is damaged and
edited. Exit status 1 if something crashed, hung, disagreed or reported an internal error. Notes may be those of another
way to a place than a fresh analysis takes first, and must be right about the present text; how many differ is printed.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import resource
import selectors
import subprocess
import sys
import sysconfig
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT / "tests")  # in place of this folder, where `robustness` is this script

LIMIT = 60.0
"""Seconds of wall time for one damaged file."""
MEMORY = 6 << 30
"""Bytes of address space of the child that analyses damaged files."""

ALONE = ("--isolated", "--no-cache", "--no-gitignore")


def python_files(trees: list[str]) -> list[Path]:
    return sorted(path for tree in trees for path in Path(tree).rglob("*.py") if path.is_file())


# ------------------------------------------------------------------------------------------------------------ trees
def trees(paths: list[str]) -> bool:
    good = True
    print(f"{'tree':40} {'files':>6} {'seconds':>8} {'ONX000':>7} {'ONX009':>7} {'ONX099':>7} {'others':>7}  status")
    for path in paths or [sysconfig.get_paths()["stdlib"]]:
        before = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "onnx_lint", *ALONE, "--output-format", "json", path],
            capture_output=True,
            check=False,
        )
        seconds = time.monotonic() - before
        try:
            report = json.loads(done.stdout)
        except ValueError:
            report = {"diagnostics": [], "errors": ["no JSON"]}
        counts = Counter(d["code"] for d in report["diagnostics"])
        special = {code: counts.pop(code, 0) for code in ("ONX000", "ONX009", "ONX099")}
        fine = done.returncode in (0, 1, 2) and b"internal error" not in done.stderr and not special["ONX099"]
        fine = fine and "no JSON" not in report["errors"]
        good = good and fine
        figures = " ".join(f"{n:7}" for n in (*special.values(), sum(counts.values())))
        status = "ok" if fine else f"BAD, exit status {done.returncode}: {done.stderr[-300:]!r}"
        print(f"{path[-40:]:40} {len(python_files([path])):6} {seconds:8.1f} {figures}  {status}", flush=True)
        for error in report["errors"]:
            print("    not read:", error)
        for d in report["diagnostics"]:
            if d["code"] in special:
                print(f"    {d['path']}:{d['line']}:{d['column']}: {d['code']} {d['message']}")
    return good


# ----------------------------------------------------------------------------------------------------------- oracle
def oracle(paths: list[str]) -> bool:
    from robustness.oracle import difference, split_by_ast, split_difference

    from onnx_lint.deep_stack import with_deep_stack
    from onnx_lint.source.text import SourceError, read

    counts: Counter[str] = Counter()
    for path in python_files(paths):
        try:
            normal = read(str(path)).normal
        except SourceError:
            counts["not decoded"] += 1
            continue
        counts["files"] += 1
        counts["lines"] += normal.count("\n")
        counts["not taken by this Python's parser"] += split_by_ast(normal) is None
        for kind, judge in (("IR", difference), ("split", split_difference)):
            found = with_deep_stack(lambda judge=judge, normal=normal: judge(normal))
            if found is not None:
                counts[f"{kind} differs"] += 1
                print(f"{path}: {kind}: {found}", flush=True)
    print(", ".join(f"{number} {name}" for name, number in counts.items()))
    return not any(name.endswith("differs") for name in counts)


# --------------------------------------------------------------------------------------------------------- mutations
def mutant(files: list[Path], seed: int, number: int) -> tuple[Path, bytes]:
    """The damaged file with that number; always the same."""
    from robustness.mutations import mutated

    source = random.Random(f"{seed}:{number}")
    path = source.choice(files)
    return path, mutated(path.read_bytes(), source)


def worker(paths: list[str], seed: int, start: int, count: int) -> None:
    """Analyse damaged files; a line before and after each tells the parent how far it is."""
    from robustness.mutations import analysed

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    files = python_files(paths)
    for number in range(start, count):
        path, data = mutant(files, seed, number)
        print("start", number, flush=True)
        try:
            diagnostics = analysed(data)
            said = "refused" if diagnostics is None else f"said {len(diagnostics)}"
        except Exception as error:  # noqa: BLE001 - what gets out is what is looked for
            said = "error " + " ".join(f"{type(error).__name__}: {error}".split())[:300]
        print("done", number, path, said, flush=True)


def mutate(paths: list[str], seed: int, count: int) -> bool:
    counts: Counter[str] = Counter()
    slowest, current, start = (0.0, -1), -1, 0
    before = time.monotonic()
    while start < count:
        command = [sys.executable, __file__, "--worker", str(seed), str(start), str(count), *paths]
        child = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert child.stdout is not None
        os.set_blocking(child.stdout.fileno(), False)
        selector = selectors.DefaultSelector()
        selector.register(child.stdout, selectors.EVENT_READ)
        began, pending, ended = time.monotonic(), b"", ""
        while not ended:
            if not selector.select(timeout=LIMIT):
                child.kill()
                ended = f"hung for {LIMIT:.0f} s"
                break
            data = child.stdout.read()
            if not data:
                ended = f"died, status {child.wait()}" if current >= 0 else "finished"
            *lines, pending = (pending + (data or b"")).split(b"\n")
            for line in lines:
                word, number, *rest = line.decode("utf-8", "replace").split(" ", 3)
                if word == "start":
                    current, began = int(number), time.monotonic()
                    continue
                slowest = max(slowest, (time.monotonic() - began, current))
                start, current = current + 1, -1
                counts["files"] += 1
                kind = rest[1].split(" ")[0]
                counts[kind] += 1
                if kind == "error":
                    print(f"{number}: {rest[0]}: {rest[1]}", flush=True)
        child.wait()
        if ended != "finished":
            if current < 0:
                raise SystemExit(f"the child {ended} before it began")
            counts["crashed or hung"] += 1
            counts["files"] += 1
            print(f"{current}: {ended}", flush=True)
            start, current = current + 1, -1
        elif start < count:
            raise SystemExit("the child stopped early")
    print(
        f"seed {seed}, {time.monotonic() - before:.0f} s, "
        f"slowest {slowest[0]:.1f} s (number {slowest[1]}): {dict(counts)}"
    )
    return not counts["error"] and not counts["crashed or hung"]


# ------------------------------------------------------------------------------------------------------ same answers
def compared(top: Path, link: Path) -> tuple[int, int]:
    """How many diagnostics the command has for a folder, and how many of five other ways to ask for them give others:
    other hash seeds, working directories, kinds of path, and the files one by one in reverse order."""
    from robustness.test_programs import by_command

    link.symlink_to(top, target_is_directory=True)
    inside = next(path.parent for path in sorted(top.rglob("*.py")) if path.parent != top)
    up = os.path.relpath(top, inside)
    files = tuple(sorted(map(str, top.rglob("*.py")), reverse=True))
    runs = [(top, (".",), "1"), (top.parent, (top.name,), "2"), (top.parent, (str(link),), "3"), (inside, (up,), "0")]
    runs.append((inside, files, "1"))
    first = by_command(top, (".",), "0", top)
    differ = 0
    for folder, paths, seed in runs:
        other = by_command(folder, paths, seed, top)
        if other != first:
            differ += 1
            odd = sorted(set(other) ^ set(first))
            print(f"from {folder} with {paths[0]}, seed {seed}: {len(odd)} differ, the first {odd[:1]}", flush=True)
    return len(first), differ


def same(paths: list[str]) -> bool:
    good = True
    for path in paths:
        with tempfile.TemporaryDirectory() as temporary:
            count, differ = compared(Path(path).resolve(), Path(temporary) / "link")
        print(f"{path}: {count} diagnostics, {differ} runs that differ", flush=True)
        good &= not differ
    return good


# ------------------------------------------------------------------------------------------------------------- edits
_STEPS = 4
"""Texts of a sequence that parse and are compared; before each stands one that is only typed over."""
_LONGEST = 40_000
"""Characters of a file that is edited."""


def _parses(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the sources: old escapes and comparisons
            ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def edit_sequence(path: Path, source: random.Random, counts: Counter[str]) -> list[str] | None:
    """Edit a file, and in turn a file that it imports, as an editor that stays open sees it. What is odd, in words;
    ``None`` if nothing is reported of the file to begin with."""
    from editor_core.test_incremental import edited, said

    from onnx_lint.checker import check_groups
    from onnx_lint.project.project import Project
    from onnx_lint.settings import Settings
    from onnx_lint.source.text import SourceError, SourceText, read

    held: dict[str, SourceText | None] = {}

    def load(name: str) -> SourceText | None:
        if name not in held:
            try:
                held[name] = read(name)
            except (OSError, SourceError):
                held[name] = None
        return held[name]

    first = str(path)
    original = load(first)
    assert original is not None
    texts = {first: original.text}
    project = Project(load, editor=True)
    project.add(original)
    if not check_groups(project, [(Settings(), {first})]):
        return None
    # a file that it imports is open too
    read_too = {name: found.text for name, found in held.items() if found is not None and name.endswith(".py")}
    others = sorted(name for name, text in read_too.items() if name != first and 200 < len(text) < _LONGEST)
    if others:
        other = source.choice(others)
        texts[other] = read_too[other]
        project.add(SourceText.from_text(other, texts[other]))
    odd: list[str] = []
    for _ in range(_STEPS):
        name = source.choice(list(texts))
        project.add(SourceText.from_text(name, edited(source, texts[name])))
        check_groups(project, [(Settings(), {first})])
        texts[name] = next(filter(_parses, (edited(source, texts[name]) for _ in range(50))), texts[name])
        project.add(SourceText.from_text(name, texts[name]))
        now = check_groups(project, [(Settings(), {first})])
        anew = Project(load, editor=True)
        for each, text in texts.items():
            anew.add(SourceText.from_text(each, text))
        fresh = check_groups(anew, [(Settings(), {first})])
        counts["comparisons"] += 1
        counts["diagnostics"] += len(fresh)
        if said(now) != said(fresh):
            unlike = sorted({str(d[:4]) for d in said(now)} ^ {str(d[:4]) for d in said(fresh)})
            odd.append(f"{first}, after an edit of {name}: {unlike[:2] or 'fixes or order'}")
            continue
        for one, other_one in zip(now, fresh, strict=True):
            notes, others_notes = (*one.origin, *one.path), (*other_one.origin, *other_one.path)
            counts["notes"] += len(notes)
            counts["diagnostics with other notes"] += notes != others_notes
            for note in notes if notes != others_notes else ():
                held_text = texts.get(note.span.path)
                text = SourceText.from_text(note.span.path, held_text) if held_text else load(note.span.path)
                shown = text.slice(note.span) if text is not None else ""
                is_call = shown.endswith(")") and "(" in shown
                if note not in others_notes and not is_call and not (shown and f"`{shown}`" in note.text):
                    odd.append(f"{first}: the note {note} stands at {shown!r}")
    return odd


def edits(paths: list[str], seed: int, count: int) -> bool:
    files = [
        path for path in python_files(paths) if path.stat().st_size < _LONGEST and b"def forward" in path.read_bytes()
    ]
    counts: Counter[str] = Counter()
    good = True
    for number in range(count):
        source = random.Random(f"{seed}:{number}")
        tried = (edit_sequence(source.choice(files), source, counts) for _ in range(50))
        odd = next((found for found in tried if found is not None), None)
        if odd is None:
            raise SystemExit("nothing is reported of these files: the edits would show nothing")
        counts["sequences"] += 1
        counts["sequences that differ"] += bool(odd)
        for line in odd:
            print(f"{number}: {line}", flush=True)
        good = good and not odd
    print(", ".join(f"{number} {name}" for name, number in counts.items()))
    return good


# ---------------------------------------------------------------------------------------------------------- programs
def programs(count: int) -> bool:
    """Half of them have nested values. Each is linted in this process in two orders of its files; then all of them by
    the command, with other hash seeds, working directories and kinds of path."""
    from hypothesis import HealthCheck, Phase, given, settings
    from robustness.test_programs import linted, nested_programs
    from robustness.test_programs import programs as plain_programs

    made: list[dict[str, str]] = []

    def keep(files: dict[str, str]) -> None:
        made.append(files)

    for strategy in (plain_programs(), nested_programs()):
        generated = settings(
            max_examples=count // 2, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )(given(strategy)(keep))  # fmt: skip
        generated()
    counts: Counter[str] = Counter({"programs": len(made)})
    for files in made:
        said = linted(files)
        counts["diagnostics"] += len(said)
        counts["internal errors"] += sum(d.code == "ONX099" for d in said)
        counts["change with the order of files"] += linted(dict(reversed(files.items()))) != said
    print(", ".join(f"{number} {name}" for name, number in counts.items()), flush=True)
    counts["runs that differ"] = _by_other_ways(made)
    return not any(counts[k] for k in ("internal errors", "change with the order of files", "runs that differ"))


def _by_other_ways(made: list[dict[str, str]]) -> int:
    """In how many of five ways to ask the command for programs, all of them at once, it says something else."""
    with tempfile.TemporaryDirectory() as temporary:
        top = Path(temporary) / "top"
        for number, files in enumerate(made):
            (top / str(number)).mkdir(parents=True)
            for path, text in files.items():
                (top / str(number) / path).write_text(text, encoding="utf-8")
        count, differ = compared(top, Path(temporary) / "link")
    print(f"{count} diagnostics by the command, {differ} runs that differ", flush=True)
    return differ


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trees", nargs="*", metavar="TREE")
    parser.add_argument("--oracle", nargs="+", metavar="TREE")
    parser.add_argument("--programs", type=int, metavar="COUNT")
    parser.add_argument("--same", nargs="+", metavar="TREE")
    parser.add_argument("--edits", nargs="+", metavar=("COUNT", "TREE"))
    parser.add_argument("--mutate", nargs="+", metavar=("COUNT", "TREE"))
    parser.add_argument(
        "--show", nargs="+", metavar=("NUMBER", "TREE"), help="write that damaged file to standard output"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    good = True
    if options.worker:
        seed, start, count, *paths = options.worker
        worker(paths, int(seed), int(start), int(count))
    if options.show:
        number, *paths = options.show
        sys.stdout.buffer.write(mutant(python_files(paths), options.seed, int(number))[1])
    if options.trees is not None:
        good &= trees(options.trees)
    if options.oracle:
        good &= oracle(options.oracle)
    if options.programs:
        good &= programs(options.programs)
    if options.same:
        good &= same(options.same)
    if options.edits:
        count, *paths = options.edits
        good &= edits(paths, options.seed, int(count))
    if options.mutate:
        count, *paths = options.mutate
        good &= mutate(paths, options.seed, int(count))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
