"""What a rule is: one sentence about one kind of site."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, get_args

from onnx_lint.diagnostic import Fix
from onnx_lint.semantics.domain.sites import Site
from onnx_lint.target import Engine, Verdict

SiteT = TypeVar("SiteT", bound=Site)


@dataclass(frozen=True)
class Finding:
    """What a rule says of a site. The checker makes a `Diagnostic` of it: the severity follows from the verdicts for
    the engines asked for, from whether the dimension varies, and from whether the statement only checks."""

    rule: Rule[Any]
    site: Site
    message: str
    verdicts: Mapping[Engine, Verdict]
    help: str | None = None
    fix: Fix | None = None


class Rule(ABC, Generic[SiteT]):
    """Subclass with the site to look at: ``class MyRule(Rule[Branch])``.

    The docstring is the documentation, in Markdown: first line what it flags, then ``## Why it breaks export``, then
    ``## Example`` with a code block that must yield exactly this code, then ``Use instead:`` with a code block that
    must yield nothing. Examples are methods of an ``nn.Module`` or whole modules.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    verdicts: ClassVar[Mapping[Engine, Verdict]]
    """What each engine makes of the construct, proved by exporting the example."""
    preview: ClassVar[bool] = False
    site: ClassVar[type[Site]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for base in getattr(cls, "__orig_bases__", ()):
            arguments = get_args(base)
            if arguments and isinstance(arguments[0], type) and issubclass(arguments[0], Site):
                cls.site = arguments[0]

    @abstractmethod
    def check(self, site: SiteT, /) -> Iterable[Finding]:
        """What there is to say about the site; nothing, mostly."""

    def at(
        self,
        site: Site,
        message: str,
        *,
        verdicts: Mapping[Engine, Verdict] | None = None,
        help: str | None = None,
        fix: Fix | None = None,
    ) -> Finding:
        """A finding at the site. `verdicts` narrows the rule's own for this case."""
        return Finding(self, site, message, self.verdicts if verdicts is None else verdicts, help, fix)

    @property
    def documentation(self) -> str:
        """The docstring, unindented."""
        return inspect.getdoc(type(self)) or ""

    @property
    def summary(self) -> str:
        """The first line of the documentation."""
        return self.documentation.partition("\n")[0]
