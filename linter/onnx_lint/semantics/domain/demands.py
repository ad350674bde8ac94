"""What operations demand of an input of the model of which the shape is not known: the number of dimensions, sizes
that weights fix, and the dtype."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from onnx_lint.semantics.domain.dims import Dim, Symbol, UnknownSize, substitute, symbol, varies
from onnx_lint.semantics.domain.dtypes import DEFAULT_FLOAT
from onnx_lint.semantics.domain.shapes import TensorType

SMALLEST = 2
"""The smallest size of a dimension that varies, as ``torch.export`` sees it: 0 and 1 are cases of their own."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What one operation demands: `rank` dimensions, sizes by axis (from the end where negative), a dtype (empty for
    one that is no floating-point type but not known)."""

    rank: int | None = None
    sizes: Mapping[int, Dim] = field(default_factory=dict)
    dtype: str | None = None
    last: int = 0
    """It reads that many dimensions, counted from the end (``x[..., 0, :, :]``, ``x.mean(-3)``)."""
    names: Mapping[int, Dim] = field(default_factory=dict)
    """Sizes by axis in the names of an annotation, where nothing else fixes them."""

    def size_at(self, axis: int) -> Dim | None:
        """What is demanded of one dimension, counted from the front."""
        from_end = None if self.rank is None else self.sizes.get(axis - self.rank)
        return self.sizes.get(axis, from_end)

    def with_sizes(self, of_names: Mapping[Symbol, Dim]) -> Demand:
        """The demand, where the sizes of some of its names are known."""
        known: dict[int, Dim] = {}
        for axis, named in self.names.items():
            size = substitute(named, of_names)
            if size != named:
                known[axis] = size
        return Demand(self.rank, {**known, **self.sizes}, self.dtype, self.last, self.names) if known else self

    def and_also(self, other: Demand) -> Demand:
        """Both demands; the first one counts where they contradict each other."""
        rank = self.rank if self.rank is not None else other.rank
        numbers = {axis: size for axis, size in other.sizes.items() if isinstance(size, int)}
        own = {a: numbers.get(a, s) if not isinstance(s, int) else s for a, s in self.sizes.items()}
        sizes, names = {**other.sizes, **own}, {**other.names, **self.names}
        return Demand(rank, sizes, self.dtype or other.dtype, max(self.last, other.last), names)

    def of_any_variant(self) -> Demand:
        """The demand without what the settings of one variant of a model say: sizes are fixed, but not known."""
        sizes = {axis: UnknownSize(False) if isinstance(size, int) else size for axis, size in self.sizes.items()}
        return replace(self, sizes=sizes)

    def type_of(self, name: str) -> TensorType:
        """The type of the input `name` that this is demanded of. Sizes that nothing fixes vary; where nothing says
        otherwise it is of the default floating-point type."""
        dtype = DEFAULT_FLOAT if self.dtype is None else self.dtype or None
        rank = self.rank
        if rank is None and self.last >= FROM_END:
            rank = self.last + 1
        if rank is None:
            return TensorType(None, dtype, name)
        shape: list[Dim] = []
        for axis in range(rank):
            size = self.sizes.get(axis, self.sizes.get(axis - rank))
            fixed = size is not None and varies(size) is False
            if isinstance(size, int):
                shape.append(size)
            elif axis in self.names and not fixed:
                shape.append(self.names[axis])
            else:
                called = str(self.names.get(axis, f"{name}.shape[{axis}]"))
                shape.append(symbol(called, low=1 if fixed else SMALLEST, varies=not fixed))
        return TensorType(tuple(shape), dtype)


FROM_END = 3
"""An input of which so many dimensions are counted from the end is taken to have one more, for the batch: images of
channels, height and width, whatever stands before. Of fewer nothing is taken."""


AFTERWARDS = 12
"""Statements for which a search goes on when all ranks are known: the next layers say which sizes are fixed."""


class Enough(Exception):
    """All that was looked for is found, or the search has come to its bound."""


@dataclass(slots=True)
class Search:
    """The search for what a model demands of its inputs: a run of its ``forward`` until shortly after the ranks of all
    `wanted` inputs are known."""

    wanted: set[str]
    found: dict[str, Demand] = field(default_factory=dict)
    in_doubt: int = 0
    """Positive inside a branch that asks for the rank of something: what is demanded there holds for that case only."""
    wants_dtypes: bool = False
    """Whether the search goes on until the dtypes of all are demanded as well."""

    def note(self, name: str, demand: Demand) -> bool:
        """An operation demands something of an input. Whether the ranks of all are known now."""
        if self.in_doubt:
            return False
        known = self.found.get(name)
        self.found[name] = demand if known is None else known.and_also(demand)
        found = self.found[name]
        if found.rank is not None and (found.dtype is not None or not self.wants_dtypes):
            self.wanted.discard(name)
        return not self.wanted
