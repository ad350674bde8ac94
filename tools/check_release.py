"""Whether a tag can be released: it is the version, every place says the same version, the changelog has it, and the
addresses of the project are real.

python tools/check_release.py v0.1.0    # exit status 1 and one line for each thing that is missing
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def version() -> str:
    """The one place: ``__version__`` of the package."""
    text = (ROOT / "linter" / "onnx_lint" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'__version__ = "([^"]+)"', text)
    if found is None:
        raise ValueError("onnx_lint/__init__.py has no __version__")
    return found[1]


def other_versions() -> dict[str, str]:
    """What other files say, which cannot read the package."""
    hook = (ROOT / "integrations" / "pre-commit.yaml").read_text(encoding="utf-8")
    action = (ROOT / "integrations" / "github.yml").read_text(encoding="utf-8")
    return {
        "vscode-client/package.json": json.loads((ROOT / "vscode-client/package.json").read_text("utf-8"))["version"],
        "integrations/pre-commit.yaml": re.findall(r"rev: v(\S+)", hook)[0],
        "integrations/github.yml": re.findall(r"onnx-lint@v(\S+)", action)[0],
    }


def problems(tag: str) -> list[str]:
    """What is in the way, one line each."""
    out = []
    if tag != f"v{version()}":
        out.append(f"the tag is {tag}, the version {version()}")
    out += [f"{path} has version {other}" for path, other in other_versions().items() if other != version()]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = re.search(rf"^## {re.escape(version())}\b(.*)$", changelog, re.MULTILINE)
    if heading is None or "unreleased" in heading[1]:
        out.append(f"CHANGELOG.md has no released version {version()}")
    for name in ("pyproject.toml", "linter/onnx_lint/links.py", "action.yml", "mkdocs.yml"):
        text = (ROOT / name).read_text(encoding="utf-8")
        if re.search(r"(github\.com/OWNER|OWNER\.github|OWNER/onnx-lint)", text):
            out.append(f"{name} has OWNER where the address of the repository belongs")
    return out


if __name__ == "__main__":
    found = problems(sys.argv[1])
    sys.stderr.writelines(f"{problem}\n" for problem in found)
    raise SystemExit(bool(found))
