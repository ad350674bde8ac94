"""The places that rules look at: traced code, with the values that meet there.

A rule subscribes to one class of sites. Sites are made only where something traced takes part; a rule decides whether
that is a hazard, for which engine, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onnx_lint.diagnostic import Note, Span
from onnx_lint.semantics.domain.dims import varies
from onnx_lint.semantics.domain.origin import StepKind
from onnx_lint.semantics.domain.parts import depends_on_data, origin_of
from onnx_lint.semantics.domain.values import Arguments, Frozen, Size, Value
from onnx_lint.source import ir
from onnx_lint.target import Engine

if TYPE_CHECKING:
    from onnx_lint.project.classes import ClassInfo
    from onnx_lint.project.modules import Unit


@dataclass(frozen=True, slots=True)
class Step:
    """One call on the way from an entry point to a site. Equal ways are equal."""

    unit: Unit
    at: int
    caller: str
    callee: str
    parent: Step | None


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """Where (`unit` and `node`), what flows there (`subject`), and how traced code gets there."""

    unit: Unit
    node: ir.Expr | ir.Stmt
    """What is reported; its place is the place of the diagnostic."""
    subject: Value
    """The traced value that meets Python here."""
    function: str
    """Qualified name of the function in which it stands, for messages."""
    step: Step | None
    """The last call on the way here; a site that was just recorded does not know it yet."""
    engines: tuple[Engine, ...]
    """The engines that execute this place at all (``if torch.jit.is_tracing()``)."""
    only_checks: bool
    """The statement only checks: an ``assert``, or a branch that only raises."""

    @property
    def span(self) -> Span:
        return self.unit.span(self.node.at)

    @property
    def model(self) -> str:
        """The name of the class at whose ``forward`` the way to this site begins."""
        first = self.function
        step = self.step
        while step is not None:
            first, step = step.caller, step.parent
        return first.partition(".")[0]

    def text_of(self, node: ir.Expr | ir.Stmt) -> str:
        """The source of a node of the same chunk."""
        return self.unit.module.source.slice(self.unit.span(node.at))

    @property
    def depends_on_data(self) -> bool:
        """What a tensor holds decides, not only its size."""
        return depends_on_data(self.subject)

    @property
    def fixed_dimension(self) -> tuple[str, int] | None:
        """Input and axis, when the subject is exactly one dimension of an input of ``forward``."""
        subject = self.subject
        if isinstance(subject, Size) and subject.parameter is not None and subject.axis is not None:
            return subject.parameter, subject.axis
        return None

    @property
    def is_fixed(self) -> bool:
        """Whether what is read here is a size, or comes from sizes, that the shapes say cannot change."""
        subject = self.subject
        if isinstance(subject, Frozen) and subject.from_data:
            return False
        return isinstance(subject, (Size, Frozen)) and varies(subject.dim) is False

    @property
    def moves(self) -> int:
        """Grows when a place that it speaks of moves in its file."""
        total = self.unit.moves
        origin = origin_of(self.subject)
        while origin is not None:
            total += origin.unit.moves
            origin = origin.parent
        step = self.step
        while step is not None:
            total += step.unit.moves
            step = step.parent
        return total

    def origin_notes(self) -> tuple[Note, ...]:
        """The chain by which the subject came about, first cause first."""
        origin = origin_of(self.subject)
        if origin is None:
            return ()
        notes: list[Note] = []
        for step in origin.steps():
            if not step.unit.has_place(step.at):
                continue  # a result that outlives an edit was computed for a caller that did not
            span = step.unit.span(step.at)
            source = step.unit.module.source.slice(span)
            note = Note(span, _STEP_TEXTS[step.kind].format(name=step.name, source=_short(source)))
            if span != self.span and note not in notes:
                notes.append(note)
        return tuple(notes)

    def path_notes(self) -> tuple[Note, ...]:
        """The calls that lead here, outermost first."""
        notes: list[Note] = []
        step = self.step
        while step is not None:
            if step.unit.has_place(step.at):
                notes.append(Note(step.unit.span(step.at), f"`{step.callee}` is called here"))
            step = step.parent
        return tuple(reversed(notes))


_STEP_TEXTS = {
    StepKind.INPUT: "`{name}` is an input of the model",
    StepKind.SIZE: "`{source}` is a size that changes with the input",
    StepKind.READ: "`{source}` reads a Python value from a traced value",
    StepKind.ARRAY: "`{source}` leaves torch for NumPy",
    StepKind.ARGUMENT: "passed on as `{name}`",
    StepKind.TENSOR: "`{source}` is a tensor computed from the input",
}


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57] + "…"


@dataclass(frozen=True, slots=True, eq=False)
class Branch(Site):
    """Python asks whether a traced value is true.

    `keyword`: ``if``, ``elif``, ``while``, ``ternary``, ``and``, ``or``, ``not``, ``assert``, ``torch._assert``,
    ``filter`` (of a comprehension), ``any``, ``all``.
    """

    keyword: str


@dataclass(frozen=True, slots=True, eq=False)
class Conversion(Site):
    """A Python function turns a traced value into a Python value, or asks for its truth while it picks one.

    `converter`: ``int``, ``float``, ``bool``, ``complex``, ``round``, ``str``, ``math.ceil``, ``min``, ``max``,
    ``sorted``, ``in``, ``index``, …; ``min by key`` when a key function gives what is compared.
    """

    converter: str
    argument: ir.Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class TensorCall(Site):
    """A method of a traced tensor: ``x.item()``, ``x.tolist()``, ``x.numpy()``. `receiver` is its expression, if it
    was written as a method call."""

    method: str
    receiver: ir.Expr | None
    argument_count: int


@dataclass(frozen=True, slots=True, eq=False)
class AttributeRead(Site):
    """An attribute of a traced tensor: ``x.data``."""

    attribute: str
    receiver: ir.Expr


@dataclass(frozen=True, slots=True, eq=False)
class OtherValue(Site):
    """Something that is not of the kind that a fix at this node is for comes there too. Also from code that is not
    traced; rules are not shown it."""


@dataclass(frozen=True, slots=True, eq=False)
class NumpyCall(Site):
    """A NumPy function on a traced value; `numpy_function` is its full name, ``torch.from_numpy`` and
    ``torch.Tensor.numpy`` included."""

    numpy_function: str


@dataclass(frozen=True, slots=True, eq=False)
class TensorFrom(Site):
    """``torch.tensor(v)``, ``torch.as_tensor(v)``, ``x.new_tensor(v)`` of Python values; `is_traced` says whether one
    of them is traced (if not, it is a plain constant)."""

    constructor: str
    is_traced: bool
    elements: tuple[ir.Expr, ...]
    """The expressions inside, when it is a plain list or tuple."""
    is_sequence: bool = False
    """Several values at once; a single one is kept live by some constructors."""


@dataclass(frozen=True, slots=True, eq=False)
class Iteration(Site):
    """Python takes a traced tensor apart. `how`: ``for``, ``unpack``, ``star``, ``list``, ``tuple``, ``zip``,
    ``enumerate``, ``comprehension``, …."""

    how: str


@dataclass(frozen=True, slots=True, eq=False)
class RangeLoop(Site):
    """A loop over ``range`` of a traced number."""


@dataclass(frozen=True, slots=True, eq=False)
class Length(Site):
    """``len`` of a traced tensor; `argument` is its expression."""

    argument: ir.Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class Formatting(Site):
    """A traced value becomes text; `how`: ``f-string``, ``str``, ``format``, ``%``, ``print``."""

    how: str


@dataclass(frozen=True, slots=True, eq=False)
class AliasedChange(Site):
    """``n += k`` on a size, or on a tensor of sizes, that another name still holds."""

    name: str
    alias: str
    operator: str


@dataclass(frozen=True, slots=True, eq=False)
class ShapeConflict(Site):
    """An operator is given tensors whose known sizes do not fit each other, or the module that is called; `reason` says
    which: ``input channels of a convolution: 3 is not 4``. It is one only where no way of the model comes to the same
    place with sizes that fit: see `reach.sites_of`."""

    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class ListIndex(Site):
    """A Python list or dict indexed by a traced number."""

    container: str


@dataclass(frozen=True, slots=True, eq=False)
class StateWrite(Site):
    """Traced code writes to something that outlives the call, and reads it too; the subject is what is written, traced
    or not. `kind`: ``attribute`` of a module, ``content`` of what an attribute holds, ``global``. `how`: ``assigned``,
    ``augmented``, ``changed``, ``guarded`` (in the first call only)."""

    kind: str
    name: str
    how: str
    owner: ClassInfo | None = None
    """The class whose attribute it is."""


@dataclass(frozen=True, slots=True, eq=False)
class ViewWrite(Site):
    """A tensor is changed in place, and shares its memory with another one that is read afterwards. `name` is what is
    changed, `other` what is read then; `is_view` says that `name` is a view of `other`, not the other way round."""

    name: str
    other: str
    is_view: bool


@dataclass(frozen=True, slots=True, eq=False)
class IndexWrite(Site):
    """``tensor[index] = value``. `form`: ``apart`` (tensors as indices, with a slice in between), ``mask of rows`` (a
    mask with fewer dimensions than the tensor, and a number as value)."""

    form: str


@dataclass(frozen=True, slots=True, eq=False)
class IndexRead(Site):
    """``tensor[index]``. `form`: ``negative pair`` (several lists of integers as indices, with negative ones)."""

    form: str


@dataclass(frozen=True, slots=True, eq=False)
class WeightRead(Site):
    """Python needs to know a tensor that does not depend on the input: a parameter, a buffer, a constant. `how`:
    ``data`` for its ``.data``, else the keyword of the branch that asks for its truth."""

    how: str


@dataclass(frozen=True, slots=True, eq=False)
class OperatorCall(Site):
    """A call of an operator or module of torch of which the table of verdicts, or a rule, has something to say. The
    subject is the first traced value that it is given, else unknown."""

    name: str
    """The full name: ``torch.cdist``, ``torch.Tensor.unfold``, ``torch.nn.LSTM``."""
    args: Arguments
    """What it is given; of a method the receiver first."""
    options: Mapping[str, Value]
    """Of a module: what it was made with, by the name of the parameter, as far as that is kept."""

    def given(self, position: int, name: str) -> Value | None:
        """An argument by position (a receiver has 0) or name; ``None`` if it is not given."""
        return self.args.get(position, name)


@dataclass(frozen=True, slots=True, eq=False)
class Output(Site):
    """What ``forward`` returns, when it is not all tensors. `kind`: ``dict``, ``str``, ``none``, ``number``,
    ``object``; `where` says which part (``output``, ``element 1 of the output``)."""

    kind: str
    where: str
