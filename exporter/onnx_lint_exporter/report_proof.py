"""What was searched and measured, in the page of a report: witnesses, conversions, differences, histograms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from onnx_lint_exporter.figures import BUCKETS
from onnx_lint_exporter.outcome import Outcome
from onnx_lint_exporter.proved import open_words, proved_words
from onnx_lint_exporter.report_listing import text
from onnx_lint_exporter.worker.protocol import Frame, Proof, State, ValueDifference

MOST_VALUES = 60
"""Values of one table of differences: those that differ most."""
Link = Callable[[Frame], str]
"""The place of a frame as HTML, with a link where the page shows the line."""


def searched(outcome: Outcome) -> Iterator[str]:
    """The search of one engine, and the input on which it goes wrong."""
    proof = outcome.result.proof
    if not proof.searched and not proof.witness:
        return
    yield f'<h3 class="{outcome.engine}">{outcome.engine}</h3>'
    if proof.failed.state is not State.NOT_RUN:
        yield f'<p><span class="wrong">{text(proof.failed.state)}</span>: {text(proof.failed.text)}</p>'
        yield from _witness(proof)
        yield "".join(f"<p>{text(words)}</p>" for words in proof.turned)
    else:
        yield f'<p class="right">{text(proved_words(proof))}</p>'
    open_ = list(open_words(proof))
    if open_:
        yield f"<ul>{''.join(f'<li>{text(words)}</li>' for words in open_)}</ul>"


def _witness(proof: Proof) -> Iterator[str]:
    if not proof.witness:
        return
    yield '<table class="plain"><thead><tr><th>argument</th><th>example</th><th>goes wrong with</th></tr></thead>'
    yield "<tbody>"
    for each in proof.witness:
        yield f"<tr><td><code>{text(each.name)}</code></td><td>{text(each.kind)}</td><td>{text(each.second)}</td></tr>"
    yield "</tbody></table>"


def differences(title: str, found: Sequence[ValueDifference], link: Link) -> Iterator[str]:
    """A table of the values that differ most, with a histogram of each."""
    if not found:
        return
    ranked = sorted(found, key=lambda each: -each.relative)
    yield f'<h3>{title}</h3><div class="scroll"><table class="plain"><thead><tr><th>value</th><th>line</th>'
    yield "<th>largest</th><th>of its largest</th>"
    scale = f"{BUCKETS[0]}, {BUCKETS[1]}, {BUCKETS[2]} … {BUCKETS[-1]}"
    yield f'<th>elements by difference<br><span class="soft">{text(scale)}</span></th></tr></thead><tbody>'
    for each in ranked[:MOST_VALUES]:
        place = link(each.stack[0]) if each.stack else ""
        shape = "×".join(map(str, each.shape)) or "scalar"
        yield (
            f'<tr><td><code>{text(each.name)}</code> <span class="soft">{shape}</span></td><td>{place}</td>'
            f"<td>{each.largest:.3g}</td><td>{100 * each.relative:.2g} %</td><td>{histogram(each.histogram)}</td></tr>"
        )
    yield "</tbody></table></div>"
    if len(ranked) > MOST_VALUES:
        yield f'<p class="soft">{len(ranked) - MOST_VALUES} more values differ less.</p>'


def histogram(counts: Sequence[int]) -> str:
    """Bars for the counts, as SVG; each names its count when it is pointed at."""
    most, wide, high = max(counts, default=0) or 1, 14, 28
    bars = []
    for place, (bucket, count) in enumerate(zip(BUCKETS, counts, strict=True)):
        tall = max(high * count / most, 1.5) if count else 0.5
        shade = "equal" if place == 0 else "large" if place > 7 else "small"
        bars.append(
            f'<g class="{shade}"><title>{text(bucket)}: {count}</title>'
            f'<rect x="{place * wide}" y="{high - tall:.1f}" width="{wide - 2}" height="{tall:.1f}"/></g>'
        )
    width = wide * len(BUCKETS)
    return f'<svg class="bars" viewBox="0 0 {width} {high}" width="{width}" height="{high}">{"".join(bars)}</svg>'
