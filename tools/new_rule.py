"""Begin a rule: its file, and fixtures for what it finds and for what it must not find.

    python tools/new_rule.py control_flow my-pattern             # takes the next free code of that topic
    python tools/new_rule.py control_flow my-pattern ONX106 --site Branch

The name says the pattern, never "no-…". What is made is complete in form; the tests in tests/rules fail until the
parts in CAPITALS are written.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from onnx_lint.codes import table
from onnx_lint.registry import rules_of
from onnx_lint.semantics.domain import sites

ROOT = Path(__file__).parents[1]
RULES = ROOT / "rules" / "onnx_lint_rules"
FIXTURES = ROOT / "tests" / "fixtures" / "rules"
SITES = sorted(site.__name__ for site in sites.Site.__subclasses__())

RULE = '''\
"""{code} {name}."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lint.rule import Finding, Rule
from onnx_lint.semantics.domain.sites import {site}
from onnx_lint.target import fails, measured, wrong


class {class_name}(Rule[{site}]):
    """ONE SENTENCE: WHAT IT FINDS.

    ## Why it breaks export

    WHAT EACH ENGINE DOES WITH IT, AND WITH WHAT MESSAGE. WHAT COMES OUT WRONG FOR OTHER INPUTS.

    ## Example

    ```python
    def forward(self, x):
        return x
    ```

    Use instead:

    ```python
    def forward(self, x):
        return x
    ```

    ## References

    - WHERE IT IS DOCUMENTED OR DISCUSSED
    """

    code = "{code}"
    name = "{name}"
    effects = measured(torchscript=wrong("keeps WHAT IT KEEPS"), dynamo=fails("fails to export it"))

    def check(self, {argument}: {site}, /) -> Iterator[Finding]:
        if {argument}.depends_on_data:
            yield self.at({argument}, "WHAT STANDS HERE, WITHOUT AN ENGINE", help="WHAT TO WRITE INSTEAD")
'''

HAZARDS = '''\
"""What {code} {name} finds: five lines at least, each with its expectation."""

import torch
from torch import nn


class {class_name}Hazards(nn.Module):
    def forward(self, x):
        return x + 1  # expect: {code}
'''

CLEAN = '''\
"""What looks like {code} {name} and is right: models that export as they run."""

import torch
from torch import nn

INPUTS = {{
    "{class_name}Clean": ("(torch.randn(3, 4),)", "(torch.randn(5, 4),)", {{"x": (0,)}}),
}}


class {class_name}Clean(nn.Module):
    def forward(self, x):
        return x + 1
'''


class Refused(Exception):
    """A rule that cannot be begun like this; the message is one line."""


def taken() -> dict[str, str]:
    """The names of all codes in use."""
    return {code: each.name for code, each in table().items()}


def next_code(topic: str) -> str:
    """The first free code behind those of a topic. Raises `Refused` for a topic without rules."""
    codes = [r.code for r in rules_of("onnx_lint_rules") if type(r).__module__.split(".")[1] == topic]
    if not codes:
        raise Refused(f"{topic} has no rule yet, so its codes have no number: give one")
    number = int(min(codes)[3:])
    while f"ONX{number}" in taken():
        number += 1
    return f"ONX{number}"


def files(topic: str, name: str, code: str, site: str) -> dict[Path, str]:
    """What is to be written. Raises `Refused`."""
    if not re.fullmatch(r"[a-z]+(-[a-z]+)*", name) or name.startswith("no-"):
        raise Refused(f"{name!r} is not a rule name: small letters and hyphens, the pattern itself, not 'no-…'")
    if not re.fullmatch(r"[a-z]+(_[a-z]+)*", topic):
        raise Refused(f"{topic!r} is not a topic: small letters and underscores")
    if not re.fullmatch(r"ONX[1-9]\d\d", code):
        raise Refused(f"{code!r} is not a code: ONX and three digits, from ONX100")
    known = taken()
    if code in known:
        raise Refused(f"{code} is {known[code]} already; the next free code is {next_code(topic)}")
    if name in known.values():
        raise Refused(f"there is a rule {name} already")
    words = {
        "code": code, "name": name, "site": site, "argument": re.sub(r"(?<!^)(?=[A-Z])", "_", site).lower(),
        "class_name": "".join(part.capitalize() for part in name.split("-")),
    }  # fmt: skip
    stem = name.replace("-", "_")
    out = {
        RULES / topic / f"{stem}.py": RULE.format(**words),
        FIXTURES / "hazards" / f"{stem}.py": HAZARDS.format(**words),
        FIXTURES / "clean" / f"{stem}.py": CLEAN.format(**words),
    }
    if not (RULES / topic / "__init__.py").exists():
        out[RULES / topic / "__init__.py"] = f'"""Rules about {topic.replace("_", " ")}."""\n'
    return out


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("topic", help="folder below rules/onnx_lint_rules")
    parser.add_argument("name", help="the pattern, such as loop-over-tensor")
    parser.add_argument("code", nargs="?", help="default: the next free one of the topic")
    parser.add_argument("--site", choices=SITES, default="Branch", help="what the rule looks at (default: Branch)")
    given = parser.parse_args(argv)
    try:
        code = given.code or next_code(given.topic)
        made = files(given.topic, given.name, code, given.site)
    except Refused as error:
        sys.stderr.write(f"new_rule: {error}\n")
        return 2
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    sys.stdout.write(
        f"\nNow write what stands in CAPITALS, then:\n"
        f"    python -m pytest tests/rules -k {code} -m 'not torch'    # names, page, examples\n"
        f"    python -m pytest tests/rules                        # fixtures, and the verdicts by exporting\n"
        f"    python tools/generate_docs.py\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
