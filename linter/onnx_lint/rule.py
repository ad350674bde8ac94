"""What a rule is: one sentence about one kind of site, with an ending for each export engine."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, get_args

from onnx_lint.diagnostic import Fix
from onnx_lint.semantics.domain.sites import Site
from onnx_lint.target import FINE, Effects, Engine, Verdict

SiteT = TypeVar("SiteT", bound=Site)


@dataclass(frozen=True)
class Finding:
    """What a rule says of a site. The checker makes a `Diagnostic` of it, for the engines that were asked for: only
    these are spoken of. The severity follows from their verdicts, from whether the dimension varies, and from whether
    the statement only checks."""

    rule: Rule[Any]
    site: Site
    subject: str
    """What stands there: ``` `if` depends on the values of input `x` ```."""
    effects: Effects
    help: str | None = None
    fix: Fix | None = None
    needs_opset: int | None = None
    """It holds below this opset only."""
    by_size: bool | None = None
    """Whether the harm shows for another size than the example's only; ``None``: as the subject says."""
    presumed_fixed: bool = False
    """Whether the size is one that weights fix, by the way it is used: information only."""

    def verdict(self, engine: Engine) -> Verdict:
        """What the engine makes of it; fine if the rule says nothing of that engine."""
        return self.effects.get(engine, FINE).verdict

    def holds(self, engines: Iterable[Engine]) -> tuple[Engine, ...]:
        """Those of the engines that execute the site and make something of it."""
        return tuple(e for e in engines if e in self.site.engines and self.verdict(e) is not Verdict.FINE)

    def message(self, engines: Sequence[Engine]) -> str:
        """One sentence about these engines, without a full stop."""
        held = [self.effects[engine] for engine in engines]
        if len(held) > 1 and len({effect.words for effect in held}) == 1:
            return f"{self.subject}: both engines {held[0].plural}"
        words = [effect.after if number and effect.after else effect.words for number, effect in enumerate(held)]
        return f"{self.subject}: {', '.join(f'{e} {text}' for e, text in zip(engines, words, strict=True))}"

    def help_for(self, engines: Iterable[Engine]) -> str | None:
        """What to write instead when exporting with these engines."""
        parts = [self.help, *(self.effects[engine].help for engine in engines)]
        return "; ".join(part for part in parts if part) or None


class Rule(ABC, Generic[SiteT]):
    """Subclass with the site to look at: ``class MyRule(Rule[Branch])``.

    The docstring is the documentation, in Markdown: first line what it flags, then ``## Why it breaks export``, then
    ``## Example`` with a code block that must yield exactly this code, then ``Use instead:`` with a code block that
    must yield nothing. Examples are methods of an ``nn.Module`` or whole modules.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    effects: ClassVar[Effects]
    """What each engine makes of the construct, proved by exporting the example."""
    preview: ClassVar[bool] = False
    messages: ClassVar[tuple[str, ...]] = ()
    """What PyTorch or ONNX Runtime print about it, without names and numbers: ``--explain`` finds the rule by them."""
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
        subject: str,
        *,
        effects: Effects | None = None,
        help: str | None = None,
        fix: Fix | None = None,
        needs_opset: int | None = None,
        by_size: bool | None = None,
        presumed_fixed: bool = False,
    ) -> Finding:
        """A finding at the site. `subject` says what stands there, without an engine; the words of the engines
        follow it. `effects` replaces the rule's own for this case; the others are those of `Finding`."""
        effects = self.effects if effects is None else effects
        return Finding(self, site, subject, effects, help, fix, needs_opset, by_size, presumed_fixed)

    @property
    def verdicts(self) -> Mapping[Engine, Verdict]:
        """What each engine makes of the example."""
        return {engine: effect.verdict for engine, effect in self.effects.items()}

    @property
    def verdict_line(self) -> str:
        """What each engine makes of it, in one line."""
        text = " · ".join(f"{e.value}: {self.effects.get(e, FINE).verdict.value}" for e in Engine)
        return f"{text} · preview" if self.preview else text

    @property
    def documentation(self) -> str:
        """The docstring, unindented."""
        return inspect.getdoc(type(self)) or ""

    @property
    def summary(self) -> str:
        """The first line of the documentation."""
        return self.documentation.partition("\n")[0]
